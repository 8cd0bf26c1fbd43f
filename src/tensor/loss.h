#ifndef TOCHA_LOSS_H
#define TOCHA_LOSS_H
/* What the losses' shape rules, kernels and compositions share. */
#include "tensor/op.h"

typedef enum { REDUCTION_NONE, REDUCTION_MEAN, REDUCTION_SUM, REDUCTION_BAD } Reduction;

/* REDUCTION_BAD with an error that lists the names. */
Reduction loss_reduction(const char *op, const char *name);

/* The loss of each element, reduced. */
Tensor *loss_reduced(Tensor *loss, Reduction r);
/* The mean of what has weights is over these. */
Tensor *loss_reduced_by(Tensor *loss, Tensor *weight, Reduction r);
/* Two tensors of an elementwise loss must have one shape; false with an error and the fix. */
bool loss_check_pair(const char *op, const char *name_a, const Tensor *a, const char *name_b,
                     const Tensor *b);
/* Whether labels and weight (or NULL) fit an input of that shape, (N, C), (C) or (N, C, d1, ...);
 * false with an error. */
bool loss_check_labels(const char *name, Ints input, const Tensor *target, const Tensor *weight);
#endif
