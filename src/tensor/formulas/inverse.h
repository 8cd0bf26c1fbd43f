#ifndef TOCHA_FORMULA_INVERSE_H
#define TOCHA_FORMULA_INVERSE_H

/* The inverses of trigonometric and hyperbolic functions.
 *
 * Arcs are reduced until a short odd polynomial serves: atan about 0, pi/4 and pi/2, asin by a
 * square root. Areas are logarithms of 1 plus something that is never rounded away. */

#include "tensor/formulas/explog.h"

#define F_PI_2_F64    0x1.921fb54442d18p+0
#define F_PI_2_LO_F64 0x1.1a62633145c07p-54
#define F_PI_2_F32    0x1.921fb6p+0f
#define F_PI_2_LO_F32 -0x1.777a5cp-25f
/* tan(pi/8) and its inverse, tan(3 pi/8). */
#define F_TAN_LOW  0x1.a827999fcef32p-2
#define F_TAN_HIGH 0x1.3504f333f9de6p+1

/* The angle of (b, a) in [0, pi/2] for a, b >= 0 that are not both 0 or inf. */
TOCHA_HD float f_angle_f32(float a, float b) {
    int low = a <= (float)F_TAN_LOW * b;
    int middle = a <= (float)F_TAN_HIGH * b;
    float over = low ? a : middle ? a - b : -b;
    float under = low ? b : middle ? a + b : a;
    float t = over / under;
    float z = t * t;
    float q = 0x1.9d8962p-5f;
    q = f_fma_f32(q, z, -0x1.6143f2p-4f);
    q = f_fma_f32(q, z, 0x1.c57ba2p-4f);
    q = f_fma_f32(q, z, -0x1.248a16p-3f);
    q = f_fma_f32(q, z, 0x1.99997cp-3f);
    q = f_fma_f32(q, z, -0x1.555556p-2f);
    float base = low ? 0.0f : middle ? 0.5f * F_PI_2_F32 : F_PI_2_F32;
    float rest = low ? 0.0f : middle ? 0.5f * F_PI_2_LO_F32 : F_PI_2_LO_F32;
    return base + (t + f_fma_f32(t * z, q, rest));
}

TOCHA_HD double f_angle_f64(double a, double b) {
    int low = a <= F_TAN_LOW * b;
    int middle = a <= F_TAN_HIGH * b;
    double over = low ? a : middle ? a - b : -b;
    double under = low ? b : middle ? a + b : a;
    double t = over / under;
    double z = t * t;
    double q = -0x1.c80e16e6bcb9dp-7;
    q = f_fma_f64(q, z, 0x1.f5ed3e270c8a6p-6);
    q = f_fma_f64(q, z, -0x1.503bca231ad2dp-5);
    q = f_fma_f64(q, z, 0x1.829cc4e1e78d4p-5);
    q = f_fma_f64(q, z, -0x1.aebd1ae878fa4p-5);
    q = f_fma_f64(q, z, 0x1.e1d8e942d6a22p-5);
    q = f_fma_f64(q, z, -0x1.1110cee3bf64ep-4);
    q = f_fma_f64(q, z, 0x1.3b13aea9b6b8dp-4);
    q = f_fma_f64(q, z, -0x1.745d173563ab2p-4);
    q = f_fma_f64(q, z, 0x1.c71c71c6ddb9cp-4);
    q = f_fma_f64(q, z, -0x1.24924924920adp-3);
    q = f_fma_f64(q, z, 0x1.9999999999997p-3);
    q = f_fma_f64(q, z, -0x1.5555555555555p-2);
    double base = low ? 0.0 : middle ? 0.5 * F_PI_2_F64 : F_PI_2_F64;
    double rest = low ? 0.0 : middle ? 0.5 * F_PI_2_LO_F64 : F_PI_2_LO_F64;
    return base + (t + f_fma_f64(t * z, q, rest));
}

TOCHA_HD float f_atan_f32(float x) { return f_copysign_f32(f_angle_f32(f_abs_f32(x), 1.0f), x); }
TOCHA_HD double f_atan_f64(double x) { return f_copysign_f64(f_angle_f64(f_abs_f64(x), 1.0), x); }

