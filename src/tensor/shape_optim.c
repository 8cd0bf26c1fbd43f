/* Checks of the optimiser steps. They have no output of their own: param is given back. */
#include "tensor/op.h"

/* All tensors given must have param's shape; params are the first of the signature. */
static bool infer_step(Call *c) {
    const Tensor *param = c->in[0];
    for (int i = 1; i < c->n_in; i++) {
        if (c->in[i] && !tensor_same_shape(c->in[i], param)) {
            return fail("%s: %s must have param's shape %s, got %s", c->op->public_name,
                        c->op->params[i].name, shape_text(tensor_shape(param)),
                        shape_text(tensor_shape(c->in[i])));
        }
    }
    spec_set(&c->spec[0], c->dtype, tensor_shape(param));
    return true;
}

bool infer_amp_unscale(Call *c) {
    for (int i = 1; i < c->n_in; i++) {
        if (!dtype_is_float(c->in[i]->dtype)) {
            return fail("%s: entry %d of grads must be a tensor of floats, got %s",
                        c->op->public_name, i, dtype_name(c->in[i]->dtype));
        }
    }
    if (c->in[0]->numel != 1) {
        return fail("%s: found_inf must have one element, got shape %s", c->op->public_name,
                    shape_text(tensor_shape(c->in[0])));
    }
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[0]));
    return true;
}

bool infer_sgd_step(Call *c) {
    if (c->arg[4].f != 0 && !c->in[2]) {
        return fail("%s: momentum_buffer is needed for momentum %g", c->op->public_name,
                    c->arg[4].f);
    }
    return infer_step(c);
}

bool infer_adam_step(Call *c) {
    if (c->arg[5].i < 1) {
        return fail("%s: step counts from 1, got %lld", c->op->public_name, (long long)c->arg[5].i);
    }
    return infer_step(c);
}
