/* Operators that make tensors, made of others. */
#include "autograd/tape.h"
#include "tensor/number.h"
#include "tensor/op.h"

/* What a tensor like input is made with: sizes from the outermost dim in memory to the innermost,
 * and dtype and device where arguments dtype and dtype + 1 do not say otherwise. */
typedef struct Like {
    int64_t size[MAX_DIMS], place[MAX_DIMS]; /* place: where each dim of input is among them */
    Ints shape;
    int dtype;
    Device device;
    bool turned; /* the sizes are not in input's order */
} Like;

/* Elementwise results have the memory order of their operands. So has what is made beside them, or
 * walks over both would cross. */
static void order_like(Like *k, const Tensor *input) {
    int order[MAX_DIMS];
    for (int i = 0; i < input->dim; i++) {
        int at = i;
        for (; at > 0 && input->stride[order[at - 1]] < input->stride[i]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
    for (int at = 0; at < input->dim; at++) {
        k->size[at] = input->shape[order[at]];
        k->place[order[at]] = at;
    }
    k->shape.v = k->size;
}

static void like(Like *k, const Arg *a, int dtype) {
    const Tensor *input = a[0].t;
    k->shape = tensor_shape(input);
    k->dtype = a[dtype].kind == ARG_NONE ? input->dtype : (int)a[dtype].i;
    k->device = a[dtype + 1].kind == ARG_NONE ? input->device : device_of_arg(a[dtype + 1]);
    k->turned = !tensor_is_contiguous(input) && tensor_is_dense(input);
    if (k->turned) {
        order_like(k, input);
    }
}

/* made with input's dims, and no view of anything; a leaf where that is asked for. */
static Tensor *finish_like(const Like *k, Tensor *made, bool requires_grad) {
    if (k->turned) {
        bool recording = modes.recording;
        modes.recording = false;
        made = t_permute(made, (Ints){k->place, k->shape.n});
        modes.recording = recording;
    }
    return made && (!requires_grad || tensor_set_requires_grad(made, true)) ? made : NULL;
}

Tensor *compose_zeros_like(const Arg *a, Tensor **out) {
    (void)out;
    Like k;
    like(&k, a, 1);
    return finish_like(&k, t_zeros(k.shape, k.dtype, k.device, false), a[3].b);
}

Tensor *compose_ones_like(const Arg *a, Tensor **out) {
    (void)out;
    Like k;
    like(&k, a, 1);
    return finish_like(&k, t_ones(k.shape, k.dtype, k.device, false), a[3].b);
}

Tensor *compose_empty_like(const Arg *a, Tensor **out) {
    (void)out;
    Like k;
    like(&k, a, 1);
    return finish_like(&k, t_empty(k.shape, k.dtype, k.device, false), a[3].b);
}

Tensor *compose_full_like(const Arg *a, Tensor **out) {
    (void)out;
    Like k;
    like(&k, a, 2);
    return finish_like(&k, t_full(k.shape, a[1], k.dtype, k.device, false), a[4].b);
}

Tensor *compose_rand_like(const Arg *a, Tensor **out) {
    (void)out;
    Like k;
    like(&k, a, 1);
    Generator *g = generator_of_arg(a[3]);
    return finish_like(&k, t_rand(k.shape, k.dtype, k.device, g, false), a[4].b);
}

Tensor *compose_randn_like(const Arg *a, Tensor **out) {
    (void)out;
    Like k;
    like(&k, a, 1);
    Generator *g = generator_of_arg(a[3]);
    return finish_like(&k, t_randn(k.shape, k.dtype, k.device, g, false), a[4].b);
}

Tensor *compose_randint_like(const Arg *a, Tensor **out) {
    (void)out;
    Like k;
    like(&k, a, 3);
    Generator *g = generator_of_arg(a[5]);
    Tensor *made = t_randint__range(a[1].i, a[2].i, k.shape, k.dtype, k.device, g, false);
    return finish_like(&k, made, a[6].b);
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
