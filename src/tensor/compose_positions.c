/* Writing at positions, as compositions of scatter and index_put. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "tensor/number.h"

static Tensor *fill_at(Tensor *t, int64_t dim, Tensor *index, Arg number) {
    return t_scatter(t, dim, index, number_tensor(number));
}

/* What the positions start from where input's own elements do not count. */
static Arg neutral(const char *reduce, int dtype) {
    bool least = strcmp(reduce, "amax") == 0;
    int64_t low, high;
    if (strcmp(reduce, "prod") == 0) {
        return arg_int(1);
    }
    if (!least && strcmp(reduce, "amin") != 0) {
        return arg_int(0);
    }
    if (dtype_is_float(dtype)) {
        return arg_float(least ? -INFINITY : INFINITY);
    }
    dtype_int_range(dtype, &low, &high);
    return arg_int(least ? low : high);
}

/* The sums divided by how many elements each is of; whole numbers are rounded down. */
static Tensor *mean_of(Tensor *sum, Tensor *input, int64_t dim, Tensor *index, bool include_self) {
    if (!sum) {
        return NULL;
    }
    Tensor *count = t_ones(tensor_shape(input), DT_INT64, input->device, false);
    if (!include_self) {
        count = fill_at(count, dim, index, arg_int(0));
    }
    count = t_scatter_add(count, dim, index, tensor_number_int(1));
    /* Where nothing was put the element itself stays. */
    count = t_clamp(count, arg_int(1), arg_none());
    return dtype_is_inexact(sum->dtype) ? t_div(sum, t_cast(count, sum->dtype))
                                        : t_floor_divide(sum, t_cast(count, sum->dtype));
}

static Tensor *scatter_reduce(const char *name, Tensor *input, int64_t dim, Tensor *index,
                              Tensor *src, const char *reduce, bool include_self) {
    bool mean = strcmp(reduce, "mean") == 0, sum = mean || strcmp(reduce, "sum") == 0;
    if (!sum && strcmp(reduce, "prod") != 0 && strcmp(reduce, "amax") != 0 &&
        strcmp(reduce, "amin") != 0) {
        return fail_null(
            "%s: reduce must be \"sum\", \"prod\", \"mean\", \"amax\" or \"amin\", got "
            "\"%s\"",
            name, reduce);
    }
    if (dtype_kinds[input->dtype] == KIND_BOOL) {
        return fail_null("%s: input must be a number tensor, got bool", name);
    }
    if (!sum && dtype_is_complex(input->dtype)) {
        return fail_null("%s: input must be real for reduce \"%s\", got %s", name, reduce,
                         dtype_name(input->dtype));
    }
    Tensor *start =
        include_self ? input : fill_at(input, dim, index, neutral(reduce, input->dtype));
    if (!sum) {
        return t_scatter_join(start, dim, index, src, reduce);
    }
    Tensor *total = t_scatter_add(start, dim, index, src);
    return mean ? mean_of(total, input, dim, index, include_self) : total;
}

Tensor *compose_scatter_reduce(const Arg *a, Tensor **out) {
    (void)out;
    return scatter_reduce("scatter_reduce", a[0].t, a[1].i, a[2].t, a[3].t, a[4].s, a[5].b);
}

Tensor *compose_scatter__reduce(const Arg *a, Tensor **out) {
    (void)out;
    const char *reduce = a[4].s;
    if (strcmp(reduce, "add") == 0) {
        return t_scatter_add(a[0].t, a[1].i, a[2].t, a[3].t);
    }
    if (strcmp(reduce, "multiply") == 0) {
        return t_scatter_join(a[0].t, a[1].i, a[2].t, a[3].t, "prod");
    }
    return fail_null("scatter: reduce must be \"add\" or \"multiply\", got \"%s\"; scatter_reduce "
                     "has more",
                     reduce);
}

Tensor *compose_scatter__value(const Arg *a, Tensor **out) {
    Tensor *value = number_tensor(a[3]);
    if (a[4].kind == ARG_NONE) {
        return t_scatter(a[0].t, a[1].i, a[2].t, value);
    }
    const Arg with_tensor[] = {a[0], a[1], a[2], arg_tensor(value), a[4]};
    return value ? compose_scatter__reduce(with_tensor, out) : NULL;
}