/* The angle of the point (x, y) in [-pi, pi]; the signs of zeros choose between 0 and pi, as in C.
 * Two infinities stand for a diagonal, and two large numbers are halved lest their sum overflow. */
TOCHA_HD float f_atan2_f32(float y, float x) {
    float a = f_abs_f32(y), b = f_abs_f32(x);
    int endless = (a > FLT_MAX) & (b > FLT_MAX);
    int large = (a > 0.25f * FLT_MAX) | (b > 0.25f * FLT_MAX);
    float scale = large ? 0.25f : 1.0f;
    float angle = f_angle_f32(endless ? 1.0f : a * scale, endless ? 1.0f : b * scale);
    angle = ((a == 0.0f) & (b == 0.0f)) ? 0.0f : angle;
    float turned = (2.0f * F_PI_2_F32 - angle) + 2.0f * F_PI_2_LO_F32;
    return f_copysign_f32(f_bits_f32(x) >> 31 != 0 ? turned : angle, y);
}

TOCHA_HD double f_atan2_f64(double y, double x) {
    double a = f_abs_f64(y), b = f_abs_f64(x);
    int endless = (a > DBL_MAX) & (b > DBL_MAX);
    int large = (a > 0.25 * DBL_MAX) | (b > 0.25 * DBL_MAX);
    double scale = large ? 0.25 : 1.0;
    double angle = f_angle_f64(endless ? 1.0 : a * scale, endless ? 1.0 : b * scale);
    angle = ((a == 0.0) & (b == 0.0)) ? 0.0 : angle;
    double turned = (2.0 * F_PI_2_F64 - angle) + 2.0 * F_PI_2_LO_F64;
    return f_copysign_f64(f_bits_f64(x) >> 63 != 0 ? turned : angle, y);
}

/* asin(s) / s - 1 over z = s^2, for z <= 1/4. */
TOCHA_HD float f_asin_tail_f32(float z) {
    float q = 0x1.13fed4p-5f;
    q = f_fma_f32(q, z, 0x1.18f91ep-6f);
    q = f_fma_f32(q, z, 0x1.fd8da2p-6f);
    q = f_fma_f32(q, z, 0x1.6d5bbap-5f);
    q = f_fma_f32(q, z, 0x1.33343p-4f);
    q = f_fma_f32(q, z, 0x1.555554p-3f);
    return q * z;
}
TOCHA_HD double f_asin_tail_f64(double z) {
    double q = 0x1.e529c6fce9bb4p-6;
    q = f_fma_f64(q, z, -0x1.3b416bb7d9257p-6);
    q = f_fma_f64(q, z, 0x1.406192d124629p-6);
    q = f_fma_f64(q, z, 0x1.8f193743418ffp-9);
    q = f_fma_f64(q, z, 0x1.31622469ce5adp-7);
    q = f_fma_f64(q, z, 0x1.3b49de7121487p-7);
    q = f_fma_f64(q, z, 0x1.7b027ee1dd585p-7);
    q = f_fma_f64(q, z, 0x1.c990ad3d8fdcap-7);
    q = f_fma_f64(q, z, 0x1.1c4efce23019fp-6);
    q = f_fma_f64(q, z, 0x1.6e8ba123e494cp-6);
    q = f_fma_f64(q, z, 0x1.f1c71c7a52ba3p-6);
    q = f_fma_f64(q, z, 0x1.6db6db6dac1ep-5);
    q = f_fma_f64(q, z, 0x1.3333333333388p-4);
    q = f_fma_f64(q, z, 0x1.5555555555555p-3);
    return q * z;
}

/* Beyond 1/2, pi/2 - 2 asin(sqrt((1 - |x|) / 2)). */
TOCHA_HD float f_asin_f32(float x) {
    float a = f_abs_f32(x);
    int far = a > 0.5f;
    float z = far ? 0.5f - 0.5f * a : a * a;
    float s = far ? f_sqrt_f32(z) : a;
    float y = f_fma_f32(s, f_asin_tail_f32(z), s);
    return f_copysign_f32(far ? F_PI_2_F32 - (y + y - F_PI_2_LO_F32) : y, x);
}
TOCHA_HD double f_asin_f64(double x) {
    double a = f_abs_f64(x);
    int far = a > 0.5;
    double z = far ? 0.5 - 0.5 * a : a * a;
    double s = far ? f_sqrt_f64(z) : a;
    double y = f_fma_f64(s, f_asin_tail_f64(z), s);
    return f_copysign_f64(far ? F_PI_2_F64 - (y + y - F_PI_2_LO_F64) : y, x);
}

