#ifndef TOCHA_SHAPE_ORDER_H
#define TOCHA_SHAPE_ORDER_H
#include "tensor/op.h"

/* Gives an output the memory order of an operand of the full shape, so that results stay as fast to
 * read as what they came from. False: t, which may be NULL, is no such operand. */
bool spec_keep_order(OutSpec *s, const Tensor *t);
#endif
