#ifndef TOCHA_FORMULA_POWER_H
#define TOCHA_FORMULA_POWER_H

/* pow, with the edge cases of C: x^0 and 1^y are 1 even for NaN, a negative finite x has a power
 * for integral y only, and zeros and infinities take their sign from x where y is odd. */

#include "tensor/formulas/exact.h"
#include "tensor/formulas/explog.h"

/* x^y of its magnitude |x|^y: the sign where y is odd, NaN or 1 where the edge cases ask for it. */
TOCHA_HD float f_pow_edges_f32(float x, float y, float magnitude) {
    float a = f_abs_f32(y);
    float t = a < 0x1p23f ? a + 0x1p23f : a;
    int integral = (a >= 0x1p23f) | (t - 0x1p23f == a);
    uint32_t odd = (integral & (a < 0x1p24f)) != 0 ? f_bits_f32(t) << 31 : 0;
    float with_sign = f_from_bits_f32(f_bits_f32(magnitude) ^ (f_bits_f32(x) & odd));
    int undefined = (x < 0.0f) & (x >= -FLT_MAX) & !integral;
    float result = undefined ? NAN : with_sign;
    result = ((x == -1.0f) & (a > FLT_MAX)) ? 1.0f : result;
    return ((x == 1.0f) | (y == 0.0f)) ? 1.0f : result;
}

TOCHA_HD double f_pow_edges_f64(double x, double y, double magnitude) {
    double a = f_abs_f64(y);
    double t = a < 0x1p52 ? a + 0x1p52 : a;
    int integral = (a >= 0x1p52) | (t - 0x1p52 == a);
    uint64_t odd = (integral & (a < 0x1p53)) != 0 ? f_bits_f64(t) << 63 : 0;
    double with_sign = f_from_bits_f64(f_bits_f64(magnitude) ^ (f_bits_f64(x) & odd));
    int undefined = (x < 0.0) & (x >= -DBL_MAX) & !integral;
    double result = undefined ? (double)NAN : with_sign;
    result = ((x == -1.0) & (a > DBL_MAX)) ? 1.0 : result;
    return ((x == 1.0) | (y == 0.0)) ? 1.0 : result;
}

