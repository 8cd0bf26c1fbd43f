#ifndef TOCHA_FORMULA_TRIG_H
#define TOCHA_FORMULA_TRIG_H

/* sin, cos and tan.
 *
 * f_sin_inside_* is branch-free and right for |x| <= F_TRIG_INSIDE (and for inf and NaN);
 * f_sin_outside_* is right everywhere and slow; f_sin_* chooses. A loop that is to vectorise calls
 * the first for all elements of a block and then the second for those that lie outside.
 *
 * x = q pi/2 + r with |r| <= pi/4; q mod 4 chooses between polynomials for sin r and cos r and the
 * sign. */

#include "tensor/formulas/exact.h"

#define F_TRIG_INSIDE 0x1p20

#define F_TWO_OVER_PI 0x1.45f306dc9c883p-1
/* pi/2 in parts of 33 bits, whose products with q <= 2^20 are exact, and a rest. */
#define F_PIO2_1 0x1.921fb544p+0
#define F_PIO2_2 0x1.0b4611a6p-34
#define F_PIO2_3 0x1.3198a2ep-69
#define F_PIO2_4 0x1.b839a252049c1p-104
/* What F_PIO2_1 leaves, and pi/2 itself in two parts. */
#define F_PIO2_REST 0x1.0b4611a626331p-34
#define F_PIO2_HI   0x1.921fb54442d18p+0
#define F_PIO2_LO   0x1.1a62633145c07p-54

/* sin(r) for |r| <= pi/4, or cos(r) where turn is odd; negated where bit 1 of turn is set. */
TOCHA_HD float f_trig_pick_f32(uint32_t turn, float r) {
    float z = r * r;
    float s = -0x1.9953f4p-13f;
    s = f_fma_f32(s, z, 0x1.110778p-7f);
    s = f_fma_f32(s, z, -0x1.555546p-3f);
    s = f_fma_f32(r * z, s, r);
    float c = 0x1.99e90ap-16f;
    c = f_fma_f32(c, z, -0x1.6c0c2ap-10f);
    c = f_fma_f32(c, z, 0x1.55554ap-5f);
    c = f_fma_f32(c, z, -0.5f);
    c = f_fma_f32(c, z, 1.0f);
    float y = (turn & 1u) != 0 ? c : s;
    return f_from_bits_f32(f_bits_f32(y) ^ ((turn & 2u) << 30));
}

/* The same of r.hi + r.lo. */
TOCHA_HD double f_trig_pick_f64(uint64_t turn, FPairF64 r) {
    double z = r.hi * r.hi;
    double s = 0x1.5d8e10c3270a2p-33;
    s = f_fma_f64(s, z, -0x1.ae5e5402e8afbp-26);
    s = f_fma_f64(s, z, 0x1.71de355e8d576p-19);
    s = f_fma_f64(s, z, -0x1.a01a019bf1b83p-13);
    s = f_fma_f64(s, z, 0x1.111111110f75bp-7);
    s = f_fma_f64(s, z, -0x1.5555555555548p-3);
    double bend = f_fma_f64(z, -0.5, 1.0);
    s = r.hi + f_fma_f64(r.hi * z, s, r.lo * bend);
    double c = -0x1.8fa65b619cf42p-37;
    c = f_fma_f64(c, z, 0x1.1ee9db8f44131p-29);
    c = f_fma_f64(c, z, -0x1.27e4f7f14c56ap-22);
    c = f_fma_f64(c, z, 0x1.a01a019c8ee9ap-16);
    c = f_fma_f64(c, z, -0x1.6c16c16c15014p-10);
    c = f_fma_f64(c, z, 0x1.555555555554bp-5);
    double lost = f_fma_f64(z, -0.5, 1.0 - bend);
    c = bend + (lost + f_fma_f64(z * z, c, -(r.hi * r.lo)));
    double y = (turn & 1u) != 0 ? c : s;
    return f_from_bits_f64(f_bits_f64(y) ^ ((turn & 2u) << 62));
}

/* tan(r) for |r| <= pi/4, or -1 / tan(r) where turn is odd. */
TOCHA_HD float f_tan_pick_f32(uint32_t turn, float r) {
    float s = f_trig_pick_f32(0, r), c = f_trig_pick_f32(1, r);
    return (turn & 1u) != 0 ? -c / s : s / c;
}
TOCHA_HD double f_tan_pick_f64(uint64_t turn, FPairF64 r) {
    double s = f_trig_pick_f64(0, r), c = f_trig_pick_f64(1, r);
    return (turn & 1u) != 0 ? -c / s : s / c;
}

