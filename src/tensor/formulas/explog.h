#ifndef TOCHA_FORMULA_EXPLOG_H
#define TOCHA_FORMULA_EXPLOG_H

/* exp, exp2, expm1 and log, log2, log10, log1p.
 *
 * Exponentials write x = n ln 2 + r with |r| <= ln 2 / 2 and scale a polynomial in r by 2^n.
 * Logarithms write x = m 2^k with m around 1 and add a polynomial in f = m - 1 to k ln 2.
 * Coefficients are minimax in relative error, rounded to the format they are used in. */

#include "tensor/formulas/formula.h"

#define F_LOG2E_F32  0x1.715476p+0f
#define F_LOG2E_F64  0x1.71547652b82fep+0
#define F_LOG10E_F64 0x1.bcb7b1526e50ep-2
#define F_LOG10_2    0x1.34413509f79ffp-2
/* ln 2 in two parts, the first short enough that its product with an exponent is exact. */
#define F_LN2_HI_F32 0x1.62e4p-1f
#define F_LN2_LO_F32 0x1.7f7d1cp-20f
#define F_LN2_HI_F64 0x1.62e42fefa38p-1
#define F_LN2_LO_F64 0x1.ef35793c7673p-45

/* (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2. */
TOCHA_HD float f_exp_tail_f32(float r) {
    float q = 0x1.9e0de4p-13f;
    q = f_fma_f32(q, r, 0x1.6d43c2p-10f);
    q = f_fma_f32(q, r, 0x1.111306p-7f);
    q = f_fma_f32(q, r, 0x1.5554fp-5f);
    q = f_fma_f32(q, r, 0x1.555554p-3f);
    return f_fma_f32(q, r, 0.5f);
}

TOCHA_HD double f_exp_tail_f64(double r) {
    double q = 0x1.1f1aea4f7a8ebp-29;
    q = f_fma_f64(q, r, 0x1.af5fe54cbb8adp-26);
    q = f_fma_f64(q, r, 0x1.27e51301d49a4p-22);
    q = f_fma_f64(q, r, 0x1.71ddf7b89cf8ap-19);
    q = f_fma_f64(q, r, 0x1.a01a018e13ff5p-16);
    q = f_fma_f64(q, r, 0x1.a01a01b01d04fp-13);
    q = f_fma_f64(q, r, 0x1.6c16c16c1ab0fp-10);
    q = f_fma_f64(q, r, 0x1.111111110f63p-7);
    q = f_fma_f64(q, r, 0x1.555555555554dp-5);
    q = f_fma_f64(q, r, 0x1.5555555555559p-3);
    return f_fma_f64(q, r, 0.5);
}

typedef struct FExpPartsF32 {
    float p, t;
} FExpPartsF32;
typedef struct FExpPartsF64 {
    double p, t;
} FExpPartsF64;

/* e^(x - d) as p and t for f_scale, with -104 <= x <= 89 and a tiny d. With r = h - n LN2_LO, h
 * exact, 1 + r + r^2 q is summed from 1 + h and what that sum loses, which leaves p hardly more
 * than its final rounding. */
TOCHA_HD FExpPartsF32 f_exp_parts_f32(float x, float d) {
    FExpPartsF32 e;
    e.t = f_fma_f32(x, F_LOG2E_F32, F_SCALE_F32);
    float n = e.t - F_SCALE_F32;
    float h = f_fma_f32(n, -F_LN2_HI_F32, x);
    float r = f_fma_f32(n, -F_LN2_LO_F32, h) - d;
    float q = 0x1.695414p-10f;
    q = f_fma_f32(q, r, 0x1.123b04p-7f);
    q = f_fma_f32(q, r, 0x1.555a22p-5f);
    q = f_fma_f32(q, r, 0x1.55549p-3f);
    q = f_fma_f32(q, r, 0x1.fffffap-2f);
    float s = 1.0f + h;
    float lost = f_fma_f32(n, -F_LN2_LO_F32, h - (s - 1.0f)) - d;
    e.p = s + f_fma_f32(r * r, q, lost);
    return e;
}