TOCHA_HD float f_acos_f32(float x) {
    float a = f_abs_f32(x);
    int far = a > 0.5f;
    float z = far ? 0.5f - 0.5f * a : a * a;
    float s = far ? f_sqrt_f32(z) : x;
    float y = f_fma_f32(s, f_asin_tail_f32(z), s);
    float beyond = x < 0.0f ? 2.0f * F_PI_2_F32 - (y + y - 2.0f * F_PI_2_LO_F32) : y + y;
    return far ? beyond : F_PI_2_F32 - (y - F_PI_2_LO_F32);
}
TOCHA_HD double f_acos_f64(double x) {
    double a = f_abs_f64(x);
    int far = a > 0.5;
    double z = far ? 0.5 - 0.5 * a : a * a;
    double s = far ? f_sqrt_f64(z) : x;
    double y = f_fma_f64(s, f_asin_tail_f64(z), s);
    double beyond = x < 0.0 ? 2.0 * F_PI_2_F64 - (y + y - 2.0 * F_PI_2_LO_F64) : y + y;
    return far ? beyond : F_PI_2_F64 - (y - F_PI_2_LO_F64);
}

/* log(a + sqrt(a^2 + 1)) with a = |x|; log 2a where the square would overflow. */
TOCHA_HD float f_asinh_f32(float x) {
    float a = f_abs_f32(x);
    int large = a > 0x1p30f;
    float b = large ? 1.0f : a;
    float z = b * b;
    float y = f_log1p_f32(large ? a : b + z / (1.0f + f_sqrt_f32(z + 1.0f)));
    return f_copysign_f32(large ? y + 0x1.62e43p-1f : y, x);
}
TOCHA_HD double f_asinh_f64(double x) {
    double a = f_abs_f64(x);
    int large = a > 0x1p60;
    double b = large ? 1.0 : a;
    double z = b * b;
    double y = f_log1p_f64(large ? a : b + z / (1.0 + f_sqrt_f64(z + 1.0)));
    return f_copysign_f64(large ? y + 0x1.62e42fefa39efp-1 : y, x);
}

/* The same with sqrt(x^2 - 1), by t = x - 1; NaN below 1. */
TOCHA_HD float f_acosh_f32(float x) {
    int large = x > 0x1p30f;
    float t = (large ? 1.0f : x) - 1.0f;
    float y = f_log1p_f32(large ? x : t + f_sqrt_f32(f_fma_f32(t, t, t + t)));
    return x < 1.0f ? NAN : large ? y + 0x1.62e43p-1f : y;
}
TOCHA_HD double f_acosh_f64(double x) {
    int large = x > 0x1p60;
    double t = (large ? 1.0 : x) - 1.0;
    double y = f_log1p_f64(large ? x : t + f_sqrt_f64(f_fma_f64(t, t, t + t)));
    return x < 1.0 ? (double)NAN : large ? y + 0x1.62e42fefa39efp-1 : y;
}

/* log1p(2 a / (1 - a)) / 2. */
TOCHA_HD float f_atanh_f32(float x) {
    float a = f_abs_f32(x);
    float b = a + a;
    float u = a < 0.5f ? f_fma_f32(b, a / (1.0f - a), b) : b / (1.0f - a);
    return f_copysign_f32(0.5f * f_log1p_f32(u), x);
}
TOCHA_HD double f_atanh_f64(double x) {
    double a = f_abs_f64(x);
    double b = a + a;
    double u = a < 0.5 ? f_fma_f64(b, a / (1.0 - a), b) : b / (1.0 - a);
    return f_copysign_f64(0.5 * f_log1p_f64(u), x);
}

#endif
