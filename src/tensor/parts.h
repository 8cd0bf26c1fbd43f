#ifndef TOCHA_PARTS_H
#define TOCHA_PARTS_H
/* Ops that are linear in each of their first two tensors, and add a third one: with OPF_PARTS in
 * their rows they take complex numbers, whose parts go through the op as real tensors. */
#include "tensor/op.h"

/* The result of a call whose arguments have been checked, and are complex; recorded as the calls
 * that it is made of. */
bool parts_call(const Call *c, Tensor **out);
#endif
