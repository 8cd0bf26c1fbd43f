#ifndef TOCHA_FORMULA_H
#define TOCHA_FORMULA_H

/* What every formula header stands on: function qualifiers, bit casts, fused multiply-add.
 *
 * Formulas are scalar and branch-free, so that a plain loop over one vectorises under
 * -O3 -fno-math-errno -fno-trapping-math. They must not be compiled with -ffast-math: they rely on
 * the order of operations, on signed zeros and on NaN. Headers are clean in C11, C++ and CUDA. */

#include "base/hd.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#ifdef __cplusplus
    #include <string.h>
#endif

#if defined(__CUDA_ARCH__) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    #define F_HAS_FMA 1
#else
    #define F_HAS_FMA 0
#endif

/* Without this, contraction by the compiler itself decides where clang fuses. */
#if defined(__clang__) && !defined(__CUDACC__)
    #pragma STDC FP_CONTRACT OFF
#endif

/* Before a short loop of a formula: a loop around it vectorises only if none is left inside. */
#if defined(__CUDA_ARCH__)
    #define F_UNROLL _Pragma("unroll")
#elif defined(__CUDACC__) /* for the host, where nothing runs: neither spelling passes */
    #define F_UNROLL
#else
    #define F_UNROLL _Pragma("GCC unroll 16")
#endif

TOCHA_HD uint32_t f_bits_f32(float x) {
#if defined(__CUDA_ARCH__)
    return __float_as_uint(x);
#elif defined(__cplusplus)
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
#else
    return ((union {
               float f;
               uint32_t u;
           }){x})
        .u;
#endif
}

TOCHA_HD float f_from_bits_f32(uint32_t u) {
#if defined(__CUDA_ARCH__)
    return __uint_as_float(u);
#elif defined(__cplusplus)
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
#else
    return ((union {
               uint32_t u;
               float f;
           }){u})
        .f;
#endif
}

TOCHA_HD uint64_t f_bits_f64(double x) {
#if defined(__CUDA_ARCH__)
    return (uint64_t)__double_as_longlong(x);
#elif defined(__cplusplus)
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
#else
    return ((union {
               double f;
               uint64_t u;
           }){x})
        .u;
#endif
}

TOCHA_HD double f_from_bits_f64(uint64_t u) {
#if defined(__CUDA_ARCH__)
    return __longlong_as_double((long long)u);
#elif defined(__cplusplus)
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
#else
    return ((union {
               uint64_t u;
               double f;
           }){u})
        .f;
#endif
}

/* a * b + c, in one rounding where the machine has it and in two where it has not. Every formula
 * keeps its accuracy either way; the last bit may differ between instruction sets. */
TOCHA_HD float f_fma_f32(float a, float b, float c) {
#if F_HAS_FMA
    return fmaf(a, b, c);
#else
    return a * b + c;
#endif
}

TOCHA_HD double f_fma_f64(double a, double b, double c) {
#if F_HAS_FMA
    return fma(a, b, c);
#else
    return a * b + c;
#endif
}

/* a * b rounded by itself: no compiler may fuse it with a following addition. */
TOCHA_HD float f_mul_rn_f32(float a, float b) {
#if defined(__CUDA_ARCH__)
    return __fmul_rn(a, b);
#elif defined(__clang__)
    return a * b;
#elif __GNUC__ >= 12 && !defined(__CUDACC__)
    return __builtin_assoc_barrier(a * b);
#else
    float p = a * b;
    __asm__("" : "+x"(p));
    return p;
#endif
}

TOCHA_HD double f_mul_rn_f64(double a, double b) {
#if defined(__CUDA_ARCH__)
    return __dmul_rn(a, b);
#elif defined(__clang__)
    return a * b;
#elif __GNUC__ >= 12 && !defined(__CUDACC__)
    return __builtin_assoc_barrier(a * b);
#else
    double p = a * b;
    __asm__("" : "+x"(p));
    return p;
#endif
}

TOCHA_HD float f_abs_f32(float x) { return f_from_bits_f32(f_bits_f32(x) & 0x7fffffffu); }
TOCHA_HD double f_abs_f64(double x) { return f_from_bits_f64(f_bits_f64(x) & 0x7fffffffffffffffu); }

/* |x| with the sign of s. */
TOCHA_HD float f_copysign_f32(float x, float s) {
    return f_from_bits_f32((f_bits_f32(x) & 0x7fffffffu) | (f_bits_f32(s) & 0x80000000u));
}
TOCHA_HD double f_copysign_f64(double x, double s) {
    return f_from_bits_f64((f_bits_f64(x) & 0x7fffffffffffffffu) |
                           (f_bits_f64(s) & 0x8000000000000000u));
}

TOCHA_HD float f_sqrt_f32(float x) { return sqrtf(x); }
TOCHA_HD double f_sqrt_f64(double x) { return sqrt(x); }

/* Adding F_ROUND and taking it away again rounds to the nearest integer, on every instruction set;
 * in between the integer stands in the low bits. F_BIAS also adds the exponent bias, so that those
 * low bits, shifted up, are the float 2^n. */
#define F_ROUND_F32 0x1.8p23f
#define F_ROUND_F64 0x1.8p52
#define F_BIAS_F32  (0x1.8p23f + 127.0f)
#define F_BIAS_F64  (0x1.8p52 + 1023.0)

/* 2^n for an integral n within the exponents of normal numbers. */
TOCHA_HD float f_pow2_f32(float n) { return f_from_bits_f32(f_bits_f32(n + F_BIAS_F32) << 23); }
TOCHA_HD double f_pow2_f64(double n) { return f_from_bits_f64(f_bits_f64(n + F_BIAS_F64) << 52); }

/* F_SCALE adds twice the bias: t = n + F_SCALE, an integer, is what f_scale takes. It gives p * 2^n
 * for n up to the largest exponent and down to the smallest subnormal's, in two steps of which only
 * the last can round, so that subnormal results are rounded once and overflow gives inf. */
#define F_SCALE_F32 (0x1.8p23f + 254.0f)
#define F_SCALE_F64 (0x1.8p52 + 2046.0)

TOCHA_HD float f_scale_f32(float p, float t) {
    uint32_t i = f_bits_f32(t);
    uint32_t half = i >> 1;
    return p * f_from_bits_f32(half << 23) * f_from_bits_f32((i - half) << 23);
}
TOCHA_HD double f_scale_f64(double p, double t) {
    uint64_t i = f_bits_f64(t);
    uint64_t half = i >> 1;
    return p * f_from_bits_f64(half << 52) * f_from_bits_f64((i - half) << 52);
}

#endif
