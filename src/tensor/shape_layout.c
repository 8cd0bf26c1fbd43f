/* Geometry of the views that windows and other dtypes give. */
#include <string.h>

#include "tensor/op.h"

bool infer_unfold(Call *c) {
    const Tensor *t = c->in[0];
    int64_t dim = c->arg[1].i, size = c->arg[2].i, step = c->arg[3].i;
    int64_t have = t->dim ? t->shape[dim] : 1;
    OutSpec *s = &c->spec[0];
    if (size < 0 || size > have || step < 1) {
        return fail("unfold: size must be in [0, %lld], the size of dim %d, and step at least 1, "
                    "got %lld and %lld",
                    (long long)have, (int)dim + 1, (long long)size, (long long)step);
    }
    if (t->dim == MAX_DIMS) {
        return fail("unfold: input must have at most %d dims, got %d", MAX_DIMS - 1, t->dim);
    }
    spec_set(s, t->dtype, tensor_shape(t));
    memcpy(s->stride, t->stride, sizeof s->stride);
    s->strided = true;
    s->offset = t->offset;
    int64_t own = t->dim ? t->stride[dim] : 1, windows = (have - size) / step + 1;
    if (t->dim) {
        s->shape[dim] = windows;
        s->stride[dim] = stride_times(own, step);
    }
    s->shape[s->dim] = size;
    s->stride[s->dim++] = own;
    return shape_numel((Ints){s->shape, s->dim}) >= 0 ||
           fail("unfold: shape %s has too many elements", shape_text((Ints){s->shape, s->dim}));
}

static bool fail_reinterpret(const Call *c, int dtype, const char *what) {
    const Tensor *t = c->in[0];
    return fail("view: %s of shape %s cannot be viewed as %s: %s", dtype_name(t->dtype),
                shape_text(tensor_shape(t)), dtype_name(dtype), what);
}

/* Elements of from bytes seen as ones of to bytes; the last dim takes up the difference. */
static bool reinterpret(Call *c, int dtype, int64_t from, int64_t to) {
    const Tensor *t = c->in[0];
    OutSpec *s = &c->spec[0];
    int last = t->dim - 1;
    if (t->dim == 0 || (t->stride[last] != 1 && t->shape[last] > 1)) {
        return fail_reinterpret(c, dtype, "elements of another size need a last dim of stride 1");
    }
    if (to < from) {
        int64_t times = from / to;
        for (int d = 0; d < last; d++) {
            s->stride[d] = stride_times(s->stride[d], times);
        }
        s->stride[last] = 1;
        s->offset *= times;
        return !__builtin_mul_overflow(s->shape[last], times, &s->shape[last]) ||
               fail_reinterpret(c, dtype, "it would be too large");
    }
    int64_t times = to / from;
    bool even = t->shape[last] % times == 0 && t->offset % times == 0;
    for (int d = 0; d < last; d++) {
        even &= t->stride[d] % times == 0 || t->shape[d] <= 1;
        s->stride[d] /= times;
    }
    s->stride[last] = 1;
    s->shape[last] /= times;
    s->offset /= times;
    return even || fail_reinterpret(c, dtype,
                                    "its last dim, strides and offset must hold whole "
                                    "elements of the new size");
}

bool infer_view__dtype(Call *c) {
    const Tensor *t = c->in[0];
    int dtype = (int)c->arg[1].i;
    int64_t from = (int64_t)dtype_size(t->dtype), to = (int64_t)dtype_size(dtype);
    OutSpec *s = &c->spec[0];
    spec_set(s, dtype, tensor_shape(t));
    memcpy(s->stride, t->stride, sizeof s->stride);
    s->strided = true;
    s->offset = t->offset;
    if (dtype == DT_BOOL && t->dtype != DT_BOOL) {
        return fail_reinterpret(c, dtype, "not every byte is a bool; compare, as in x:ne(0)");
    }
    return (from == to || reinterpret(c, dtype, from, to)) &&
           ((uintptr_t)t->storage->data % (uintptr_t)to == 0 ||
            fail_reinterpret(c, dtype, "its memory does not begin at a multiple of the new size"));
}
