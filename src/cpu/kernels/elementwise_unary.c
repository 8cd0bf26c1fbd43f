/* Dense loops of one input. */
#include <stdbool.h>

#include "cpu/kernels/elementwise_blocks.h"
#include "cpu/kernels/elementwise_complex.h"
#include "tensor/formulas/elements.h"
#include "tensor/formulas/explog.h"
#include "tensor/formulas/hyper.h"
#include "tensor/formulas/trig.h"

#define T       float
#define NAME(x) x##_f32
#include "cpu/kernels/elementwise_unary_float.inc.c"
#undef T
#undef NAME

#define T       double
#define NAME(x) x##_f64
#include "cpu/kernels/elementwise_unary_float.inc.c"
#undef T
#undef NAME

#define T       uint8_t
#define NAME(x) x##_u8
#include "cpu/kernels/elementwise_unary_int.inc.c"
#undef T
#undef NAME

#define T       int8_t
#define NAME(x) x##_i8
#include "cpu/kernels/elementwise_unary_int.inc.c"
#undef T
#undef NAME

#define T       int16_t
#define NAME(x) x##_i16
#include "cpu/kernels/elementwise_unary_int.inc.c"
#undef T
#undef NAME

#define T       int32_t
#define NAME(x) x##_i32
#include "cpu/kernels/elementwise_unary_int.inc.c"
#undef T
#undef NAME

#define T       int64_t
#define NAME(x) x##_i64
#include "cpu/kernels/elementwise_unary_int.inc.c"
#undef T
#undef NAME

