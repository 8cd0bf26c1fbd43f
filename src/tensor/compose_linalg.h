#ifndef TOCHA_COMPOSE_LINALG_H
#define TOCHA_COMPOSE_LINALG_H
/* What the compositions of linear algebra share. */
#include "tensor/op.h"

static inline bool linalg_is_square(const Tensor *t) {
    return t->dim >= 2 && t->shape[t->dim - 1] == t->shape[t->dim - 2];
}

/* The adjoint: of real matrices the transpose. */
static inline Tensor *linalg_adjoint(Tensor *x) {
    Tensor *t = t_transpose(x, -2, -1);
    return t && dtype_is_complex(t->dtype) ? t_conj_physical(t) : t;
}

/* Whether B in A X = B is one vector, or a batch of vectors that fits A's batch. */
bool linalg_is_vector(const Tensor *a, const Tensor *b);
#endif
