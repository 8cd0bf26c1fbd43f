#ifndef TOCHA_FORMULA_EXACT_H
#define TOCHA_FORMULA_EXACT_H

/* Error-free sums and products: pairs hi + lo whose lo is what rounding hi lost. */

#include "tensor/formulas/formula.h"

typedef struct FPairF32 {
    float hi, lo;
} FPairF32;

typedef struct FPairF64 {
    double hi, lo;
} FPairF64;

TOCHA_HD FPairF64 f_two_sum_f64(double a, double b) {
    FPairF64 p;
    p.hi = a + b;
    double b_part = p.hi - a;
    p.lo = (a - (p.hi - b_part)) + (b - b_part);
    return p;
}

/* As two_sum, for |a| >= |b| or a = 0. */
TOCHA_HD FPairF64 f_fast_two_sum_f64(double a, double b) {
    FPairF64 p;
    p.hi = a + b;
    p.lo = b - (p.hi - a);
    return p;
}

/* The leading 26 bits of a and the rest; where there is no fused multiply-add, products of such
 * halves are what makes two_prod exact. |a| must be below 2^996. */
TOCHA_HD FPairF64 f_halves_f64(double a) {
    double c = a * 134217729.0;
    FPairF64 p;
    p.hi = c - (c - a);
    p.lo = a - p.hi;
    return p;
}

TOCHA_HD FPairF64 f_two_prod_f64(double a, double b) {
    FPairF64 p;
    p.hi = f_mul_rn_f64(a, b);
#if F_HAS_FMA
    p.lo = fma(a, b, -p.hi);
#else
    FPairF64 s = f_halves_f64(a), t = f_halves_f64(b);
    p.lo = ((s.hi * t.hi - p.hi) + s.hi * t.lo + s.lo * t.hi) + s.lo * t.lo;
#endif
    return p;
}

TOCHA_HD FPairF32 f_two_prod_f32(float a, float b) {
    FPairF32 p;
    p.hi = f_mul_rn_f32(a, b);
#if F_HAS_FMA
    p.lo = fmaf(a, b, -p.hi);
#else
    float c = a * 4097.0f, d = b * 4097.0f;
    float a_hi = c - (c - a), b_hi = d - (d - b);
    float a_lo = a - a_hi, b_lo = b - b_hi;
    p.lo = ((a_hi * b_hi - p.hi) + a_hi * b_lo + a_lo * b_hi) + a_lo * b_lo;
#endif
    return p;
}

#endif
