/* Checks of the activation functions that take numbers; their outputs are like their inputs. */
#include <string.h>

#include "tensor/activation.h"
#include "tensor/shape_order.h"

static bool not_zero(const Call *c, int arg) {
    return c->arg[arg].f != 0 ||
           fail("%s: %s must not be 0", c->op->public_name, c->op->params[arg].name);
}

static bool not_negative(const Call *c, int arg) {
    return c->arg[arg].f >= 0 || fail("%s: %s must not be negative, got %g", c->op->public_name,
                                      c->op->params[arg].name, c->arg[arg].f);
}

bool infer_elu(Call *c) { return infer_unary(c); }
bool infer_celu(Call *c) { return not_zero(c, 1) && infer_unary(c); }
bool infer_leaky_relu(Call *c) { return infer_unary(c); }
bool infer_softplus(Call *c) { return not_zero(c, 1) && infer_unary(c); }
bool infer_softshrink(Call *c) { return not_negative(c, 1) && infer_unary(c); }
bool infer_hardshrink(Call *c) { return infer_unary(c); }
bool infer_threshold(Call *c) { return infer_unary(c); }

bool infer_hardtanh(Call *c) {
    if (!(c->arg[1].f <= c->arg[2].f)) {
        return fail("%s: min_val must not be above max_val, got %g and %g", c->op->public_name,
                    c->arg[1].f, c->arg[2].f);
    }
    return infer_unary(c);
}

bool infer_gelu(Call *c) {
    const char *way = c->arg[1].s;
    if (strcmp(way, "none") != 0 && strcmp(way, "tanh") != 0) {
        return fail("%s: approximate must be \"none\" or \"tanh\", got \"%s\"", c->op->public_name,
                    way);
    }
    return infer_unary(c);
}

bool infer_activation_backward(Call *c) {
    const Tensor *grad = c->in[0], *input = c->in[1];
    if (activation_find(c->arg[2].s) == N_ACTIVATIONS) {
        return fail("%s: there is no activation function \"%s\"", c->op->public_name, c->arg[2].s);
    }
    if (!tensor_same_shape(grad, input)) {
        return fail("%s: grad and input must have one shape, got %s and %s", c->op->public_name,
                    shape_text(tensor_shape(grad)), shape_text(tensor_shape(input)));
    }
    spec_set(&c->spec[0], c->dtype, tensor_shape(input));
    spec_keep_order(&c->spec[0], input);
    return true;
}
