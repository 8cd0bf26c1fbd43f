#ifndef TOCHA_FORMULA_ACTIVATION_H
#define TOCHA_FORMULA_ACTIVATION_H

/* Activation functions of x with up to three numbers, and their gradients: g times the slope at x.
 * Where a slope is 0, so is the gradient, even for an infinite g. */

#include "tensor/formulas/erf.h"
#include "tensor/formulas/hyper.h"
#include "tensor/formulas/numbers.h"

/* The slope of gelu: the normal distribution function and x times its density, from one
 * exponential. */
TOCHA_HD float f_gelu_slope_f32(float x) {
    float a = f_abs_f32(x);
    a = a > 14.5f ? 14.5f : a;
    FPairF32 square = f_two_prod_f32(a, a);
    FExpPartsF32 e = f_exp_parts_f32(-0.5f * square.hi, 0.5f * square.lo);
    float density = f_scale_f32(e.p * 0x1.988454p-2f, e.t);
    float b = a * 0x1.6a09e6p-1f;
    float tail = f_scale_f32(f_erfc_times_f32(e.p, b) / f_fma_f32(4.0f, b, 2.0f), e.t);
    float y = f_fma_f32(-a, density, tail);
    y = x > 0.0f ? 1.0f - y : y;
    return x != x ? x : y;
}

TOCHA_HD double f_gelu_slope_f64(double x) {
    double a = f_abs_f64(x);
    a = a > 38.6 ? 38.6 : a;
    FPairF64 square = f_two_prod_f64(a, a);
    FExpPartsF64 e = f_exp_parts_f64(-0.5 * square.hi, 0.5 * square.lo);
    double density = f_scale_f64(e.p * 0x1.9884533d43651p-2, e.t);
    double b = a * 0x1.6a09e667f3bcdp-1;
    double tail = f_scale_f64(f_erfc_times_f64(e.p, b) / f_fma_f64(4.0, b, 2.0), e.t);
    double y = f_fma_f64(-a, density, tail);
    y = x > 0.0 ? 1.0 - y : y;
    return x != x ? x : y;
}

#define T       float
#define NUMBERS FNumbersF32
#define PARTS   FExpPartsF32
#define NAME(x) f_##x##_f32
/* FLAT e^-FLAT is next to nothing. */
#define FLAT ((T)110)
#include "tensor/formulas/activation_type.inc.h"
#undef T
#undef NUMBERS
#undef PARTS
#undef NAME
#undef FLAT

#define T       double
#define NUMBERS FNumbersF64
#define PARTS   FExpPartsF64
#define NAME(x) f_##x##_f64
#define FLAT    ((T)754)
#include "tensor/formulas/activation_type.inc.h"
#undef T
#undef NUMBERS
#undef PARTS
#undef NAME
#undef FLAT

#endif
