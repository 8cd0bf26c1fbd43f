/* Dense loops of mathematical functions of one float. */
#include "cpu/kernels/elementwise_blocks.h"
#include "cpu/kernels/elementwise_complex.h"
#include "cpu/kernels/elementwise_numbers.h"
#include "tensor/formulas/erf.h"
#include "tensor/formulas/hyper.h"
#include "tensor/formulas/inverse.h"
#include "tensor/formulas/maths.h"

#define PLAIN(op) MAP(op, f32, f_##op##_f32) MAP(op, f64, f_##op##_f64)
PLAIN(rsqrt)
PLAIN(exp2)
PLAIN(expm1)
PLAIN(log2)
PLAIN(log10)
PLAIN(log1p)
PLAIN(asin)
PLAIN(acos)
PLAIN(atan)
PLAIN(sinh)
PLAIN(cosh)
PLAIN(asinh)
PLAIN(acosh)
PLAIN(atanh)
PLAIN(erf)
PLAIN(erfc)
PLAIN(erfinv)
PLAIN(i0)
PLAIN(special_i1)
PLAIN(sinc)
PLAIN(deg2rad)
PLAIN(rad2deg)
PLAIN(frac)

/* Functions that have a branch-free form for most arguments. */
#define TURNS_F32(x)           (f_abs_f32(x) > (float)F_TRIG_INSIDE)
#define TURNS_F64(x)           (f_abs_f64(x) > F_TRIG_INSIDE)
#define IS_BELOW(x)            ((x) <= 0)
#define INSIDE(op, S, outside) BLOCKS(op, S, outside, f_##op##_inside_##S, f_##op##_##S)
INSIDE(tan, f32, TURNS_F32)
INSIDE(tan, f64, TURNS_F64)
INSIDE(lgamma, f32, IS_BELOW)
INSIDE(lgamma, f64, IS_BELOW)
INSIDE(digamma, f32, IS_BELOW)
INSIDE(digamma, f64, IS_BELOW)

#define WITH_NUMBERS_OF(op, S) \
    static void op##_##S(EW_LOOP_PARAMS) { map_with_##S(ptr, n, ctx, f_##op##_##S); }
#define WITH_NUMBERS(op, cost) WITH_NUMBERS_OF(op, f32) WITH_NUMBERS_OF(op, f64)
MATHS_PARTS(WITH_NUMBERS)
MATHS_NUMBERS(WITH_NUMBERS)

#define OF_PARTS(op, cost)                                                                \
    static void op##_c64(EW_LOOP_PARAMS) { map_with_f32(ptr, 2 * n, ctx, f_##op##_f32); } \
    static void op##_c128(EW_LOOP_PARAMS) { map_with_f64(ptr, 2 * n, ctx, f_##op##_f64); }
MATHS_PARTS(OF_PARTS)

#define TESTS(op, cost) TEST(op, f32, f_##op##_f32) TEST(op, f64, f_##op##_f64)
MATHS_TESTS(TESTS)

extern const EwRow ISA_NAME(maths_unary)[N_MATHS_UNARY];
#define ROW(op, cost) [MATHS_##op] = {EW_FLOATS(op)},
#define PARTS_ROW(op, cost) \
    [MATHS_##op] = {EW_FLOATS(op), [DT_COMPLEX64] = op##_c64, [DT_COMPLEX128] = op##_c128},
#define COMPLEX_ROW(op, cost) [MATHS_##op] = {EW_FLOATS(op), EW_COMPLEX_FUNCTION(op)},
const EwRow ISA_NAME(maths_unary)[N_MATHS_UNARY] = {MATHS_COMPLEX(COMPLEX_ROW) MATHS_UNARY(ROW)
                                                        MATHS_PARTS(PARTS_ROW) MATHS_NUMBERS(ROW)
                                                            MATHS_TESTS(ROW)};

#define FREXP(S, T)                                                                    \
    static void frexp_##S(EW_LOOP_PARAMS) {                                            \
        T *mantissa = (T *)ptr[0];                                                     \
        int32_t *exponent = (int32_t *)ptr[1];                                         \
        const T *x = (const T *)ptr[2];                                                \
        for (int64_t i = 0; i < n; i++) mantissa[i] = f_frexp_##S(x[i], &exponent[i]); \
    }
FREXP(f32, float)
FREXP(f64, double)

extern IterLoop *const ISA_NAME(maths_frexp)[N_DTYPES];
IterLoop *const ISA_NAME(maths_frexp)[N_DTYPES] = {EW_FLOATS(frexp)};
