/* Differences and integrals along a dim. */
#include "tensor/number.h"

static Tensor *given(const Arg *a) { return a->kind == ARG_TENSOR ? a->t : NULL; }

static bool has_dim(const char *name, const char *param, const Tensor *t) {
    return t->dim > 0 || fail("%s: %s must have at least one dim, got a scalar", name, param);
}

/* The entries from the second on, and those up to the last but one. */
static Tensor *later(Tensor *t, int64_t dim) {
    return t ? t_narrow(t, dim, 1, t->shape[dim] - 1) : NULL;
}
static Tensor *earlier(Tensor *t, int64_t dim) {
    return t ? t_narrow(t, dim, 0, t->shape[dim] - 1) : NULL;
}

static Tensor *joined(Tensor *input, const Arg *prepend, const Arg *append, int64_t dim) {
    Tensor *part[3];
    int n = 0;
    if (given(prepend)) {
        part[n++] = given(prepend);
    }
    part[n++] = input;
    if (given(append)) {
        part[n++] = given(append);
    }
    return n == 1 ? input : t_cat((TensorList){part, n}, dim);
}

Tensor *compose_diff(const Arg *a, Tensor **out) {
    (void)out;
    int64_t n = a[1].i, dim = a[2].i;
    if (!has_dim("diff", "input", a[0].t)) {
        return NULL;
    }
    if (n < 0) {
        return fail_null("diff: n must not be negative, got %lld", (long long)n);
    }
    if (n == 0) {
        return a[0].t;
    }
    Tensor *t = joined(a[0].t, &a[3], &a[4], dim);
    if (t && n >= t->shape[dim]) {
        return t_clone(t_narrow(t, dim, 0, 0));
    }
    for (; t && n > 0; n--) {
        t = t->dtype == DT_BOOL ? t_ne(later(t, dim), earlier(t, dim))
                                : t_sub(later(t, dim), earlier(t, dim));
    }
    return t;
}

/* The widths of the intervals along dim, in a shape that broadcasts against y. */
static Tensor *widths(const char *name, const Tensor *y, Tensor *x, int64_t dim) {
    int64_t shape[MAX_DIMS];
    int64_t own = x->dim == 1 ? 0 : dim - (y->dim - x->dim);
    if (x->dim == 0 || x->dim > y->dim || own < 0 || x->shape[own] != y->shape[dim]) {
        return fail_null("%s: x must have as many entries along dim %d as y; got shapes %s and %s",
                         name, (int)dim + 1, shape_text(tensor_shape(x)),
                         shape_text(tensor_shape(y)));
    }
    Tensor *dx = t_sub(later(x, own), earlier(x, own));
    if (!dx || x->dim > 1) {
        return dx;
    }
    for (int d = 0; d < y->dim; d++) {
        shape[d] = d == dim ? dx->shape[0] : 1;
    }
    return t_reshape(dx, (Ints){shape, y->dim});
}

/* The areas between neighbours, twice over. */
static Tensor *areas(const char *name, const Arg *a) {
    Tensor *y = a[0].t, *x = given(&a[1]);
    int64_t dim = a[3].i;
    if (!has_dim(name, "y", y)) {
        return NULL;
    }
    if (y->dtype == DT_BOOL) {
        return fail_null("%s: y must hold numbers, got bool", name);
    }
    if (y->shape[dim] == 0) {
        return y;
    }
    Tensor *width;
    if (x) {
        width = widths(name, y, x, dim);
    } else {
        width = number_tensor(a[2]);
    }
    return t_mul(t_add(later(y, dim), earlier(y, dim)), width);
}

/* With intervals of one width, the sum less half of both ends. */
static Tensor *trapezoid_by_sum(Tensor *y, const Arg *a) {
    int64_t dim = a[3].i;
    Tensor *ends = t_add(t_select(y, dim, 0), t_select(y, dim, -1));
    Tensor *sum = t_sum(y, ints_one(&dim), false, DT_NONE);
    return t_mul(t_sub(sum, t_mul(ends, tensor_number(0.5))), tensor_number(arg_number(a[2])));
}

static Tensor *trapezoid(const char *name, const Arg *a) {
    Tensor *y = a[0].t;
    bool wide = y->dtype == DT_FLOAT32 || y->dtype == DT_FLOAT64;
    if (wide && !given(&a[1]) && y->dim > 0 && y->shape[a[3].i] > 1) {
        return trapezoid_by_sum(y, a);
    }
    return t_div(t_sum(areas(name, a), ints_one(&a[3].i), false, DT_NONE), tensor_number(2));
}

Tensor *compose_trapezoid(const Arg *a, Tensor **out) {
    (void)out;
    return trapezoid("trapezoid", a);
}

Tensor *compose_trapz(const Arg *a, Tensor **out) {
    (void)out;
    return trapezoid("trapz", a);
}

Tensor *compose_cumulative_trapezoid(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *sums = t_cumsum(areas("cumulative_trapezoid", a), a[3].i, DT_NONE);
    return t_div(sums, tensor_number(2));
}
