/* Patterns made of others, and tensors like others. */
#include <string.h>

#include "autograd/tape.h"
#include "base/memory.h"
#include "tensor/index_plan.h"
#include "tensor/number.h"

Tensor *compose_combinations(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t;
    int64_t r = a[1].i;
    if (t->dim != 1) {
        return fail_null("combinations: input must be a vector, got shape %s",
                         shape_text(tensor_shape(t)));
    }
    Tensor *rows = t_combination_positions(t->numel, r, a[2].b, DT_INT64, t->device);
    if (!rows || r == 0) {
        return rows ? t_narrow(t, 0, 0, 0) : NULL;
    }
    Tensor *flat = t_reshape(rows, ints_one(&rows->numel));
    return t_reshape(t_index_select(t, 0, flat), tensor_shape(rows));
}

/* The vector with each element times in a row, and that over and over, as a column. */
static Tensor *column(Tensor *t, int64_t outer, int64_t inner) {
    Tensor *wide = t_expand(t_reshape(t, INTS(1, t->numel, 1)), INTS(outer, t->numel, inner));
    return t_reshape(wide, INTS(outer * t->numel * inner, 1));
}

static Tensor *join_columns(Tensor *const *tensors, Tensor **list, int n, int64_t rows) {
    int64_t outer = 1;
    for (int i = 0; i < n; i++) {
        int64_t own = tensors[i]->numel;
        list[i] = column(tensors[i], rows ? outer : 0, rows ? rows / outer / own : 0);
        if (!list[i]) {
            return NULL;
        }
        outer *= rows ? own : 1;
    }
    return t_cat((TensorList){list, n}, 1);
}

Tensor *compose_cartesian_prod(const Arg *a, Tensor **out) {
    (void)out;
    int n = a[0].count;
    int64_t rows = 1;
    size_t bytes = (size_t)n * sizeof(Tensor *);
    if (n == 0) {
        return fail_null("cartesian_prod: tensors must hold at least one tensor");
    }
    for (int i = 0; i < n; i++) {
        const Tensor *t = a[0].ts[i];
        if (t->dim != 1) {
            return fail_null("cartesian_prod: tensors must be vectors, tensor %d has shape %s",
                             i + 1, shape_text(tensor_shape(t)));
        }
        if (__builtin_mul_overflow(rows, t->numel, &rows)) {
            return fail_null("cartesian_prod: the result would be too large");
        }
    }
    if (n == 1) {
        return a[0].ts[0];
    }
    if (shape_numel(INTS(rows, n)) < 0) {
        return fail_null("cartesian_prod: the result would be too large");
    }
    Tensor **list = mem_alloc(bytes);
    Tensor *result = list ? join_columns(a[0].ts, list, n, rows) : NULL;
    mem_free(list, bytes);
    return result;
}

/* The smallest or the largest of labels, which are some. */
static bool read_label(Tensor *t, int64_t *label) {
    if (t && t->device.kind != DEVICE_CPU) {
        t = t_move(t, (Device){DEVICE_CPU, 0});
    }
    if (t) {
        *label = element_get_int(tensor_data(t), t->dtype);
    }
    return t != NULL;
}

/* Tells where the first label is that is not in 1 to n. */
static Tensor *fail_label(Tensor *labels, int64_t n) {
    Tensor *low = t_lt(labels, tensor_number_int(1));
    Tensor *bad = t_logical_or(low, t_gt(labels, tensor_number_int(n)));
    Tensor *flat = t_reshape(bad, INTS(-1));
    Tensor *at = t_nonzero_static(flat, 1, 0);
    Tensor *value = t_index_select(t_reshape(labels, INTS(-1)), 0, t_reshape(at, INTS(1)));
    int64_t label, place;
    char text[INDEX_PLACE_MAX];
    if (!read_label(at, &place) || !read_label(value, &label)) {
        return NULL;
    }
    index_place(tensor_shape(labels), place - INDEX_BASE, text);
    return fail_null("one_hot: input must hold labels in [1, %lld], got %lld at position %s",
                     (long long)n, (long long)label, text);
}

Tensor *compose_one_hot(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *labels = a[0].t;
    int64_t n = a[1].i, least = 1, most = n;
    if (dtype_kinds[labels->dtype] != KIND_INT) {
        return fail_null("one_hot: input must be an integer tensor, got %s",
                         dtype_name(labels->dtype));
    }
    if (n < -1 || n == 0 || (n == -1 && labels->numel == 0)) {
        return fail_null("one_hot: num_classes must be at least 1, or -1 where there are labels, "
                         "got %lld",
                         (long long)n);
    }
    if (labels->numel && !(read_label(t_amin(labels, NO_INTS, false), &least) &&
                           read_label(t_amax(labels, NO_INTS, false), &most))) {
        return NULL;
    }
    n = n == -1 ? most : n;
    if (least < 1 || most > n) {
        return fail_label(labels, n < 1 ? INT64_MAX : n);
    }
    Tensor *classes = t_arange(arg_int(n), DT_INT64, labels->device, false);
    return t_cast(t_eq(t_unsqueeze(labels, labels->dim), classes), DT_INT64);
}

