/* Norms, distances and condition numbers. */
#include <math.h>
#include <string.h>

#include "tensor/norm.h"
#include "tensor/op.h"

static Tensor *number(double f) { return tensor_number(f); }

/* The dtype that is asked for, else the tensor's; half types are summed as float32. */
static bool norm_dtypes(const char *op, const Tensor *x, const Arg *dtype, int *work, int *result) {
    int own = dtype_real_of(x->dtype);
    *result = dtype->kind == ARG_NONE ? own : (int)dtype->i;
    if (!dtype_is_float(*result) || !dtype_is_float(own)) {
        return fail("%s: %s must be of a float dtype, got %s", op,
                    dtype_is_float(own) ? "the result" : "the tensor",
                    dtype_name(dtype_is_float(own) ? *result : own));
    }
    *work = *result == DT_FLOAT64 ? DT_FLOAT64 : DT_FLOAT32;
    return true;
}

static Tensor *as_dtype(Tensor *x, int dtype) {
    return x && x->dtype != dtype ? t_cast(x, dtype) : x;
}

/* Norms see of complex numbers their absolute values. */
static Tensor *lengths(Tensor *x) { return x && dtype_is_complex(x->dtype) ? t_abs(x) : x; }

/* sum to the power of 1 / p; where the sum is 0 no gradient flows, though that of a root is
 * infinite. */
static Tensor *root(Tensor *sum, double p) {
    Tensor *zero = t_eq(sum, number(0));
    Tensor *safe = t_where(zero, number(1), sum);
    Tensor *rooted = p == 2 ? t_sqrt(safe) : t_pow(safe, number(1 / p));
    return t_where(zero, number(p < 0 ? INFINITY : 0), rooted);
}

/* |x|^p; for p < 1, whose slope at 0 is infinite, no gradient flows there. */
static Tensor *powers(Tensor *x, double p) {
    Tensor *size = t_abs(x);
    if (p == 1 || p > 1) {
        return p == 1 ? size : t_pow(size, number(p));
    }
    Tensor *zero = t_eq(x, number(0));
    Tensor *power = t_pow(t_where(zero, number(1), size), number(p));
    return t_where(zero, number(p < 0 ? INFINITY : 0), power);
}

Tensor *vector_norm(Tensor *x, double p, Ints dims, bool keepdim) {
    if (isinf(p)) {
        Tensor *size = t_abs(x);
        return p > 0 ? t_amax(size, dims, keepdim) : t_amin(size, dims, keepdim);
    }
    if (p == 0) {
        Tensor *set = t_ne(x, number(0));
        return x && set ? t_sum(t_cast(set, x->dtype), dims, keepdim, DT_NONE) : NULL;
    }
    Tensor *sum = p == 2 ? t_sum_squares(x, dims, keepdim, DT_NONE)
                         : t_sum(powers(x, p), dims, keepdim, DT_NONE);
    return p == 1 ? sum : root(sum, p);
}

Tensor *compose_linalg_vector_norm(const Arg *a, Tensor **out) {
    (void)out;
    int work, result;
    Tensor *x = lengths(a[0].t);
    if (!x || !norm_dtypes("linalg_vector_norm", x, &a[4], &work, &result)) {
        return NULL;
    }
    if (isnan(a[1].f)) {
        return fail_null("linalg_vector_norm: ord must be a number, got nan");
    }
    Tensor *norm = vector_norm(as_dtype(x, work), a[1].f, arg_as_ints(a[2]), a[3].b);
    return as_dtype(norm, result);
}

/* The two dims of the matrices: the last two unless given. */
static bool matrix_dims(const char *op, const Tensor *x, const Arg *given, int64_t *dims) {
    if (x->dim < 2 || (given->kind != ARG_NONE && given->count != 2)) {
        return fail("%s: %s", op,
                    x->dim < 2 ? "expected matrices for A, got too few dims"
                               : "dim must name two dims");
    }
    dims[0] = given->kind == ARG_NONE ? x->dim - 2 : given->ints[0];
    dims[1] = given->kind == ARG_NONE ? x->dim - 1 : given->ints[1];
    return true;
}

/* The singular values of the matrices along dims, in the last dim. */
static Tensor *singular_values(Tensor *x, const int64_t *dims) {
    int64_t order[MAX_DIMS];
    int n = 0;
    for (int d = 0; x && d < x->dim; d++) {
        if (d != dims[0] && d != dims[1]) {
            order[n++] = d;
        }
    }
    order[n++] = dims[0];
    order[n++] = dims[1];
    return t_linalg_svdvals(t_permute(x, (Ints){order, n}));
}

