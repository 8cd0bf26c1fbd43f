/* Gradients of convolution and pooling. conv2d is linear in its input and in its weight, so the
 * gradients of conv2d and of its two gradients are these three ops again. */
#include "autograd/back.h"

static Tensor *conv(Back *n, Tensor *input, Tensor *weight) {
    return t_conv2d(input, weight, NULL, arg_as_ints(ARG(3)), arg_as_ints(ARG(4)),
                    arg_as_ints(ARG(5)), ARG(6).i);
}

static Tensor *input_grad(Back *n, Tensor *grad, Tensor *weight, Ints input) {
    return t_conv2d_input_grad(grad, weight, input, arg_as_ints(ARG(3)), arg_as_ints(ARG(4)),
                               arg_as_ints(ARG(5)), ARG(6).i);
}

static Tensor *weight_grad(Back *n, Tensor *grad, Tensor *input, Ints weight) {
    return t_conv2d_weight_grad(grad, input, weight, arg_as_ints(ARG(3)), arg_as_ints(ARG(4)),
                                arg_as_ints(ARG(5)), ARG(6).i);
}

Tensor *grad_conv2d(Back *n, int i, Tensor *g) {
    switch (i) {
    case 0: return input_grad(n, g, IN(1), SHAPE(0));
    case 1: return weight_grad(n, g, IN(0), SHAPE(1));
    default: return t_sum(g, SHAPE(0).n == 4 ? INTS(0, 2, 3) : INTS(1, 2), false, DT_NONE);
    }
}

Tensor *grad_conv2d_input_grad(Back *n, int i, Tensor *g) {
    return i == 0 ? conv(n, g, IN(1)) : weight_grad(n, IN(0), g, SHAPE(1));
}

Tensor *grad_conv2d_weight_grad(Back *n, int i, Tensor *g) {
    return i == 0 ? conv(n, IN(1), g) : input_grad(n, IN(0), g, SHAPE(1));
}

Tensor *grad_max_pool2d_with_indices(Back *n, int i, Tensor *g) {
    return t_max_pool2d_backward(g, OUT(1), SHAPE(i));
}

Tensor *grad_max_pool2d_backward(Back *n, int i, Tensor *g) {
    if (i == 1) {
        return NULL;
    }
    Tensor *planes = t_flatten(g, -2, -1), *positions = t_flatten(IN(1), -2, -1);
    return t_reshape(t_gather(planes, -1, positions), SHAPE(0));
}

Tensor *grad_avg_pool2d(Back *n, int i, Tensor *g) {
    return t_avg_pool2d_backward(g, SHAPE(i), arg_as_ints(ARG(1)), arg_as_ints(ARG(2)),
                                 arg_as_ints(ARG(3)), ARG(4).b, ARG(5).b, ARG(6));
}

Tensor *grad_avg_pool2d_backward(Back *n, int i, Tensor *g) {
    (void)i;
    return t_avg_pool2d(g, arg_as_ints(ARG(2)), arg_as_ints(ARG(3)), arg_as_ints(ARG(4)), ARG(5).b,
                        ARG(6).b, ARG(7));
}
