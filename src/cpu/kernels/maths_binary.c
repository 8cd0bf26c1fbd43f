/* Dense loops of mathematical functions of two and of three numbers. */
#include "cpu/kernels/elementwise_complex.h"
#include "cpu/kernels/elementwise_numbers.h"
#include "tensor/formulas/complex.h"
#include "tensor/formulas/integer.h"
#include "tensor/formulas/inverse.h"
#include "tensor/formulas/maths.h"

#define FLOATS(op, cost) ZIP(op, f32, f_##op##_f32) ZIP(op, f64, f_##op##_f64)
MATHS_BINARY(FLOATS)

#define INTEGERS(op, cost)   \
    ZIP(op, u8, f_##op##_u8) \
    ZIP(op, i8, f_##op##_i8) \
    ZIP(op, i16, f_##op##_i16) ZIP(op, i32, f_##op##_i32) ZIP(op, i64, f_##op##_i64)
MATHS_INTEGERS(INTEGERS)

extern const EwRow ISA_NAME(maths_binary)[N_MATHS_BINARY];
#define FLOAT_ROW(op, cost) [MATHS_##op] = {EW_FLOATS(op)},
#define BOTH(op)            [MATHS_##op] = {EW_BOOL(op##_u8), EW_INTS(op), EW_FLOATS(op)},
#define INTEGER_ROW(op)     [MATHS_##op] = {EW_INTS(op)},
const EwRow ISA_NAME(maths_binary)[N_MATHS_BINARY] = {
    FLOAT_ROW(atan2, ) FLOAT_ROW(hypot, ) BOTH(fmax) BOTH(fmin) FLOAT_ROW(copysign, )
        FLOAT_ROW(nextafter, ) BOTH(heaviside)[MATHS_logaddexp] = {EW_FLOATS(logaddexp),
                                                                   EW_COMPLEX_FUNCTION(logaddexp)},
    FLOAT_ROW(logaddexp2, ) FLOAT_ROW(xlogy, ) FLOAT_ROW(prelu_kernel, ) FLOAT_ROW(special_zeta, )
        FLOAT_ROW(igamma, ) FLOAT_ROW(igammac, ) INTEGER_ROW(gcd) INTEGER_ROW(lcm)
            INTEGER_ROW(bitwise_left_shift) INTEGER_ROW(bitwise_right_shift)};

#define TERNARY_LOOP(op, S, T, numbers)                                                 \
    static void op##_##S(EW_LOOP_PARAMS) {                                              \
        T *out = (T *)ptr[0];                                                           \
        const T *x = (const T *)ptr[1], *y = (const T *)ptr[2], *z = (const T *)ptr[3]; \
        _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {                          \
            out[i] = f_##op##_##S(x[i], y[i], z[i], numbers);                           \
        }                                                                               \
    }
#define WHOLE (((const EwNumbers3 *)ctx)->ia)
#define TERNARY_FLOATS(op, cost)                      \
    TERNARY_LOOP(op, f32, float, numbers_of_f32(ctx)) \
    TERNARY_LOOP(op, f64, double, numbers_of_f64(ctx))
#define TERNARY_ALL(op, cost)                      \
    TERNARY_LOOP(op, u8, uint8_t, (uint8_t)WHOLE)  \
    TERNARY_LOOP(op, i8, int8_t, (int8_t)WHOLE)    \
    TERNARY_LOOP(op, i16, int16_t, (int16_t)WHOLE) \
    TERNARY_LOOP(op, i32, int32_t, (int32_t)WHOLE) \
    TERNARY_LOOP(op, i64, int64_t, WHOLE) TERNARY_FLOATS(op, cost)
MATHS_TERNARY(TERNARY_ALL)
MATHS_TERNARY_FLOAT(TERNARY_FLOATS)

/* Of complex numbers C, whose parts are of type P. */
#define TERNARY_COMPLEX(S, C, P)                \
    TERNARY_LOOP(addcmul, S, C, VALUE_OF(S, P)) \
    TERNARY_LOOP(addcdiv, S, C, VALUE_OF(S, P)) \
    TERNARY_LOOP(lerp, S, C, VALUE_OF(S, P))
#define VALUE_OF(S, P) f_make_##S((P)((const EwNumbers3 *)ctx)->a, (P)((const EwNumbers3 *)ctx)->b)
TERNARY_COMPLEX(c64, Complex64, float)
TERNARY_COMPLEX(c128, Complex128, double)

extern const EwRow ISA_NAME(maths_ternary)[N_MATHS_TERNARY];
#define COMPLEX(op)         [DT_COMPLEX64] = op##_c64, [DT_COMPLEX128] = op##_c128
#define FIELD_ROW(op, cost) [MATHS_##op] = {EW_FLOATS(op), COMPLEX(op)},
const EwRow ISA_NAME(maths_ternary)[N_MATHS_TERNARY] = {
    [MATHS_addcmul] = {EW_INTS(addcmul), EW_FLOATS(addcmul), COMPLEX(addcmul)},
    [MATHS_clamp__tensor] = {EW_INTS(clamp__tensor), EW_FLOATS(clamp__tensor)},
    MATHS_TERNARY_FLOAT(FIELD_ROW)};
