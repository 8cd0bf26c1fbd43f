/* Linear algebra that reads packed factors, and randomised factorisations. */
#include <string.h>

#include "tensor/compose_linalg.h"
#include "tensor/op.h"

static Tensor *turned(Tensor *x) { return linalg_adjoint(x); }

static Tensor *system(Tensor *a, Tensor *b, bool upper, bool unit) {
    return t_solve_triangular_batched(a, b, upper, unit);
}

static bool want_square(const char *op, const char *name, const Tensor *t) {
    return linalg_is_square(t) || fail("%s: expected square matrices for %s, got %s", op, name,
                                       shape_text(tensor_shape(t)));
}

static bool want_matrices(const char *op, const char *name, const Tensor *t) {
    return t->dim >= 2 ||
           fail("%s: expected matrices for %s, got %s", op, name, shape_text(tensor_shape(t)));
}

/* shape with up to two sizes (-1: none) behind the dims before the last drop. */
static int batch_shape(const Tensor *t, int drop, int64_t rows, int64_t columns, int64_t *shape) {
    int n = t->dim - drop;
    memcpy(shape, t->shape, (size_t)n * sizeof *shape);
    if (rows >= 0) {
        shape[n++] = rows;
    }
    if (columns >= 0) {
        shape[n++] = columns;
    }
    return n;
}

static Tensor *identity(const Tensor *like, int64_t rows, int64_t columns) {
    return t_eye(rows, arg_int(columns), like->dtype, like->device, false);
}

static bool lu_factor(Tensor *a, bool pivot, bool check_errors, Tensor **out) {
    const Arg arg[] = {arg_tensor(a), arg_bool(pivot), arg_bool(check_errors)};
    return op_call(&op_table[OP_linalg_lu_factor_ex], arg, out);
}

Tensor *compose_linalg_lu_factor(const Arg *a, Tensor **out) {
    Tensor *r[3];
    if (!lu_factor(a[0].t, a[1].b, true, r)) {
        return NULL;
    }
    out[1] = r[1];
    return r[0];
}

Tensor *compose_lu(const Arg *a, Tensor **out) {
    return lu_factor(a[0].t, a[1].b, !a[2].b, out) ? out[0] : NULL;
}

/* Pivots that fit LU (*, m, n). */
static bool pivots_fit(const char *op, const Tensor *lu, const Tensor *pivots) {
    int64_t m = lu->shape[lu->dim - 2], n = lu->shape[lu->dim - 1], shape[MAX_DIMS];
    int dim = batch_shape(lu, 2, m < n ? m : n, -1, shape);
    return (pivots->dim == dim && memcmp(pivots->shape, shape, (size_t)dim * sizeof *shape) == 0) ||
           fail("%s: sizes do not fit: LU %s and pivots %s; there must be %lld pivots a matrix", op,
                shape_text(tensor_shape(lu)), shape_text(tensor_shape(pivots)),
                (long long)(m < n ? m : n));
}

/* The matrices that put row i into row order[i]. */
static Tensor *permutation(const Tensor *lu, Tensor *order) {
    int64_t m = lu->shape[lu->dim - 2], shape[MAX_DIMS];
    int dim = batch_shape(lu, 2, m, m, shape);
    Tensor *zeros = t_zeros((Ints){shape, dim}, lu->dtype, lu->device, false);
    shape[dim - 2] = 1;
    Tensor *ones = t_ones((Ints){shape, dim}, lu->dtype, lu->device, false);
    return m ? t_scatter(zeros, -2, t_unsqueeze(order, -2), ones) : zeros;
}

static Tensor *none_like(const Tensor *t) { return t_zeros(INTS(0), t->dtype, t->device, false); }

/* lu as P, L and U in out; the wanted ones only. */
static Tensor *unpack(Tensor *lu, Tensor *pivots, bool factors, bool rows, Tensor **out) {
    int64_t m = lu->shape[lu->dim - 2], n = lu->shape[lu->dim - 1], k = m < n ? m : n;
    out[0] = rows ? permutation(lu, t_lu_order(pivots, m)) : none_like(lu);
    out[1] = out[2] = factors ? NULL : none_like(lu);
    if (factors) {
        out[1] = t_add(t_tril(t_narrow(lu, -1, 0, k), -1), identity(lu, m, k));
        out[2] = t_triu(t_narrow(lu, -2, 0, k), 0);
    }
    return out[0] && out[1] && out[2] ? out[0] : NULL;
}

Tensor *compose_lu_unpack(const Arg *a, Tensor **out) {
    if (!want_matrices("lu_unpack", "LU_data", a[0].t) ||
        !pivots_fit("lu_unpack", a[0].t, a[1].t)) {
        return NULL;
    }
    return unpack(a[0].t, a[1].t, a[2].b, a[3].b, out);
}

Tensor *compose_linalg_lu(const Arg *a, Tensor **out) {
    Tensor *r[3];
    return lu_factor(a[0].t, a[1].b, false, r) ? unpack(r[0], r[1], true, a[1].b, out) : NULL;
}

