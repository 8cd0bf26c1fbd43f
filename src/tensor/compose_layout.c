/* Views under other names, and copies with a part replaced. */
#include <string.h>

#include "base/memory.h"
#include "tensor/compose_error.h"

Tensor *compose_unflatten(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t;
    int64_t dim = a[1].i, known = 1, shape[2 * MAX_DIMS];
    Ints sizes = arg_as_ints(a[2]);
    int n = 0, unknown = -1;
    if (t->dim == 0 || sizes.n == 0) {
        return fail_null("unflatten: input must have dims and sizes name at least one size, got "
                         "shape %s and %d sizes",
                         shape_text(tensor_shape(t)), sizes.n);
    }
    for (int i = 0; i < t->dim; i++) {
        if (i != dim) {
            shape[n++] = t->shape[i];
            continue;
        }
        for (int k = 0; k < sizes.n; k++) {
            unknown = sizes.v[k] == -1 && unknown < 0 ? n : unknown;
            shape[n++] = sizes.v[k];
        }
    }
    bool fits = n <= MAX_DIMS;
    for (int k = 0; k < sizes.n && fits; k++) {
        bool worked_out = sizes.v[k] == -1 && unknown == dim + k;
        fits =
            worked_out || (sizes.v[k] >= 0 && !__builtin_mul_overflow(known, sizes.v[k], &known));
    }
    if (fits && unknown >= 0 && known > 0 && t->shape[dim] % known == 0) {
        shape[unknown] = t->shape[dim] / known;
        known = t->shape[dim];
    }
    if (!fits || known != t->shape[dim]) {
        return fail_null("unflatten: sizes %s must have the product %lld, the size of dim %d, and "
                         "leave at most %d dims",
                         shape_text(sizes), (long long)t->shape[dim], (int)dim + 1, MAX_DIMS);
    }
    return t_view(t, (Ints){shape, n});
}

Tensor *compose_view_as(const Arg *a, Tensor **out) {
    (void)out;
    return t_view(a[0].t, tensor_shape(a[1].t));
}

Tensor *compose_reshape_as(const Arg *a, Tensor **out) {
    (void)out;
    return t_reshape(a[0].t, tensor_shape(a[1].t));
}

Tensor *compose_expand_as(const Arg *a, Tensor **out) {
    (void)out;
    return t_expand(a[0].t, tensor_shape(a[1].t));
}

Tensor *compose_type_as(const Arg *a, Tensor **out) {
    (void)out;
    return t_to(a[0].t, a[1].t->dtype, a[1].t->device, false, false);
}

Tensor *compose_broadcast_to(const Arg *a, Tensor **out) {
    (void)out;
    return t_expand(a[0].t, arg_as_ints(a[1]));
}

Tensor *compose_ravel(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = t_contiguous(a[0].t);
    return t && t->dim != 1 ? t_view(t, ints_one(&t->numel)) : t;
}

Tensor *compose_atleast_1d(const Arg *a, Tensor **out) {
    (void)out;
    return a[0].t->dim ? a[0].t : t_unsqueeze(a[0].t, 0);
}

Tensor *compose_atleast_2d(const Arg *a, Tensor **out) {
    Tensor *t = compose_atleast_1d(a, out);
    return t && t->dim == 1 ? t_unsqueeze(t, 0) : t;
}

Tensor *compose_atleast_3d(const Arg *a, Tensor **out) {
    Tensor *t = compose_atleast_2d(a, out);
    return t && t->dim == 2 ? t_unsqueeze(t, 2) : t;
}

Tensor *compose_adjoint(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t;
    if (t->dim < 2) {
        return fail_null("adjoint: input must have at least 2 dims, got shape %s",
                         shape_text(tensor_shape(t)));
    }
    return t_conj(t_transpose(t, t->dim - 2, t->dim - 1));
}

Tensor *compose_narrow_copy(const Arg *a, Tensor **out) {
    (void)out;
    return t_clone(t_narrow(a[0].t, a[1].i, a[2].i, a[3].i));
}

