#ifndef TOCHA_FORMULA_NORMAL_H
#define TOCHA_FORMULA_NORMAL_H

/* Normally distributed numbers from random bits, by Box and Muller: sqrt(-2 log u) times the cosine
 * and the sine of 2 pi v.
 *
 * The same bits in give the same bits out on every machine, with or without fused multiply-add, on
 * the CPU and under CUDA: there are only operations that IEEE 754 rounds correctly, and products
 * are kept from being fused (f_mul_rn). Changing the order of anything here changes what a seed
 * gives. */

#include "tensor/formulas/formula.h"

/* From here to the end of the file that includes this header, gcc fuses nothing by itself: the
 * vectoriser forgets what keeps f_mul_rn apart. */
#if defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__)
    #pragma GCC optimize("fp-contract=off")
#endif

TOCHA_HD float f_sqrt_rn_f32(float x) {
#if defined(__CUDA_ARCH__)
    return __fsqrt_rn(x);
#else
    return sqrtf(x);
#endif
}

TOCHA_HD double f_sqrt_rn_f64(double x) {
#if defined(__CUDA_ARCH__)
    return __dsqrt_rn(x);
#else
    return sqrt(x);
#endif
}

TOCHA_HD double f_div_rn_f64(double a, double b) {
#if defined(__CUDA_ARCH__)
    return __ddiv_rn(a, b);
#else
    return a / b;
#endif
}

/* a * b + c in two roundings, everywhere. */
TOCHA_HD float f_mul_add_f32(float a, float b, float c) { return f_mul_rn_f32(a, b) + c; }
TOCHA_HD double f_mul_add_f64(double a, double b, double c) { return f_mul_rn_f64(a, b) + c; }

/* -log of u in (0, 1], from m and k where u = m 2^k and m is in [2/3, 4/3). */
TOCHA_HD float f_normal_log_f32(float u) {
    uint32_t e = (f_bits_f32(u) - 0x3f2aaaabu) & 0xff800000u;
    float f = f_from_bits_f32(f_bits_f32(u) - e) - 1.0f;
    float k = f_mul_rn_f32((float)(int32_t)e, 0x1p-23f);
    float q = -0x1.06cdfcp-3f;
    q = f_mul_add_f32(q, f, 0x1.1ec6f8p-3f);
    q = f_mul_add_f32(q, f, -0x1.f3a7dep-4f);
    q = f_mul_add_f32(q, f, 0x1.1ec0cep-3f);
    q = f_mul_add_f32(q, f, -0x1.559802p-3f);
    q = f_mul_add_f32(q, f, 0x1.99d1c6p-3f);
    q = f_mul_add_f32(q, f, -0x1.ffff14p-3f);
    q = f_mul_add_f32(q, f, 0x1.555502p-2f);
    q = f_mul_add_f32(q, f, -0.5f);
    float tail = f_mul_add_f32(f_mul_rn_f32(f, f), q, f_mul_rn_f32(k, 0x1.7f7d1cp-20f));
    return -f_mul_add_f32(k, 0x1.62e4p-1f, tail + f);
}

