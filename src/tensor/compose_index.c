/* Indexing that is made of other ops: what depends on how many elements are true. */
#include "tensor/compose_error.h"

/* How many elements are not zero, read back to the host; -1 with an error recorded. */
static int64_t count_nonzero(Tensor *t) {
    Tensor *zero = tensor_number_int(0);
    Tensor *truth = t && t->dtype != DT_BOOL ? t_ne(t, zero) : t;
    Tensor *count = t_sum(truth, NO_INTS, false, DT_NONE);
    if (count && count->device.kind != DEVICE_CPU) {
        count = t_move(count, (Device){DEVICE_CPU, 0});
    }
    return count ? element_get_int(tensor_data(count), count->dtype) : -1;
}

Tensor *compose_nonzero(const Arg *a, Tensor **out) {
    (void)out;
    int64_t count = count_nonzero(a[0].t);
    return count < 0 ? NULL : t_nonzero_static(a[0].t, count, 0);
}

/* Appends t's position vectors (of a mask) or t itself to list. */
static bool append(const char *name, Tensor *t, Tensor **list, int *n) {
    int takes = t && t->dtype == DT_BOOL ? t->dim : 1;
    if (*n + takes > MAX_DIMS) {
        return fail("%s: got indices for more than %d dims", name, MAX_DIMS);
    }
    if (!t || t->dtype != DT_BOOL) {
        list[(*n)++] = t;
        return true;
    }
    if (t->dim == 0) {
        return fail("%s: a mask must have at least one dim, got a scalar", name);
    }
    Tensor *rows = t_nonzero(t);
    for (int k = 0; k < takes; k++) {
        list[*n] = t_select(rows, 1, k);
        if (!list[(*n)++]) {
            return false;
        }
    }
    return true;
}

/* A mask must have the sizes of the dims that it stands for. */
static bool mask_fits(const char *name, const Tensor *input, const Tensor *mask, int d) {
    bool ok = d + mask->dim <= input->dim;
    for (int k = 0; ok && k < mask->dim; k++) {
        ok = input->shape[d + k] == mask->shape[k];
    }
    return ok || fail("%s: a mask of shape %s does not fit onto shape %s, from dim %d on", name,
                      shape_text(tensor_shape(mask)), shape_text(tensor_shape(input)), d + 1);
}

Tensor *compose_index(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *list[MAX_DIMS];
    int n = 0;
    for (int i = 0; i < a[1].count; i++) {
        Tensor *t = a[1].ts[i];
        if (t && t->dtype == DT_BOOL && !mask_fits("index", a[0].t, t, n)) {
            return NULL;
        }
        if (!append("index", t, list, &n)) {
            return NULL;
        }
    }
    Tensor *picked = t_index_take(a[0].t, (TensorList){list, n});
    return picked ? picked : fail_as_caller("index_take", "index");
}

Tensor *compose_masked_select(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *input = a[0].t, *mask = a[1].t;
    int64_t shape[MAX_DIMS];
    if (mask->dtype != DT_BOOL) {
        return fail_null("masked_select: mask must be a bool tensor, got %s; compare first, as in "
                         "x:gt(0)",
                         dtype_name(mask->dtype));
    }
    int dim = shape_broadcast(tensor_shape(input), tensor_shape(mask), shape);
    if (dim < 0) {
        return fail_null("masked_select: shapes %s and %s do not broadcast",
                         shape_text(tensor_shape(input)), shape_text(tensor_shape(mask)));
    }
    if (dim == 0) {
        shape[dim++] = 1;
    }
    Tensor *full = t_expand(mask, (Ints){shape, dim});
    return t_index(t_expand(input, (Ints){shape, dim}), (TensorList){&full, 1});
}
