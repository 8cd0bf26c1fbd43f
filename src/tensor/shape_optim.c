/* Checks of the optimiser steps. They have no output of their own: param is given back. */
#include "tensor/op.h"

/* As many tensors as params in the list that begins at c->in[at], each of its param's shape. */
static bool fits_params(const Call *c, int list, int at) {
    const char *name = c->op->params[list].name;
    int n = c->arg[0].count, count = c->arg[list].count;
    if (count != n) {
        return fail("%s: %s must have as many tensors as params, %d, got %d", c->op->public_name,
                    name, n, count);
    }
    for (int k = 0; k < n; k++) {
        const Tensor *param = c->in[k], *t = c->in[at + k];
        if (!tensor_same_shape(t, param)) {
            return fail("%s: entry %d of %s must have its param's shape %s, got %s",
                        c->op->public_name, k + 1, name, shape_text(tensor_shape(param)),
                        shape_text(tensor_shape(t)));
        }
    }
    return true;
}

static bool fits_steps(const Call *c, Ints steps) {
    int n = c->arg[0].count;
    if (steps.n != 1 && steps.n != n) {
        return fail("%s: steps must be one number or one for each of the %d params, got %d",
                    c->op->public_name, n, steps.n);
    }
    for (int i = 0; i < steps.n; i++) {
        if (steps.v[i] < 1) {
            return fail("%s: steps count from 1, got %lld", c->op->public_name,
                        (long long)steps.v[i]);
        }
    }
    return true;
}

/* The lists of tensors are the first of the signature. */
static bool infer_step(Call *c, Ints steps) {
    int at = c->arg[0].count;
    if (at == 0) {
        return fail("%s: params is empty", c->op->public_name);
    }
    for (int list = 1; c->op->params[list].type == PARAM_TENSORS; list++) {
        bool given = c->arg[list].count > 0 || !c->op->params[list].optional;
        if (given && !fits_params(c, list, at)) {
            return false;
        }
        at += c->arg[list].count;
    }
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[0]));
    return fits_steps(c, steps);
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
    static const int64_t later = 2; /* without momentum no step differs from another */
    bool given = c->arg[9].kind != ARG_NONE;
    if (c->arg[4].f != 0 && c->arg[2].count == 0) {
        return fail("%s: momentum_buffers are needed for momentum %g", c->op->public_name,
                    c->arg[4].f);
    }
    if (c->arg[4].f != 0 && !given) {
        return fail("%s: steps is needed for momentum %g: the first step is another",
                    c->op->public_name, c->arg[4].f);
    }
    return infer_step(c, given ? arg_as_ints(c->arg[9]) : (Ints){&later, 1});
}

bool infer_adam_step(Call *c) { return infer_step(c, arg_as_ints(c->arg[5])); }
