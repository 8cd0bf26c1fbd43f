/* Mathematical functions and arithmetic made of other operators. */
#include <math.h>

#include "tensor/op.h"

static Tensor *number(double value) { return tensor_number(value); }

static bool is_float(const Tensor *t) { return dtype_is_float(t->dtype); }

Tensor *compose_polygamma__order(const Arg *a, Tensor **out) {
    (void)out;
    return t_polygamma(a[1].t, a[0].i);
}

/* pi^(p (p - 1) / 4) times the product of gamma(x - j / 2) for j < p, as a logarithm. */
Tensor *compose_mvlgamma(const Arg *a, Tensor **out) {
    (void)out;
    enum { MOST = 1000 };
    const int64_t p = a[1].i;
    if (p < 1 || p > MOST) {
        return fail_null("mvlgamma: p must be in [1, %d], got %lld", MOST, (long long)p);
    }
    Tensor *x = a[0].t;
    Tensor *sum = t_lgamma(x);
    for (int64_t j = 1; sum && j < p; j++) {
        sum = t_add(sum, t_lgamma(t_sub(x, number((double)j / 2))));
    }
    return p == 1 ? sum : t_add(sum, number((double)(p * (p - 1)) / 4 * log(M_PI)));
}

Tensor *compose_positive(const Arg *a, Tensor **out) {
    (void)out;
    return a[0].t->dtype == DT_BOOL ? fail_null("positive: input must not be bool") : a[0].t;
}

Tensor *compose_float_power(const Arg *a, Tensor **out) {
    (void)out;
    bool complex = dtype_is_complex(a[0].t->dtype) || dtype_is_complex(a[1].t->dtype);
    int dtype = complex ? DT_COMPLEX128 : DT_FLOAT64;
    return t_pow(t_cast(a[0].t, dtype), t_cast(a[1].t, dtype));
}

/* The power of 2 in the dtype of input, lest a wide result overflow on the way. */
Tensor *compose_ldexp(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *input = a[0].t, *other = a[1].t;
    bool wide = is_float(input) && !tensor_is_number(input);
    Tensor *exponent = wide && !is_float(other) ? t_cast(other, input->dtype) : other;
    return t_mul(input, t_exp2(exponent));
}

Tensor *compose_rsub(const Arg *a, Tensor **out) {
    (void)out;
    const Arg swapped[] = {a[1], a[0], a[2]};
    Tensor *result;
    return op_call(&op_table[OP_sub], swapped, &result) ? result : NULL;
}

Tensor *compose_isclose(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *input = a[0].t, *other = a[1].t;
    double rtol = a[2].f, atol = a[3].f;
    if (!(rtol >= 0) || !(atol >= 0)) {
        return fail_null("isclose: %s must not be negative, got %g", rtol >= 0 ? "atol" : "rtol",
                         rtol >= 0 ? atol : rtol);
    }
    if (!dtype_is_inexact(input->dtype) && !dtype_is_inexact(other->dtype)) {
        input = t_cast(input, DT_FLOAT64);
        other = t_cast(other, DT_FLOAT64);
    }
    Tensor *distance = t_abs(t_sub(input, other));
    Tensor *allowed = t_add(t_abs(t_mul(other, number(rtol))), number(atol));
    Tensor *near = t_logical_and(t_isfinite(distance), t_le(distance, allowed));
    Tensor *close = t_logical_or(near, t_eq(input, other));
    if (!a[4].b) {
        return close;
    }
    return t_logical_or(close, t_logical_and(t_isnan(input), t_isnan(other)));
}

/* Each element against its place among the sorted test elements; positions count from 1. */
Tensor *compose_isin(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *elements = a[0].t, *tests = a[1].t;
    bool invert = a[3].b;
    if (tests->numel == 0) {
        Ints shape = tensor_shape(elements);
        return t_full(shape, arg_int(invert), DT_BOOL, elements->device, false);
    }
    int dtype = dtype_promote(elements->dtype, tests->dtype);
    Tensor *sought = t_reshape(t_cast(elements, dtype), INTS(-1));
    Tensor *sorted[2];
    if (!t_sort(t_reshape(t_cast(tests, dtype), INTS(-1)), 0, false, false, sorted)) {
        return NULL;
    }
    Tensor *place = t_searchsorted(sorted[0], sought, NULL, false, NULL, false);
    Tensor *within = t_minimum(place, tensor_number_int(tests->numel));
    Tensor *found = t_eq(t_index_select(sorted[0], 0, within), sought);
    found = t_reshape(found, tensor_shape(elements));
    return invert ? t_logical_not(found) : found;
}

/* clamp takes its bounds as numbers or as tensors. */
static Tensor *clamp_one(const Arg *a, bool is_min) {
    Tensor *input = a[0].t, *bound = a[1].t;
    if (!tensor_is_number(bound)) {
        return t_clamp__tensor(input, is_min ? bound : NULL, is_min ? NULL : bound);
    }
    const void *p = tensor_data(bound);
    Arg value = is_float(bound) ? arg_float(element_get_float(p, bound->dtype))
                                : arg_int(element_get_int(p, bound->dtype));
    return t_clamp(input, is_min ? value : arg_none(), is_min ? arg_none() : value);
}

Tensor *compose_clamp_min(const Arg *a, Tensor **out) {
    (void)out;
    return clamp_one(a, true);
}

Tensor *compose_clamp_max(const Arg *a, Tensor **out) {
    (void)out;
    return clamp_one(a, false);
}