/* The same with -746 <= x <= 710. */
TOCHA_HD FExpPartsF64 f_exp_parts_f64(double x, double d) {
    FExpPartsF64 e;
    e.t = f_fma_f64(x, F_LOG2E_F64, F_SCALE_F64);
    double n = e.t - F_SCALE_F64;
    double h = f_fma_f64(n, -F_LN2_HI_F64, x);
    double r = f_fma_f64(n, -F_LN2_LO_F64, h) - d;
    double q = 0x1.ad85b8e6c59eep-26;
    q = f_fma_f64(q, r, 0x1.28aeb476bf42dp-22);
    q = f_fma_f64(q, r, 0x1.71df22feeb18p-19);
    q = f_fma_f64(q, r, 0x1.a01998b27e7ecp-16);
    q = f_fma_f64(q, r, 0x1.a01a012aa85ebp-13);
    q = f_fma_f64(q, r, 0x1.6c16c184a9d23p-10);
    q = f_fma_f64(q, r, 0x1.1111111127d0ap-7);
    q = f_fma_f64(q, r, 0x1.5555555550629p-5);
    q = f_fma_f64(q, r, 0x1.55555555554f9p-3);
    q = f_fma_f64(q, r, 0x1.000000000000ap-1);
    double s = 1.0 + h;
    double lost = f_fma_f64(n, -F_LN2_LO_F64, h - (s - 1.0)) - d;
    e.p = s + f_fma_f64(r * r, q, lost);
    return e;
}

/* e^x for x <= 89, or x <= 710. */
TOCHA_HD float f_exp_below_f32(float x) {
    FExpPartsF32 e = f_exp_parts_f32(x < -104.0f ? -104.0f : x, 0.0f);
    return f_scale_f32(e.p, e.t);
}
TOCHA_HD double f_exp_below_f64(double x) {
    FExpPartsF64 e = f_exp_parts_f64(x < -746.0 ? -746.0 : x, 0.0);
    return f_scale_f64(e.p, e.t);
}

TOCHA_HD float f_exp_f32(float x) { return f_exp_below_f32(x > 89.0f ? 89.0f : x); }
TOCHA_HD double f_exp_f64(double x) { return f_exp_below_f64(x > 710.0 ? 710.0 : x); }

TOCHA_HD float f_exp2_f32(float x) {
    x = x < -151.0f ? -151.0f : x;
    x = x > 128.0f ? 128.0f : x;
    float t = x + F_SCALE_F32;
    float n = t - F_SCALE_F32;
    float r = x - n;
    float q = 0x1.3fb5f2p-13f;
    q = f_fma_f32(q, r, 0x1.5f0e12p-10f);
    q = f_fma_f32(q, r, 0x1.3b309p-7f);
    q = f_fma_f32(q, r, 0x1.c6af72p-5f);
    q = f_fma_f32(q, r, 0x1.ebfbd8p-3f);
    q = f_fma_f32(q, r, 0x1.62e43p-1f);
    return f_scale_f32(f_fma_f32(q, r, 1.0f), t);
}

TOCHA_HD double f_exp2_f64(double x) {
    x = x < -1076.0 ? -1076.0 : x;
    x = x > 1024.0 ? 1024.0 : x;
    double t = x + F_SCALE_F64;
    double n = t - F_SCALE_F64;
    double r = x - n;
    double q = 0x1.e9650ecd62b2cp-32;
    q = f_fma_f64(q, r, 0x1.e61e117e93a5bp-28);
    q = f_fma_f64(q, r, 0x1.b5252c941a38ap-24);
    q = f_fma_f64(q, r, 0x1.62bfc5f526eefp-20);
    q = f_fma_f64(q, r, 0x1.ffcbfc61b2e53p-17);
    q = f_fma_f64(q, r, 0x1.4309130f8b404p-13);
    q = f_fma_f64(q, r, 0x1.5d87fe789f8c1p-10);
    q = f_fma_f64(q, r, 0x1.3b2ab6fb9fd4bp-7);
    q = f_fma_f64(q, r, 0x1.c6b08d704a128p-5);
    q = f_fma_f64(q, r, 0x1.ebfbdff82c5a6p-3);
    q = f_fma_f64(q, r, 0x1.62e42fefa39efp-1);
    return f_scale_f64(f_fma_f64(q, r, 1.0), t);
}

