/* Output shapes of the mathematical functions and of arithmetic that are no class rows. */
#include <string.h>

#include "tensor/shape_order.h"

bool infer_logit(Call *c) {
    Arg eps = c->arg[1];
    if (eps.kind != ARG_NONE && !(eps.f >= 0 && eps.f <= 0.5)) {
        return fail("%s: eps must be in [0, 0.5], got %g", c->op->public_name, eps.f);
    }
    return infer_unary(c);
}

bool infer_nan_to_num(Call *c) { return infer_unary(c); }
bool infer_round__decimals(Call *c) {
    int64_t decimals = c->arg[1].i;
    if (decimals < -400 || decimals > 400) {
        return fail("%s: decimals must be in [-400, 400], got %lld", c->op->public_name,
                    (long long)decimals);
    }
    return infer_unary(c);
}

bool infer_polygamma(Call *c) {
    if (c->arg[1].i < 0) {
        return fail("%s: n must not be negative, got %lld", c->op->public_name,
                    (long long)c->arg[1].i);
    }
    return infer_unary(c);
}

static bool infer_test(Call *c) {
    if (!infer_unary(c)) {
        return false;
    }
    c->spec[0].dtype = DT_BOOL;
    return true;
}

bool infer_signbit(Call *c) { return infer_test(c); }
bool infer_isposinf(Call *c) { return infer_test(c); }
bool infer_isneginf(Call *c) { return infer_test(c); }

bool infer_frexp(Call *c) {
    if (!infer_unary(c)) {
        return false;
    }
    c->spec[1] = c->spec[0];
    c->spec[1].dtype = DT_INT32;
    return true;
}

bool infer_heaviside(Call *c) { return infer_binary(c); }
bool infer_special_zeta(Call *c) { return infer_binary(c); }

bool infer_div__rounding(Call *c) {
    const char *mode = c->arg[2].s;
    if (strcmp(mode, "floor") != 0 && strcmp(mode, "trunc") != 0) {
        return fail("%s: rounding_mode must be \"floor\" or \"trunc\", got \"%s\"",
                    c->op->public_name, mode);
    }
    return infer_binary(c);
}

static bool fail_shapes(const Call *c) {
    return fail("%s: shapes %s, %s and %s of %s, %s and %s do not broadcast: counted from the last "
                "dim, sizes must be equal or 1",
                c->op->public_name, c->in[0] ? shape_text(tensor_shape(c->in[0])) : "nil",
                c->in[1] ? shape_text(tensor_shape(c->in[1])) : "nil",
                c->in[2] ? shape_text(tensor_shape(c->in[2])) : "nil", c->op->params[0].name,
                c->op->params[1].name, c->op->params[2].name);
}

/* Three tensors, of which all but the first may be missing. */
static bool infer_three(Call *c) {
    int64_t shape[MAX_DIMS], wider[MAX_DIMS];
    Ints all = tensor_shape(c->in[0]);
    for (int i = 1; i < 3; i++) {
        if (!c->in[i]) {
            continue;
        }
        int dim = shape_broadcast(all, tensor_shape(c->in[i]), wider);
        if (dim < 0) {
            return fail_shapes(c);
        }
        memcpy(shape, wider, (size_t)dim * sizeof *shape);
        all = (Ints){shape, dim};
    }
    spec_set(&c->spec[0], c->dtype, all);
    for (int i = 0; i < 3 && !spec_keep_order(&c->spec[0], c->in[i]);) {
        i++;
    }
    return true;
}

bool infer_addcmul(Call *c) { return infer_three(c); }
bool infer_addcdiv(Call *c) { return infer_three(c); }
bool infer_lerp(Call *c) { return infer_three(c); }

bool infer_clamp__tensor(Call *c) {
    if (!c->in[1] && !c->in[2]) {
        return fail("%s: give min, max or both", c->op->public_name);
    }
    return infer_three(c);
}
