#ifndef TOCHA_FORMULA_MATHS_H
#define TOCHA_FORMULA_MATHS_H

/* Short functions of one, two and three floats. */

#include "tensor/formulas/explog.h"
#include "tensor/formulas/gamma.h"
#include "tensor/formulas/hypot.h"
#include "tensor/formulas/numbers.h"

#define T       float
#define U       uint32_t
#define NUMBERS FNumbersF32
#define NAME(x) f_##x##_f32
#define LIBM(x) x##f
#define LIMIT   FLT_MAX
#define SIGN    0x80000000u
#include "tensor/formulas/maths_type.inc.h"
#undef T
#undef U
#undef NUMBERS
#undef NAME
#undef LIBM
#undef LIMIT
#undef SIGN

#define T       double
#define U       uint64_t
#define NUMBERS FNumbersF64
#define NAME(x) f_##x##_f64
#define LIBM(x) x
#define LIMIT   DBL_MAX
#define SIGN    0x8000000000000000u
#include "tensor/formulas/maths_type.inc.h"
#undef T
#undef U
#undef NUMBERS
#undef NAME
#undef LIBM
#undef LIMIT
#undef SIGN

/* a times zeta(b, x): the polygamma function of order b - 1 for a = +-(b - 1)!. */
TOCHA_HD double f_polygamma_f64(double x, FNumbersF64 p) {
    return p.a * f_special_zeta_f64(p.b, x);
}
TOCHA_HD float f_polygamma_f32(float x, FNumbersF32 p) {
    return (float)(p.a * f_special_zeta_f64((double)p.b, (double)x));
}

/* The mantissa in [1/2, 1) and the exponent; 0, inf and NaN stand for themselves with exponent 0.
 */
TOCHA_HD float f_frexp_f32(float x, int32_t *exponent) {
    float a = f_abs_f32(x);
    int small = a < FLT_MIN;
    uint32_t u = f_bits_f32(small ? x * 0x1p25f : x);
    int32_t e = (int32_t)(u >> 23 & 0xffu) - (small ? 126 + 25 : 126);
    int plain = (a > 0.0f) & (a <= FLT_MAX);
    *exponent = plain ? e : 0;
    return plain ? f_from_bits_f32((u & 0x807fffffu) | 0x3f000000u) : x;
}
TOCHA_HD double f_frexp_f64(double x, int32_t *exponent) {
    double a = f_abs_f64(x);
    int small = a < DBL_MIN;
    uint64_t u = f_bits_f64(small ? x * 0x1p54 : x);
    int32_t e = (int32_t)(u >> 52 & 0x7ffu) - (small ? 1022 + 54 : 1022);
    int plain = (a > 0.0) & (a <= DBL_MAX);
    *exponent = plain ? e : 0;
    return plain ? f_from_bits_f64((u & 0x800fffffffffffffu) | 0x3fe0000000000000u) : x;
}

#endif