/* log2 of a float's magnitude, 0, inf and NaN too, to 2^-38 of itself. */
TOCHA_HD double f_pow_log2(double x) {
    const uint64_t two_thirds = 0x3fe5555555555555u;
    uint64_t u = f_bits_f64(x) + (0x3ff0000000000000u - two_thirds);
    double k = f_from_bits_f64((u >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
    double f = f_from_bits_f64((u & 0x000fffffffffffffu) + two_thirds) - 1.0;
    double q = -0x1.34621f1a63a13p-3;
    q = f_fma_f64(q, f, 0x1.432d26ca6d556p-3);
    q = f_fma_f64(q, f, -0x1.c9a2468b3421ep-4);
    q = f_fma_f64(q, f, 0x1.f9c25c43d22b1p-4);
    q = f_fma_f64(q, f, -0x1.28fd2abfce455p-3);
    q = f_fma_f64(q, f, 0x1.4987025c3dc47p-3);
    q = f_fma_f64(q, f, -0x1.71426e70c1a7bp-3);
    q = f_fma_f64(q, f, 0x1.a60ad53fbaeacp-3);
    q = f_fma_f64(q, f, -0x1.ec710a391b294p-3);
    q = f_fma_f64(q, f, 0x1.2776e33ee0229p-2);
    q = f_fma_f64(q, f, -0x1.715475c3d143bp-2);
    q = f_fma_f64(q, f, 0x1.ec709d8d650edp-2);
    q = f_fma_f64(q, f, -0x1.71547652ee557p-1);
    q = f_fma_f64(q, f, 0x1.71547652bc276p+0);
    double y = f_fma_f64(q, f, k);
    y = x <= FLT_MAX ? y : x;
    return x == 0.0 ? (double)-INFINITY : y;
}

/* In double, where a logarithm with a few bits to spare needs no second part. */
TOCHA_HD float f_pow_f32(float x, float y) {
    double z = (double)y * f_pow_log2((double)f_abs_f32(x));
    z = z < -200.0 ? -200.0 : z;
    z = z > 200.0 ? 200.0 : z;
    double n = (z + F_ROUND_F64) - F_ROUND_F64;
    double r = z - n;
    double q = 0x1.41d1f6c17b994p-13;
    q = f_fma_f64(q, r, 0x1.5f4730a969399p-10);
    q = f_fma_f64(q, r, 0x1.3b2dc1f06c66ep-7);
    q = f_fma_f64(q, r, 0x1.c6aed1374c948p-5);
    q = f_fma_f64(q, r, 0x1.ebfbdaccf8e51p-3);
    q = f_fma_f64(q, r, 0x1.62e430ca7d065p-1);
    q = f_fma_f64(q, r, 0x1.000000026b15ep0);
    return f_pow_edges_f32(x, y, (float)(q * f_pow2_f64(n)));
}

/* log of x in (0, inf) to about 2^-65 of itself: with s = f / (2 + f) as a pair it is
 * k ln 2 + 2 s (1 + s^2 / 3 + s^4 q), the first three terms in pairs. */
TOCHA_HD FPairF64 f_pow_log_f64(double x) {
    FLogPartsF64 p = f_log_split_f64(x);
    double d = 2.0 + p.f;
    double d_lo = p.f - (d - 2.0);
    double s = p.f / d;
    FPairF64 sd = f_two_prod_f64(s, d);
    double s_lo = (((p.f - sd.hi) - sd.lo) - s * d_lo) / d;
    FPairF64 z = f_two_prod_f64(s, s);
    z.lo = f_fma_f64(2.0 * s, s_lo, z.lo);
    double q = 0x1.da9000072fdbp-5;
    q = f_fma_f64(q, z.hi, 0x1.e01b9e2a1bb45p-5);
    q = f_fma_f64(q, z.hi, 0x1.11154601f4b17p-4);
    q = f_fma_f64(q, z.hi, 0x1.3b13aa0342a94p-4);
    q = f_fma_f64(q, z.hi, 0x1.745d173c57417p-4);
    q = f_fma_f64(q, z.hi, 0x1.c71c71c74d1cp-4);
    q = f_fma_f64(q, z.hi, 0x1.24924924922fcp-3);
    q = f_fma_f64(q, z.hi, 0x1.999999999999ap-3);
    FPairF64 w = f_two_prod_f64(z.hi, 0x1.5555555555555p-2);
    w.lo += f_fma_f64(z.lo, 0x1.5555555555555p-2, z.hi * 0x1.5555555555555p-56);
    FPairF64 v = f_fast_two_sum_f64(w.hi, f_mul_rn_f64(f_mul_rn_f64(z.hi, z.hi), q));
    v.lo += w.lo;
    FPairF64 cubic = f_two_prod_f64(2.0 * s, v.hi);
    cubic.lo += 2.0 * f_fma_f64(s, v.lo, s_lo * v.hi);
    FPairF64 sum = f_fast_two_sum_f64(2.0 * s, cubic.hi);
    sum.lo += 2.0 * s_lo + cubic.lo;
    FPairF64 whole = f_fast_two_sum_f64(f_mul_rn_f64(p.k, F_LN2_HI_F64), sum.hi);
    whole.lo += f_fma_f64(p.k, F_LN2_LO_F64, sum.lo);
    return f_fast_two_sum_f64(whole.hi, whole.lo);
}

/* The product y log x is a pair as well; far out, where only overflow or underflow is left, its
 * second part may be NaN and is dropped. Beyond 2^600 y changes nothing but would break up the
 * product. */
TOCHA_HD double f_pow_f64(double x, double y) {
    double a = f_abs_f64(x);
    FPairF64 log_x = f_pow_log_f64(a);
    double head = f_log_edge_f64(a, log_x.hi);
    double b = y > 0x1p600 ? 0x1p600 : y;
    b = b < -0x1p600 ? -0x1p600 : b;
    FPairF64 z = f_two_prod_f64(b, head);
    int far = !(f_abs_f64(z.hi) < 1400.0);
    double lo = far ? 0.0 : f_fma_f64(b, log_x.lo, z.lo);
    double hi = z.hi > 710.0 ? 710.0 : z.hi;
    hi = hi < -746.0 ? -746.0 : hi;
    FExpPartsF64 e = f_exp_parts_f64(hi, -lo);
    return f_pow_edges_f64(x, y, f_scale_f64(e.p, e.t));
}

#endif
