/* Gradients of convolution. It is linear in its input and in its weight, so the gradients of a
 * convolution and of its two gradients are these three ops again. */
#include "autograd/back.h"

static Tensor *conv(Back *n, Tensor *input, Tensor *weight) {
    Ints stride = arg_as_ints(ARG(3)), padding = arg_as_ints(ARG(4)),
         dilation = arg_as_ints(ARG(5));
    int64_t groups = ARG(6).i;
    switch (weight ? weight->dim : 0) {
    case 3: return t_conv1d(input, weight, NULL, stride, padding, dilation, groups);
    case 4: return t_conv2d(input, weight, NULL, stride, padding, dilation, groups);
    default: return t_conv3d(input, weight, NULL, stride, padding, dilation, groups);
    }
}

static Tensor *input_grad(Back *n, Tensor *grad, Tensor *weight, Ints input) {
    return t_conv_input_grad(grad, weight, input, arg_as_ints(ARG(3)), arg_as_ints(ARG(4)),
                             arg_as_ints(ARG(5)), ARG(6).i);
}

static Tensor *weight_grad(Back *n, Tensor *grad, Tensor *input, Ints weight) {
    return t_conv_weight_grad(grad, input, weight, arg_as_ints(ARG(3)), arg_as_ints(ARG(4)),
                              arg_as_ints(ARG(5)), ARG(6).i);
}

/* The sum over all but the channels. */
static Tensor *bias_grad(Tensor *g, int dims) {
    int64_t dim[MAX_DIMS];
    int n = 0;
    for (int d = 0; g && d < g->dim; d++) {
        if (d != g->dim - dims - 1) {
            dim[n++] = d;
        }
    }
    return t_sum(g, (Ints){dim, n}, false, DT_NONE);
}

Tensor *grad_conv(Back *n, int i, Tensor *g) {
    switch (i) {
    case 0: return input_grad(n, g, IN(1), SHAPE(0));
    case 1: return weight_grad(n, g, IN(0), SHAPE(1));
    default: return bias_grad(g, SHAPE(1).n - 2);
    }
}

Tensor *grad_conv_relu(Back *n, int i, Tensor *g) {
    if (!n->memo[0]) {
        n->memo[0] = t_relu_backward(g, OUT(0));
    }
    return n->memo[0] ? grad_conv(n, i, n->memo[0]) : NULL;
}

Tensor *grad_conv_input_grad(Back *n, int i, Tensor *g) {
    return i == 0 ? conv(n, g, IN(1)) : weight_grad(n, IN(0), g, SHAPE(1));
}

Tensor *grad_conv_weight_grad(Back *n, int i, Tensor *g) {
    return i == 0 ? conv(n, IN(1), g) : input_grad(n, IN(0), g, SHAPE(1));
}
