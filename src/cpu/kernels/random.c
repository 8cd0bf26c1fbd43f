#include "cpu/kernels/random.h"

#ifdef __SSE2__
    #include <immintrin.h>
#endif

#include "base/philox.h"
#include "tensor/formulas/normal.h"
#include "tensor/formulas/random.h"

#if defined(__AVX512F__)
typedef __m512i Counters;
    #define MULTIPLY(a, b) _mm512_mul_epu32(a, b)
    #define SPREAD(x)      _mm512_set1_epi64((long long)(x))
    #define SHIFT_DOWN(a)  _mm512_srli_epi64(a, 32)
    #define XOR3(a, b, c)  _mm512_ternarylogic_epi64(a, b, c, 0x96)
#elif defined(__AVX2__)
typedef __m256i Counters;
    #define MULTIPLY(a, b) _mm256_mul_epu32(a, b)
    #define SPREAD(x)      _mm256_set1_epi64x((long long)(x))
    #define SHIFT_DOWN(a)  _mm256_srli_epi64(a, 32)
    #define XOR3(a, b, c)  _mm256_xor_si256(_mm256_xor_si256(a, b), c)
#elif defined(__SSE2__)
typedef __m128i Counters;
    #define MULTIPLY(a, b) _mm_mul_epu32(a, b)
    #define SPREAD(x)      _mm_set1_epi64x((long long)(x))
    #define SHIFT_DOWN(a)  _mm_srli_epi64(a, 32)
    #define XOR3(a, b, c)  _mm_xor_si128(_mm_xor_si128(a, b), c)
#endif

#ifdef SPREAD
/* Several chains at once hide the latency of the product. */
enum { CHAINS = 4, LANES = sizeof(Counters) / sizeof(uint64_t), AT_ONCE = CHAINS * LANES };

/* Philox of AT_ONCE counters. Each 64-bit lane holds a word of its counter in the lower half; what
 * stands in the upper half does not count, as the product reads the lower halves only. */
static void words_at_once(uint32_t *out, uint64_t key, uint64_t counter) {
    union {
        Counters v[CHAINS];
        uint64_t lane[AT_ONCE];
    } c0, c1, c2, c3;
    const Counters mul0 = SPREAD(0xD2511F53u), mul1 = SPREAD(0xCD9E8D57u);
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int i = 0; i < AT_ONCE; i++) {
        c0.lane[i] = counter + (uint64_t)i;
        c1.lane[i] = (counter + (uint64_t)i) >> 32;
        c2.lane[i] = c3.lane[i] = 0;
    }
    #pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
        const Counters key0 = SPREAD(k0), key1 = SPREAD(k1);
        for (int i = 0; i < CHAINS; i++) {
            Counters p0 = MULTIPLY(mul0, c0.v[i]), p1 = MULTIPLY(mul1, c2.v[i]);
            c0.v[i] = XOR3(SHIFT_DOWN(p1), c1.v[i], key0);
            c2.v[i] = XOR3(SHIFT_DOWN(p0), c3.v[i], key1);
            c1.v[i] = p1;
            c3.v[i] = p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int i = 0; i < AT_ONCE; i++) {
        out[4 * i] = (uint32_t)c0.lane[i];
        out[4 * i + 1] = (uint32_t)c1.lane[i];
        out[4 * i + 2] = (uint32_t)c2.lane[i];
        out[4 * i + 3] = (uint32_t)c3.lane[i];
    }
}
#endif

static void words(uint32_t *out, uint64_t key, uint64_t counter, int64_t n) {
    int64_t i = 0;
#ifdef SPREAD
    for (; i + AT_ONCE <= n; i += AT_ONCE) {
        words_at_once(out + 4 * i, key, counter + (uint64_t)i);
    }
#endif
    for (; i < n; i++) {
        philox4x32(key, counter + (uint64_t)i, 0, out + 4 * i);
    }
}

static void uniform_f32(float *out, const uint32_t *w, int64_t n, const RandomShape *s, int bits) {
    const float shift = (float)s->shift, scale = (float)s->scale, most = (float)s->most;
    for (int64_t i = 0; i < n; i++) {
        out[i] = f_uniform_f32(w[i], bits, shift, scale, most);
    }
}

static void uniform_f64(double *out, const uint32_t *w, int64_t n, const RandomShape *s) {
    const double shift = s->shift, scale = s->scale, most = s->most;
    for (int64_t i = 0; i < n; i++) {
        out[i] = f_uniform_f64(f_long_word(w, i), shift, scale, most);
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
        f_box_muller_f64(f_long_word(w, i), f_long_word(w, i + 1), z);
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
