/* Statistics of several variables, distances and histograms. */
#include <math.h>

#include "tensor/op.h"

/* Weights of observations: a vector of their count, none negative. */
static bool weights_fit(const char *name, const Tensor *w, int64_t count, bool whole) {
    if (w->dim != 1 || w->numel != count) {
        return fail("cov: %s must be a vector of %lld, the observations, got %s", name,
                    (long long)count, shape_text(tensor_shape(w)));
    }
    return (whole ? dtype_kinds[w->dtype] == KIND_INT : dtype_is_float(w->dtype)) ||
           fail("cov: %s must be %s, got %s", name, whole ? "integers" : "floats",
                dtype_name(w->dtype));
}

/* Sums over observations: weighted, and of the weights; all of them unweighted where there are
 * none. */
typedef struct Observed {
    Tensor *weight; /* (m), or NULL */
    Tensor *total;  /* of the weights, 0-dim, or NULL */
    int64_t rows;
} Observed;

/* A number of its own for each use, since ops convert numbers in place. */
static Tensor *count_of(const Observed *o) {
    return o->weight ? o->total : tensor_number((double)o->rows);
}

static bool observe(const Tensor *x, const Arg *a, Observed *o) {
    int64_t m = x->shape[1];
    Tensor *f = a[2].kind == ARG_TENSOR ? a[2].t : NULL;
    Tensor *w = a[3].kind == ARG_TENSOR ? a[3].t : NULL;
    if ((f && !weights_fit("fweights", f, m, true)) ||
        (w && !weights_fit("aweights", w, m, false))) {
        return false;
    }
    Tensor *both = f && w ? t_mul(f, w) : f ? f : w;
    o->weight = both ? t_cast(both, dtype_real_of(x->dtype)) : NULL;
    o->total = both ? t_sum(o->weight, NO_INTS, false, DT_NONE) : NULL;
    o->rows = m;
    return !both || o->total != NULL;
}

/* What the sum of products is divided by: the weights less the correction's share of them. */
static Tensor *freedom(const Observed *o, const Arg *a, int dtype) {
    Tensor *less = tensor_number((double)a[1].i);
    if (a[3].kind == ARG_TENSOR) {
        Tensor *square = t_sum(t_mul(o->weight, t_cast(a[3].t, dtype)), NO_INTS, false, DT_NONE);
        less = t_mul(less, t_div(square, count_of(o)));
    }
    return t_clamp(t_sub(count_of(o), less), arg_float(0), arg_none());
}

Tensor *compose_cov(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *x = a[0].t;
    if (x->dim > 2 || x->dtype == DT_BOOL) {
        return fail_null("cov: input must have up to two dims of numbers, got %s of shape %s",
                         dtype_name(x->dtype), shape_text(tensor_shape(x)));
    }
    Ints one_row = {(int64_t[]){1, x->numel}, 2};
    Observed o;
    x = x->dim == 2 ? x : t_reshape(x, one_row);
    x = x && dtype_kinds[x->dtype] == KIND_INT ? t_cast(x, dtype_default()) : x;
    if (!x || !observe(x, a, &o)) {
        return NULL;
    }
    Tensor *sum = t_sum(o.weight ? t_mul(x, o.weight) : x, INTS(1), true, DT_NONE);
    Tensor *centred = t_sub(x, t_div(sum, count_of(&o)));
    Tensor *weighted = o.weight ? t_mul(centred, o.weight) : centred;
    Tensor *products = t_mm(weighted, t_conj(t_transpose(centred, 0, 1)));
    Tensor *c = t_div(products, freedom(&o, a, dtype_real_of(x->dtype)));
    return a[0].t->dim == 2 ? c : t_squeeze(c, INTS(0, 1));
}

Tensor *compose_corrcoef(const Arg *a, Tensor **out) {
    (void)out;
    if (a[0].t->dim > 2 || a[0].t->dtype == DT_BOOL) {
        return fail_null("corrcoef: input must have up to two dims of numbers, got %s of shape %s",
                         dtype_name(a[0].t->dtype), shape_text(tensor_shape(a[0].t)));
    }
    Tensor *c = t_cov(a[0].t, 1, NULL, NULL);
    if (!c || c->dim == 0) {
        return t_div(c, c);
    }
    Tensor *variance = t_diagonal(c, 0, 0, 1);
    variance = c->dtype == DT_COMPLEX64 || c->dtype == DT_COMPLEX128 ? t_real(variance) : variance;
    Tensor *deviation = t_sqrt(variance);
    c = t_div(t_div(c, t_unsqueeze(deviation, 1)), t_unsqueeze(deviation, 0));
    return c && dtype_is_float(c->dtype) ? t_clamp(c, arg_int(-1), arg_int(1)) : c;
}

Tensor *compose_dist(const Arg *a, Tensor **out) {
    (void)out;
    return t_norm(t_sub(a[0].t, a[1].t), a[2], NO_INTS, false, DT_NONE);
}

Tensor *compose_renorm(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *x = a[0].t;
    int64_t others[MAX_DIMS];
    int n = 0;
    if (x->dim < 2) {
        return fail_null("renorm: input must have two dims at least, got %s",
                         shape_text(tensor_shape(x)));
    }
    double p = arg_number(a[1]), most = arg_number(a[3]);
    if (!(p > 0) || !(most >= 0)) {
        return fail_null("renorm: p must be more than 0, and maxnorm 0 or more, got %g and %g", p,
                         most);
    }
    for (int d = 0; d < x->dim; d++) {
        if (d != a[2].i) {
            others[n++] = d;
        }
    }
    Tensor *norm = t_norm(x, a[1], (Ints){others, n}, true, DT_NONE);
    Tensor *limit = tensor_number(most), *spare = tensor_number(1e-7);
    Tensor *scale = t_div(limit, t_add(norm, spare));
    return t_mul(x, t_where(t_gt(norm, limit), scale, tensor_number(1.0)));
}

