/* Gradients of the Fourier transforms: each is linear, and its adjoint is another of them. */
#include "autograd/back.h"

Tensor *grad_fourier(Back *n, int i, Tensor *g) {
    (void)i;
    return t_fourier(g, ARG(1).i, !ARG(2).b, ARG(3).f);
}

/* What the numbers of g along dim count of a half that stands for n of them: 1 where one stands
 * for itself (the first, and of an even n the last), inner where it stands for two. g has the shape
 * of that half. */
static Tensor *weighted(Tensor *g, int64_t dim, int64_t n, double inner) {
    if (!g) {
        return NULL;
    }
    int dtype = dtype_real_of(g->dtype);
    Tensor *weight = t_full(INTS(n / 2 + 1), arg_float(inner), dtype, g->device, false);
    Tensor *edge = t_ones(INTS(1), dtype, g->device, false);
    weight = t_slice_scatter(weight, edge, 0, 0, 0, 1);
    weight = n % 2 == 0 ? t_slice_scatter(weight, edge, 0, -1, -1, 1) : weight;
    int64_t shape[MAX_DIMS];
    for (int d = 0; d < g->dim; d++) {
        shape[d] = d == dim ? n / 2 + 1 : 1;
    }
    return t_mul(g, t_reshape(weight, (Ints){shape, g->dim}));
}

Tensor *grad_fourier_real(Back *n, int i, Tensor *g) {
    int64_t dim = ARG(1).i, size = SHAPE(i).v[dim];
    return t_fourier_to_real(weighted(g, dim, size, 0.5), size, dim, ARG(2).f);
}

Tensor *grad_fourier_to_real(Back *n, int i, Tensor *g) {
    (void)i;
    int64_t dim = ARG(2).i;
    return weighted(t_fourier_real(g, dim, ARG(3).f), dim, ARG(1).i, 2);
}