/* Puts back two dims of size 1 that were dropped. */
static Tensor *with_dims(Tensor *x, const int64_t *dims, bool keepdim) {
    if (!keepdim) {
        return x;
    }
    int64_t low = dims[0] < dims[1] ? dims[0] : dims[1];
    int64_t high = dims[0] < dims[1] ? dims[1] : dims[0];
    return t_unsqueeze(t_unsqueeze(x, low), high);
}

static Tensor *named_norm(const char *op, Tensor *x, const char *name, const int64_t *dims,
                          bool keepdim) {
    if (strcmp(name, "fro") == 0) {
        return vector_norm(lengths(x), 2, (Ints){dims, 2}, keepdim);
    }
    if (strcmp(name, "nuc") != 0) {
        return fail_null("%s: ord must be \"fro\", \"nuc\" or a number, got \"%s\"", op, name);
    }
    Tensor *sum = t_sum(singular_values(x, dims), INTS(-1), false, DT_NONE);
    return with_dims(sum, dims, keepdim);
}

static Tensor *numbered_norm(const char *op, Tensor *x, double ord, const int64_t *dims,
                             bool keepdim) {
    double size = fabs(ord);
    if (size == 2) {
        Tensor *s = singular_values(x, dims);
        return with_dims(ord > 0 ? t_amax(s, INTS(-1), false) : t_amin(s, INTS(-1), false), dims,
                         keepdim);
    }
    if (size != 1 && !isinf(ord)) {
        return fail_null("%s: ord must be 1, -1, 2, -2, inf, -inf, \"fro\" or \"nuc\", got %g", op,
                         ord);
    }
    int summed = size == 1 ? 0 : 1;
    Tensor *sums = t_sum(t_abs(x), ints_one(&dims[summed]), true, DT_NONE);
    Tensor *most = ord > 0 ? t_amax(sums, ints_one(&dims[1 - summed]), true)
                           : t_amin(sums, ints_one(&dims[1 - summed]), true);
    return keepdim ? most : t_squeeze(most, (Ints){dims, 2});
}

/* A matrix norm; name or ord says which. */
static Tensor *matrix_norm(const char *op, const Arg *a, const char *name, double ord) {
    int64_t dims[2];
    int work, result;
    if (!norm_dtypes(op, a[0].t, &a[4], &work, &result) || !matrix_dims(op, a[0].t, &a[2], dims)) {
        return NULL;
    }
    bool complex = dtype_is_complex(a[0].t->dtype);
    Tensor *x = as_dtype(a[0].t, complex ? dtype_complex_of(work) : work);
    Tensor *norm =
        name ? named_norm(op, x, name, dims, a[3].b) : numbered_norm(op, x, ord, dims, a[3].b);
    return as_dtype(norm, result);
}

Tensor *compose_linalg_matrix_norm(const Arg *a, Tensor **out) {
    (void)out;
    return matrix_norm("linalg_matrix_norm", a, a[1].s, 0);
}

Tensor *compose_linalg_matrix_norm__number(const Arg *a, Tensor **out) {
    (void)out;
    return matrix_norm("linalg_matrix_norm", a, NULL, a[1].f);
}

Tensor *compose_linalg_norm(const Arg *a, Tensor **out) {
    (void)out;
    const Tensor *x = a[0].t;
    bool has_ord = a[1].kind != ARG_NONE, has_dim = a[2].kind != ARG_NONE;
    int dims = has_dim ? a[2].count : x->dim;
    if (!has_ord || dims == 1) {
        const Arg arg[] = {a[0], arg_float(has_ord ? a[1].f : 2), a[2], a[3], a[4]};
        Tensor *norm;
        return op_call(&op_table[OP_linalg_vector_norm], arg, &norm) ? norm : NULL;
    }
    if (dims != 2) {
        return fail_null("linalg_norm: with ord, A must have one or two dims or dim name them, got "
                         "%d dims",
                         dims);
    }
    return matrix_norm("linalg_norm", a, NULL, a[1].f);
}

Tensor *compose_linalg_norm__name(const Arg *a, Tensor **out) {
    (void)out;
    if (a[2].kind == ARG_NONE && a[0].t->dim != 2) {
        return fail_null("linalg_norm: expected a matrix or two dims in dim, got %s",
                         shape_text(tensor_shape(a[0].t)));
    }
    return matrix_norm("linalg_norm", a, a[1].s, 0);
}

