/* Linear algebra that is made of other ops. */
#include <float.h>
#include <string.h>

#include "tensor/compose_linalg.h"
#include "tensor/number.h"

static Tensor *turned(Tensor *x) { return t_transpose(x, -2, -1); }

Tensor *compose_diag_embed(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *x = a[0].t;
    int64_t offset = a[1].i, d1 = a[2].i, d2 = a[3].i;
    if (x->dim == 0 || d1 == d2) {
        return fail_null("diag_embed: %s", x->dim ? "dim1 and dim2 must be different dims"
                                                  : "input must have a dim at least, got scalar");
    }
    int64_t length = x->shape[x->dim - 1], size;
    int64_t shift = offset < 0 ? -(offset + (offset == INT64_MIN)) : offset;
    if (__builtin_add_overflow(length, shift, &size) || x->dim + 1 > MAX_DIMS) {
        return fail_null("diag_embed: the result would be too large (offset %lld)",
                         (long long)offset);
    }
    int64_t shape[MAX_DIMS], stride[MAX_DIMS], window[MAX_DIMS], step[MAX_DIMS];
    int n = 0;
    for (int d = 0; d <= x->dim; d++) {
        shape[d] = d == d1 || d == d2 ? size : x->shape[n++];
    }
    Tensor *zeros = t_zeros((Ints){shape, x->dim + 1}, x->dtype, x->device, false);
    if (!zeros || x->numel == 0) {
        return zeros;
    }
    shape_contiguous_strides((Ints){shape, x->dim + 1}, stride);
    n = 0;
    for (int d = 0; d <= x->dim; d++) {
        if (d != d1 && d != d2) {
            window[n] = shape[d];
            step[n++] = stride[d];
        }
    }
    window[n] = length;
    step[n++] = stride[d1] + stride[d2];
    return t_as_strided_scatter(zeros, x, (Ints){window, n}, (Ints){step, n},
                                shift * stride[offset > 0 ? d2 : d1]);
}

Tensor *compose_diag(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *x = a[0].t;
    if (x->dim == 1) {
        return t_diag_embed(x, a[1].i, -2, -1);
    }
    return x->dim == 2 ? t_clone(t_diagonal(x, a[1].i, 0, 1))
                       : fail_null("diag: input must be a vector or a matrix, got %s",
                                   shape_text(tensor_shape(x)));
}

Tensor *compose_trace(const Arg *a, Tensor **out) {
    (void)out;
    if (a[0].t->dim != 2) {
        return fail_null("trace: input must be a matrix, got %s", shape_text(tensor_shape(a[0].t)));
    }
    return t_sum(t_diagonal(a[0].t, 0, 0, 1), NO_INTS, false, DT_NONE);
}

Tensor *compose_kron(const Arg *arg, Tensor **out) {
    (void)out;
    const Tensor *t[] = {arg[0].t, arg[1].t};
    int n = t[0]->dim > t[1]->dim ? t[0]->dim : t[1]->dim;
    if (n > MAX_DIMS / 2) {
        return fail_null("kron: tensors may have up to %d dims, got %d", MAX_DIMS / 2, n);
    }
    int64_t apart[2][MAX_DIMS], joined[MAX_DIMS];
    for (int d = 0; d < n; d++) {
        for (int k = 0; k < 2; k++) {
            int own = d - (n - t[k]->dim);
            apart[k][2 * d + k] = own < 0 ? 1 : t[k]->shape[own];
            apart[k][2 * d + 1 - k] = 1;
        }
        if (__builtin_mul_overflow(apart[0][2 * d], apart[1][2 * d + 1], &joined[d])) {
            return fail_null("kron: the result has too many elements");
        }
    }
    Tensor *product = t_mul(t_reshape(arg[0].t, (Ints){apart[0], 2 * n}),
                            t_reshape(arg[1].t, (Ints){apart[1], 2 * n}));
    return t_reshape(product, (Ints){joined, n});
}

static Tensor *cross_along(const char *name, Tensor *a, Tensor *b, int64_t dim) {
    if (a->dim != b->dim || a->dim == 0 || a->shape[dim] != 3 || b->shape[dim] != 3) {
        return fail_null("%s: both tensors must have 3 elements along dim %lld and as many dims, "
                         "got %s and %s",
                         name, (long long)dim + 1, shape_text(tensor_shape(a)),
                         shape_text(tensor_shape(b)));
    }
    /* Entry k of the product is a[k + 1] b[k + 2] - a[k + 2] b[k + 1]. */
    Tensor *next =
        t_sub(t_mul(a, t_roll(b, INTS(-1), INTS(dim))), t_mul(t_roll(a, INTS(-1), INTS(dim)), b));
    return t_roll(next, INTS(-1), INTS(dim));
}