/* A copy of t in which the window of copy holds src. window is a view of copy. */
static Tensor *with_window(const char *name, Tensor *copy, Tensor *window, Tensor *src) {
    if (!window) {
        return NULL;
    }
    if (!tensor_same_shape(window, src) || src->dtype != copy->dtype) {
        return fail_null("%s: src must be %s of shape %s, got %s of shape %s", name,
                         dtype_name(copy->dtype), shape_text(tensor_shape(window)),
                         dtype_name(src->dtype), shape_text(tensor_shape(src)));
    }
    return t_copy_(window, src, false) ? copy : NULL;
}

Tensor *compose_select_scatter(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *copy = t_clone(a[0].t), *window = t_select(copy, a[2].i, a[3].i);
    return with_window("select_scatter", copy, window, a[1].t);
}

Tensor *compose_diagonal_scatter(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *copy = t_clone(a[0].t), *window = t_diagonal(copy, a[2].i, a[3].i, a[4].i);
    return with_window("diagonal_scatter", copy, window, a[1].t);
}

/* The diagonal of a contiguous t as a view; wrapped around in a tall matrix. */
static Tensor *long_diagonal(Tensor *t, bool wrap) {
    int64_t size = t->shape[0], step = 0;
    for (int d = 0; d < t->dim; d++) {
        size = t->shape[d] < size ? t->shape[d] : size;
        step += t->stride[d];
    }
    if (wrap && t->dim == 2 && t->numel) {
        size = (t->numel - 1) / step + 1;
    }
    return t_as_strided(t, ints_one(&size), ints_one(&step), arg_none());
}

Tensor *compose_fill_diagonal(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *t = a[0].t;
    bool even = t->dim >= 2;
    for (int d = 1; t->dim > 2 && d < t->dim; d++) {
        even &= t->shape[d] == t->shape[0];
    }
    if (!even) {
        return fail_null("fill_diagonal: input must have at least 2 dims, and more than 2 must be "
                         "of one size, got shape %s",
                         shape_text(tensor_shape(t)));
    }
    int64_t stride[MAX_DIMS];
    shape_contiguous_strides(tensor_shape(t), stride);
    Tensor *copy = t_as_strided_like(t, tensor_shape(t), (Ints){stride, t->dim});
    Tensor *diagonal = copy ? long_diagonal(copy, a[2].b) : NULL;
    return t_fill_(diagonal, a[1]) ? copy : NULL;
}

Tensor *compose_diagflat(const Arg *a, Tensor **out) {
    (void)out;
    return t_diag_embed(t_reshape(a[0].t, INTS(-1)), a[1].i, 0, 1);
}

/* A block between so many columns of zeros. */
static Tensor *widened(Tensor *block, int64_t before, int64_t behind) {
    if (!block) {
        return NULL;
    }
    int64_t rows = block->shape[0];
    Tensor *all[] = {t_zeros(INTS(rows, before), block->dtype, block->device, false), block,
                     t_zeros(INTS(rows, behind), block->dtype, block->device, false)};
    return t_cat((TensorList){all, 3}, 1);
}

static Tensor *join_blocks(Tensor *const *tensors, Tensor **block, int n) {
    int64_t width = 0, at = 0;
    for (int i = 0; i < n; i++) {
        if (tensors[i]->dim > 2) {
            return fail_null("block_diag: tensors must have at most 2 dims, tensor %d has shape %s",
                             i + 1, shape_text(tensor_shape(tensors[i])));
        }
        block[i] = t_atleast_2d(tensors[i]);
        if (!block[i] || __builtin_add_overflow(width, block[i]->shape[1], &width)) {
            return fail_null("block_diag: the result would be too large");
        }
    }
    for (int i = 0; i < n; i++) {
        int64_t own = block[i]->shape[1];
        block[i] = widened(block[i], at, width - at - own);
        if (!block[i]) {
            return NULL;
        }
        at += own;
    }
    return t_cat((TensorList){block, n}, 0);
}

Tensor *compose_block_diag(const Arg *a, Tensor **out) {
    (void)out;
    int n = a[0].count;
    size_t bytes = (size_t)n * sizeof(Tensor *);
    if (n == 0) {
        return fail_null("block_diag: tensors must hold at least one tensor");
    }
    Tensor **block = mem_alloc(bytes);
    Tensor *result = block ? join_blocks(a[0].ts, block, n) : NULL;
    mem_free(block, bytes);
    return result;
}
