/* Functions of complex numbers against the C library's: the same in kind, infinite, NaN or zero,
 * and close. */
#include <complex.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tensor/formulas/complex_functions.h"

enum { SAMPLES = 200000, SHOWN = 6 };

typedef double _Complex Library(double _Complex);
typedef Complex128 Formula(Complex128);

typedef struct ComplexCase {
    const char *name;
    Formula *formula;
    Library *library;
} ComplexCase;

/* A small generator of full period (splitmix64). */
static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* What edges are made of, any bits at all, small and middling numbers, any size, and around 1. */
static double sample(uint64_t *state) {
    static const double edges[] = {0.0,  -0.0,   INFINITY, -INFINITY, NAN,       1.0,
                                   -1.0, 2.0,    0.5,      0x1p1023,  0x1p-1022, 30.0,
                                   720., -720.0, 0x1p-26,  1e170,     1e-170,    -1e20,
                                   1e20, 22.5,   -22.5,    -30.0,     -0x1p-26};
    uint64_t r = next_random(state);
    double unit = (double)(r >> 11) * 0x1p-53, sign = r & 1 ? 1 : -1, any;
    switch (next_random(state) % 6) {
    case 0: return edges[r % (sizeof edges / sizeof *edges)];
    case 1: memcpy(&any, &r, sizeof any); return any;
    case 2: return (unit - 0.5) * 4;
    case 3: return (unit - 0.5) * 60;
    case 4: return sign * exp2((unit - 0.5) * 120);
    default: return sign * (1 + ldexp(unit - 0.5, -(int)(next_random(state) % 50)));
    }
}

/* Infinite results of infinite numbers may have either sign, where the standard says so. */
static bool same_kind(double got, double want) {
    if (isnan(want)) {
        return isnan(got);
    }
    if (isinf(want)) {
        return isinf(got);
    }
    return want == 0 ? fabs(got) < 1e-300 : isfinite(got);
}

static double error_of(double got, double want) {
    return isfinite(want) ? fabs(got - want) / fmax(fabs(want), 0x1p-1021) : 0;
}

/* 1 if the formula is wrong anywhere; bound: of a part's relative error. */
static int check(const ComplexCase *c, double bound) {
    uint64_t state = 1;
    double worst = 0;
    int wrong = 0;
    for (int i = 0; i < SAMPLES; i++) {
        double re = sample(&state), im = sample(&state);
        Complex128 got = c->formula(f_make_c128(re, im));
        double _Complex want = c->library(CMPLX(re, im));
        if (isnan(re) || isnan(im)) { /* signs are anyone's guess */
            got = f_make_c128(fabs(got.re), fabs(got.im));
            want = CMPLX(fabs(creal(want)), fabs(cimag(want)));
        }
        double error = fmax(error_of(got.re, creal(want)), error_of(got.im, cimag(want)));
        bool good = same_kind(got.re, creal(want)) && same_kind(got.im, cimag(want));
        worst = good ? fmax(worst, error) : worst;
        wrong += !good || error > bound;
        if ((!good || error > bound) && wrong <= SHOWN) {
            printf("FAIL %s(%a, %a) = (%a, %a), expected (%a, %a)\n", c->name, re, im, got.re,
                   got.im, creal(want), cimag(want));
        }
    }
    printf("%s %s (%.2g)\n", wrong ? "FAIL" : "ok", c->name, worst);
    return wrong != 0;
}

#define FORMULA(name) \
    static Complex128 name##_formula(Complex128 z) { return f_##name##_c128(z); }
FORMULA(exp)
FORMULA(log)
FORMULA(sqrt)
FORMULA(sin)
FORMULA(cos)
FORMULA(tan)
FORMULA(asin)
FORMULA(acos)
FORMULA(atan)
FORMULA(sinh)
FORMULA(cosh)
FORMULA(tanh)
FORMULA(asinh)
FORMULA(acosh)
FORMULA(atanh)

#define CASE(name) \
    { #name, name##_formula, c##name }
int main(void) {
    static const ComplexCase cases[] = {CASE(exp),   CASE(log),   CASE(sqrt), CASE(sin),
                                        CASE(cos),   CASE(tan),   CASE(asin), CASE(acos),
                                        CASE(atan),  CASE(sinh),  CASE(cosh), CASE(tanh),
                                        CASE(asinh), CASE(acosh), CASE(atanh)};
    int failed = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        failed |= check(&cases[i], 1e-14);
    }
    return failed;
}
