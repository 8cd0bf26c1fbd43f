/* Gradients of taking images apart into patches and of the reverse: each is the other. */
#include "autograd/back.h"

Tensor *grad_im2col(Back *n, int i, Tensor *g) {
    Ints shape = SHAPE(i);
    return t_col2im(g, (Ints){shape.v + shape.n - 2, 2}, arg_as_ints(ARG(1)), arg_as_ints(ARG(2)),
                    arg_as_ints(ARG(3)), arg_as_ints(ARG(4)));
}

Tensor *grad_col2im(Back *n, int i, Tensor *g) {
    (void)i;
    return t_im2col(g, arg_as_ints(ARG(2)), arg_as_ints(ARG(3)), arg_as_ints(ARG(4)),
                    arg_as_ints(ARG(5)));
}
