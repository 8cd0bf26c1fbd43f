#ifndef TOCHA_FORMULA_ELEMENTS_H
#define TOCHA_FORMULA_ELEMENTS_H

/* What the elementwise operators compute of one element or of two, for u8, i8, i16, i32, i64, f32
 * and f64: neg_of_i32, add_of_f64, ... */

#include "tensor/formulas/integer.h"
#include "tensor/formulas/power.h"

#define T        float
#define NAME(x)  x##_f32
#define LIBM(x)  x##f
#define BITS     uint32_t
#define INFINITE INFINITY
#define WHOLE    0x1p22f
#include "tensor/formulas/elements_float.inc.h"
#undef T
#undef NAME
#undef LIBM
#undef BITS
#undef INFINITE
#undef WHOLE

#define T        double
#define NAME(x)  x##_f64
#define LIBM(x)  x
#define BITS     uint64_t
#define INFINITE ((double)INFINITY)
#define WHOLE    0x1p51
#include "tensor/formulas/elements_float.inc.h"
#undef T
#undef NAME
#undef LIBM
#undef BITS
#undef INFINITE
#undef WHOLE

#define T       uint8_t
#define NAME(x) x##_u8
#include "tensor/formulas/elements_int.inc.h"
#undef T
#undef NAME

#define T       int8_t
#define NAME(x) x##_i8
#include "tensor/formulas/elements_int.inc.h"
#undef T
#undef NAME

#define T       int16_t
#define NAME(x) x##_i16
#include "tensor/formulas/elements_int.inc.h"
#undef T
#undef NAME

#define T       int32_t
#define NAME(x) x##_i32
#include "tensor/formulas/elements_int.inc.h"
#undef T
#undef NAME

#define T       int64_t
#define NAME(x) x##_i64
#include "tensor/formulas/elements_int.inc.h"
#undef T
#undef NAME

#endif
