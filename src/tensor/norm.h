#ifndef TOCHA_NORM_H
#define TOCHA_NORM_H
#include "tensor/op.h"

/* The p-norm of real x over dims; no gradient flows where it is 0. */
Tensor *vector_norm(Tensor *x, double p, Ints dims, bool keepdim);

#endif
