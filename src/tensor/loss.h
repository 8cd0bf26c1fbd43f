#ifndef TOCHA_LOSS_H
#define TOCHA_LOSS_H
/* What the losses' shape rules, kernels and compositions share. */
#include "tensor/op.h"

typedef enum { REDUCTION_NONE, REDUCTION_MEAN, REDUCTION_SUM, REDUCTION_BAD } Reduction;

/* REDUCTION_BAD with an error that lists the names. */
Reduction loss_reduction(const char *op, const char *name);
#endif
