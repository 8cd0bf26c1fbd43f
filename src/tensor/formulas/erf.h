#ifndef TOCHA_FORMULA_ERF_H
#define TOCHA_FORMULA_ERF_H

/* erf, erfc, the normal distribution function and gelu.
 *
 * Tails keep their relative accuracy down to the smallest subnormal: they are e^(-a^2), a^2 as a
 * pair, times a slowly changing factor, scaled only at the very end. */

#include "tensor/formulas/exact.h"
#include "tensor/formulas/explog.h"

/* p e^(a^2) erfc(a) (1 + 2 a) for a >= 0, which is p (1 + v s) with v = a / (a + K) and s a
 * polynomial in t = 2 v - 1. */
TOCHA_HD float f_erfc_times_f32(float p, float a) {
    float v = a / (a + 2.5f);
    float t = f_fma_f32(2.0f, v, -1.0f);
    float s = 0x1.9cd24cp-13f;
    s = f_fma_f32(s, t, 0x1.20375p-10f);
    s = f_fma_f32(s, t, -0x1.b99fc6p-12f);
    s = f_fma_f32(s, t, -0x1.15e9f8p-7f);
    s = f_fma_f32(s, t, 0x1.55c1d4p-7f);
    s = f_fma_f32(s, t, 0x1.c3befep-5f);
    s = f_fma_f32(s, t, -0x1.0b5a8cp-2f);
    s = f_fma_f32(s, t, 0x1.271624p-1f);
    s = f_fma_f32(s, t, -0x1.8c7ccep-1f);
    s = f_fma_f32(s, t, 0x1.0f31bep-1f);
    return f_fma_f32(p * v, s, p);
}

/* p e^(a^2) erfc(a) (1 + 2 a) for a >= 0, which is p (1 + v s) with v = a / (a + K) and s a
 * polynomial in t = 2 v - 1. */
TOCHA_HD double f_erfc_times_f64(double p, double a) {
    double v = a / (a + 3.5);
    double t = f_fma_f64(2.0, v, -1.0);
    double s = 0x1.745fece1ebda8p-28;
    s = f_fma_f64(s, t, 0x1.201916ad9ee4ap-26);
    s = f_fma_f64(s, t, -0x1.21df8c5a2b2b9p-25);
    s = f_fma_f64(s, t, -0x1.514943e4d037fp-23);
    s = f_fma_f64(s, t, 0x1.67ae5d4b4eb4bp-23);
    s = f_fma_f64(s, t, 0x1.17217642df0ccp-20);
    s = f_fma_f64(s, t, -0x1.34b3297cfa29bp-20);
    s = f_fma_f64(s, t, -0x1.b32bff0ba6e5bp-18);
    s = f_fma_f64(s, t, 0x1.76362cf8348adp-17);
    s = f_fma_f64(s, t, 0x1.3980abae18c15p-15);
    s = f_fma_f64(s, t, -0x1.01d34151e957cp-13);
    s = f_fma_f64(s, t, -0x1.f7ac6f60fa4efp-14);
    s = f_fma_f64(s, t, 0x1.47613a0c9c0f3p-10);
    s = f_fma_f64(s, t, -0x1.e5daec04b1fbfp-10);
    s = f_fma_f64(s, t, -0x1.af01decdb7fbap-8);
    s = f_fma_f64(s, t, 0x1.6ecca248216f6p-5);
    s = f_fma_f64(s, t, -0x1.23ae204d1a044p-3);
    s = f_fma_f64(s, t, 0x1.46079328ca1eap-2);
    s = f_fma_f64(s, t, -0x1.18ddd5c53ad3ap-1);
    s = f_fma_f64(s, t, 0x1.7cb9e176e78a7p-1);
    s = f_fma_f64(s, t, -0x1.8788f78b0d0eap-1);
    s = f_fma_f64(s, t, 0x1.f054cd077489fp-2);
    return f_fma_f64(p * v, s, p);
}

/* erfc(a) as p and t for f_scale, for 0 <= a <= 10.2. */
TOCHA_HD FExpPartsF32 f_erfc_parts_f32(float a) {
    FPairF32 square = f_two_prod_f32(a, a);
    FExpPartsF32 e = f_exp_parts_f32(-square.hi, square.lo);
    e.p = f_erfc_times_f32(e.p, a) / f_fma_f32(2.0f, a, 1.0f);
    return e;
}

/* The normal distribution function at -a, likewise, for 0 <= a <= 14.5. */
TOCHA_HD FExpPartsF32 f_normcdf_parts_f32(float a) {
    FPairF32 square = f_two_prod_f32(a, a);
    FExpPartsF32 e = f_exp_parts_f32(-0.5f * square.hi, 0.5f * square.lo);
    float b = a * 0x1.6a09e6p-1f;
    e.p = f_erfc_times_f32(e.p, b) / f_fma_f32(4.0f, b, 2.0f);
    return e;
}

TOCHA_HD float f_erfc_f32(float x) {
    float a = f_abs_f32(x);
    FExpPartsF32 e = f_erfc_parts_f32(a > 10.2f ? 10.2f : a);
    float y = f_scale_f32(e.p, e.t);
    return x < 0.0f ? 2.0f - y : y;
}

TOCHA_HD float f_normcdf_f32(float x) {
    float a = f_abs_f32(x);
    FExpPartsF32 e = f_normcdf_parts_f32(a > 14.5f ? 14.5f : a);
    float y = f_scale_f32(e.p, e.t);
    return x > 0.0f ? 1.0f - y : y;
}