#define MAP_FLOATS(op) MAP(op, f32, op##_of_f32) MAP(op, f64, op##_of_f64)
#define MAP_WRAPS(op)       \
    MAP(op, u8, op##_of_u8) \
    MAP(op, i16, op##_of_i16) MAP(op, i32, op##_of_i32) MAP(op, i64, op##_of_i64)
#define MAP_INTS(op)    MAP_WRAPS(op) MAP(op, i8, op##_of_i8)
#define MAP_FORMULA(op) MAP(op, f32, f_##op##_f32) MAP(op, f64, f_##op##_f64)

MAP_FLOATS(neg)
MAP_WRAPS(neg)
MAP_FORMULA(abs)
MAP_INTS(abs)
MAP_FLOATS(sign)
MAP_INTS(sign)
MAP_FLOATS(relu)
MAP_INTS(relu)
MAP_FLOATS(square)
MAP_WRAPS(square)
MAP_FLOATS(cube)
MAP_FLOATS(reciprocal)
MAP_FLOATS(floor)
MAP_FLOATS(ceil)
MAP_FLOATS(round)
MAP_FLOATS(trunc)
MAP_FLOATS(angle)
MAP_WRAPS(bitwise_not)
MAP_FORMULA(exp)
MAP_FORMULA(log)
MAP_FORMULA(sqrt)
MAP_FORMULA(tanh)
MAP_FORMULA(sigmoid)

TEST(isnan, f32, isnan_of_f32)
TEST(isnan, f64, isnan_of_f64)
TEST(isinf, f32, isinf_of_f32)
TEST(isinf, f64, isinf_of_f64)
TEST(isfinite, f32, isfinite_of_f32)
TEST(isfinite, f64, isfinite_of_f64)
TEST(logical_not, u8, logical_not_of_u8)
TEST(logical_not, i16, logical_not_of_i16)
TEST(logical_not, i32, logical_not_of_i32)
TEST(logical_not, i64, logical_not_of_i64)
TEST(logical_not, f32, logical_not_of_f32)
TEST(logical_not, f64, logical_not_of_f64)

/* What integers are, all of them: neither NaN nor infinite, and whole. */
#define CONSTANT_TESTS(S) \
    TEST(never, S, never_of_##S) TEST(always, S, always_of_##S) MAP(same, S, same_of_##S)
CONSTANT_TESTS(u8)
CONSTANT_TESTS(i16)
CONSTANT_TESTS(i32)
CONSTANT_TESTS(i64)

#define CLAMP(S) \
    static void clamp_##S(EW_LOOP_PARAMS) { clamp_loop_##S(ptr, n, ctx); }
CLAMP(u8)
CLAMP(i8)
CLAMP(i16)
CLAMP(i32)
CLAMP(i64)
CLAMP(f32)
CLAMP(f64)

#define TRIG(op, S)  BLOCKS(op, S, TURNS_##S, f_##op##_inside_##S, f_##op##_##S)
#define TURNS_f32(x) (f_abs_f32(x) > (float)F_TRIG_INSIDE)
#define TURNS_f64(x) (f_abs_f64(x) > F_TRIG_INSIDE)
TRIG(sin, f32)
TRIG(sin, f64)
TRIG(cos, f32)
TRIG(cos, f64)

#define BOTH_BYTES(op) [DT_UINT8] = op##_u8, [DT_INT8] = op##_u8, EW_WIDE(op)
#define TESTS(op)      EW_BOOL(op##_u8), BOTH_BYTES(op), EW_FLOATS(op)
/* A test of floats that all integers answer alike. */
#define FLOAT_TEST(op, others) EW_BOOL(others##_u8), BOTH_BYTES(others), EW_FLOATS(op)

extern const EwRow ISA_NAME(ew_unary)[N_EW_UNARY];
const EwRow ISA_NAME(ew_unary)[N_EW_UNARY] = {
    [EW_NEG] = {EW_WRAPS(neg), EW_FLOATS(neg), EW_COMPLEX(neg)},
    [EW_ABS] = {EW_INTS(abs), EW_FLOATS(abs), EW_COMPLEX(abs)},
    [EW_SIGN] = {EW_INTS(sign), EW_FLOATS(sign)},
    [EW_EXP] = {EW_FLOATS(exp), EW_COMPLEX_FUNCTION(exp)},
    [EW_LOG] = {EW_FLOATS(log), EW_COMPLEX_FUNCTION(log)},
    [EW_SQRT] = {EW_FLOATS(sqrt), EW_COMPLEX_FUNCTION(sqrt)},
    [EW_TANH] = {EW_FLOATS(tanh), EW_COMPLEX_FUNCTION(tanh)},
    [EW_SIGMOID] = {EW_FLOATS(sigmoid), EW_COMPLEX_FUNCTION(sigmoid)},
    [EW_RELU] = {EW_INTS(relu), EW_FLOATS(relu)},
    [EW_SIN] = {EW_FLOATS(sin), EW_COMPLEX_FUNCTION(sin)},
    [EW_COS] = {EW_FLOATS(cos), EW_COMPLEX_FUNCTION(cos)},
    [EW_SQUARE] = {EW_WRAPS(square), EW_FLOATS(square), EW_COMPLEX(square)},
    [EW_CUBE] = {EW_FLOATS(cube)},
    [EW_RECIPROCAL] = {EW_FLOATS(reciprocal), EW_COMPLEX(reciprocal)},
    [EW_FLOOR] = {EW_WRAPS(same), EW_FLOATS(floor)},
    [EW_CEIL] = {EW_WRAPS(same), EW_FLOATS(ceil)},
    [EW_ROUND] = {EW_WRAPS(same), EW_FLOATS(round)},
    [EW_TRUNC] = {EW_WRAPS(same), EW_FLOATS(trunc)},
    [EW_BITWISE_NOT] = {EW_BOOL(logical_not_u8), EW_WRAPS(bitwise_not)},
    [EW_CONJ] = {EW_COMPLEX(conj)},
    [EW_SGN] = {EW_COMPLEX_FUNCTION(sgn)},
    [EW_ANGLE] = {EW_FLOATS(angle), EW_COMPLEX_FUNCTION(angle)},
    [EW_CLAMP] = {EW_INTS(clamp), EW_FLOATS(clamp)},
    [EW_ISNAN] = {FLOAT_TEST(isnan, never), EW_COMPLEX(isnan)},
    [EW_ISINF] = {FLOAT_TEST(isinf, never), EW_COMPLEX(isinf)},
    [EW_ISFINITE] = {FLOAT_TEST(isfinite, always), EW_COMPLEX(isfinite)},
    [EW_LOGICAL_NOT] = {TESTS(logical_not), EW_COMPLEX(logical_not)},
};
