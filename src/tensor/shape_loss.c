/* Output shapes of the losses. */
#include <string.h>

#include "tensor/loss.h"

Reduction loss_reduction(const char *op, const char *name) {
    static const char *const names[] = {"none", "mean", "sum"};
    for (int i = 0; i < REDUCTION_BAD; i++) {
        if (strcmp(name, names[i]) == 0) {
            return (Reduction)i;
        }
    }
    fail("%s: reduction must be \"none\", \"mean\" or \"sum\", got \"%s\"", op, name);
    return REDUCTION_BAD;
}

/* Whether labels and weight fit an input of that shape, (N, C), (C) or (N, C, d1, ...). */
static bool check_labels(const Call *c, Ints input, const Tensor *target, const Tensor *weight) {
    const char *name = c->op->public_name;
    int64_t shape[MAX_DIMS];
    int dim = 0, class_dim = input.n > 1;
    if (input.n == 0) {
        return fail("%s: input must be (N, C), (C) or (N, C, d1, ...), got a scalar", name);
    }
    for (int d = 0; d < input.n; d++) {
        if (d != class_dim) {
            shape[dim++] = input.v[d];
        }
    }
    if (target->dim != dim || memcmp(shape, target->shape, (size_t)dim * sizeof *shape) != 0) {
        return fail("%s: for an input of shape %s target must have shape %s, got %s", name,
                    shape_text(input), shape_text((Ints){shape, dim}),
                    shape_text(tensor_shape(target)));
    }
    if (weight && (weight->dim != 1 || weight->shape[0] != input.v[class_dim])) {
        return fail("%s: weight must have one entry for each of the %lld classes, got shape %s",
                    name, (long long)input.v[class_dim], shape_text(tensor_shape(weight)));
    }
    return true;
}

bool infer_nll_loss(Call *c) {
    const Tensor *input = c->in[0], *target = c->in[1];
    Reduction r = loss_reduction(c->op->public_name, c->arg[4].s);
    Ints shape = tensor_shape(target);
    spec_set(&c->spec[0], c->dtype, r == REDUCTION_NONE ? shape : (Ints){shape.v, 0});
    return r != REDUCTION_BAD && check_labels(c, tensor_shape(input), target, c->in[2]);
}

bool infer_nll_loss_backward(Call *c) {
    const Tensor *grad = c->in[0], *target = c->in[1];
    Ints size = arg_as_ints(c->arg[3]);
    Reduction r = loss_reduction(c->op->public_name, c->arg[5].s);
    if (r == REDUCTION_BAD || !check_labels(c, size, target, c->in[2])) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, size);
    bool ok = r == REDUCTION_NONE ? tensor_same_shape(grad, target) : grad->dim == 0;
    return ok || fail("%s: grad must have the shape of nll_loss's result, got %s",
                      c->op->public_name, shape_text(tensor_shape(grad)));
}
