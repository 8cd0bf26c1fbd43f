/* Gradients of the views that windows give. */
#include "autograd/back.h"

/* Every entry gets the gradients of all windows that show it. g is (..., windows, ..., size). */
Tensor *grad_unfold(Back *n, int i, Tensor *g) {
    (void)i;
    Ints shape = SHAPE(0);
    int64_t dim = ARG(1).i, size = ARG(2).i, step = ARG(3).i;
    if (!g || shape.n == 0) {
        return size ? t_reshape(g, shape) : g ? t_zeros(shape, g->dtype, g->device, false) : NULL;
    }
    int64_t windows = g->shape[dim], order[MAX_DIMS], flat[MAX_DIMS], all = -1;
    for (int k = 0, at = 0; k < shape.n; k++) {
        order[at++] = k;
        if (k == dim) {
            order[at++] = shape.n;
        }
        flat[k] = k == dim ? windows * size : shape.v[k];
    }
    Tensor *entries = t_reshape(t_permute(g, (Ints){order, shape.n + 1}), (Ints){flat, shape.n});
    Tensor *position = t_arange(arg_int(shape.v[dim]), DT_INT64, g->device, false);
    position = t_reshape(t_unfold(position, 0, size, step), ints_one(&all));
    return t_index_add(t_zeros(shape, g->dtype, g->device, false), dim, position, entries);
}

Tensor *grad_view__dtype(Back *n, int i, Tensor *g) {
    if (g->dtype != back_dtype(n, i)) {
        return fail_null("view: is not differentiable where it gives another dtype");
    }
    return g;
}
