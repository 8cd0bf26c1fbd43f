/* The loops of scatter_join, by dtype. */
#include "cpu/index.h"
#include "tensor/formulas/half.h"
#include "tensor/formulas/integer.h"

#define T         uint8_t
#define A         uint8_t
#define LOAD(b)   (b)
#define MUL(a, b) f_mul_u8(a, b)
#define NAME(x)   x##_u8
#include "join_body.inc.c"

#define T         int8_t
#define A         int8_t
#define LOAD(b)   (b)
#define MUL(a, b) f_mul_i8(a, b)
#define NAME(x)   x##_i8
#include "join_body.inc.c"

#define T         int16_t
#define A         int16_t
#define LOAD(b)   (b)
#define MUL(a, b) f_mul_i16(a, b)
#define NAME(x)   x##_i16
#include "join_body.inc.c"

#define T         int32_t
#define A         int32_t
#define LOAD(b)   (b)
#define MUL(a, b) f_mul_i32(a, b)
#define NAME(x)   x##_i32
#include "join_body.inc.c"

#define T         int64_t
#define A         int64_t
#define LOAD(b)   (b)
#define MUL(a, b) f_mul_i64(a, b)
#define NAME(x)   x##_i64
#include "join_body.inc.c"

#define T         uint16_t
#define A         float
#define LOAD(b)   f_from_f16(b)
#define MUL(a, b) (a) * (b)
#define NAME(x)   x##_f16
#include "join_body.inc.c"

#define T         uint16_t
#define A         float
#define LOAD(b)   f_from_bf16(b)
#define MUL(a, b) (a) * (b)
#define NAME(x)   x##_bf16
#include "join_body.inc.c"

#define T         float
#define A         float
#define LOAD(b)   (b)
#define MUL(a, b) (a) * (b)
#define NAME(x)   x##_f32
#include "join_body.inc.c"

#define T         double
#define A         double
#define LOAD(b)   (b)
#define MUL(a, b) (a) * (b)
#define NAME(x)   x##_f64
#include "join_body.inc.c"

LineLoop *join_loop(PickMode mode, int dtype) {
    static LineLoop *const loops[N_DTYPES][3] = {[DT_UINT8] = {prod_u8, max_u8, min_u8},
                                                 [DT_INT8] = {prod_i8, max_i8, min_i8},
                                                 [DT_INT16] = {prod_i16, max_i16, min_i16},
                                                 [DT_INT32] = {prod_i32, max_i32, min_i32},
                                                 [DT_INT64] = {prod_i64, max_i64, min_i64},
                                                 [DT_FLOAT16] = {prod_f16, max_f16, min_f16},
                                                 [DT_BFLOAT16] = {prod_bf16, max_bf16, min_bf16},
                                                 [DT_FLOAT32] = {prod_f32, max_f32, min_f32},
                                                 [DT_FLOAT64] = {prod_f64, max_f64, min_f64}};
    return loops[dtype][mode - PICK_PROD];
}
