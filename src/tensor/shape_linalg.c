/* Output shapes of diagonals, triangles and decompositions. */
#include <string.h>

#include "tensor/shape_linalg.h"
#include "tensor/shape_order.h"

bool infer_diagonal(Call *c) {
    const Tensor *t = c->in[0];
    int64_t offset = c->arg[1].i, d1 = c->arg[2].i, d2 = c->arg[3].i;
    if (t->dim < 2 || d1 == d2) {
        return fail("diagonal: input must have two dims that dim1 and dim2 name, got %s%s",
                    shape_text(tensor_shape(t)), t->dim < 2 ? "" : " and the same dim twice");
    }
    OutSpec *s = &c->spec[0];
    spec_set(s, t->dtype, (Ints){t->shape, t->dim});
    s->strided = true;
    s->dim = 0;
    for (int d = 0; d < t->dim; d++) {
        if (d != d1 && d != d2) {
            s->shape[s->dim] = t->shape[d];
            s->stride[s->dim++] = t->stride[d];
        }
    }
    int64_t rows = t->shape[d1], columns = t->shape[d2];
    /* Far outside, all offsets mean an empty diagonal. */
    offset = offset > columns ? columns : offset < -rows ? -rows : offset;
    rows += offset < 0 ? offset : 0;
    columns -= offset > 0 ? offset : 0;
    int64_t length = rows < columns ? rows : columns;
    s->offset = t->offset;
    if (length > 0) {
        s->offset += offset > 0 ? offset * t->stride[d2] : -offset * t->stride[d1];
    }
    s->shape[s->dim] = length;
    s->stride[s->dim++] = t->stride[d1] + t->stride[d2];
    return true;
}

bool linalg_want_matrices(const Call *c, int k, const char *name) {
    const Tensor *t = c->in[k];
    return t->dim >= 2 || fail("%s: expected matrices for %s, got %s", c->op->public_name, name,
                               shape_text(tensor_shape(t)));
}

/* Of transposed matrices without gaps the triangles lie as they do. */
static bool infer_triangle(Call *c) {
    if (!linalg_want_matrices(c, 0, "input")) {
        return false;
    }
    const Tensor *t = c->in[0];
    spec_set(&c->spec[0], c->dtype, tensor_shape(t));
    if (t->stride[t->dim - 2] == 1) {
        spec_keep_order(&c->spec[0], t);
    }
    return true;
}

bool infer_tril(Call *c) { return infer_triangle(c); }
bool infer_triu(Call *c) { return infer_triangle(c); }

bool linalg_want_square(const Call *c) {
    const Tensor *t = c->in[0];
    return linalg_want_matrices(c, 0, "A") &&
           (t->shape[t->dim - 1] == t->shape[t->dim - 2] ||
            fail("%s: expected square matrices, got %s", c->op->public_name,
                 shape_text(tensor_shape(t))));
}

void linalg_set_batch(Call *c, int out, int dtype, int64_t rows, int64_t columns) {
    const Tensor *t = c->in[0];
    int64_t shape[MAX_DIMS];
    int n = t->dim - 2;
    memcpy(shape, t->shape, (size_t)n * sizeof *shape);
    if (rows >= 0) {
        shape[n++] = rows;
    }
    if (columns >= 0) {
        shape[n++] = columns;
    }
    spec_set(&c->spec[out], dtype, (Ints){shape, n});
}

static bool square_like(Call *c) {
    if (!linalg_want_square(c)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[0]));
    return true;
}

bool infer_linalg_inv(Call *c) { return square_like(c); }
bool infer_linalg_cofactor(Call *c) { return square_like(c); }
bool infer_linalg_cholesky(Call *c) { return square_like(c); }
bool infer_linalg_matrix_exp(Call *c) { return square_like(c); }

bool infer_linalg_inv_ex(Call *c) {
    if (!square_like(c)) {
        return false;
    }
    linalg_set_batch(c, 1, DT_INT32, -1, -1);
    return true;
}

bool infer_linalg_det(Call *c) {
    if (!linalg_want_square(c)) {
        return false;
    }
    linalg_set_batch(c, 0, c->dtype, -1, -1);
    return true;
}

bool infer_linalg_slogdet(Call *c) {
    if (!infer_linalg_det(c)) {
        return false;
    }
    linalg_set_batch(c, 1, dtype_real_of(c->dtype), -1, -1);
    return true;
}