TOCHA_HD double f_normal_log_f64(double u) {
    const uint64_t root_half = 0x3fe6a09e667f3bcdu;
    uint64_t i = f_bits_f64(u) + (0x3ff0000000000000u - root_half);
    double k = f_from_bits_f64((i >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
    double f = f_from_bits_f64((i & 0x000fffffffffffffu) + root_half) - 1.0;
    double s = f_div_rn_f64(f, 2.0 + f);
    double z = f_mul_rn_f64(s, s);
    double q = 0x1.2f041b9b27db2p-3;
    q = f_mul_add_f64(q, z, 0x1.39a1e2d9e1db5p-3);
    q = f_mul_add_f64(q, z, 0x1.74663d045f9e1p-3);
    q = f_mul_add_f64(q, z, 0x1.c71c521481016p-3);
    q = f_mul_add_f64(q, z, 0x1.24924941e082ap-2);
    q = f_mul_add_f64(q, z, 0x1.999999997ff2bp-2);
    q = f_mul_add_f64(q, z, 0x1.5555555555592p-1);
    double half_square = f_mul_rn_f64(f_mul_rn_f64(f, f), 0.5);
    double bent = f_mul_add_f64(q, z, half_square);
    double tail = f_mul_add_f64(s, bent, f_mul_rn_f64(k, 0x1.ef35793c7673p-45));
    return -f_mul_add_f64(k, 0x1.62e42fefa38p-1, f - (half_square - tail));
}

/* sin r and cos r for |r| up to an eighth of the circle. */
TOCHA_HD void f_normal_circle_f64(double r, double *sine, double *cosine) {
    double z = f_mul_rn_f64(r, r);
    double s = 0x1.5d8e10c3270a2p-33;
    s = f_mul_add_f64(s, z, -0x1.ae5e5402e8afbp-26);
    s = f_mul_add_f64(s, z, 0x1.71de355e8d576p-19);
    s = f_mul_add_f64(s, z, -0x1.a01a019bf1b83p-13);
    s = f_mul_add_f64(s, z, 0x1.111111110f75bp-7);
    s = f_mul_add_f64(s, z, -0x1.5555555555548p-3);
    s = f_mul_add_f64(f_mul_rn_f64(r, z), s, r);
    double c = -0x1.8fa65b619cf42p-37;
    c = f_mul_add_f64(c, z, 0x1.1ee9db8f44131p-29);
    c = f_mul_add_f64(c, z, -0x1.27e4f7f14c56ap-22);
    c = f_mul_add_f64(c, z, 0x1.a01a019c8ee9ap-16);
    c = f_mul_add_f64(c, z, -0x1.6c16c16c15014p-10);
    c = f_mul_add_f64(c, z, 0x1.555555555554bp-5);
    c = f_mul_add_f64(c, z, -0.5);
    c = f_mul_add_f64(c, z, 1.0);
    *sine = s;
    *cosine = c;
}

/* The two numbers that a and b make. */
TOCHA_HD void f_box_muller_f32(uint32_t a, uint32_t b, float out[2]) {
    /* u = (a + 1/2) 2^-32, put together from halves that convert exactly, rounded once. */
    float high = f_mul_rn_f32((float)(int32_t)(a >> 16), 0x1p-16f);
    float low = f_mul_rn_f32((float)(int32_t)(a & 0xffffu) + 0.5f, 0x1p-32f);
    float radius = f_sqrt_rn_f32(f_mul_rn_f32(2.0f, f_normal_log_f32(high + low)));
    /* v = b 2^-32 is turn quarter circles and what is left, between -1/8 and 1/8 of the circle. */
    uint32_t turn = (b + 0x20000000u) >> 30;
    float r = f_mul_rn_f32((float)(int32_t)(b - (turn << 30)), 0x1.921fb6p-30f);
    float z = f_mul_rn_f32(r, r);
    float s = -0x1.9953f4p-13f;
    s = f_mul_add_f32(s, z, 0x1.110778p-7f);
    s = f_mul_add_f32(s, z, -0x1.555546p-3f);
    s = f_mul_add_f32(f_mul_rn_f32(r, z), s, r);
    float c = 0x1.99e90ap-16f;
    c = f_mul_add_f32(c, z, -0x1.6c0c2ap-10f);
    c = f_mul_add_f32(c, z, 0x1.55554ap-5f);
    c = f_mul_add_f32(c, z, -0.5f);
    c = f_mul_add_f32(c, z, 1.0f);
    float x = (turn & 1u) != 0 ? s : c;
    float y = (turn & 1u) != 0 ? c : s;
    x = f_from_bits_f32(f_bits_f32(x) ^ (((turn + 1u) & 2u) << 30));
    y = f_from_bits_f32(f_bits_f32(y) ^ ((turn & 2u) << 30));
    out[0] = f_mul_rn_f32(radius, x);
    out[1] = f_mul_rn_f32(radius, y);
}

TOCHA_HD void f_box_muller_f64(uint64_t a, uint64_t b, double out[2]) {
    /* u = (n + 1/2) 2^-52 for the upper 52 bits n of a, exactly. */
    double u = f_from_bits_f64((a >> 12) | 0x3ff0000000000000u) - 0x1.fffffffffffffp-1;
    double radius = f_sqrt_rn_f64(f_mul_rn_f64(2.0, f_normal_log_f64(u)));
    uint64_t turn = ((b >> 12) + 0x0002000000000000u) >> 50;
    double rest = f_from_bits_f64((b >> 12) | 0x3ff0000000000000u) - 1.0;
    rest -= f_mul_rn_f64(f_from_bits_f64(turn | 0x4330000000000000u) - 0x1p52, 0.25);
    double r = f_mul_rn_f64(rest, 0x1.921fb54442d18p+2);
    double s, c;
    f_normal_circle_f64(r, &s, &c);
    double x = (turn & 1u) != 0 ? s : c;
    double y = (turn & 1u) != 0 ? c : s;
    x = f_from_bits_f64(f_bits_f64(x) ^ (((turn + 1u) & 2u) << 62));
    y = f_from_bits_f64(f_bits_f64(y) ^ ((turn & 2u) << 62));
    out[0] = f_mul_rn_f64(radius, x);
    out[1] = f_mul_rn_f64(radius, y);
}

#endif
