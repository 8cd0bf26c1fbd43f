/* Gradients of the Fourier transforms: each is linear, and its adjoint is another of them. */
#include "autograd/back.h"

Tensor *grad_fourier(Back *n, int i, Tensor *g) {
    (void)i;
    return t_fourier(g, ARG(1).i, !ARG(2).b, ARG(3).f);
}

/* Real numbers of which each half stands for both, but for the first and the last one: edge there,
 * inner between. */
static Tensor *halves_weight(int64_t count, double edge, double inner, const Tensor *like) {
    int dtype = dtype_real_of(like->dtype);
    Tensor *weight = t_full(INTS(count), arg_float(inner), dtype, like->device, false);
    Tensor *end = t_full(INTS(1), arg_float(edge), dtype, like->device, false);
    weight = t_slice_scatter(weight, end, 0, 0, 0, 1);
    return t_slice_scatter(weight, end, 0, -1, -1, 1);
}

Tensor *grad_fourier_real(Back *n, int i, Tensor *g) {
    Ints shape = SHAPE(i);
    if (!g) {
        return NULL;
    }
    int64_t size = shape.v[shape.n - 1];
    Tensor *weight = halves_weight(size / 2 + 1, 1, 0.5, g);
    return t_fourier_to_real(t_mul(g, weight), size, ARG(1).f);
}

Tensor *grad_fourier_to_real(Back *n, int i, Tensor *g) {
    (void)i;
    if (!g) {
        return NULL;
    }
    return t_mul(t_fourier_real(g, ARG(2).f), halves_weight(ARG(1).i / 2 + 1, 1, 2, g));
}
