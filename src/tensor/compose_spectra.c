/* Factorisations that are made of others: by singular values and by eigenvalues; maps between
 * tensors as matrices; matrices of powers. */
#include <string.h>

#include "tensor/compose_linalg.h"
#include "tensor/op.h"

static Tensor *turned(Tensor *x) { return linalg_adjoint(x); }
static Tensor *mm(Tensor *a, Tensor *b) { return t_matmul_batched(a, b); }

static bool svd(Tensor *a, bool full, Tensor **out) {
    const Arg arg[] = {arg_tensor(a), arg_bool(full)};
    return op_call(&op_table[OP_linalg_svd], arg, out);
}

Tensor *compose_svd(const Arg *a, Tensor **out) {
    Tensor *r[3];
    bool some = a[1].b, vectors = a[2].b;
    if (!svd(a[0].t, vectors && !some, r)) {
        return NULL;
    }
    out[1] = r[1];
    if (vectors) {
        out[2] = turned(r[2]);
        return r[0];
    }
    int64_t shape[MAX_DIMS], dim = a[0].t->dim;
    memcpy(shape, a[0].t->shape, (size_t)dim * sizeof *shape);
    int64_t m = shape[dim - 2], n = shape[dim - 1];
    Ints square = {shape, (int)dim};
    shape[dim - 2] = n;
    out[2] = t_zeros(square, r[0]->dtype, r[1]->device, false);
    shape[dim - 2] = shape[dim - 1] = m;
    return t_zeros(square, r[0]->dtype, r[1]->device, false);
}

Tensor *compose_linalg_matrix_sqrth(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *r[2];
    const Arg arg[] = {a[0], arg_string("L")};
    if (!op_call(&op_table[OP_linalg_eigh], arg, r)) {
        return NULL;
    }
    return mm(t_mul(r[1], t_unsqueeze(t_sqrt(r[0]), -2)), turned(r[1]));
}

Tensor *compose_linalg_polar(const Arg *a, Tensor **out) {
    Tensor *x = a[0].t, *r[3];
    if (x->dim < 2 || x->shape[x->dim - 2] < x->shape[x->dim - 1]) {
        return fail_null("linalg_polar: expected matrices with at least as many rows as columns, "
                         "got %s",
                         shape_text(tensor_shape(x)));
    }
    if (!svd(x, false, r)) {
        return NULL;
    }
    out[1] = mm(t_mul(turned(r[2]), t_unsqueeze(r[1], -2)), r[2]);
    return mm(r[0], r[2]);
}

static Tensor *random_like(const Tensor *a, Ints shape) {
    int dtype = dtype_real_of(a->dtype);
    Tensor *x = t_randn(shape, dtype, a->device, NULL, false);
    return dtype == a->dtype ? x : t_complex(x, t_randn(shape, dtype, a->device, NULL, false));
}

/* Orthonormal columns that span what a makes of random vectors. */
static Tensor *random_basis(Tensor *a, int64_t q, int64_t steps) {
    int64_t shape[] = {a->shape[a->dim - 1], q};
    Tensor *r[2], *x = mm(a, random_like(a, (Ints){shape, 2}));
    for (int64_t i = 0; x; i++) {
        const Arg arg[] = {arg_tensor(x), arg_string("reduced")};
        if (!op_call(&op_table[OP_linalg_qr], arg, r)) {
            return NULL;
        }
        if (i == 2 * steps) {
            return r[0];
        }
        x = mm(i % 2 ? a : turned(a), r[0]);
    }
    return NULL;
}

static Tensor *lowrank(const char *op, Tensor *a, int64_t q, int64_t steps, Tensor **out) {
    Tensor *r[3];
    if (!a) {
        return NULL;
    }
    if (a->dim < 2) {
        return fail_null("%s: expected matrices for A, got %s", op, shape_text(tensor_shape(a)));
    }
    int64_t m = a->shape[a->dim - 2], n = a->shape[a->dim - 1], most = m < n ? m : n;
    if (q < 0 || q > most || steps < 0 || steps > 1000) {
        return fail_null("%s: q must be from 0 to %lld, the lesser of A's sizes, and niter from 0 "
                         "to 1000, got %lld and %lld",
                         op, (long long)most, (long long)q, (long long)steps);
    }
    Tensor *basis = random_basis(a, q, steps);
    if (!basis || !svd(mm(turned(basis), a), false, r)) {
        return NULL;
    }
    out[1] = r[1];
    out[2] = turned(r[2]);
    return mm(basis, r[0]);
}

Tensor *compose_svd_lowrank(const Arg *a, Tensor **out) {
    Tensor *matrix = a[0].t;
    if (a[3].kind != ARG_NONE) {
        matrix = t_sub(matrix, t_expand(a[3].t, tensor_shape(matrix)));
    }
    return lowrank("svd_lowrank", matrix, a[1].i, a[2].i, out);
}

