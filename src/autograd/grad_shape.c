/* Gradients of views, and of what joins and moves tensors. */
#include "autograd/back.h"

Tensor *grad_view(Back *n, int i, Tensor *g) { return t_reshape(g, SHAPE(i)); }

Tensor *grad_transpose(Back *n, int i, Tensor *g) {
    (void)i;
    return t_transpose(g, ARG(1).i, ARG(2).i);
}

Tensor *grad_t(Back *n, int i, Tensor *g) {
    (void)n;
    (void)i;
    return t_t(g);
}

Tensor *grad_permute(Back *n, int i, Tensor *g) {
    (void)i;
    int64_t inverse[MAX_DIMS];
    for (int k = 0; k < ARG(1).count; k++) {
        inverse[ARG(1).ints[k]] = k;
    }
    return t_permute(g, (Ints){inverse, ARG(1).count});
}

/* Zeros of the input's shape with g in the entries first, first + step, ... along dim. */
static Tensor *placed(Back *n, Tensor *g, int64_t dim, int64_t first, int64_t length,
                      int64_t step) {
    Tensor *zeros = g ? t_zeros(SHAPE(0), g->dtype, g->device, false) : NULL;
    if (length == 0) {
        return zeros;
    }
    return t_slice_scatter(zeros, g, dim, first, first + (length - 1) * step, step);
}

Tensor *grad_narrow(Back *n, int i, Tensor *g) {
    (void)i;
    int64_t size = SHAPE(0).v[ARG(1).i], first = ARG(2).i;
    return placed(n, g, ARG(1).i, first < 0 ? first + size : first, ARG(3).i, 1);
}

Tensor *grad_slice(Back *n, int i, Tensor *g) {
    (void)i;
    int64_t dim = ARG(1).i, size = SHAPE(0).v[dim], first = ARG(2).i;
    return placed(n, g, dim, first < 0 ? first + size : first, g->shape[dim], ARG(4).i);
}

Tensor *grad_select(Back *n, int i, Tensor *g) {
    (void)i;
    int64_t dim = ARG(1).i, size = SHAPE(0).v[dim], at = ARG(2).i;
    return placed(n, t_unsqueeze(g, dim), dim, at < 0 ? at + size : at, 1, 1);
}

Tensor *grad_slice_scatter(Back *n, int i, Tensor *g) {
    int64_t dim = ARG(2).i;
    if (i == 1) {
        return t_slice(g, dim, ARG(3).i, ARG(4).i, ARG(5).i);
    }
    return t_slice_scatter(g, t_zeros(SHAPE(1), g->dtype, g->device, false), dim, ARG(3).i,
                           ARG(4).i, ARG(5).i);
}

Tensor *grad_expand(Back *n, int i, Tensor *g) { return t_sum_to_size(g, SHAPE(i)); }

Tensor *grad_squeeze(Back *n, int i, Tensor *g) { return t_reshape(g, SHAPE(i)); }

Tensor *grad_unsqueeze(Back *n, int i, Tensor *g) { return t_reshape(g, SHAPE(i)); }

/* One past the largest position that a geometry reaches. */
static int64_t geometry_end(Ints shape, const int64_t *stride, int64_t offset) {
    int64_t end = offset + 1;
    for (int i = 0; i < shape.n; i++) {
        if (shape.v[i] == 0) {
            return offset;
        }
        end += (shape.v[i] - 1) * stride[i];
    }
    return end;
}

/* The gradient of a window: g is laid into a buffer like the storage, and the input's own geometry
 * is read off it. Elements that the window shows twice get both gradients. */
Tensor *grad_as_strided(Back *n, int i, Tensor *g) {
    (void)i;
    const NodeInput *in = &n->node->in[0];
    Ints size = {ARG(1).ints, ARG(1).count}, stride = {ARG(2).ints, ARG(2).count};
    int64_t offset = ARG(3).kind == ARG_NONE ? in->offset : ARG(3).i;
    int64_t low = offset < in->offset ? offset : in->offset;
    int64_t end = geometry_end(size, stride.v, offset);
    int64_t own_end = geometry_end(SHAPE(0), in->stride, in->offset);
    int64_t extent = (end > own_end ? end : own_end) - low;
    Tensor *buffer = t_zeros(ints_one(&extent), g->dtype, g->device, false);
    Tensor *position = t_arange(arg_int(extent), DT_INT64, g->device, false);
    int64_t all = -1;
    position =
        t_reshape(t_as_strided(position, size, stride, arg_int(offset - low)), ints_one(&all));
    buffer = t_index_add(buffer, 0, position, t_reshape(g, ints_one(&all)));
    return t_as_strided(buffer, SHAPE(0), (Ints){in->stride, in->dim}, arg_int(in->offset - low));
}

Tensor *grad_as_strided_scatter(Back *n, int i, Tensor *g) {
    const NodeInput *in = &n->node->in[0];
    Ints size = {ARG(2).ints, ARG(2).count}, stride = {ARG(3).ints, ARG(3).count};
    /* g stands in storage of its own: bring it into the input's geometry first. */
    Tensor *like = t_as_strided_like(g, SHAPE(0), (Ints){in->stride, in->dim});
    if (i == 1) {
        return t_as_strided(like, size, stride, ARG(4));
    }
    Tensor *zeros = t_zeros(SHAPE(1), g->dtype, g->device, false);
    return t_as_strided_scatter(like, zeros, size, stride, ARG(4).i);
}

Tensor *grad_as_strided_like(Back *n, int i, Tensor *g) {
    (void)n;
    (void)i;
    return g;
}

Tensor *grad_cat(Back *n, int i, Tensor *g) {
    int64_t dim = ARG(1).i, start = 0;
    for (int k = 0; k < i; k++) {
        Ints shape = SHAPE(k);
        /* An empty vector joins anything and takes no part. */
        start += shape.n == g->dim ? shape.v[dim] : 0;
    }
    Ints own = SHAPE(i);
    if (own.n != g->dim) {
        return t_zeros(own, g->dtype, g->device, false);
    }
    return t_narrow(g, dim, start, own.v[dim]);
}