/* Shape and strides over memory of its own, which has gaps where the strides leave some. */
static Tensor *strided(const char *name, Ints size, Ints stride, int dtype, Device device,
                       bool requires_grad) {
    int64_t extent = 1, reach;
    bool ok = size.n == stride.n && shape_numel(size) >= 0, empty = false;
    for (int i = 0; ok && i < size.n; i++) {
        empty |= size.v[i] == 0;
        ok = size.v[i] >= 0 && stride.v[i] >= 0 &&
             (size.v[i] == 0 || (!__builtin_mul_overflow(size.v[i] - 1, stride.v[i], &reach) &&
                                 !__builtin_add_overflow(extent, reach, &extent)));
    }
    if (!ok) {
        return fail_null("%s: size and stride must have as many numbers, none negative, and reach "
                         "no further than memory, got %s and %s",
                         name, shape_text(size), shape_text(stride));
    }
    extent = empty ? 0 : extent;
    Tensor *memory = t_empty(ints_one(&extent), dtype, device, false);
    if (!memory) {
        return NULL;
    }
    int64_t bounded[MAX_DIMS];
    for (int i = 0; i < size.n; i++) { /* those that no element follows may be anything */
        bounded[i] = stride.v[i] < extent ? stride.v[i] : extent;
    }
    Tensor *t = tensor_of_storage(memory->storage, memory->dtype, size, bounded, 0);
    return t && (!requires_grad || tensor_set_requires_grad(t, true)) ? t : NULL;
}

Tensor *compose_empty_strided(const Arg *a, Tensor **out) {
    (void)out;
    int dtype = a[2].kind == ARG_NONE ? dtype_default() : (int)a[2].i;
    return strided("empty_strided", arg_as_ints(a[0]), arg_as_ints(a[1]), dtype,
                   device_of_arg(a[3]), a[4].b);
}

Tensor *compose_empty_permuted(const Arg *a, Tensor **out) {
    (void)out;
    Ints size = arg_as_ints(a[0]), order = arg_as_ints(a[1]);
    int dtype = a[2].kind == ARG_NONE ? dtype_default() : (int)a[2].i;
    int64_t stride[MAX_DIMS], step = 1;
    uint32_t seen = 0;
    for (int i = order.n - 1; i >= 0 && order.n == size.n; i--) {
        if (order.v[i] < 1 || order.v[i] > size.n) {
            break;
        }
        int64_t d = order.v[i] - 1;
        if (seen & 1u << d) {
            break;
        }
        seen |= 1u << d;
        stride[d] = step;
        if (__builtin_mul_overflow(step, size.v[d] > 0 ? size.v[d] : 1, &step)) {
            return fail_null("empty_permuted: shape %s has too many elements", shape_text(size));
        }
    }
    if (order.n != size.n || seen != (1u << size.n) - 1) {
        return fail_null("empty_permuted: physical_layout must name each of the %d dims once",
                         size.n);
    }
    return strided("empty_permuted", size, (Ints){stride, size.n}, dtype, device_of_arg(a[3]),
                   a[4].b);
}

Tensor *compose_scalar_tensor(const Arg *a, Tensor **out) {
    (void)out;
    int usual = a[0].kind == ARG_COMPLEX ? dtype_complex_of(dtype_default()) : dtype_default();
    int dtype = a[1].kind == ARG_NONE ? usual : (int)a[1].i;
    const int64_t none = 0;
    return t_full((Ints){&none, 0}, a[0], dtype, device_of_arg(a[2]), a[3].b);
}

/* The dtype and device arguments at at and behind it, or input's. */
static int dtype_like(const Arg *a, int at) {
    return a[at].kind == ARG_NONE ? a[0].t->dtype : (int)a[at].i;
}

static Device device_like(const Arg *a, int at) {
    return a[at + 1].kind == ARG_NONE ? a[0].t->device : device_of_arg(a[at + 1]);
}

Tensor *compose_new_empty(const Arg *a, Tensor **out) {
    (void)out;
    return t_empty(arg_as_ints(a[1]), dtype_like(a, 2), device_like(a, 2), a[4].b);
}

Tensor *compose_new_zeros(const Arg *a, Tensor **out) {
    (void)out;
    return t_zeros(arg_as_ints(a[1]), dtype_like(a, 2), device_like(a, 2), a[4].b);
}

Tensor *compose_new_ones(const Arg *a, Tensor **out) {
    (void)out;
    return t_ones(arg_as_ints(a[1]), dtype_like(a, 2), device_like(a, 2), a[4].b);
}

Tensor *compose_new_full(const Arg *a, Tensor **out) {
    (void)out;
    return t_full(arg_as_ints(a[1]), a[2], dtype_like(a, 3), device_like(a, 3), a[5].b);
}

Tensor *compose_new_empty_strided(const Arg *a, Tensor **out) {
    (void)out;
    return strided("new_empty_strided", arg_as_ints(a[1]), arg_as_ints(a[2]), dtype_like(a, 3),
                   device_like(a, 3), a[5].b);
}
