/* Statistics that are made of reductions. Half types are computed as float32 and rounded once. */
#include <math.h>
#include <string.h>

#include "autograd/tape.h"
#include "tensor/norm.h"
#include "tensor/widen.h"

/* How many elements a reduction over dims joins for each result. */
static int64_t count_over(const Tensor *t, Ints dims) {
    int64_t n = 1;
    if (dims.n <= 0) {
        return t->numel;
    }
    for (int i = 0; i < dims.n; i++) {
        n *= t->dim ? t->shape[dims.v[i]] : 1;
    }
    return n;
}

/* t, reduced over dims with keepdim, without them. */
static Tensor *without(Tensor *t, Ints dims) {
    static const int64_t none[1];
    return dims.n <= 0 ? t_reshape(t, (Ints){none, 0}) : t_squeeze(t, dims);
}

/* Arguments as of var; where mean is not NULL it gets the mean. NULL: error recorded. */
static Tensor *variance(const char *name, const Arg *a, bool root, Tensor **mean) {
    Ints dims = arg_as_ints(a[1]);
    int dtype = a[0].t->dtype;
    if (!dtype_is_inexact(dtype)) {
        return fail_null("%s: input must be %s, got %s; convert it with :to(\"float32\")", name,
                         dtype_set_text(DTSET_FIELD), dtype_name(dtype));
    }
    Tensor *x = widened(a[0].t), *center = t_mean(x, dims, true, DT_NONE);
    double freedom = (double)count_over(a[0].t, dims) - arg_number(a[2]);
    Tensor *apart = t_sub(x, center), *length = dtype_is_complex(dtype) ? t_abs(apart) : apart;
    Tensor *squares = t_sum(t_square(length), dims, a[3].b, DT_NONE);
    Tensor *var = t_div(squares, tensor_number(freedom > 0 ? freedom : 0));
    if (mean) {
        *mean = rounded(a[3].b ? center : without(center, dims), dtype);
    }
    return rounded(root ? t_sqrt(var) : var, dtype_real_of(dtype));
}

Tensor *compose_var(const Arg *a, Tensor **out) {
    (void)out;
    return variance("var", a, false, NULL);
}

Tensor *compose_std(const Arg *a, Tensor **out) {
    (void)out;
    return variance("std", a, true, NULL);
}

Tensor *compose_var_mean(const Arg *a, Tensor **out) {
    return variance("var_mean", a, false, &out[1]);
}

Tensor *compose_std_mean(const Arg *a, Tensor **out) {
    return variance("std_mean", a, true, &out[1]);
}

static Tensor *norm(const Arg *a, double p) {
    Ints dims = arg_as_ints(a[2]);
    Tensor *x = a[0].t;
    if (dtype_is_complex(x->dtype)) {
        x = t_abs(x);
        if (!x) {
            return NULL;
        }
    }
    int dtype = a[4].kind == ARG_NONE ? x->dtype : (int)a[4].i;
    if (!dtype_is_float(dtype)) {
        return fail_null("norm: %s must be float16, bfloat16, float32, float64, got %s; convert "
                         "input with :to(\"float32\")",
                         a[4].kind == ARG_NONE ? "input" : "dtype", dtype_name(dtype));
    }
    if (isnan(p)) {
        return fail_null("norm: p must be a number, got nan");
    }
    if (isinf(p) && p > 0 && count_over(x, dims) == 0 && dims.n <= 0) {
        return t_zeros((Ints){x->shape, 0}, dtype, x->device, false);
    }
    return rounded(vector_norm(widened(rounded(x, dtype)), p, dims, a[3].b), dtype);
}

Tensor *compose_norm(const Arg *a, Tensor **out) {
    (void)out;
    return norm(a, arg_number(a[1]));
}

Tensor *compose_norm__kind(const Arg *a, Tensor **out) {
    (void)out;
    if (strcmp(a[1].s, "fro") != 0) {
        return fail_null("norm: p must be a number or \"fro\", got \"%s\"", a[1].s);
    }
    return norm(a, 2);
}

/* Largest element of each sum, as constants; 0 where it is infinite, or where there is none. */
static Tensor *offsets(Tensor *x, Ints dims) {
    Tensor *detached = tensor_detach(x);
    detached = dtype_is_complex(x->dtype) ? t_real(detached) : detached;
    bool was = modes.recording;
    modes.recording = false;
    Tensor *top = t_amax(detached, dims, true), *size = t_abs(top);
    Tensor *infinite = t_eq(size, tensor_number(INFINITY));
    top = t_where(infinite, tensor_number_int(0), top);
    modes.recording = was;
    return top;
}