/* x times the normal distribution function at x; -0 at -inf. */
TOCHA_HD float f_gelu_f32(float x) {
    float a = f_abs_f32(x);
    a = a > 14.5f ? 14.5f : a;
    FExpPartsF32 e = f_normcdf_parts_f32(a);
    float y = f_scale_f32(e.p * a, e.t);
    return x < 0.0f ? -y : x - y;
}

/* erfc(a) as p and t for f_scale, for 0 <= a <= 27.3. */
TOCHA_HD FExpPartsF64 f_erfc_parts_f64(double a) {
    FPairF64 square = f_two_prod_f64(a, a);
    FExpPartsF64 e = f_exp_parts_f64(-square.hi, square.lo);
    e.p = f_erfc_times_f64(e.p, a) / f_fma_f64(2.0, a, 1.0);
    return e;
}

/* The normal distribution function at -a, likewise, for 0 <= a <= 38.6. */
TOCHA_HD FExpPartsF64 f_normcdf_parts_f64(double a) {
    FPairF64 square = f_two_prod_f64(a, a);
    FExpPartsF64 e = f_exp_parts_f64(-0.5 * square.hi, 0.5 * square.lo);
    double b = a * 0x1.6a09e667f3bcdp-1;
    e.p = f_erfc_times_f64(e.p, b) / f_fma_f64(4.0, b, 2.0);
    return e;
}

TOCHA_HD double f_erfc_f64(double x) {
    double a = f_abs_f64(x);
    FExpPartsF64 e = f_erfc_parts_f64(a > 27.3 ? 27.3 : a);
    double y = f_scale_f64(e.p, e.t);
    return x < 0.0 ? 2.0 - y : y;
}

TOCHA_HD double f_normcdf_f64(double x) {
    double a = f_abs_f64(x);
    FExpPartsF64 e = f_normcdf_parts_f64(a > 38.6 ? 38.6 : a);
    double y = f_scale_f64(e.p, e.t);
    return x > 0.0 ? 1.0 - y : y;
}

/* x times the normal distribution function at x; -0 at -inf. */
TOCHA_HD double f_gelu_f64(double x) {
    double a = f_abs_f64(x);
    a = a > 38.6 ? 38.6 : a;
    FExpPartsF64 e = f_normcdf_parts_f64(a);
    double y = f_scale_f64(e.p * a, e.t);
    return x < 0.0 ? -y : x - y;
}

/* Near zero x times a polynomial; beyond, 1 - e^l with l a polynomial for log erfc. */
TOCHA_HD float f_erf_f32(float x) {
    float a = f_abs_f32(x);
    float z = a * a;
    float near = 0x1.5fff4cp-14f;
    near = f_fma_f32(near, z, -0x1.aafd0ap-11f);
    near = f_fma_f32(near, z, 0x1.54d5a2p-8f);
    near = f_fma_f32(near, z, -0x1.b80ee8p-6f);
    near = f_fma_f32(near, z, 0x1.ce2dfap-4f);
    near = f_fma_f32(near, z, -0x1.812742p-2f);
    near = f_fma_f32(near, z, 0x1.06eba8p-3f);
    near = f_fma_f32(near, a, a);
    float b = a > 4.0f ? 4.0f : a;
    float l = 0x1.9fb25ap-13f;
    l = f_fma_f32(l, b, -0x1.91ccc6p-9f);
    l = f_fma_f32(l, b, 0x1.6d9cc8p-6f);
    l = f_fma_f32(l, b, -0x1.aa731ap-4f);
    l = f_fma_f32(l, b, -0x1.4621bap-1f);
    l = f_fma_f32(l, b, -0x1.20b752p+0f);
    l = f_fma_f32(l, b, -0x1.5d1114p-13f);
    float far = 1.0f - f_exp_below_f32(l);
    return f_copysign_f32(a < 0.9f ? near : far, x);
}

TOCHA_HD double f_erf_f64(double x) {
    double a = f_abs_f64(x);
    double z = a * a;
    double near = -0x1.ab15c51c94718p-31;
    near = f_fma_f64(near, z, 0x1.d6e3ddfe8d86dp-27);
    near = f_fma_f64(near, z, -0x1.5bfe7638410e7p-23);
    near = f_fma_f64(near, z, 0x1.b97e44280cac3p-20);
    near = f_fma_f64(near, z, -0x1.f4ca204c7718cp-17);
    near = f_fma_f64(near, z, 0x1.f9a2b75531771p-14);
    near = f_fma_f64(near, z, -0x1.c02db0149d904p-11);
    near = f_fma_f64(near, z, 0x1.565bccf7e2856p-8);
    near = f_fma_f64(near, z, -0x1.b82ce311ee09bp-6);
    near = f_fma_f64(near, z, 0x1.ce2f21a0408d1p-4);
    near = f_fma_f64(near, z, -0x1.812746b0379b2p-2);
    near = f_fma_f64(near, z, 0x1.06eba8214db68p-3);
    near = f_fma_f64(near, a, a);
    FExpPartsF64 e = f_erfc_parts_f64(a > 6.0 ? 6.0 : a);
    double far = 1.0 - f_scale_f64(e.p, e.t);
    return f_copysign_f64(a < 1.0 ? near : far, x);
}

#endif
