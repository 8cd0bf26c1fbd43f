#ifndef TOCHA_OP_CHECK_H
#define TOCHA_OP_CHECK_H
/* The part of op_call before dispatch: one check of the arguments, the same words on every device
 * (invariant 9). */
#include "tensor/op.h"

enum { PREPARED_TENSORS = 24, PREPARED_DIM_LISTS = 2 };

/* A call in the making: the arguments copied, so that they can be normalised. */
typedef struct Prepared {
    Call call;
    bool converts; /* some argument has to be cast or moved, or may have to */
    Arg arg[MAX_ARGS];
    Tensor *few[PREPARED_TENSORS]; /* call.in, unless there are more */
    int64_t dims[PREPARED_DIM_LISTS][MAX_DIMS];
} Prepared;

/* Checks and normalises, and finds device and dtype of the call; converts nothing yet. Whatever it
 * returns, op_prepared_free() ends p. */
bool op_prepare(const Op *op, const Arg *arg, Prepared *p);
void op_prepared_free(Prepared *p);
/* Converts the tensor arguments to p->call.dtype and moves 0-dim CPU operands to the device; the
 * casts go through op_call and belong to the innermost scope. */
bool op_convert(Prepared *p);
#endif