Tensor *compose_linalg_cross(const Arg *a, Tensor **out) {
    (void)out;
    return cross_along("linalg_cross", a[0].t, a[1].t, a[2].i);
}

Tensor *compose_cross(const Arg *a, Tensor **out) {
    (void)out;
    int64_t dim = 0;
    if (a[2].kind != ARG_NONE) {
        dim = a[2].i;
    } else {
        while (dim < a[0].t->dim - 1 && a[0].t->shape[dim] != 3) {
            dim++;
        }
    }
    return cross_along("cross", a[0].t, a[1].t, dim);
}

static bool factor_fits(const char *op, const char *name, const Tensor *t, const Arg *factor) {
    if (factor->kind == ARG_COMPLEX) {
        return number_fits(op_find(op), name, *factor, t->dtype);
    }
    return dtype_is_inexact(t->dtype) || factor->kind == ARG_INT ||
           fail("%s: %s must be an integer for %s tensors, got %g", op, name, dtype_name(t->dtype),
                factor->f);
}

/* beta * input + alpha * product, of the product's shape. */
static Tensor *add_product(const char *op, const Arg *a, Tensor *product) {
    Tensor *input = a[0].t;
    int64_t shape[MAX_DIMS];
    if (!product || !factor_fits(op, "beta", product, &a[3]) ||
        !factor_fits(op, "alpha", product, &a[4])) {
        return NULL;
    }
    if (input->dtype != product->dtype) {
        return fail_null("%s: input is %s and the product is %s; convert one with :to(\"%s\")", op,
                         dtype_name(input->dtype), dtype_name(product->dtype),
                         dtype_name(dtype_promote(input->dtype, product->dtype)));
    }
    Ints wanted = tensor_shape(product);
    int dim = shape_broadcast(tensor_shape(input), wanted, shape);
    if (dim != wanted.n || memcmp(shape, wanted.v, (size_t)dim * sizeof *shape) != 0) {
        return fail_null("%s: input of shape %s does not broadcast to the product's %s", op,
                         shape_text(tensor_shape(input)), shape_text(wanted));
    }
    product = number_times(a[4], product);
    return number_is(a[3], 0) ? product : t_add(number_times(a[3], input), product);
}

Tensor *compose_addmv(const Arg *a, Tensor **out) {
    (void)out;
    return add_product("addmv", a, t_mv(a[1].t, a[2].t));
}

Tensor *compose_addr(const Arg *a, Tensor **out) {
    (void)out;
    return add_product("addr", a, t_outer(a[1].t, a[2].t));
}

Tensor *compose_baddbmm(const Arg *a, Tensor **out) {
    (void)out;
    return add_product("baddbmm", a, t_bmm(a[1].t, a[2].t));
}

Tensor *compose_addbmm(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *product = t_bmm(a[1].t, a[2].t);
    return add_product("addbmm", a,
                       product ? t_sum(product, INTS(0), false, product->dtype) : NULL);
}

bool linalg_is_vector(const Tensor *a, const Tensor *b) {
    return b->dim == 1 || (b->dim == a->dim - 1 &&
                           memcmp(a->shape, b->shape, (size_t)b->dim * sizeof *b->shape) == 0);
}

Tensor *compose_linalg_solve(const Arg *arg, Tensor **out) {
    (void)out;
    Tensor *a = arg[0].t, *b = arg[1].t;
    bool left = arg[2].b, vector = a->dim >= 2 && b->dim >= 1 && linalg_is_vector(a, b);
    if (a->dim < 2) {
        return fail_null("linalg_solve: expected matrices for A, got %s",
                         shape_text(tensor_shape(a)));
    }
    if (vector && !left) {
        return fail_null("linalg_solve: B must have 2 dims or more where left is false, got %s",
                         shape_text(tensor_shape(b)));
    }
    if (vector) {
        return t_squeeze(t_solve_batched(a, t_unsqueeze(b, -1)), INTS(-1));
    }
    return left || b->dim < 2 ? t_solve_batched(a, b)
                              : turned(t_solve_batched(turned(a), turned(b)));
}

Tensor *compose_linalg_solve_triangular(const Arg *arg, Tensor **out) {
    (void)out;
    Tensor *a = arg[0].t, *b = arg[1].t;
    bool upper = arg[2].b, unit = arg[4].b;
    if (arg[3].b || a->dim < 2 || b->dim < 2) {
        return t_solve_triangular_batched(a, b, upper, unit);
    }
    return turned(t_solve_triangular_batched(turned(a), turned(b), !upper, unit));
}

Tensor *compose_linalg_svdvals(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *r[3];
    return op_call(&op_table[OP_linalg_svd], (const Arg[]){a[0], arg_bool(false)}, r) ? r[1] : NULL;
}