/* The rows of x in that order, or put back from it; batch dims broadcast. */
static Tensor *reorder(Tensor *x, Tensor *order, bool back) {
    if (!x || !order) {
        return NULL;
    }
    int64_t shape[MAX_DIMS], k = x->shape[x->dim - 1];
    int dim =
        shape_broadcast((Ints){x->shape, x->dim - 2}, (Ints){order->shape, order->dim - 1}, shape);
    if (dim < 0) {
        return fail_null("linalg_lu_solve: the batch dims of LU and B do not broadcast");
    }
    shape[dim] = order->shape[order->dim - 1];
    shape[dim + 1] = k;
    Ints whole = {shape, dim + 2};
    Tensor *index = t_expand(t_unsqueeze(order, -1), whole);
    Tensor *zeros = back ? t_zeros(whole, x->dtype, x->device, false) : NULL;
    x = t_expand(x, whole);
    return back ? t_scatter(zeros, -2, index, x) : t_gather(x, -2, index);
}

/* P L U X = B, or with adjoint U^T L^T P^T X = B. */
static Tensor *solve_factored(Tensor *lu, Tensor *order, Tensor *b, bool adjoint) {
    if (adjoint) {
        Tensor *y = system(turned(lu), b, false, false);
        return reorder(system(turned(lu), y, true, true), order, true);
    }
    Tensor *y = system(lu, reorder(b, order, false), false, true);
    return system(lu, y, true, false);
}

static bool fits_lu(const char *op, const Tensor *lu, const Tensor *pivots, const Tensor *b,
                    bool left) {
    if (!want_square(op, "LU", lu) || !want_matrices(op, "B", b) || !pivots_fit(op, lu, pivots)) {
        return false;
    }
    return b->shape[b->dim - (left ? 2 : 1)] == lu->shape[lu->dim - 1] ||
           fail("%s: sizes do not fit: LU %s and B %s; B must have %lld %s", op,
                shape_text(tensor_shape(lu)), shape_text(tensor_shape(b)),
                (long long)lu->shape[lu->dim - 1], left ? "rows" : "columns");
}

static Tensor *lu_solve(const char *op, Tensor *lu, Tensor *pivots, Tensor *b, bool left,
                        bool adjoint) {
    if (!fits_lu(op, lu, pivots, b, left)) {
        return NULL;
    }
    Tensor *order = t_lu_order(pivots, lu->shape[lu->dim - 1]);
    return left ? solve_factored(lu, order, b, adjoint)
                : turned(solve_factored(lu, order, turned(b), !adjoint));
}

Tensor *compose_linalg_lu_solve(const Arg *a, Tensor **out) {
    (void)out;
    return lu_solve("linalg_lu_solve", a[0].t, a[1].t, a[2].t, a[3].b, a[4].b);
}

Tensor *compose_lu_solve(const Arg *a, Tensor **out) {
    (void)out;
    return lu_solve("lu_solve", a[1].t, a[2].t, a[0].t, true, false);
}

/* Zeros on the diagonal of U become nan, so that their system has a solution that shows it. */
static Tensor *without_zero_pivots(Tensor *lu) {
    Tensor *pivot = t_diagonal(lu, 0, -2, -1), *zero = tensor_number(0.0);
    Tensor *nan = t_log(tensor_number(-1.0));
    return t_add(lu, t_diag_embed(t_where(t_eq(pivot, zero), nan, zero), 0, -2, -1));
}

Tensor *compose_linalg_solve_ex(const Arg *arg, Tensor **out) {
    Tensor *a = arg[0].t, *b = arg[1].t, *r[3];
    bool left = arg[2].b, vector = a->dim >= 2 && b->dim >= 1 && linalg_is_vector(a, b);
    if (!want_square("linalg_solve_ex", "A", a)) {
        return NULL;
    }
    if (vector && !left) {
        return fail_null("linalg_solve_ex: B must have 2 dims or more where left is false, got %s",
                         shape_text(tensor_shape(b)));
    }
    if (!lu_factor(a, true, arg[3].b, r)) {
        return NULL;
    }
    out[1] = r[2];
    Tensor *lu = without_zero_pivots(r[0]);
    b = vector ? t_unsqueeze(b, -1) : b;
    Tensor *x = lu && b ? lu_solve("linalg_solve_ex", lu, r[1], b, left, false) : NULL;
    return vector ? t_squeeze(x, INTS(-1)) : x;
}

/* The lower triangular factor; its other triangle is not read. */
static Tensor *lower_factor(Tensor *factor, bool upper) { return upper ? turned(factor) : factor; }

Tensor *compose_cholesky_solve(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *l = a[1].t;
    if (!want_square("cholesky_solve", "L", l) || !want_matrices("cholesky_solve", "B", a[0].t)) {
        return NULL;
    }
    l = lower_factor(l, a[2].b);
    return system(turned(l), system(l, a[0].t, false, false), true, false);
}