/* 2^n (e^r - 1) + (2^n - 1), all halved until the end so that n = 128 does not overflow early. The
 * leading part h of r goes first: where 2^n h + 2^n - 1 cancels, it does so exactly.
 * Tiny x is its own result, which also keeps -0 and subnormals. */
TOCHA_HD float f_expm1_f32(float x) {
    float a = x < -20.0f ? -20.0f : x;
    a = a > 89.0f ? 89.0f : a;
    float n = f_fma_f32(a, F_LOG2E_F32, F_ROUND_F32) - F_ROUND_F32;
    float h = f_fma_f32(n, -F_LN2_HI_F32, a);
    float r = f_fma_f32(n, -F_LN2_LO_F32, h);
    float tail = f_fma_f32(r * r, f_exp_tail_f32(r), r - h);
    float s = f_pow2_f32(n - 1.0f);
    float y = f_fma_f32(s, tail, f_fma_f32(s, h, s - 0.5f)) * 2.0f;
    return f_abs_f32(x) < 0x1p-25f ? x : y;
}

TOCHA_HD double f_expm1_f64(double x) {
    double a = x < -40.0 ? -40.0 : x;
    a = a > 710.0 ? 710.0 : a;
    double n = f_fma_f64(a, F_LOG2E_F64, F_ROUND_F64) - F_ROUND_F64;
    double h = f_fma_f64(n, -F_LN2_HI_F64, a);
    double r = f_fma_f64(n, -F_LN2_LO_F64, h);
    double tail = f_fma_f64(r * r, f_exp_tail_f64(r), r - h);
    double s = f_pow2_f64(n - 1.0);
    double y = f_fma_f64(s, tail, f_fma_f64(s, h, s - 0.5)) * 2.0;
    return f_abs_f64(x) < 0x1p-54 ? x : y;
}

/* The logarithm's answer outside (0, inf): -inf at zero, NaN below, x itself for inf and NaN. */
TOCHA_HD float f_log_edge_f32(float x, float inside) {
    float edge = x == 0.0f ? -INFINITY : x;
    edge = x < 0.0f ? NAN : edge;
    return ((x > 0.0f) & (x < INFINITY)) ? inside : edge;
}
TOCHA_HD double f_log_edge_f64(double x, double inside) {
    double edge = x == 0.0 ? (double)-INFINITY : x;
    edge = x < 0.0 ? (double)NAN : edge;
    return ((x > 0.0) & (x < (double)INFINITY)) ? inside : edge;
}

/* k ln 2 + log(1 + f) for |f| <= 1/3 and an integral k. */
TOCHA_HD float f_log_sum_f32(float k, float f) {
    float q = -0x1.06cdfcp-3f;
    q = f_fma_f32(q, f, 0x1.1ec6f8p-3f);
    q = f_fma_f32(q, f, -0x1.f3a7dep-4f);
    q = f_fma_f32(q, f, 0x1.1ec0cep-3f);
    q = f_fma_f32(q, f, -0x1.559802p-3f);
    q = f_fma_f32(q, f, 0x1.99d1c6p-3f);
    q = f_fma_f32(q, f, -0x1.ffff14p-3f);
    q = f_fma_f32(q, f, 0x1.555502p-2f);
    q = f_fma_f32(q, f, -0.5f);
    float tail = f_fma_f32(k, F_LN2_LO_F32, f * f * q);
    return f_fma_f32(k, F_LN2_HI_F32, tail + f);
}

/* The bits of 2^k where x = m 2^k, m in [2/3, 4/3), less those of 1. */
TOCHA_HD uint32_t f_log_exponent_f32(float x) {
    return (f_bits_f32(x) - 0x3f2aaaabu) & 0xff800000u;
}