Tensor *compose_pca_lowrank(const Arg *a, Tensor **out) {
    Tensor *matrix = a[0].t;
    if (matrix->dim < 2) {
        return fail_null("pca_lowrank: expected matrices for A, got %s",
                         shape_text(tensor_shape(matrix)));
    }
    int64_t m = matrix->shape[matrix->dim - 2], n = matrix->shape[matrix->dim - 1];
    int64_t most = m < n ? m : n, q = most < 6 ? most : 6;
    if (a[2].b) {
        matrix = t_sub(matrix, t_mean(matrix, INTS(-2), true, DT_NONE));
    }
    return lowrank("pca_lowrank", matrix, a[1].kind == ARG_NONE ? q : a[1].i, a[3].i, out);
}

/* The product of sizes; they are those of a tensor that exists. */
static int64_t product(const int64_t *sizes, int n) {
    int64_t p = 1;
    for (int d = 0; d < n; d++) {
        p *= sizes[d];
    }
    return p;
}

Tensor *compose_linalg_tensorinv(const Arg *arg, Tensor **out) {
    (void)out;
    Tensor *a = arg[0].t;
    int64_t ind = arg[1].i, shape[MAX_DIMS];
    if (ind < 1 || ind > a->dim) {
        return fail_null("linalg_tensorinv: ind must be from 1 to %d, the dims of A, got %lld",
                         a->dim, (long long)ind);
    }
    int first = (int)ind, last = a->dim - first;
    int64_t n = product(a->shape, first), m = product(a->shape + first, last);
    if (n != m) {
        return fail_null("linalg_tensorinv: the first %d sizes of A %s must have the product of "
                         "the others, got %lld and %lld",
                         first, shape_text(tensor_shape(a)), (long long)n, (long long)m);
    }
    memcpy(shape, a->shape + first, (size_t)last * sizeof *shape);
    memcpy(shape + last, a->shape, (size_t)first * sizeof *shape);
    Tensor *inverse = t_linalg_inv(t_reshape(a, (Ints){(int64_t[]){n, n}, 2}));
    return t_reshape(inverse, (Ints){shape, a->dim});
}

Tensor *compose_linalg_tensorsolve(const Arg *arg, Tensor **out) {
    (void)out;
    Tensor *a = arg[0].t, *b = arg[1].t;
    Ints dims = arg_as_ints(arg[2]);
    int64_t to[MAX_DIMS];
    if (dims.n > 0) {
        for (int d = 0; d < dims.n; d++) {
            to[d] = a->dim - dims.n + d;
        }
        a = t_movedim(a, dims, (Ints){to, dims.n});
    }
    if (!a) {
        return NULL;
    }
    int last = a->dim - b->dim;
    if (last < 0 || memcmp(a->shape, b->shape, (size_t)b->dim * sizeof *b->shape) != 0 ||
        product(a->shape + b->dim, last) != b->numel) {
        return fail_null("linalg_tensorsolve: expected A of B's sizes and others with the same "
                         "product behind, got %s and %s",
                         shape_text(tensor_shape(a)), shape_text(tensor_shape(b)));
    }
    int64_t n = b->numel;
    Tensor *x =
        t_linalg_solve(t_reshape(a, (Ints){(int64_t[]){n, n}, 2}), t_reshape(b, INTS(n)), true);
    return t_reshape(x, (Ints){a->shape + b->dim, last});
}

Tensor *compose_linalg_vecdot(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *products = t_mul(t_conj(a[0].t), a[1].t);
    return products ? t_sum(products, INTS(a[2].i - a[0].t->dim), false, products->dtype) : NULL;
}

/* Powers 0 to count - 1 of each element behind a new last dim. */
static Tensor *powers(const char *op, Tensor *x, Arg count) {
    if (x->dim == 0 || x->dim == MAX_DIMS) {
        return fail_null("%s: x must have from 1 to %d dims, got %s", op, MAX_DIMS - 1,
                         shape_text(tensor_shape(x)));
    }
    int64_t n = count.kind == ARG_NONE ? x->shape[x->dim - 1] : count.i, shape[MAX_DIMS];
    if (n < 0) {
        return fail_null("%s: expected N of 0 or more, got %lld", op, (long long)n);
    }
    int dtype = dtype_is_inexact(x->dtype) ? x->dtype : DT_INT64;
    memcpy(shape, x->shape, (size_t)x->dim * sizeof *shape);
    shape[x->dim] = n < 1 ? 0 : 1;
    Tensor *ones = t_ones((Ints){shape, x->dim + 1}, dtype, x->device, false);
    if (n < 2) {
        return ones;
    }
    shape[x->dim] = n - 1;
    Tensor *rest = t_expand(t_unsqueeze(t_cast(x, dtype), -1), (Ints){shape, x->dim + 1});
    rest = t_cumprod(rest, -1, DT_NONE);
    Tensor *parts[] = {ones, rest};
    return ones && rest ? t_cat((TensorList){parts, 2}, -1) : NULL;
}

Tensor *compose_linalg_vander(const Arg *a, Tensor **out) {
    (void)out;
    return powers("linalg_vander", a[0].t, a[1]);
}

Tensor *compose_vander(const Arg *a, Tensor **out) {
    (void)out;
    if (a[0].t->dim != 1) {
        return fail_null("vander: x must be a vector, got %s", shape_text(tensor_shape(a[0].t)));
    }
    Tensor *up = powers("vander", a[0].t, a[1]);
    return a[2].b ? up : t_flip(up, INTS(1));
}
