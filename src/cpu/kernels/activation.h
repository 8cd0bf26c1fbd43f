#ifndef TOCHA_KERNELS_ACTIVATION_H
#define TOCHA_KERNELS_ACTIVATION_H
/* The dense loops of activation functions, compiled once per instruction set. The numbers are an
 * EwNumbers3 in ctx; no operand may have stride 0. */
#include "cpu/kernels/maths.h"
#include "tensor/activation.h"

typedef struct ActivationTable {
    const EwRow *forward;  /* one input */
    const EwRow *backward; /* two inputs: the gradient that comes, and the function's input */
} ActivationTable;

ISA_DECLARE(const ActivationTable, activation_table);

#endif