/* A float is reduced in double, which leaves r right to the last bit of a float. */
TOCHA_HD float f_trig_reduce_inside_f32(float x, uint32_t *turn) {
    double wide = (double)x;
    double t = f_fma_f64(wide, F_TWO_OVER_PI, F_ROUND_F64);
    double q = t - F_ROUND_F64;
    double r = f_fma_f64(q, -F_PIO2_1, wide);
    *turn = (uint32_t)f_bits_f64(t);
    return (float)f_fma_f64(q, -F_PIO2_REST, r);
}

TOCHA_HD FPairF64 f_trig_reduce_inside_f64(double x, uint64_t *turn) {
    double t = f_fma_f64(x, F_TWO_OVER_PI, F_ROUND_F64);
    double q = t - F_ROUND_F64;
    double a = f_fma_f64(q, -F_PIO2_1, x);
    FPairF64 b = f_two_sum_f64(a, f_mul_rn_f64(q, -F_PIO2_2));
    FPairF64 c = f_two_sum_f64(b.hi, f_mul_rn_f64(q, -F_PIO2_3));
    *turn = f_bits_f64(t);
    return f_fast_two_sum_f64(c.hi, f_fma_f64(q, -F_PIO2_4, b.lo + c.lo));
}

/* first is 0 for sin and 1 for cos. */
TOCHA_HD float f_trig_inside_f32(float x, uint32_t first) {
    uint32_t turn;
    float r = f_trig_reduce_inside_f32(x, &turn);
    return f_trig_pick_f32(turn + first, r);
}

TOCHA_HD double f_trig_inside_f64(double x, uint64_t first) {
    uint64_t turn;
    FPairF64 r = f_trig_reduce_inside_f64(x, &turn);
    return f_trig_pick_f64(turn + first, r);
}

TOCHA_HD float f_tan_inside_f32(float x) {
    uint32_t turn;
    float r = f_trig_reduce_inside_f32(x, &turn);
    return x == 0.0f ? x : f_tan_pick_f32(turn, r);
}

TOCHA_HD double f_tan_inside_f64(double x) {
    uint64_t turn;
    FPairF64 r = f_trig_reduce_inside_f64(x, &turn);
    return x == 0.0 ? x : f_tan_pick_f64(turn, r);
}

/* 64 bits of 2/pi from bit i on, where bit 64 is the first after the binary point. */
TOCHA_HD uint64_t f_two_over_pi_bits(int i) {
    static const uint64_t words[] = {
        0x0000000000000000u, 0xa2f9836e4e441529u, 0xfc2757d1f534ddc0u, 0xdb6295993c439041u,
        0xfe5163abdebbc561u, 0xb7246e3a424dd2e0u, 0x06492eea09d1921cu, 0xfe1deb1cb129a73eu,
        0xe88235f52ebb4484u, 0xe99c7026b45f7e41u, 0x3991d639835339f4u, 0x9c845f8bbdf9283bu,
        0x1ff897ffde05980fu, 0xef2f118b5a0a6d1fu, 0x6d367ecf27cb09b7u, 0x4f463f669e5fea2du,
        0x7527bac7ebe5f17bu, 0x3d0739f78a5292eau, 0x6bfb5fb11f8d5d08u, 0x56033046fc7b6babu,
    };
    int word = i / 64, shift = i % 64;
    return shift == 0 ? words[word] : words[word] << shift | words[word + 1] >> (64 - shift);
}

/* The pair nearest to n 2^-126, |n| <= 2^125. */
TOCHA_HD FPairF64 f_pair_of_fraction(uint64_t high, uint64_t low) {
    FPairF64 p;
    double top = (double)(int64_t)(high >> 11) * 0x1p-51;
    double mid = (double)(int64_t)((high & 0x7ffu) << 32 | low >> 32) * 0x1p-94;
    double end = (double)(int64_t)(low & 0xffffffffu) * 0x1p-126;
    p = f_fast_two_sum_f64(top, mid);
    p.lo += end;
    return f_fast_two_sum_f64(p.hi, p.lo);
}

/* Any finite |x| >= 2^-32 by Payne and Hanek: with x = m 2^e, the bits of 2/pi that weigh at least
 * 2^(2 - e) add whole turns of 2 pi and are left out; of the rest the first 192 are enough. */