Tensor *compose_linalg_eigvalsh(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *r[2];
    return op_call(&op_table[OP_linalg_eigh], a, r) ? r[0] : NULL;
}

Tensor *compose_linalg_eigvals(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *r[2];
    return op_call(&op_table[OP_linalg_eig], a, r) ? r[0] : NULL;
}

/* The matrix that the lower triangle describes, its diagonal real. */
static Tensor *from_lower(Tensor *x) {
    Tensor *below = t_tril(x, -1), *kept = t_tril(x, 0);
    if (dtype_is_complex(x->dtype)) {
        kept = t_add(below, t_diag_embed(t_real(t_diagonal(x, 0, -2, -1)), 0, -2, -1));
    }
    return t_add(kept, linalg_adjoint(below));
}

static bool want_matrices(const char *op, const Tensor *t) {
    return t->dim >= 2 ||
           fail("%s: expected matrices for A, got %s", op, shape_text(tensor_shape(t)));
}

static bool want_square(const char *op, const Tensor *t) {
    return want_matrices(op, t) &&
           (t->shape[t->dim - 1] == t->shape[t->dim - 2] ||
            fail("%s: expected square matrices, got %s", op, shape_text(tensor_shape(t))));
}

Tensor *compose_linalg_pinv(const Arg *arg, Tensor **out) {
    (void)out;
    Tensor *a = arg[0].t;
    if (arg[3].b) {
        a = want_square("linalg_pinv", a) ? from_lower(a) : NULL;
    }
    return t_pinv_batched(a, arg[1], arg[2]);
}

Tensor *compose_pinverse(const Arg *arg, Tensor **out) {
    (void)out;
    return t_pinv_batched(arg[0].t, arg_none(), arg[1]);
}

/* The relative tolerance for singular values of matrices like a. */
static double default_rtol(const Tensor *a) {
    int64_t m = a->shape[a->dim - 2], n = a->shape[a->dim - 1];
    return (double)(m > n ? m : n) *
           (dtype_real_of(a->dtype) == DT_FLOAT64 ? DBL_EPSILON : (double)FLT_EPSILON);
}

Tensor *compose_linalg_matrix_rank(const Arg *arg, Tensor **out) {
    (void)out;
    Tensor *a = arg[0].t;
    if (!(arg[3].b ? want_square("linalg_matrix_rank", a)
                   : want_matrices("linalg_matrix_rank", a))) {
        return NULL;
    }
    double atol = arg[1].kind == ARG_NONE ? 0 : arg[1].f;
    double rtol = arg[2].kind != ARG_NONE ? arg[2].f : atol > 0 ? 0 : default_rtol(a);
    Tensor *s = t_linalg_svdvals(arg[3].b ? from_lower(a) : a);
    if (!s || s->shape[s->dim - 1] == 0) {
        return s ? t_zeros((Ints){s->shape, s->dim - 1}, DT_INT64, s->device, false) : NULL;
    }
    Tensor *largest = t_narrow(s, -1, 0, 1);
    Tensor *tolerance = t_clamp(t_mul(largest, tensor_number(rtol)), arg_float(atol), arg_none());
    return t_sum(t_gt(s, tolerance), INTS(-1), false, DT_NONE);
}

static bool driver_is_known(const Arg *driver, bool *svd) {
    static const char *const known[] = {"gelsy", "gels", "gelsd", "gelss"};
    const char *name = driver->kind == ARG_NONE ? "gelsy" : driver->s;
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, known[i]) == 0) {
            *svd = i >= 2;
            return true;
        }
    }
    return fail("linalg_lstsq: driver must be \"gelsy\", \"gels\", \"gelsd\" or \"gelss\", got "
                "\"%s\"",
                name);
}

/* A and B with their batch dims broadcast. */
static bool broadcast_batches(Tensor **a, Tensor **b) {
    int64_t shape[MAX_DIMS];
    Tensor *x = *a, *y = *b;
    if (!x || !y || x->dim < 2 || y->dim < 2 || x->shape[x->dim - 2] != y->shape[y->dim - 2]) {
        return x && y &&
               fail("linalg_lstsq: expected matrices A and B with as many rows, got %s and %s",
                    shape_text(tensor_shape(x)), shape_text(tensor_shape(y)));
    }
    int dim = shape_broadcast((Ints){x->shape, x->dim - 2}, (Ints){y->shape, y->dim - 2}, shape);
    if (dim < 0) {
        return fail("linalg_lstsq: the batch dims of A %s and B %s do not broadcast",
                    shape_text(tensor_shape(x)), shape_text(tensor_shape(y)));
    }
    shape[dim] = x->shape[x->dim - 2];
    shape[dim + 1] = x->shape[x->dim - 1];
    *a = t_expand(x, (Ints){shape, dim + 2});
    shape[dim + 1] = y->shape[y->dim - 1];
    *b = t_expand(y, (Ints){shape, dim + 2});
    return *a && *b;
}

