/* Output shapes of padding. */
#include <string.h>

#include "tensor/number.h"
#include "tensor/op.h"
#include "tensor/pad_shape.h"

bool infer_pad(Call *c) {
    PadShape s;
    const Arg *value = &c->arg[3];
    if (!pad_shape(c->op, c->arg[1], c->arg[2].s, tensor_shape(c->in[0]), &s)) {
        return false;
    }
    if (s.mode != PAD_CONSTANT && value->kind != ARG_NONE) {
        return fail("%s: value goes with mode \"constant\", got mode \"%s\"", c->op->public_name,
                    c->arg[2].s);
    }
    if (value->kind != ARG_NONE && !number_fits(c->op, "value", *value, c->dtype)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, (Ints){s.out, s.dim});
    return true;
}

bool infer_pad_backward(Call *c) {
    PadShape s;
    Ints size = arg_as_ints(c->arg[1]), grad = tensor_shape(c->in[0]);
    bool good = size.n <= MAX_DIMS;
    for (int i = 0; good && i < size.n; i++) {
        good = size.v[i] >= 0;
    }
    if (!good || shape_numel(size) < 0) {
        return fail("%s: input_size must be the sizes of a tensor", c->op->public_name);
    }
    if (!pad_shape(c->op, c->arg[2], c->arg[3].s, size, &s)) {
        return false;
    }
    if (s.mode == PAD_CONSTANT) {
        return fail("%s: mode must be \"reflect\", \"replicate\" or \"circular\"",
                    c->op->public_name);
    }
    if (grad.n != s.dim || memcmp(grad.v, s.out, (size_t)s.dim * sizeof *s.out) != 0) {
        return fail("%s: grad must have the result's shape %s, got %s", c->op->public_name,
                    shape_text((Ints){s.out, s.dim}), shape_text(grad));
    }
    spec_set(&c->spec[0], c->dtype, size);
    return true;
}