TOCHA_HD float f_log_f32(float x) {
    float y = x < FLT_MIN ? x * 0x1p23f : x;
    float bias = x < FLT_MIN ? -23.0f : 0.0f;
    uint32_t e = f_log_exponent_f32(y);
    float f = f_from_bits_f32(f_bits_f32(y) - e) - 1.0f;
    float k = f_fma_f32((float)(int32_t)e, 0x1p-23f, bias);
    return f_log_edge_f32(x, f_log_sum_f32(k, f));
}

/* log1p inside (-1, inf): as log, with f = x 2^-k + (2^-k - 1) so that 1 + x is never rounded.
 * Tiny x is its own result, which also keeps -0 and subnormals. */
TOCHA_HD float f_log1p_inside_f32(float x) {
    uint32_t e = f_log_exponent_f32(1.0f + x);
    float k = (float)(int32_t)e * 0x1p-23f;
    float quarter = f_from_bits_f32(0x40800000u - e) * 0.25f;
    float f = f_from_bits_f32(f_bits_f32(x) - e) + (quarter - 1.0f);
    return f_abs_f32(x) < 0x1p-25f ? x : f_log_sum_f32(k, f);
}

TOCHA_HD float f_log1p_f32(float x) {
    float y = f_log1p_inside_f32(x);
    y = x < INFINITY ? y : x;
    y = x == -1.0f ? -INFINITY : y;
    return x < -1.0f ? NAN : y;
}

typedef struct FLogPartsF64 {
    double k, f, s, r, half_square;
} FLogPartsF64;

/* x = m 2^k with m in [sqrt 1/2, sqrt 2) and f = m - 1, for x in (0, inf). */
TOCHA_HD FLogPartsF64 f_log_split_f64(double x) {
    const uint64_t root_half = 0x3fe6a09e667f3bcdu;
    double y = x < DBL_MIN ? x * 0x1p52 : x;
    double bias = x < DBL_MIN ? 1023.0 + 52.0 : 1023.0;
    uint64_t u = f_bits_f64(y) + (0x3ff0000000000000u - root_half);
    FLogPartsF64 p;
    p.k = f_from_bits_f64((u >> 52) | 0x4330000000000000u) - 0x1p52 - bias;
    p.f = f_from_bits_f64((u & 0x000fffffffffffffu) + root_half) - 1.0;
    p.s = p.r = p.half_square = 0.0;
    return p;
}

/* Fills s = f / (2 + f), f^2 / 2 and r, where log(1 + f) = f - f^2 / 2 + s (f^2 / 2 + r). */
TOCHA_HD FLogPartsF64 f_log_series_f64(FLogPartsF64 p) {
    p.s = p.f / (2.0 + p.f);
    double z = p.s * p.s;
    double q = 0x1.2f041b9b27db2p-3;
    q = f_fma_f64(q, z, 0x1.39a1e2d9e1db5p-3);
    q = f_fma_f64(q, z, 0x1.74663d045f9e1p-3);
    q = f_fma_f64(q, z, 0x1.c71c521481016p-3);
    q = f_fma_f64(q, z, 0x1.24924941e082ap-2);
    q = f_fma_f64(q, z, 0x1.999999997ff2bp-2);
    q = f_fma_f64(q, z, 0x1.5555555555592p-1);
    p.r = q * z;
    p.half_square = 0.5 * p.f * p.f;
    return p;
}

TOCHA_HD double f_log_sum_f64(FLogPartsF64 p) {
    p = f_log_series_f64(p);
    double tail = f_fma_f64(p.s, p.half_square + p.r, p.k * F_LN2_LO_F64);
    return f_fma_f64(p.k, F_LN2_HI_F64, p.f - (p.half_square - tail));
}

TOCHA_HD double f_log_f64(double x) { return f_log_edge_f64(x, f_log_sum_f64(f_log_split_f64(x))); }