Tensor *compose_logsumexp(const Arg *a, Tensor **out) {
    (void)out;
    Ints dims = arg_as_ints(a[1]);
    Tensor *x = a[0].t;
    int dtype = dtype_is_inexact(x->dtype) ? x->dtype : dtype_default();
    x = widened(rounded(x, dtype));
    if (!x || count_over(x, dims) == 0) {
        return rounded(t_log(t_sum(x, dims, a[2].b, DT_NONE)), dtype);
    }
    Tensor *top = offsets(x, dims);
    Tensor *sum = t_log(t_sum(t_exp(t_sub(x, top)), dims, true, DT_NONE));
    sum = t_add(sum, top);
    return rounded(a[2].b ? sum : without(sum, dims), dtype);
}

Tensor *compose_nanmean(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *x = a[0].t;
    Ints dims = arg_as_ints(a[1]);
    int dtype = a[3].kind == ARG_NONE ? x->dtype : (int)a[3].i;
    if (!dtype_is_float(dtype)) {
        return fail_null("nanmean: %s must be float16, bfloat16, float32, float64, got %s; convert "
                         "input with :to(\"float32\")",
                         a[3].kind == ARG_NONE ? "input" : "dtype", dtype_name(dtype));
    }
    x = widened(rounded(x, dtype));
    Tensor *sum = t_nansum(x, dims, a[2].b, DT_NONE);
    Tensor *count = t_sum(t_eq(x, x), dims, a[2].b, DT_NONE);
    return rounded(t_div(sum, count), dtype);
}

Tensor *compose_count_nonzero(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t;
    Tensor *truth = t->dtype == DT_BOOL ? t : t_ne(t, tensor_number_int(0));
    return t_sum(truth, arg_as_ints(a[1]), false, DT_NONE);
}

Tensor *compose_aminmax(const Arg *a, Tensor **out) {
    Ints dims = a[1].kind == ARG_NONE ? NO_INTS : ints_one(&a[1].i);
    out[1] = t_amax(a[0].t, dims, a[2].b);
    return t_amin(a[0].t, dims, a[2].b);
}

static bool read_number(Tensor *t, int64_t *number) {
    if (t && t->device.kind != DEVICE_CPU) {
        t = t_move(t, (Device){DEVICE_CPU, 0});
    }
    if (t) {
        *number = element_get_int(tensor_data(t), t->dtype);
    }
    return t != NULL;
}

/* The largest number of a vector of integers, at least least; -1 with an error recorded, also where
 * one is below 1, unless it is counted by what checks each. */
static int64_t largest(Tensor *t, int64_t least, bool checked) {
    int64_t low, high;
    if (t->numel == 0) {
        return least;
    }
    if (!read_number(t_amax(t, NO_INTS, false), &high)) {
        return -1;
    }
    low = high;
    if (!checked && !read_number(t_amin(t, NO_INTS, false), &low)) {
        return -1;
    }
    if (low < INDEX_BASE) {
        fail("bincount: input must hold numbers from 1 on, got %lld", (long long)low);
        return -1;
    }
    return high > least ? high : least;
}

Tensor *compose_bincount(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *input = a[0].t, *weights = a[1].kind == ARG_TENSOR ? a[1].t : NULL;
    if (dtype_kinds[input->dtype] != KIND_INT || input->dim != 1) {
        return fail_null("bincount: input must be a vector of integers, got %s of shape %s",
                         dtype_name(input->dtype), shape_text(tensor_shape(input)));
    }
    if (weights && !tensor_same_shape(input, weights)) {
        return fail_null("bincount: weights must have input's shape %s, got %s",
                         shape_text(tensor_shape(input)), shape_text(tensor_shape(weights)));
    }
    if (a[2].i < 0) {
        return fail_null("bincount: minlength must not be negative, got %lld", (long long)a[2].i);
    }
    int64_t bins = largest(input, a[2].i, !weights);
    if (bins < 0 || !weights) {
        return bins < 0 ? NULL : t_bincount_static(input, bins);
    }
    int dtype = weights->dtype == DT_FLOAT32 ? DT_FLOAT32 : DT_FLOAT64;
    Tensor *sums = t_zeros(ints_one(&bins), dtype, input->device, false);
    return t_scatter_add(sums, 0, input, rounded(weights, dtype));
}
