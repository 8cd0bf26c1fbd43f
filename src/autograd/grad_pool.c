/* Gradients of pooling. */
#include "autograd/back.h"

Tensor *grad_max_pool(Back *n, int i, Tensor *g) {
    return t_max_pool_backward(g, OUT(1), SHAPE(i), ARG(1).count);
}

Tensor *grad_max_pool_backward(Back *n, int i, Tensor *g) {
    if (i == 1) {
        return NULL;
    }
    int64_t first = -ARG(3).i;
    Tensor *images = t_flatten(g, first, -1), *positions = t_flatten(IN(1), first, -1);
    return t_reshape(t_gather(images, -1, positions), SHAPE(0));
}

Tensor *grad_avg_pool(Back *n, int i, Tensor *g) {
    return t_avg_pool_backward(g, SHAPE(i), arg_as_ints(ARG(1)), arg_as_ints(ARG(2)),
                               arg_as_ints(ARG(3)), ARG(4).b, ARG(5).b, ARG(6));
}

Tensor *grad_avg_pool_backward(Back *n, int i, Tensor *g) {
    (void)i;
    return t_avg_pool(g, arg_as_ints(ARG(2)), arg_as_ints(ARG(3)), arg_as_ints(ARG(4)), ARG(5).b,
                      ARG(6).b, ARG(7));
}

/* The samples only say where windows lie. */
Tensor *grad_fractional_max_pool(Back *n, int i, Tensor *g) {
    return i == 0 ? grad_max_pool(n, i, g) : NULL;
}