TOCHA_HD double f_log1p_inside_f64(double x) {
    const uint64_t root_half = 0x3fe6a09e667f3bcdu;
    uint64_t e = (f_bits_f64(1.0 + x) - root_half) & 0xfff0000000000000u;
    FLogPartsF64 p = f_log_split_f64(1.0 + x);
    double quarter = f_from_bits_f64(0x4010000000000000u - e) * 0.25;
    p.f = f_from_bits_f64(f_bits_f64(x) - e) + (quarter - 1.0);
    return f_abs_f64(x) < 0x1p-54 ? x : f_log_sum_f64(p);
}

TOCHA_HD double f_log1p_f64(double x) {
    double y = f_log1p_inside_f64(x);
    y = x < (double)INFINITY ? y : x;
    y = x == -1.0 ? (double)-INFINITY : y;
    return x < -1.0 ? (double)NAN : y;
}

/* k * unit + log(1 + f) / log(base) in two parts: the leading half of log(1 + f) has so few bits
 * that its product with the short first part of 1 / log(base) is exact. */
TOCHA_HD double f_log_base_f64(double x, double inverse_hi, double inverse_lo, double unit_hi,
                               double unit_lo) {
    FLogPartsF64 p = f_log_series_f64(f_log_split_f64(x));
    double hi = f_from_bits_f64(f_bits_f64(p.f - p.half_square) & 0xffffffff00000000u);
    double lo = ((p.f - hi) - p.half_square) + p.s * (p.half_square + p.r);
    double whole = p.k * unit_hi;
    double head = hi * inverse_hi;
    double tail = f_fma_f64(lo + hi, inverse_lo, lo * inverse_hi) + p.k * unit_lo;
    double sum = whole + head;
    return f_log_edge_f64(x, sum + (((whole - sum) + head) + tail));
}

TOCHA_HD double f_log2_f64(double x) {
    return f_log_base_f64(x, 0x1.71547652p+0, 0x1.705fc2eefa2p-33, 1.0, 0.0);
}

TOCHA_HD double f_log10_f64(double x) {
    return f_log_base_f64(x, 0x1.bcb7b152p-2, 0x1.b9438ca9aadd5p-36, 0x1.34413509f78p-2,
                          0x1.fef311f12b358p-46);
}

/* log2 and log10 of a float pass through double: k + log2(1 + f) then rounds once. */
TOCHA_HD float f_log_base_f32(float x, double unit, double inverse) {
    float y = x < FLT_MIN ? x * 0x1p23f : x;
    float bias = x < FLT_MIN ? -23.0f : 0.0f;
    uint32_t e = f_log_exponent_f32(y);
    float k = f_fma_f32((float)(int32_t)e, 0x1p-23f, bias);
    double f = (double)(f_from_bits_f32(f_bits_f32(y) - e) - 1.0f);
    double q = -0x1.d6c6c7c233841p-4;
    q = f_fma_f64(q, f, 0x1.f3eb26e9bb567p-4);
    q = f_fma_f64(q, f, -0x1.8685411c37e47p-4);
    q = f_fma_f64(q, f, 0x1.b626a0dc527fep-4);
    q = f_fma_f64(q, f, -0x1.00a6ef75773e6p-3);
    q = f_fma_f64(q, f, 0x1.25134a7631334p-3);
    q = f_fma_f64(q, f, -0x1.554fdea7d6c55p-3);
    q = f_fma_f64(q, f, 0x1.99962d47edb3ap-3);
    q = f_fma_f64(q, f, -0x1.000009b72b961p-2);
    q = f_fma_f64(q, f, 0x1.5555598f397d8p-2);
    q = f_fma_f64(q, f, -0x1.fffffff636214p-2);
    q = f_fma_f64(q, f, 0x1.ffffffff28518p-1);
    return f_log_edge_f32(x, (float)f_fma_f64(q * f, inverse, (double)k * unit));
}

TOCHA_HD float f_log2_f32(float x) { return f_log_base_f32(x, 1.0, F_LOG2E_F64); }
TOCHA_HD float f_log10_f32(float x) { return f_log_base_f32(x, F_LOG10_2, F_LOG10E_F64); }

#endif
