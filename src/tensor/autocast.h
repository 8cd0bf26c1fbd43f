#ifndef TOCHA_AUTOCAST_H
#define TOCHA_AUTOCAST_H
/* Mixed precision: while it is on, op_call casts the floating-point tensors that an operator is
 * given to what autocast.def says is good for it. Only float16, bfloat16 and float32 are cast;
 * float64, integers, numbers, in-place forms and backward passes are let be. */
#include "tensor/op.h"

/* Whether a call goes through autocast_call(). */
bool autocast_applies(const Op *op);
/* As op_call, with the arguments cast. */
bool autocast_call(const Op *op, const Arg *arg, Tensor **out);

/* Casts of leaves that need gradients, weights, are kept while any block of the thread that has it
 * on is open. */
void autocast_open(void);
void autocast_close(void);
#endif
