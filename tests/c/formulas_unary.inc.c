/* Implementation of formulas_unary.h, included by each test program of one-argument formulas. */

#include "formulas_unary.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { CHUNK = 4096, BENCH = 2048, SAMPLES = 400000, ISAS = 3 };

typedef struct Worst {
    double ulps;
    double at, got;
    bool wrong;
} Worst;

static const char *const isa_names[ISAS] = {"baseline", "avx2", "avx512"};

/* Records the worst error, and the first answer that is wrong in kind: NaN, inf or sign of zero. */
static void judge(Worst *w, double x, double got, long double want, double ulps, bool want_inf) {
    bool kind = isnan(want)    ? isnan(got)
                : want_inf     ? isinf(got) && (got > 0) == (want > 0)
                : want == 0.0L ? got == 0 && !signbit(got) == !signbit(want)
                               : isfinite(got);
    if (!kind && !w->wrong) *w = (Worst){INFINITY, x, got, true};
    if (kind && !isnan(want) && !want_inf && !w->wrong && ulps > w->ulps)
        *w = (Worst){ulps, x, got, false};
}

static double ulps_f32(float got, double want) {
    int e;
    frexp(want, &e);
    return fabs(got - want) / ldexp(1.0, e < -125 ? -149 : e - 24);
}

static double ulps_f64(double got, long double want) {
    int e;
    frexpl(want, &e);
    return (double)(fabsl(got - want) / ldexpl(1.0L, e < -1021 ? -1074 : e - 53));
}

static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static double double_of(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

__attribute__((unused)) static void sweep_f32(const UnaryCase *c, const UnaryLoops *const *loops,
                                              uint64_t step, Worst *worst) {
    static float x[CHUNK], y[CHUNK];
    static double want[CHUNK];
    for (uint64_t bits = 0; bits < UINT64_C(1) << 32;) {
        size_t n = 0;
        for (; n < CHUNK && bits < UINT64_C(1) << 32; n++, bits += step) {
            x[n] = float_of((uint32_t)bits);
            want[n] = c->reference_f32(x[n]);
        }
        for (int isa = 0; isa < ISAS; isa++) {
            if (loops[isa] == NULL) continue;
            loops[isa]->f32(x, y, n);
            for (size_t i = 0; i < n; i++)
                judge(&worst[isa], x[i], y[i], want[i], ulps_f32(y[i], want[i]),
                      isinf((float)want[i]));
        }
    }
}

static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Every bit pattern is as likely as any other in a third of the samples, values from lo to hi in
 * another, and in the last those near 0 or near 1, where logarithms and tangents are delicate. */
static double sample_f64(const UnaryCase *c, size_t i, uint64_t *state) {
    static const double special[] = {0.0,  -0.0,      INFINITY,   -INFINITY, NAN,     1.0,
                                     -1.0, 0x1p-1074, -0x1p-1074, 0x1p-1022, 0x1p1023};
    if (i < sizeof special / sizeof *special) return special[i];
    uint64_t r = next_random(state);
    double unit = (double)(r >> 11) * 0x1p-53;
    if (i % 3 == 0) return double_of(r);
    if (i % 3 == 1) return c->lo + (c->hi - c->lo) * unit;
    double small = ldexp(unit - 0.5, -(int)(r & 31));
    return i % 2 ? 1.0 + small : small;
}

static void sweep_f64(const UnaryCase *c, const UnaryLoops *const *loops, size_t samples,
                      Worst *worst) {
    static double x[CHUNK], y[CHUNK];
    static long double want[CHUNK];
    uint64_t state = 1;
    for (size_t done = 0; done < samples;) {
        size_t n = 0;
        for (; n < CHUNK && done < samples; n++, done++) {
            x[n] = sample_f64(c, done, &state);
            want[n] = c->reference_f64(x[n]);
        }
        for (int isa = 0; isa < ISAS; isa++) {
            if (loops[isa] == NULL) continue;
            loops[isa]->f64(x, y, n);
            for (size_t i = 0; i < n; i++)
                judge(&worst[isa], x[i], y[i], want[i], ulps_f64(y[i], want[i]),
                      isinf((double)want[i]));
        }
    }
}

/* Prints the line of a test; 1 if it failed. */
static int report_one(const char *name, const char *type, const char *isa, double bound,
                      const Worst *w) {
    bool bad = w->wrong || !(w->ulps <= bound);
    if (bad)
        printf("FAIL %s_%s %s: %.3f ulp, bound %.3f, at %a (%.17g) got %a\n", name, type, isa,
               w->ulps, bound, w->at, w->at, w->got);
    else
        printf("ok %s_%s %s (%.3f ulp at %a)\n", name, type, isa, w->ulps, w->at);
    return bad;
}

static int report(const char *name, const char *type, const UnaryLoops *const *loops, double bound,
                  const Worst *worst) {
    int failures = 0;
    for (int isa = 0; isa < ISAS; isa++)
        if (loops[isa] != NULL)
            failures += report_one(name, type, isa_names[isa], bound, &worst[isa]);
    return failures;
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double rate_f32(const UnaryLoops *loops) {
    static float x[BENCH], y[BENCH];
    for (size_t i = 0; i < BENCH; i++) x[i] = (float)(i + 1) * (4.0f / BENCH);
    double best = 0;
    for (int trial = 0; trial < 20; trial++) {
        double start = seconds();
        for (int i = 0; i < 500; i++) loops->f32(x, y, BENCH);
        double rate = 500e-9 * BENCH / (seconds() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

static double rate_f64(const UnaryLoops *loops) {
    static double x[BENCH], y[BENCH];
    for (size_t i = 0; i < BENCH; i++) x[i] = (double)(i + 1) * (4.0 / BENCH);
    double best = 0;
    for (int trial = 0; trial < 20; trial++) {
        double start = seconds();
        for (int i = 0; i < 100; i++) loops->f64(x, y, BENCH);
        double rate = 100e-9 * BENCH / (seconds() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

__attribute__((unused)) int formulas_unary_main(int argc, char **argv, const UnaryCase *cases,
                                                size_t count, const UnaryLoops *baseline,
                                                const UnaryLoops *avx2, const UnaryLoops *avx512) {
    bool full = argc > 1 && strcmp(argv[1], "--full") == 0;
    bool bench = argc > 1 && strcmp(argv[1], "--bench") == 0;
    int failures = 0;
    for (size_t i = 0; i < count; i++) {
        const UnaryCase *c = &cases[i];
        if (argc > 2 && strcmp(argv[2], c->name) != 0) continue;
        const UnaryLoops *loops[ISAS] = {baseline + i, avx2 ? avx2 + i : NULL,
                                         avx512 ? avx512 + i : NULL};
        for (int isa = 0; bench && isa < ISAS; isa++)
            if (loops[isa] != NULL)
                printf("%-12s %-9s float32 %5.2f  float64 %5.2f Gelem/s\n", c->name, isa_names[isa],
                       rate_f32(loops[isa]), rate_f64(loops[isa]));
        if (bench) continue;
        Worst worst_f32[ISAS] = {0}, worst_f64[ISAS] = {0};
        sweep_f32(c, loops, full ? 1 : 4093, worst_f32);
        failures += report(c->name, "f32", loops, c->bound_f32, worst_f32);
        sweep_f64(c, loops, full ? 50 * SAMPLES : SAMPLES, worst_f64);
        failures += report(c->name, "f64", loops, c->bound_f64, worst_f64);
        fflush(stdout);
    }
    return failures != 0;
}
