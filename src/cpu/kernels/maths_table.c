/* The tables of this instruction set, gathered. */
#include "cpu/kernels/maths.h"

extern const EwRow ISA_NAME(maths_unary)[N_MATHS_UNARY], ISA_NAME(maths_binary)[N_MATHS_BINARY],
    ISA_NAME(maths_ternary)[N_MATHS_TERNARY];
extern IterLoop *const ISA_NAME(maths_frexp)[N_DTYPES];

const MathsTable ISA_NAME(maths_table) = {.unary = ISA_NAME(maths_unary),
                                          .binary = ISA_NAME(maths_binary),
                                          .ternary = ISA_NAME(maths_ternary),
                                          .frexp = ISA_NAME(maths_frexp)};
