#include "cpu/kernels/random.h"

#include <string.h>

#include "base/philox.h"
#include "tensor/formulas/normal.h"

enum { LANES = 32 };

/* LANES counters at once, so that the rounds vectorise. */
static void words_lanes(uint32_t *restrict out, uint64_t key, uint64_t counter) {
    uint32_t word[4][LANES];
    for (int i = 0; i < LANES; i++) {
        uint32_t w[4];
        philox4x32(key, counter + (uint64_t)i, 0, w);
        word[0][i] = w[0];
        word[1][i] = w[1];
        word[2][i] = w[2];
        word[3][i] = w[3];
    }
    for (int i = 0; i < LANES; i++) {
        out[4 * i] = word[0][i];
        out[4 * i + 1] = word[1][i];
        out[4 * i + 2] = word[2][i];
        out[4 * i + 3] = word[3][i];
    }
}

static void words(uint32_t *out, uint64_t key, uint64_t counter, int64_t n) {
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        words_lanes(out + 4 * i, key, counter + (uint64_t)i);
    }
    for (; i < n; i++) {
        philox4x32(key, counter + (uint64_t)i, 0, out + 4 * i);
    }
}

/* Products are rounded by themselves, with or without a fused multiply-add. */
static void uniform_f32(float *out, const uint32_t *w, int64_t n, const RandomShape *s, int bits) {
    const float shift = (float)s->shift, scale = (float)s->scale, most = (float)s->most;
    const float unit = 1.0f / (float)(1 << bits);
    for (int64_t i = 0; i < n; i++) {
        float u = (float)(int32_t)(w[i] >> (32 - bits)) * unit;
        float x = shift + f_mul_rn_f32(scale, u);
        out[i] = x > most ? most : x;
    }
}

static uint64_t long_word(const uint32_t *w, int64_t i) {
    return (uint64_t)w[2 * i + 1] << 32 | w[2 * i];
}

static void uniform_f64(double *out, const uint32_t *w, int64_t n, const RandomShape *s) {
    const double shift = s->shift, scale = s->scale, most = s->most;
    for (int64_t i = 0; i < n; i++) {
        double u = (double)(int64_t)(long_word(w, i) >> 11) * 0x1p-53;
        double x = shift + f_mul_rn_f64(scale, u);
        out[i] = x > most ? most : x;
    }
}

static void normal_f32(float *out, const uint32_t *w, int64_t n, const RandomShape *s) {
    const float shift = (float)s->shift, scale = (float)s->scale;
    for (int64_t i = 0; i < n; i += 2) {
        float z[2];
        f_box_muller_f32(w[i], w[i + 1], z);
        out[i] = shift + f_mul_rn_f32(scale, z[0]);
        out[i + 1] = shift + f_mul_rn_f32(scale, z[1]);
    }
}

static void normal_f64(double *out, const uint32_t *w, int64_t n, const RandomShape *s) {
    const double shift = s->shift, scale = s->scale;
    for (int64_t i = 0; i < n; i += 2) {
        double z[2];
        f_box_muller_f64(long_word(w, i), long_word(w, i + 1), z);
        out[i] = shift + f_mul_rn_f64(scale, z[0]);
        out[i + 1] = shift + f_mul_rn_f64(scale, z[1]);
    }
}

static void mask_f32(float *out, const uint32_t *w, int64_t n, const RandomShape *s) {
    const float scale = (float)s->scale;
    for (int64_t i = 0; i < n; i++) {
        out[i] = w[i] < s->drop ? 0.0f : scale;
    }
}

static void mask_f64(double *out, const uint32_t *w, int64_t n, const RandomShape *s) {
    const double scale = s->scale;
    for (int64_t i = 0; i < n; i++) {
        out[i] = w[i] < s->drop ? 0.0 : scale;
    }
}

const RandomTable ISA_NAME(random_table) = {.words = words,
                                            .uniform_f32 = uniform_f32,
                                            .uniform_f64 = uniform_f64,
                                            .normal_f32 = normal_f32,
                                            .normal_f64 = normal_f64,
                                            .mask_f32 = mask_f32,
                                            .mask_f64 = mask_f64};