bool linalg_infer_system(Call *c, const Tensor *a, int k) {
    if (!linalg_want_matrices(c, k, "B")) {
        return false;
    }
    const Tensor *b = c->in[k];
    int64_t n = a->shape[a->dim - 1], shape[MAX_DIMS];
    const char *name = c->op->params[0].name;
    if (b->shape[b->dim - 2] != n) {
        return fail("%s: sizes do not fit: %s %s and B %s; B must have %lld rows",
                    c->op->public_name, name, shape_text(tensor_shape(a)),
                    shape_text(tensor_shape(b)), (long long)n);
    }
    int dim = shape_broadcast((Ints){a->shape, a->dim - 2}, (Ints){b->shape, b->dim - 2}, shape);
    if (dim < 0) {
        return fail("%s: the batch dims of %s %s and B %s do not broadcast: counted from the last, "
                    "sizes must be equal or 1",
                    c->op->public_name, name, shape_text(tensor_shape(a)),
                    shape_text(tensor_shape(b)));
    }
    shape[dim] = n;
    shape[dim + 1] = b->shape[b->dim - 1];
    spec_set(&c->spec[0], c->dtype, (Ints){shape, dim + 2});
    return true;
}

static bool infer_system(Call *c) {
    return linalg_want_square(c) && linalg_infer_system(c, c->in[0], 1);
}

bool infer_solve_batched(Call *c) { return infer_system(c); }
bool infer_solve_triangular_batched(Call *c) { return infer_system(c); }

bool infer_linalg_qr(Call *c) {
    const Tensor *a = c->in[0];
    const char *mode = c->arg[1].s;
    bool complete = strcmp(mode, "complete") == 0, only_r = strcmp(mode, "r") == 0;
    if (!linalg_want_matrices(c, 0, "A")) {
        return false;
    }
    if (!complete && !only_r && strcmp(mode, "reduced") != 0) {
        return fail("linalg_qr: mode must be \"reduced\", \"complete\" or \"r\", got \"%s\"", mode);
    }
    int64_t m = a->shape[a->dim - 2], n = a->shape[a->dim - 1], k = complete || m < n ? m : n;
    linalg_set_batch(c, 0, c->dtype, m, k);
    linalg_set_batch(c, 1, c->dtype, k, n);
    if (only_r) {
        spec_set(&c->spec[0], c->dtype, INTS(0));
    }
    return true;
}

bool infer_linalg_svd(Call *c) {
    const Tensor *a = c->in[0];
    if (!linalg_want_matrices(c, 0, "A")) {
        return false;
    }
    int64_t m = a->shape[a->dim - 2], n = a->shape[a->dim - 1], k = m < n ? m : n;
    bool full = c->arg[1].b;
    linalg_set_batch(c, 0, c->dtype, m, full ? m : k);
    linalg_set_batch(c, 1, dtype_real_of(c->dtype), k, -1);
    linalg_set_batch(c, 2, c->dtype, full ? n : k, n);
    return true;
}

static bool infer_eigen(Call *c, int values, int vectors) {
    if (!linalg_want_square(c)) {
        return false;
    }
    int64_t n = c->in[0]->shape[c->in[0]->dim - 1];
    linalg_set_batch(c, 0, values, n, -1);
    linalg_set_batch(c, 1, vectors, n, n);
    return true;
}

bool infer_linalg_eig(Call *c) {
    int dtype = dtype_complex_of(c->dtype);
    return infer_eigen(c, dtype, dtype);
}

bool infer_linalg_eigh(Call *c) {
    const char *uplo = c->arg[1].s;
    if (strlen(uplo) != 1 || !strchr("LUlu", *uplo)) {
        return fail("linalg_eigh: expected \"L\" or \"U\" for UPLO, got \"%s\"", uplo);
    }
    return infer_eigen(c, dtype_real_of(c->dtype), c->dtype);
}

bool infer_pinv_batched(Call *c) {
    const Tensor *a = c->in[0];
    if (!linalg_want_matrices(c, 0, "A")) {
        return false;
    }
    linalg_set_batch(c, 0, c->dtype, a->shape[a->dim - 1], a->shape[a->dim - 2]);
    return true;
}

bool infer_lstsq_batched(Call *c) {
    const Tensor *a = c->in[0], *b = c->in[1];
    if (!linalg_want_matrices(c, 0, "A") || !linalg_want_matrices(c, 1, "B")) {
        return false;
    }
    int64_t n = a->shape[a->dim - 1];
    if (b->dim != a->dim || memcmp(a->shape, b->shape, (size_t)(a->dim - 1) * sizeof n) != 0) {
        return fail("%s: expected A and B of the same sizes but for the last, got %s and %s",
                    c->op->public_name, shape_text(tensor_shape(a)), shape_text(tensor_shape(b)));
    }
    linalg_set_batch(c, 0, c->dtype, n, b->shape[b->dim - 1]);
    linalg_set_batch(c, 1, DT_INT64, -1, -1);
    return true;
}
