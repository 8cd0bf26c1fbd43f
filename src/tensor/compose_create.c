/* Operators that make tensors, made of others. */
#include "autograd/tape.h"
#include "tensor/number.h"
#include "tensor/op.h"

/* Shape, dtype and device of a tensor like input, where arguments a and a + 1 do not say
 * otherwise. */
typedef struct Like {
    Ints shape;
    int dtype;
    Device device;
} Like;

static Like like(const Arg *a, int dtype) {
    const Tensor *input = a[0].t;
    return (Like){.shape = tensor_shape(input),
                  .dtype = a[dtype].kind == ARG_NONE ? input->dtype : (int)a[dtype].i,
                  .device =
                      a[dtype + 1].kind == ARG_NONE ? input->device : device_of_arg(a[dtype + 1])};
}

Tensor *compose_zeros_like(const Arg *a, Tensor **out) {
    (void)out;
    Like k = like(a, 1);
    return t_zeros(k.shape, k.dtype, k.device, a[3].b);
}

Tensor *compose_ones_like(const Arg *a, Tensor **out) {
    (void)out;
    Like k = like(a, 1);
    return t_ones(k.shape, k.dtype, k.device, a[3].b);
}

Tensor *compose_empty_like(const Arg *a, Tensor **out) {
    (void)out;
    Like k = like(a, 1);
    return t_empty(k.shape, k.dtype, k.device, a[3].b);
}

Tensor *compose_full_like(const Arg *a, Tensor **out) {
    (void)out;
    Like k = like(a, 2);
    return t_full(k.shape, a[1], k.dtype, k.device, a[4].b);
}

Tensor *compose_rand_like(const Arg *a, Tensor **out) {
    (void)out;
    Like k = like(a, 1);
    return t_rand(k.shape, k.dtype, k.device, generator_of_arg(a[3]), a[4].b);
}

Tensor *compose_randn_like(const Arg *a, Tensor **out) {
    (void)out;
    Like k = like(a, 1);
    return t_randn(k.shape, k.dtype, k.device, generator_of_arg(a[3]), a[4].b);
}

Tensor *compose_randint_like(const Arg *a, Tensor **out) {
    (void)out;
    Like k = like(a, 3);
    return t_randint__range(a[1].i, a[2].i, k.shape, k.dtype, k.device, generator_of_arg(a[5]),
                            a[6].b);
}

Tensor *compose_dropout(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *input = a[0].t;
    double p = a[1].f;
    if (!(p >= 0 && p <= 1)) {
        return fail_null("dropout: p must be in [0, 1], got %g", p);
    }
    if (!a[2].b || p == 0) {
        return input;
    }
    Tensor *plain = t_real(tensor_detach(input));
    return plain ? t_mul(input, t_dropout_mask(plain, p)) : NULL;
}