Tensor *compose_vdot(const Arg *a, Tensor **out) {
    (void)out;
    return t_dot(t_conj(a[0].t), a[1].t);
}

/* The counts of x between edges, or the sums of weights. */
static Tensor *count_between(Tensor *x, Tensor *edges, Tensor *weight) {
    if (!x || !edges) {
        return NULL;
    }
    int64_t bins = edges->numel - 1;
    Tensor *first = t_select(edges, 0, 0), *last = t_select(edges, 0, -1);
    Tensor *inside = t_logical_and(t_ge(x, first), t_le(x, last));
    Tensor *place = t_searchsorted(edges, x, NULL, true, NULL, false);
    place = t_clamp(t_sub(place, tensor_number_int(1)), arg_int(INDEX_BASE), arg_int(bins));
    Tensor *each = weight ? t_where(inside, weight, tensor_number(0.0)) : t_cast(inside, DT_INT64);
    if (!each) {
        return NULL;
    }
    Tensor *zeros = t_zeros(ints_one(&bins), each->dtype, x->device, false);
    return t_cast(t_scatter_add(zeros, 0, place, each), x->dtype);
}

static Tensor *histogram(Tensor *x, Tensor *edges, const Arg *weight, bool density, Tensor **out) {
    Tensor *w = weight->kind == ARG_TENSOR ? weight->t : NULL;
    if (w && (!tensor_same_shape(w, x) || w->dtype != x->dtype)) {
        return fail_null("histogram: weight must have input's shape and dtype, %s %s, got %s %s",
                         shape_text(tensor_shape(x)), dtype_name(x->dtype),
                         shape_text(tensor_shape(w)), dtype_name(w->dtype));
    }
    Ints flat = {&x->numel, 1};
    Tensor *hist = count_between(t_reshape(x, flat), edges, w ? t_reshape(w, flat) : NULL);
    out[1] = edges;
    if (density) {
        Tensor *total = t_sum(hist, NO_INTS, false, DT_NONE);
        hist = t_div(hist, t_mul(t_diff(edges, 1, 0, NULL, NULL), total));
    }
    return hist;
}

static bool want_floats(const Tensor *x) {
    return x->dtype == DT_FLOAT32 || x->dtype == DT_FLOAT64 ||
           fail("histogram: input must be float32 or float64, got %s", dtype_name(x->dtype));
}

/* The two numbers that range holds. */
static bool given_range(Tensor *range, double *low, double *high) {
    if (range->dim != 1 || range->numel != 2) {
        return fail("histogram: range must have 2 numbers, got %s",
                    shape_text(tensor_shape(range)));
    }
    range = t_to(t_cast(range, DT_FLOAT64), DT_NONE, (Device){DEVICE_CPU, 0}, false, false);
    range = t_contiguous(range);
    if (range) {
        const double *v = tensor_data(range);
        *low = v[0];
        *high = v[1];
    }
    return range != NULL;
}

/* The least and the largest element, or 0 and 1 without any. */
static bool own_range(Tensor *x, double *low, double *high) {
    *low = 0;
    *high = 1;
    if (x->numel == 0) {
        return true;
    }
    Device host = {DEVICE_CPU, 0};
    Tensor *least = t_to(t_min(x), DT_NONE, host, false, false);
    Tensor *largest = t_to(t_max(x), DT_NONE, host, false, false);
    if (!least || !largest) {
        return false;
    }
    *low = element_get_float(tensor_data(least), least->dtype);
    *high = element_get_float(tensor_data(largest), largest->dtype);
    return true;
}

Tensor *compose_histogram(const Arg *a, Tensor **out) {
    Tensor *x = a[0].t;
    double low, high;
    int64_t bins = a[1].i;
    if (!want_floats(x)) {
        return NULL;
    }
    if (bins < 1 || bins > 1 << 30) {
        return fail_null("histogram: bins must be from 1 to 2^30, got %lld", (long long)bins);
    }
    if (!(a[2].kind == ARG_TENSOR ? given_range(a[2].t, &low, &high) : own_range(x, &low, &high))) {
        return NULL;
    }
    if (!isfinite(low) || !isfinite(high) || low > high) {
        return fail_null("histogram: the range must be finite and ascend, got [%g, %g]", low, high);
    }
    if (low == high) {
        low -= 0.5;
        high += 0.5;
    }
    Tensor *edges =
        t_linspace(arg_float(low), arg_float(high), bins + 1, x->dtype, x->device, false);
    return histogram(x, edges, &a[3], a[4].b, out);
}

Tensor *compose_histogram__edges(const Arg *a, Tensor **out) {
    Tensor *x = a[0].t, *edges = a[1].t;
    if (!want_floats(x)) {
        return NULL;
    }
    if (a[2].kind == ARG_TENSOR) {
        return fail_null("histogram: range goes with a number of bins, but bins holds the edges");
    }
    if (edges->dim != 1 || edges->numel < 2 || edges->dtype != x->dtype) {
        return fail_null("histogram: bins must be a vector of 2 edges at least of input's dtype, "
                         "%s, got %s of shape %s",
                         dtype_name(x->dtype), dtype_name(edges->dtype),
                         shape_text(tensor_shape(edges)));
    }
    return histogram(x, edges, &a[3], a[4].b, out);
}
