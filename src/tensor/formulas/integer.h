#ifndef TOCHA_FORMULA_INTEGER_H
#define TOCHA_FORMULA_INTEGER_H

/* Integer arithmetic without undefined behaviour, for u8, i8, i16, i32 and i64: f_add_i32, sub,
 * mul, neg, abs, sign, truncdiv, truncmod, floordiv, floormod, pow, fmax, fmin, heaviside, gcd,
 * lcm, shifts, addcmul, clamp__tensor; and float to integer conversion. */

#include "tensor/formulas/formula.h"

#define T           uint8_t
#define U           uint32_t
#define NEGATIVE(x) 0
#define NAME(x)     f_##x##_u8
#include "tensor/formulas/integer_type.inc.h"
#undef T
#undef U
#undef NEGATIVE
#undef NAME

#define T           int8_t
#define U           uint32_t
#define NEGATIVE(x) ((x) < 0)
#define NAME(x)     f_##x##_i8
#include "tensor/formulas/integer_type.inc.h"
#undef T
#undef U
#undef NEGATIVE
#undef NAME

#define T           int16_t
#define U           uint32_t
#define NEGATIVE(x) ((x) < 0)
#define NAME(x)     f_##x##_i16
#include "tensor/formulas/integer_type.inc.h"
#undef T
#undef U
#undef NEGATIVE
#undef NAME

#define T           int32_t
#define U           uint32_t
#define NEGATIVE(x) ((x) < 0)
#define NAME(x)     f_##x##_i32
#include "tensor/formulas/integer_type.inc.h"
#undef T
#undef U
#undef NEGATIVE
#undef NAME

#define T           int64_t
#define U           uint64_t
#define NEGATIVE(x) ((x) < 0)
#define NAME(x)     f_##x##_i64
#include "tensor/formulas/integer_type.inc.h"
#undef T
#undef U
#undef NEGATIVE
#undef NAME

/* Float to integer, towards zero, as a C cast where C defines it. NaN and what lies out of range
 * become INT64_MIN for i64 and INT32_MIN for i32, as x86 has it. The smaller types take the low
 * bits of the i32: -1 becomes 255 and 300 becomes 44 in u8, NaN and inf become 0. */
TOCHA_HD int64_t f_to_i64_f64(double x) {
    return (int64_t)(((x >= -0x1p63) & (x < 0x1p63)) ? x : -0x1p63);
}
TOCHA_HD int64_t f_to_i64_f32(float x) {
    return (int64_t)(((x >= -0x1p63f) & (x < 0x1p63f)) ? x : -0x1p63f);
}
TOCHA_HD int32_t f_to_i32_f64(double x) {
    return (int32_t)(((x > -0x1p31 - 1.0) & (x < 0x1p31)) ? x : -0x1p31);
}
TOCHA_HD int32_t f_to_i32_f32(float x) {
    return (int32_t)(((x >= -0x1p31f) & (x < 0x1p31f)) ? x : -0x1p31f);
}
TOCHA_HD int16_t f_to_i16_f64(double x) { return (int16_t)f_to_i32_f64(x); }
TOCHA_HD int16_t f_to_i16_f32(float x) { return (int16_t)f_to_i32_f32(x); }
TOCHA_HD int8_t f_to_i8_f64(double x) { return (int8_t)f_to_i32_f64(x); }
TOCHA_HD int8_t f_to_i8_f32(float x) { return (int8_t)f_to_i32_f32(x); }
TOCHA_HD uint8_t f_to_u8_f64(double x) { return (uint8_t)f_to_i32_f64(x); }
TOCHA_HD uint8_t f_to_u8_f32(float x) { return (uint8_t)f_to_i32_f32(x); }

#endif
