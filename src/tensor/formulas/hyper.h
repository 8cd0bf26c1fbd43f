#ifndef TOCHA_FORMULA_HYPER_H
#define TOCHA_FORMULA_HYPER_H

/* tanh, sinh, cosh, sigmoid, softplus and their like. Each keeps its relative accuracy at small and
 * at large arguments: none subtracts numbers that are nearly equal, none overflows on the way. */

#include "tensor/formulas/explog.h"

/* An odd polynomial near zero; beyond, 1 - 2 / (e^2|x| + 1), whose subtraction cancels nothing. */
TOCHA_HD float f_tanh_f32(float x) {
    float a = f_abs_f32(x);
    float z = a * a;
    float q = -0x1.828776p-8f;
    q = f_fma_f32(q, z, 0x1.54c3c2p-6f);
    q = f_fma_f32(q, z, -0x1.b89abap-5f);
    q = f_fma_f32(q, z, 0x1.1109bep-3f);
    q = f_fma_f32(q, z, -0x1.55553ep-2f);
    float near = f_fma_f32(q * z, a, a);
    float b = a > 10.0f ? 10.0f : a;
    float n = f_fma_f32(b, 2.0f * F_LOG2E_F32, F_ROUND_F32) - F_ROUND_F32;
    float r = f_fma_f32(n, -0.5f * F_LN2_HI_F32, b);
    r = f_fma_f32(n, -0.5f * F_LN2_LO_F32, r);
    r = r + r;
    float p = 0x1.695414p-10f;
    p = f_fma_f32(p, r, 0x1.123b04p-7f);
    p = f_fma_f32(p, r, 0x1.555a22p-5f);
    p = f_fma_f32(p, r, 0x1.55549p-3f);
    p = f_fma_f32(p, r, 0x1.fffffap-2f);
    p = f_fma_f32(r * r, p, r) + 1.0f;
    float far = 1.0f - 2.0f / f_fma_f32(p, f_pow2_f32(n), 1.0f);
    return f_copysign_f32(a < 0.6f ? near : far, x);
}

/* E / (E + 2) with E = e^2|x| - 1. Below 1/2, where an ulp of E + 2 is large beside those of E and
 * of the answer, what the sum lost is taken into account. */
TOCHA_HD double f_tanh_f64(double x) {
    double a = f_abs_f64(x);
    a = a > 22.0 ? 22.0 : a;
    double e = f_expm1_f64(a + a);
    double d = e + 2.0;
    double lost = e - (d - 2.0);
    double y = e / d;
    y = f_fma_f64(y, lost * (a < 0.5 ? -0.45 : 0.0), y);
    return f_copysign_f64(y, x);
}

/* 1 / (1 + e^-x), from e^-|x| so that it underflows gradually. What rounding 1 + e^-|x| lost is put
 * back, with 3/4 for the reciprocal of that sum. */
TOCHA_HD float f_sigmoid_f32(float x) {
    float e = f_exp_below_f32(-f_abs_f32(x));
    float d = 1.0f + e;
    float lost = e - (d - 1.0f);
    float y = (x < 0.0f ? e : 1.0f) / d;
    return f_fma_f32(y, -0.75f * lost, y);
}
TOCHA_HD double f_sigmoid_f64(double x) {
    double e = f_exp_below_f64(-f_abs_f64(x));
    double d = 1.0 + e;
    double lost = e - (d - 1.0);
    double y = (x < 0.0 ? e : 1.0) / d;
    return f_fma_f64(y, -0.75 * lost, y);
}

/* The odd polynomial near zero; beyond, h - 1 / (4 h) with h = e^|x| / 2. */
TOCHA_HD float f_sinh_f32(float x) {
    float a = f_abs_f32(x);
    float z = a * a;
    float q = 0x1.78a70ep-19f;
    q = f_fma_f32(q, z, 0x1.a009p-13f);
    q = f_fma_f32(q, z, 0x1.11111ep-7f);
    q = f_fma_f32(q, z, 0x1.555556p-3f);
    float near = f_fma_f32(a * z, q, a);
    FExpPartsF32 e = f_exp_parts_f32(a > 90.0f ? 90.0f : a, 0.0f);
    float h = f_scale_f32(e.p, e.t - 1.0f);
    return f_copysign_f32(a < 1.0f ? near : h - 0.25f / h, x);
}
TOCHA_HD double f_sinh_f64(double x) {
    double a = f_abs_f64(x);
    double z = a * a;
    double q = 0x1.99f0806c2628dp-49;
    q = f_fma_f64(q, z, 0x1.ae777c36fd5b6p-41);
    q = f_fma_f64(q, z, 0x1.612467ccb226p-33);
    q = f_fma_f64(q, z, 0x1.ae6456792a77fp-26);
    q = f_fma_f64(q, z, 0x1.71de3a556f96cp-19);
    q = f_fma_f64(q, z, 0x1.a01a01a01a001p-13);
    q = f_fma_f64(q, z, 0x1.1111111111111p-7);
    q = f_fma_f64(q, z, 0x1.5555555555555p-3);
    double near = f_fma_f64(a * z, q, a);
    FExpPartsF64 e = f_exp_parts_f64(a > 711.0 ? 711.0 : a, 0.0);
    double h = f_scale_f64(e.p, e.t - 1.0);
    return f_copysign_f64(a < 1.0 ? near : h - 0.25 / h, x);
}

TOCHA_HD float f_cosh_f32(float x) {
    float a = f_abs_f32(x);
    FExpPartsF32 e = f_exp_parts_f32(a > 90.0f ? 90.0f : a, 0.0f);
    float h = f_scale_f32(e.p, e.t - 1.0f);
    return h + 0.25f / h;
}
TOCHA_HD double f_cosh_f64(double x) {
    double a = f_abs_f64(x);
    FExpPartsF64 e = f_exp_parts_f64(a > 711.0 ? 711.0 : a, 0.0);
    double h = f_scale_f64(e.p, e.t - 1.0);
    return h + 0.25 / h;
}

/* log(1 + e^x) = max(x, 0) + log1p(e^-|x|). */
TOCHA_HD float f_softplus_f32(float x) {
    return (x < 0.0f ? 0.0f : x) + f_log1p_inside_f32(f_exp_below_f32(-f_abs_f32(x)));
}
TOCHA_HD double f_softplus_f64(double x) {
    return (x < 0.0 ? 0.0 : x) + f_log1p_inside_f64(f_exp_below_f64(-f_abs_f64(x)));
}

/* log(sigmoid(x)). */
TOCHA_HD float f_logsigmoid_f32(float x) { return -f_softplus_f32(-x); }
TOCHA_HD double f_logsigmoid_f64(double x) { return -f_softplus_f64(-x); }

#endif
