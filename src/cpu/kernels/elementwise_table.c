/* The tables of this instruction set, gathered. */
#include "cpu/kernels/elementwise.h"

extern const EwRow ISA_NAME(ew_unary)[N_EW_UNARY], ISA_NAME(ew_binary)[N_EW_BINARY],
    ISA_NAME(ew_cast)[N_DTYPES];
extern IterLoop *const ISA_NAME(ew_where)[EW_WIDTHS], *const ISA_NAME(ew_fill)[EW_WIDTHS];

const EwTable ISA_NAME(ew_table) = {.unary = ISA_NAME(ew_unary),
                                    .binary = ISA_NAME(ew_binary),
                                    .cast = ISA_NAME(ew_cast),
                                    .where = ISA_NAME(ew_where),
                                    .fill = ISA_NAME(ew_fill)};
