/* Gradients of resampling, a linear map, and of its transposed map. */
#include "autograd/back.h"

Tensor *grad_resample(Back *n, int i, Tensor *g) {
    return t_resample_backward(g, SHAPE(i), ARG(2).s, ARG(3).b, ARG(4).b, arg_as_floats(ARG(5)));
}

Tensor *grad_resample_backward(Back *n, int i, Tensor *g) {
    Ints size = SHAPE(i);
    return t_resample(g, (Ints){size.v + 2, size.n - 2}, ARG(2).s, ARG(3).b, ARG(4).b,
                      arg_as_floats(ARG(5)));
}
