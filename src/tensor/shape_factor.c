/* Output shapes of packed factorisations. */
#include <string.h>

#include "tensor/op.h"
#include "tensor/shape_linalg.h"

/* The matrix itself, a vector as long as its diagonal, and a number of each matrix. */
static void set_packed(Call *c, int vector_dtype) {
    const Tensor *a = c->in[0];
    int64_t m = a->shape[a->dim - 2], n = a->shape[a->dim - 1];
    spec_set(&c->spec[0], c->dtype, tensor_shape(a));
    linalg_set_batch(c, 1, vector_dtype, m < n ? m : n, -1);
    if (c->op->n_outs > 2) {
        linalg_set_batch(c, 2, DT_INT32, -1, -1);
    }
}

bool infer_linalg_lu_factor_ex(Call *c) {
    if (!linalg_want_matrices(c, 0, "A")) {
        return false;
    }
    set_packed(c, DT_INT32);
    return true;
}

bool infer_linalg_ldl_factor_ex(Call *c) {
    if (!linalg_want_square(c)) {
        return false;
    }
    set_packed(c, DT_INT32);
    return true;
}

bool infer_geqrf(Call *c) {
    if (!linalg_want_matrices(c, 0, "input")) {
        return false;
    }
    set_packed(c, c->dtype);
    return true;
}

bool infer_linalg_cholesky_ex(Call *c) {
    if (!linalg_want_square(c)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[0]));
    linalg_set_batch(c, 1, DT_INT32, -1, -1);
    return true;
}

bool infer_lu_order(Call *c) {
    const Tensor *t = c->in[0];
    int64_t shape[MAX_DIMS], rows = c->arg[1].i;
    if (t->dim == 0 || rows < t->shape[t->dim - 1]) {
        return fail("lu_order: expected at most %lld pivots for as many rows, got pivots %s",
                    (long long)rows, shape_text(tensor_shape(t)));
    }
    memcpy(shape, t->shape, (size_t)t->dim * sizeof *shape);
    shape[t->dim - 1] = rows;
    spec_set(&c->spec[0], DT_INT64, (Ints){shape, t->dim});
    return true;
}

bool infer_linalg_ldl_solve(Call *c) {
    const Tensor *a = c->in[0], *pivots = c->in[1];
    if (!linalg_want_square(c)) {
        return false;
    }
    if (pivots->dim != a->dim - 1 ||
        memcmp(pivots->shape, a->shape, (size_t)pivots->dim * sizeof *a->shape) != 0) {
        return fail(
            "linalg_ldl_solve: sizes do not fit: LD %s and pivots %s; pivots must have LD's "
            "but for the last",
            shape_text(tensor_shape(a)), shape_text(tensor_shape(pivots)));
    }
    return linalg_infer_system(c, a, 2);
}
