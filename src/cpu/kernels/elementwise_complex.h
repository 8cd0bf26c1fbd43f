#ifndef TOCHA_KERNELS_ELEMENTWISE_COMPLEX_H
#define TOCHA_KERNELS_ELEMENTWISE_COMPLEX_H
/* The dense loops of complex elements, for the tables of elementwise.h. */
#include "cpu/kernels/elementwise.h"
#include "tensor/formulas/complex.h"

/* Arithmetic, compiled once per instruction set. */
#define EW_COMPLEX_LOOPS(X) \
    X(neg)                  \
    X(conj)                 \
    X(abs)                  \
    X(square)               \
    X(reciprocal)           \
    X(isnan)                \
    X(isinf)                \
    X(isfinite)             \
    X(logical_not)          \
    X(add)                  \
    X(add_scaled)           \
    X(sub)                  \
    X(mul)                  \
    X(div)                  \
    X(eq)                   \
    X(ne)                   \
    X(tanh_backward)        \
    X(sigmoid_backward)     \
    X(logical_and)          \
    X(logical_or)           \
    X(logical_xor)

/* Functions, compiled once. */
#define EW_COMPLEX_FUNCTIONS(X) F_COMPLEX_FUNCTIONS(X) X(angle) X(pow) X(logaddexp)

#define X(op) extern IterLoop ISA_NAME(op##_c64), ISA_NAME(op##_c128);
EW_COMPLEX_LOOPS(X)
#undef X

#define X(op) extern IterLoop ew_##op##_c64, ew_##op##_c128;
EW_COMPLEX_FUNCTIONS(X)
#undef X

/* Entries of a table's row. */
#define EW_COMPLEX(op)          [DT_COMPLEX64] = ISA_NAME(op##_c64), [DT_COMPLEX128] = ISA_NAME(op##_c128)
#define EW_COMPLEX_FUNCTION(op) [DT_COMPLEX64] = ew_##op##_c64, [DT_COMPLEX128] = ew_##op##_c128

#endif