Tensor *compose_cholesky_inverse(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *l = a[0].t;
    if (!want_square("cholesky_inverse", "L", l)) {
        return NULL;
    }
    Tensor *eye = identity(l, l->shape[l->dim - 1], l->shape[l->dim - 1]);
    Tensor *inverse = system(lower_factor(l, a[1].b), eye, false, false);
    return t_matmul_batched(turned(inverse), inverse);
}

Tensor *compose_triangular_solve(const Arg *a, Tensor **out) {
    Tensor *matrix = a[1].t;
    if (!want_square("triangular_solve", "A", matrix)) {
        return NULL;
    }
    out[1] = t_clone(matrix);
    bool upper = a[2].b, transpose = a[3].b;
    return system(transpose ? t_transpose(matrix, -2, -1) : matrix, a[0].t, upper != transpose,
                  a[4].b);
}

/* Householder vectors as the columns of v, and the triangle t with H1 H2 ... = I - v t v^T
 * (Schreiber and Van Loan 1989): t is (I + D S)^-1 D, where D holds the scales tau and S is v^T v
 * above the diagonal. */
typedef struct Reflectors {
    Tensor *v, *t;
} Reflectors;

static bool reflectors_of(const char *op, Tensor *a, Tensor *tau, Reflectors *r) {
    int64_t k = tau->dim ? tau->shape[tau->dim - 1] : -1;
    if (!want_matrices(op, "the vectors", a)) {
        return false;
    }
    int64_t m = a->shape[a->dim - 2], n = a->shape[a->dim - 1];
    if (tau->dim != a->dim - 1 || k > n || k > m ||
        memcmp(tau->shape, a->shape, (size_t)(a->dim - 2) * sizeof k) != 0) {
        return fail("%s: sizes do not fit: vectors %s and tau %s; there may be %lld numbers in tau "
                    "a matrix",
                    op, shape_text(tensor_shape(a)), shape_text(tensor_shape(tau)),
                    (long long)(m < n ? m : n));
    }
    r->v = t_add(t_tril(t_narrow(a, -1, 0, k), -1), identity(a, m, k));
    Tensor *products = t_triu(t_matmul_batched(turned(r->v), r->v), 1);
    Tensor *scaled = t_mul(t_unsqueeze(tau, -1), products);
    r->t = system(scaled, t_diag_embed(tau, 0, -2, -1), true, true);
    return r->t != NULL;
}

/* H1 H2 ... x, or the transpose of the product times x. */
static Tensor *reflect(const Reflectors *r, Tensor *x, bool transpose) {
    Tensor *inner =
        t_matmul_batched(transpose ? turned(r->t) : r->t, t_matmul_batched(turned(r->v), x));
    return t_sub(x, t_matmul_batched(r->v, inner));
}

static Tensor *householder_product(const char *op, Tensor *a, Tensor *tau) {
    Reflectors r;
    if (!reflectors_of(op, a, tau, &r)) {
        return NULL;
    }
    int64_t m = a->shape[a->dim - 2], n = a->shape[a->dim - 1];
    if (m < n) {
        return fail_null("%s: matrices must have at least as many rows as columns, got %s", op,
                         shape_text(tensor_shape(a)));
    }
    return reflect(&r, t_expand(identity(a, m, n), tensor_shape(a)), false);
}

Tensor *compose_linalg_householder_product(const Arg *a, Tensor **out) {
    (void)out;
    return householder_product("linalg_householder_product", a[0].t, a[1].t);
}

Tensor *compose_orgqr(const Arg *a, Tensor **out) {
    (void)out;
    return householder_product("orgqr", a[0].t, a[1].t);
}

Tensor *compose_ormqr(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *vectors = a[0].t, *other = a[2].t;
    bool left = a[3].b, transpose = a[4].b;
    Reflectors r;
    if (!reflectors_of("ormqr", vectors, a[1].t, &r) || !want_matrices("ormqr", "other", other)) {
        return NULL;
    }
    if (other->shape[other->dim - (left ? 2 : 1)] != vectors->shape[vectors->dim - 2]) {
        return fail_null("ormqr: sizes do not fit: input %s and other %s; other must have %lld %s",
                         shape_text(tensor_shape(vectors)), shape_text(tensor_shape(other)),
                         (long long)vectors->shape[vectors->dim - 2], left ? "rows" : "columns");
    }
    return left ? reflect(&r, other, transpose) : turned(reflect(&r, turned(other), !transpose));
}

Tensor *compose_linalg_ldl_factor(const Arg *a, Tensor **out) {
    Tensor *r[3];
    const Arg arg[] = {a[0], a[1], arg_bool(true)};
    if (!op_call(&op_table[OP_linalg_ldl_factor_ex], arg, r)) {
        return NULL;
    }
    out[1] = r[1];
    return r[0];
}
