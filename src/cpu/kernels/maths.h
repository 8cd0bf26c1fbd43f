#ifndef TOCHA_KERNELS_MATHS_H
#define TOCHA_KERNELS_MATHS_H
/* The dense loops of mathematical functions of floats, compiled once per instruction set: the lists
 * below name the operators, whose loops, tables and kernels follow from them. Loops are as in
 * kernels/elementwise.h; only inputs of two-input loops may have stride 0. X(name, cost): cost of
 * an element in hundredths of a nanosecond. */
#include "cpu/kernels/elementwise.h"

/* Those that have loops of complex numbers, too. */
#define MATHS_COMPLEX(X) \
    X(rsqrt, 30)         \
    X(sinc, 60)          \
    X(exp2, 60)          \
    X(expm1, 60)         \
    X(log2, 80)          \
    X(log10, 80)         \
    X(log1p, 60)         \
    X(tan, 80)           \
    X(asin, 60)          \
    X(acos, 60)          \
    X(atan, 60)          \
    X(sinh, 60)          \
    X(cosh, 60)          \
    X(asinh, 100)        \
    X(acosh, 100)        \
    X(atanh, 100)

#define MATHS_UNARY(X) \
    X(erf, 60)         \
    X(erfc, 80)        \
    X(erfinv, 150)     \
    X(lgamma, 300)     \
    X(digamma, 300)    \
    X(i0, 200)         \
    X(special_i1, 200) \
    X(deg2rad, 10)     \
    X(rad2deg, 10)     \
    X(frac, 10)

/* Functions of one float and the three numbers in ctx, an EwNumbers3. The first list has loops of
 * complex numbers too, for either part. */
#define MATHS_PARTS(X) X(nan_to_num, 10)
#define MATHS_NUMBERS(X)   \
    X(logit, 120)          \
    X(round__decimals, 30) \
    X(polygamma, 10000)

/* Tests of one float; the output is bool. */
#define MATHS_TESTS(X) \
    X(signbit, 10)     \
    X(isposinf, 10)    \
    X(isneginf, 10)

#define MATHS_BINARY(X)    \
    X(atan2, 100)          \
    X(hypot, 40)           \
    X(fmax, 10)            \
    X(fmin, 10)            \
    X(copysign, 10)        \
    X(nextafter, 10)       \
    X(heaviside, 10)       \
    X(logaddexp, 120)      \
    X(logaddexp2, 120)     \
    X(xlogy, 60)           \
    X(prelu_kernel, 10)    \
    X(special_zeta, 10000) \
    X(igamma, 10000)       \
    X(igammac, 10000)

/* Functions of two integers. */
#define MATHS_INTEGERS(X)     \
    X(fmax, 10)               \
    X(fmin, 10)               \
    X(heaviside, 10)          \
    X(gcd, 3000)              \
    X(lcm, 3000)              \
    X(bitwise_left_shift, 10) \
    X(bitwise_right_shift, 10)

/* Functions of three numbers and one in ctx, an EwNumbers3 (a, or ia for integers). The first list
 * has loops for integers too. */
#define MATHS_TERNARY(X) \
    X(addcmul, 15)       \
    X(clamp__tensor, 15)
#define MATHS_TERNARY_FLOAT(X) \
    X(addcdiv, 30)             \
    X(lerp, 20)

#define MATHS_ENTRY(name, cost) MATHS_##name,
typedef enum {
    MATHS_COMPLEX(MATHS_ENTRY) MATHS_UNARY(MATHS_ENTRY) MATHS_PARTS(MATHS_ENTRY)
        MATHS_NUMBERS(MATHS_ENTRY) MATHS_TESTS(MATHS_ENTRY) N_MATHS_UNARY
} MathsUnary;
typedef enum {
    MATHS_BINARY(MATHS_ENTRY) MATHS_gcd,
    MATHS_lcm,
    MATHS_bitwise_left_shift,
    MATHS_bitwise_right_shift,
    N_MATHS_BINARY
} MathsBinary;
typedef enum {
    MATHS_TERNARY(MATHS_ENTRY) MATHS_TERNARY_FLOAT(MATHS_ENTRY) N_MATHS_TERNARY
} MathsTernary;
#undef MATHS_ENTRY

/* Constants of a loop. */
typedef struct EwNumbers3 {
    double a, b, c;
    int64_t ia;
} EwNumbers3;

typedef struct MathsTable {
    const EwRow *unary, *binary, *ternary;
    IterLoop *const *frexp; /* by dtype: outputs mantissa and exponent (int32), one input */
} MathsTable;

ISA_DECLARE(const MathsTable, maths_table);

#endif