/* Whether all matrices have that rank; false with an error where reading fails. */
static bool all_have_rank(Tensor *rank, int64_t wanted, bool *result) {
    Tensor *all = t_all(t_eq(rank, tensor_number_int(wanted)), NO_INTS, false);
    all = t_to(all, DT_NONE, (Device){DEVICE_CPU, 0}, false, false);
    *result = all && element_get_int(tensor_data(all), all->dtype) != 0;
    return all != NULL;
}

static Tensor *residuals_of(Tensor *a, Tensor *b, Tensor *x, Tensor *rank) {
    bool full = false;
    int64_t m = a->shape[a->dim - 2], n = a->shape[a->dim - 1];
    if (m > n && !all_have_rank(rank, n, &full)) {
        return NULL;
    }
    if (!full) {
        return t_zeros(INTS(0), dtype_real_of(a->dtype), a->device, false);
    }
    Tensor *rest = t_sub(t_matmul_batched(a, x), b);
    rest = rest && dtype_is_complex(rest->dtype) ? t_abs(rest) : rest;
    return t_sum(t_square(rest), INTS(-2), false, DT_NONE);
}

Tensor *compose_linalg_lstsq(const Arg *arg, Tensor **out) {
    Tensor *a = arg[0].t, *b = arg[1].t, *r[2];
    bool svd, vector = a->dim >= 2 && b->dim >= 1 && linalg_is_vector(a, b);
    if (!want_matrices("linalg_lstsq", a) || !driver_is_known(&arg[3], &svd)) {
        return NULL;
    }
    double rcond = arg[2].kind == ARG_NONE ? default_rtol(a) : arg[2].f;
    b = vector ? t_unsqueeze(b, -1) : b;
    if (!broadcast_batches(&a, &b) ||
        !op_call(&op_table[OP_lstsq_batched],
                 (const Arg[]){arg_tensor(a), arg_tensor(b), arg_float(rcond), arg_bool(svd)}, r)) {
        return NULL;
    }
    out[1] = residuals_of(a, b, r[0], r[1]);
    out[2] = r[1];
    out[3] =
        svd ? t_linalg_svdvals(a) : t_zeros(INTS(0), dtype_real_of(a->dtype), a->device, false);
    return vector ? t_squeeze(r[0], INTS(-1)) : r[0];
}

static Tensor *identity_like(Tensor *a) {
    Tensor *eye = t_eye(a->shape[a->dim - 1], arg_none(), a->dtype, a->device, false);
    return t_clone(t_expand(eye, tensor_shape(a)));
}

Tensor *compose_linalg_matrix_power(const Arg *arg, Tensor **out) {
    (void)out;
    Tensor *a = arg[0].t, *power = NULL;
    int64_t n = arg[1].i;
    uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    if (!want_square("linalg_matrix_power", a)) {
        return NULL;
    }
    if (n == 0) {
        return identity_like(a);
    }
    a = n < 0 ? t_linalg_inv(a) : a;
    for (;;) {
        if (left & 1) {
            power = power ? t_matmul_batched(power, a) : a;
        }
        left >>= 1;
        if (left == 0) {
            return power;
        }
        a = t_matmul_batched(a, a);
    }
}

Tensor *compose_det(const Arg *a, Tensor **out) {
    (void)out;
    return t_linalg_det(a[0].t);
}

Tensor *compose_slogdet(const Arg *a, Tensor **out) {
    Tensor *r[2];
    if (!op_call(&op_table[OP_linalg_slogdet], a, r)) {
        return NULL;
    }
    out[1] = r[1];
    return r[0];
}

Tensor *compose_logdet(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *r[2];
    if (!op_call(&op_table[OP_linalg_slogdet], a, r)) {
        return NULL;
    }
    if (dtype_is_complex(r[0]->dtype)) {
        /* A negative determinant has the angle pi, whatever the sign of its zero imaginary part. */
        return t_add(t_log(t_add(r[0], tensor_number(0.0))), r[1]);
    }
    Tensor *nan = t_log(tensor_number(-1.0));
    return t_where(t_lt(r[0], tensor_number(0.0)), nan, r[1]);
}

Tensor *compose_inverse(const Arg *a, Tensor **out) {
    (void)out;
    return t_linalg_inv(a[0].t);
}

Tensor *compose_matrix_power(const Arg *a, Tensor **out) {
    (void)out;
    return t_linalg_matrix_power(a[0].t, a[1].i);
}

Tensor *compose_matrix_exp(const Arg *a, Tensor **out) {
    (void)out;
    return t_linalg_matrix_exp(a[0].t);
}