Tensor *compose_index_add__alpha(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *alpha = number_tensor(a[4]);
    if (a[4].kind == ARG_FLOAT && !dtype_is_inexact(a[3].t->dtype)) {
        return fail_null("index_add: alpha must be an integer for %s tensors, got %g",
                         dtype_name(a[3].t->dtype), a[4].f);
    }
    Tensor *input = a[0].t, *source = a[3].t;
    int dtype = input->dtype;
    bool half = dtype == DT_FLOAT16 || dtype == DT_BFLOAT16;
    if (!half || source->dtype != dtype) {
        return t_index_add(input, a[1].i, a[2].t, t_mul(source, alpha));
    }
    /* The product is not rounded before it is added. */
    source = t_mul(t_cast(source, DT_FLOAT32), alpha);
    return t_cast(t_index_add(t_cast(input, DT_FLOAT32), a[1].i, a[2].t, source), dtype);
}

Tensor *compose_index_reduce(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *input = a[0].t, *index = a[2].t, *source = a[3].t;
    int64_t dim = a[1].i, sizes[MAX_DIMS], wanted[MAX_DIMS];
    if (index->dim > 1) {
        return fail_null("index_reduce: index must be a vector, got shape %s",
                         shape_text(tensor_shape(index)));
    }
    if (strcmp(a[4].s, "sum") == 0) {
        return fail_null("index_reduce: reduce must be \"prod\", \"mean\", \"amax\" or \"amin\", "
                         "got \"sum\"; use index_add");
    }
    for (int d = 0; d < input->dim; d++) {
        sizes[d] = d == dim ? index->numel : 1;
        wanted[d] = d == dim ? index->numel : input->shape[d];
    }
    Ints shape = {wanted, input->dim};
    if (source->dim != input->dim ||
        memcmp(source->shape, wanted, (size_t)input->dim * sizeof *wanted) != 0 ||
        (input->dim == 0 && index->numel != 1)) {
        return fail_null("index_reduce: for %lld positions along dim %d source must have shape %s, "
                         "got %s",
                         (long long)index->numel, (int)dim + 1, shape_text(shape),
                         shape_text(tensor_shape(source)));
    }
    index = t_expand(t_reshape(index, (Ints){sizes, input->dim}), shape);
    return scatter_reduce("index_reduce", input, dim, index, source, a[4].s, a[5].b);
}

Tensor *compose_take(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *index = a[1].t;
    if (dtype_kinds[index->dtype] != KIND_INT) {
        return fail_null("take: index must be an integer tensor, got %s", dtype_name(index->dtype));
    }
    return t_index_take(t_reshape(a[0].t, INTS(-1)), (TensorList){&index, 1});
}

Tensor *compose_put(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *input = a[0].t, *index = a[1].t, *source = a[2].t;
    if (dtype_kinds[index->dtype] != KIND_INT) {
        return fail_null("put: index must be an integer tensor, got %s", dtype_name(index->dtype));
    }
    if (source->numel != index->numel) {
        return fail_null("put: source must have an element for each of the %lld positions, got "
                         "shape %s",
                         (long long)index->numel, shape_text(tensor_shape(source)));
    }
    Tensor *values = t_reshape(source, tensor_shape(index));
    Tensor *flat = t_reshape(input, ints_one(&input->numel));
    flat = t_index_put(flat, (TensorList){&index, 1}, values, a[3].b);
    return t_reshape(flat, tensor_shape(input));
}

Tensor *compose_masked_scatter(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *input = a[0].t, *mask = a[1].t, *source = a[2].t;
    if (mask->dtype != DT_BOOL) {
        return fail_null("masked_scatter: mask must be a bool tensor, got %s; compare first, as in "
                         "x:gt(0)",
                         dtype_name(mask->dtype));
    }
    Tensor *vector = t_reshape(input, ints_one(&input->numel));
    Tensor *chosen = t_reshape(t_expand(mask, tensor_shape(input)), ints_one(&input->numel));
    Tensor *count = t_sum(chosen, NO_INTS, false, DT_NONE);
    if (count && count->device.kind != DEVICE_CPU) {
        count = t_move(count, (Device){DEVICE_CPU, 0});
    }
    if (!count || !vector) {
        return NULL;
    }
    int64_t n = element_get_int(tensor_data(count), count->dtype);
    if (n > source->numel) {
        return fail_null("masked_scatter: mask is true for %lld elements, source has %lld only",
                         (long long)n, (long long)source->numel);
    }
    Tensor *values = t_narrow(t_reshape(source, ints_one(&source->numel)), 0, 0, n);
    return t_reshape(t_index_put(vector, (TensorList){&chosen, 1}, values, false),
                     tensor_shape(input));
}
