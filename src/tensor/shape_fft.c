/* Shapes of the Fourier transforms that have kernels. */
#include "tensor/op.h"

bool infer_fourier(Call *c) {
    const Tensor *t = c->in[0];
    if (t->dim == 0) {
        return fail("%s: input must have at least one dim, got a scalar", c->op->public_name);
    }
    spec_set(&c->spec[0], c->dtype, tensor_shape(t));
    return true;
}

bool infer_fourier_real(Call *c) {
    const Tensor *t = c->in[0];
    int64_t dim = c->arg[1].i, n = t->dim ? t->shape[dim] : 0;
    if (n == 0) {
        return fail("%s: input must have numbers along dim, got shape %s", c->op->public_name,
                    shape_text(tensor_shape(t)));
    }
    spec_set(&c->spec[0], dtype_complex_of(c->dtype), tensor_shape(t));
    c->spec[0].shape[dim] = n / 2 + 1;
    return true;
}

bool infer_fourier_to_real(Call *c) {
    const Tensor *t = c->in[0];
    int64_t n = c->arg[1].i, dim = c->arg[2].i;
    if (n <= 0 || t->dim == 0 || t->shape[dim] != n / 2 + 1) {
        return fail("%s: input must have n / 2 + 1 numbers along dim, got n = %lld and shape %s",
                    c->op->public_name, (long long)n, shape_text(tensor_shape(t)));
    }
    spec_set(&c->spec[0], dtype_real_of(c->dtype), tensor_shape(t));
    c->spec[0].shape[dim] = n;
    return true;
}