TOCHA_HD FPairF64 f_trig_reduce(double x, uint64_t *turn) {
    __extension__ typedef unsigned __int128 Wide;
    uint64_t bits = f_bits_f64(x);
    int e = (int)(bits >> 52 & 0x7ffu) - 1075;
    uint64_t m = (bits & 0x000fffffffffffffu) | 0x0010000000000000u;
    int first = e - 2 + 64;
    Wide low = (Wide)m * f_two_over_pi_bits(first + 128);
    Wide mid = (Wide)m * f_two_over_pi_bits(first + 64) + (uint64_t)(low >> 64);
    uint64_t high = m * f_two_over_pi_bits(first) + (uint64_t)(mid >> 64);
    uint64_t quarter = (high + (UINT64_C(1) << 61)) >> 62;
    high -= quarter << 62;
    uint64_t rest = (uint64_t)mid;
    uint64_t flip = high >> 63 != 0 ? ~UINT64_C(0) : 0;
    FPairF64 f = f_pair_of_fraction(high ^ flip, rest ^ flip);
    FPairF64 r = f_two_prod_f64(f.hi, F_PIO2_HI);
    r = f_fast_two_sum_f64(r.hi, r.lo + f_fma_f64(f.hi, F_PIO2_LO, f.lo * F_PIO2_HI));
    int negative = (bits >> 63) != (flip & 1u);
    r.hi = negative ? -r.hi : r.hi;
    r.lo = negative ? -r.lo : r.lo;
    *turn = bits >> 63 != 0 ? 0u - quarter : quarter;
    return r;
}

TOCHA_HD double f_trig_outside_f64(double x, uint64_t first) {
    if (f_abs_f64(x) < 1.0) return f_trig_inside_f64(x, first);
    if (!(f_abs_f64(x) <= DBL_MAX)) return x - x;
    uint64_t turn;
    FPairF64 r = f_trig_reduce(x, &turn);
    return f_trig_pick_f64(turn + first, r);
}

TOCHA_HD double f_sin_inside_f64(double x) { return x == 0.0 ? x : f_trig_inside_f64(x, 0); }
TOCHA_HD double f_cos_inside_f64(double x) { return f_trig_inside_f64(x, 1); }
TOCHA_HD float f_sin_inside_f32(float x) { return x == 0.0f ? x : f_trig_inside_f32(x, 0); }
TOCHA_HD float f_cos_inside_f32(float x) { return f_trig_inside_f32(x, 1); }

TOCHA_HD double f_sin_outside_f64(double x) { return x == 0.0 ? x : f_trig_outside_f64(x, 0); }
TOCHA_HD double f_cos_outside_f64(double x) { return f_trig_outside_f64(x, 1); }
TOCHA_HD float f_sin_outside_f32(float x) { return (float)f_sin_outside_f64((double)x); }
TOCHA_HD float f_cos_outside_f32(float x) { return (float)f_cos_outside_f64((double)x); }

TOCHA_HD double f_sin_f64(double x) {
    return f_abs_f64(x) <= F_TRIG_INSIDE ? f_sin_inside_f64(x) : f_sin_outside_f64(x);
}
TOCHA_HD double f_cos_f64(double x) {
    return f_abs_f64(x) <= F_TRIG_INSIDE ? f_cos_inside_f64(x) : f_cos_outside_f64(x);
}
TOCHA_HD float f_sin_f32(float x) {
    return f_abs_f32(x) <= (float)F_TRIG_INSIDE ? f_sin_inside_f32(x) : f_sin_outside_f32(x);
}
TOCHA_HD float f_cos_f32(float x) {
    return f_abs_f32(x) <= (float)F_TRIG_INSIDE ? f_cos_inside_f32(x) : f_cos_outside_f32(x);
}

TOCHA_HD double f_tan_f64(double x) {
    if (f_abs_f64(x) <= F_TRIG_INSIDE) return f_tan_inside_f64(x);
    if (!(f_abs_f64(x) <= DBL_MAX)) return x - x;
    uint64_t turn;
    FPairF64 r = f_trig_reduce(x, &turn);
    return f_tan_pick_f64(turn, r);
}
TOCHA_HD float f_tan_f32(float x) {
    return f_abs_f32(x) <= (float)F_TRIG_INSIDE ? f_tan_inside_f32(x) : (float)f_tan_f64((double)x);
}

#endif
