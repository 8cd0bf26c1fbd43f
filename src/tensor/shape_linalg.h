#ifndef TOCHA_SHAPE_LINALG_H
#define TOCHA_SHAPE_LINALG_H
/* What the shape rules of linear algebra share. False means an error was recorded. */
#include "tensor/op.h"

bool linalg_want_matrices(const Call *c, int k, const char *name);
/* Argument A, the first, holds square matrices. */
bool linalg_want_square(const Call *c);

/* Output out has A's batch dims, followed by up to two more sizes (-1: none). */
void linalg_set_batch(Call *c, int out, int dtype, int64_t rows, int64_t columns);

/* Output 0 is that of a system of A (*, n, n) and tensor argument k, B (*, n, k), whose batch dims
 * broadcast. */
bool linalg_infer_system(Call *c, const Tensor *a, int k);
#endif
