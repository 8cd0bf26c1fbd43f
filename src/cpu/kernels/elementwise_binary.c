/* Dense loops of two inputs. */
#include <stdbool.h>
#include <string.h>

#include "cpu/kernels/elementwise_complex.h"
#include "cpu/kernels/elementwise_loops.h"
#include "tensor/formulas/elements.h"

#define T       float
#define NAME(x) x##_f32
#include "cpu/kernels/elementwise_binary_float.inc.c"
#undef T
#undef NAME

#define T       double
#define NAME(x) x##_f64
#include "cpu/kernels/elementwise_binary_float.inc.c"
#undef T
#undef NAME

#define T       uint8_t
#define NAME(x) x##_u8
#include "cpu/kernels/elementwise_binary_int.inc.c"
#undef T
#undef NAME

#define T       int8_t
#define NAME(x) x##_i8
#include "cpu/kernels/elementwise_binary_int.inc.c"
#undef T
#undef NAME

#define T       int16_t
#define NAME(x) x##_i16
#include "cpu/kernels/elementwise_binary_int.inc.c"
#undef T
#undef NAME

#define T       int32_t
#define NAME(x) x##_i32
#include "cpu/kernels/elementwise_binary_int.inc.c"
#undef T
#undef NAME

#define T       int64_t
#define NAME(x) x##_i64
#include "cpu/kernels/elementwise_binary_int.inc.c"
#undef T
#undef NAME

#define ZIP_FLOATS(op) ZIP(op, f32, op##_of_f32) ZIP(op, f64, op##_of_f64)
#define ZIP_WRAPS(op)       \
    ZIP(op, u8, op##_of_u8) \
    ZIP(op, i16, op##_of_i16) ZIP(op, i32, op##_of_i32) ZIP(op, i64, op##_of_i64)
#define ZIP_INTS(op) ZIP_WRAPS(op) ZIP(op, i8, op##_of_i8)

#define COMPARE_WRAPS(op)         \
    COMPARE(op, u8, op##_of_u8)   \
    COMPARE(op, i16, op##_of_i16) \
    COMPARE(op, i32, op##_of_i32) \
    COMPARE(op, i64, op##_of_i64) \
    COMPARE(op, f32, op##_of_f32) COMPARE(op, f64, op##_of_f64)

ZIP_FLOATS(add)
ZIP_WRAPS(add)
ZIP_FLOATS(sub)
ZIP_WRAPS(sub)
ZIP_FLOATS(mul)
ZIP_WRAPS(mul)
ZIP_FLOATS(div)
ZIP_FLOATS(pow)
ZIP_INTS(pow)
ZIP_FLOATS(maximum)
ZIP_INTS(maximum)
ZIP_FLOATS(minimum)
ZIP_INTS(minimum)
ZIP_INTS(floor_divide)
ZIP_INTS(remainder)
ZIP_INTS(fmod)
ZIP_INTS(trunc_divide)
ZIP_FLOATS(trunc_divide)
ZIP_WRAPS(bitwise_and)
ZIP_WRAPS(bitwise_or)
ZIP_WRAPS(bitwise_xor)
ZIP_FLOATS(tanh_backward)
ZIP_FLOATS(sigmoid_backward)
ZIP_FLOATS(relu_backward)
COMPARE_WRAPS(eq)
COMPARE_WRAPS(ne)
COMPARE_WRAPS(lt)
COMPARE(lt, i8, lt_of_i8)
COMPARE_WRAPS(le)
COMPARE(le, i8, le_of_i8)
COMPARE_WRAPS(logical_and)
COMPARE_WRAPS(logical_or)
COMPARE_WRAPS(logical_xor)

#define ADD_SCALED(S) \
    static void add_scaled_##S(EW_LOOP_PARAMS) { add_scaled_loop_##S(ptr, stride, n, ctx); }
ADD_SCALED(u8)
ADD_SCALED(i16)
ADD_SCALED(i32)
ADD_SCALED(i64)
ADD_SCALED(f32)
ADD_SCALED(f64)

#define DIVISION(op, S)                                            \
    static void op##_##S(EW_LOOP_PARAMS) {                         \
        division_##S(ptr, stride, n, op##_near_##S, op##_any_##S); \
    }
DIVISION(floor_divide, f32)
DIVISION(floor_divide, f64)
DIVISION(remainder, f32)
DIVISION(remainder, f64)
DIVISION(fmod, f32)
DIVISION(fmod, f64)

#define NUMBERS(op)  EW_WRAPS(op), EW_FLOATS(op)
#define ORDERED(op)  EW_INTS(op), EW_FLOATS(op)
#define BITS(op)     EW_BOOL(op##_u8), EW_WRAPS(op)
#define EQUALITY(op) EW_BOOL(op##_u8), NUMBERS(op)
#define ORDER(op)    EW_BOOL(op##_u8), ORDERED(op)

extern const EwRow ISA_NAME(ew_binary)[N_EW_BINARY];
const EwRow ISA_NAME(ew_binary)[N_EW_BINARY] = {
    [EW_ADD] = {EW_BOOL(bitwise_or_u8), NUMBERS(add), EW_COMPLEX(add)},
    [EW_ADD_SCALED] = {NUMBERS(add_scaled), EW_COMPLEX(add_scaled)},
    [EW_SUB] = {NUMBERS(sub), EW_COMPLEX(sub)},
    [EW_MUL] = {EW_BOOL(bitwise_and_u8), NUMBERS(mul), EW_COMPLEX(mul)},
    [EW_DIV] = {EW_FLOATS(div), EW_COMPLEX(div)},
    [EW_POW] = {ORDERED(pow), EW_COMPLEX_FUNCTION(pow)},
    [EW_MAXIMUM] = {ORDER(maximum)},
    [EW_MINIMUM] = {ORDER(minimum)},
    [EW_FLOOR_DIVIDE] = {ORDERED(floor_divide)},
    [EW_REMAINDER] = {ORDERED(remainder)},
    [EW_FMOD] = {ORDERED(fmod)},
    [EW_TRUNC_DIVIDE] = {ORDERED(trunc_divide)},
    [EW_BITWISE_AND] = {BITS(bitwise_and)},
    [EW_BITWISE_OR] = {BITS(bitwise_or)},
    [EW_BITWISE_XOR] = {BITS(bitwise_xor)},
    [EW_TANH_BACKWARD] = {EW_FLOATS(tanh_backward), EW_COMPLEX(tanh_backward)},
    [EW_SIGMOID_BACKWARD] = {EW_FLOATS(sigmoid_backward), EW_COMPLEX(sigmoid_backward)},
    [EW_RELU_BACKWARD] = {EW_FLOATS(relu_backward)},
    [EW_EQ] = {EQUALITY(eq), EW_COMPLEX(eq)},
    [EW_NE] = {EQUALITY(ne), EW_COMPLEX(ne)},
    [EW_LT] = {ORDER(lt)},
    [EW_LE] = {ORDER(le)},
    [EW_LOGICAL_AND] = {EQUALITY(logical_and), EW_COMPLEX(logical_and)},
    [EW_LOGICAL_OR] = {EQUALITY(logical_or), EW_COMPLEX(logical_or)},
    [EW_LOGICAL_XOR] = {EQUALITY(logical_xor), EW_COMPLEX(logical_xor)},
};
