/* Gradients of looking images up. S(o), the derivative of order o of the sampler by the places, is
 * linear in the image; with its transposed map and the sum over channels of grad times its
 * derivatives, all further derivatives are these three again, of higher orders. */
#include "autograd/back.h"

/* The arguments from mode on, at position at. */
#define HOW(at) ARG(at).s, ARG((at) + 1).s, ARG((at) + 2).b

Tensor *grad_grid_sampler(Back *n, int i, Tensor *g) {
    Ints order = arg_as_ints(ARG(5));
    return i == 0 ? t_grid_sampler_input_grad(g, IN(1), SHAPE(0), HOW(2), order)
                  : t_grid_sampler_grid_grad(g, IN(0), IN(1), HOW(2), order);
}

Tensor *grad_grid_sampler_input_grad(Back *n, int i, Tensor *g) {
    Ints order = arg_as_ints(ARG(6));
    return i == 0 ? t_grid_sampler(g, IN(1), HOW(3), order)
                  : t_grid_sampler_grid_grad(IN(0), g, IN(1), HOW(3), order);
}

/* Order one higher along an axis; all has room for three. */
static Ints raised(Arg order, int dims, int axis, int64_t *all) {
    for (int a = 0; a < dims; a++) {
        all[a] = order.ints[order.count == 1 ? 0 : a] + (a == axis);
    }
    return (Ints){all, dims};
}

/* The sum over the axes of what each adds to the gradient of argument i; g is that of the result,
 * which has an entry for each axis in its last dim. */
Tensor *grad_grid_sampler_grid_grad(Back *n, int i, Tensor *g) {
    Tensor *sum = NULL;
    int dims = SHAPE(1).n - 2;
    for (int a = 0; a < dims; a++) {
        int64_t all[3];
        Ints order = raised(ARG(6), dims, a, all);
        Tensor *part, *share = t_unsqueeze(t_select(g, -1, a), 1);
        switch (i) {
        case 0: part = t_mul(share, t_grid_sampler(IN(1), IN(2), HOW(3), order)); break;
        case 1:
            part = t_grid_sampler_input_grad(t_mul(share, IN(0)), IN(2), SHAPE(1), HOW(3), order);
            break;
        default: part = t_grid_sampler_grid_grad(t_mul(share, IN(0)), IN(1), IN(2), HOW(3), order);
        }
        sum = a == 0 ? part : t_add(sum, part);
    }
    return sum;
}