/* The norm of a times that of its inverse; inf for singular matrices. */
static Tensor *cond_by_inverse(Tensor *a, const char *name, double p) {
    Tensor *r[2];
    if (a->dim < 2 || a->shape[a->dim - 1] != a->shape[a->dim - 2]) {
        return fail_null("linalg_cond: expected square matrices for this norm, got %s",
                         shape_text(tensor_shape(a)));
    }
    int64_t dims[] = {a->dim - 2, a->dim - 1};
    if (a->shape[a->dim - 1] == 0) {
        return t_zeros((Ints){a->shape, a->dim - 2}, dtype_real_of(a->dtype), a->device, false);
    }
    if (!op_call(&op_table[OP_linalg_inv_ex], (const Arg[]){arg_tensor(a), arg_bool(false)}, r)) {
        return NULL;
    }
    Tensor *own = name ? named_norm("linalg_cond", a, name, dims, false)
                       : numbered_norm("linalg_cond", a, p, dims, false);
    Tensor *regular = t_eq(r[1], tensor_number_int(0));
    Tensor *mask = t_unsqueeze(t_unsqueeze(regular, -1), -1);
    /* Singular values of nan do not exist. */
    Tensor *inverse = t_where(mask, r[0], number(0));
    Tensor *other = name ? named_norm("linalg_cond", inverse, name, dims, false)
                         : numbered_norm("linalg_cond", inverse, p, dims, false);
    return t_where(regular, t_mul(own, other), number(INFINITY));
}

Tensor *compose_linalg_cond(const Arg *arg, Tensor **out) {
    (void)out;
    Tensor *a = arg[0].t;
    double p = arg[1].f;
    if (fabs(p) != 2) {
        return cond_by_inverse(a, NULL, p);
    }
    Tensor *s = t_linalg_svdvals(a);
    if (!s || s->shape[s->dim - 1] == 0) {
        return s ? t_zeros((Ints){s->shape, s->dim - 1}, s->dtype, s->device, false) : NULL;
    }
    Tensor *largest = t_select(s, -1, 0), *least = t_select(s, -1, -1);
    return p > 0 ? t_div(largest, least) : t_div(least, largest);
}

Tensor *compose_linalg_cond__name(const Arg *arg, Tensor **out) {
    (void)out;
    return cond_by_inverse(arg[0].t, arg[1].s, 0);
}

enum { CDIST_PRODUCT_ROWS = 25 };

/* |x|^2 + |y|^2 - 2 x y, which rounding may bring below 0. */
static Tensor *euclidean_by_product(Tensor *x, Tensor *y) {
    Tensor *xx = t_sum(t_square(x), INTS(-1), true, DT_NONE);
    Tensor *yy = t_transpose(t_sum(t_square(y), INTS(-1), true, DT_NONE), -2, -1);
    Tensor *xy = t_matmul_batched(x, t_transpose(y, -2, -1));
    Tensor *squares = t_sub(t_add(xx, yy), t_mul(xy, number(2)));
    return root(t_clamp(squares, arg_float(0), arg_none()), 2);
}

Tensor *compose_cdist(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *x = a[0].t, *y = a[1].t;
    int64_t shape[MAX_DIMS];
    double p = a[2].f;
    if (x->dim < 2 || y->dim < 2 || x->shape[x->dim - 1] != y->shape[y->dim - 1] ||
        shape_broadcast((Ints){x->shape, x->dim - 2}, (Ints){y->shape, y->dim - 2}, shape) < 0) {
        return fail_null("cdist: x1 and x2 must be (*, n, k) and (*, m, k) with batch dims that "
                         "broadcast, got %s and %s",
                         shape_text(tensor_shape(x)), shape_text(tensor_shape(y)));
    }
    if (!dtype_is_float(x->dtype) || x->dtype != y->dtype) {
        return fail_null("cdist: x1 and x2 must have one float dtype, got %s and %s",
                         dtype_name(x->dtype), dtype_name(y->dtype));
    }
    if (!(p >= 0)) {
        return fail_null("cdist: p must be 0 or more, got %g", p);
    }
    int result = x->dtype, work = result == DT_FLOAT64 ? DT_FLOAT64 : DT_FLOAT32;
    int64_t n = x->shape[x->dim - 2], m = y->shape[y->dim - 2];
    x = as_dtype(x, work);
    y = as_dtype(y, work);
    if (p == 2 && (n > CDIST_PRODUCT_ROWS || m > CDIST_PRODUCT_ROWS)) {
        return as_dtype(euclidean_by_product(x, y), result);
    }
    Tensor *apart = t_sub(t_unsqueeze(x, -2), t_unsqueeze(y, -3));
    if (apart && isinf(p) && apart->shape[apart->dim - 1] == 0) {
        return t_zeros((Ints){apart->shape, apart->dim - 1}, result, apart->device, false);
    }
    return as_dtype(vector_norm(apart, p, INTS(-1), false), result);
}
