/* Output shapes of the elementwise operators that are no class rows. */
#include <string.h>

#include "tensor/number.h"
#include "tensor/shape_order.h"

static bool infer_bool(Call *c) {
    if (!infer_unary(c)) {
        return false;
    }
    c->spec[0].dtype = DT_BOOL;
    return true;
}

bool infer_isnan(Call *c) { return infer_bool(c); }
bool infer_isinf(Call *c) { return infer_bool(c); }
bool infer_isfinite(Call *c) { return infer_bool(c); }
bool infer_logical_not(Call *c) { return infer_bool(c); }

bool spec_keep_order(OutSpec *s, const Tensor *t) {
    if (!t || t->dim != s->dim || memcmp(t->shape, s->shape, t->dim * sizeof *t->shape) != 0 ||
        !tensor_is_dense(t)) {
        return false;
    }
    s->strided = !tensor_is_contiguous(t);
    memcpy(s->stride, t->stride, t->dim * sizeof *t->stride);
    return true;
}

bool infer_where(Call *c) {
    int64_t pair[MAX_DIMS], all[MAX_DIMS];
    Ints condition = tensor_shape(c->in[0]), input = tensor_shape(c->in[1]);
    Ints other = tensor_shape(c->in[2]);
    int dim = shape_broadcast(input, other, pair);
    dim = dim < 0 ? dim : shape_broadcast(condition, (Ints){pair, dim}, all);
    if (dim < 0) {
        return fail("%s: shapes %s, %s and %s of condition, input and other do not broadcast: "
                    "counted from the last dim, sizes must be equal or 1",
                    c->op->public_name, shape_text(condition), shape_text(input),
                    shape_text(other));
    }
    spec_set(&c->spec[0], c->dtype, (Ints){all, dim});
    for (int i = 1; i <= 3 && !spec_keep_order(&c->spec[0], c->in[i % 3]);) {
        i++;
    }
    return true;
}

/* A bound outside the range of integers is no bound, unless it leaves nothing in between. */
static bool bound_fits(const Call *c, int arg, int dtype) {
    const Arg *bound = &c->arg[arg];
    int64_t least, most;
    if (bound->kind != ARG_INT || dtype_is_float(dtype)) {
        return true;
    }
    dtype_int_range(dtype, &least, &most);
    if (arg == 1 ? bound->i > most : bound->i < least) {
        return number_fits(c->op, c->op->params[arg].name, *bound, dtype);
    }
    return true;
}

bool infer_clamp(Call *c) {
    if (c->arg[1].kind == ARG_NONE && c->arg[2].kind == ARG_NONE) {
        return fail("%s: give min, max or both", c->op->public_name);
    }
    if (!infer_unary(c)) {
        return false;
    }
    bool float_bound = c->arg[1].kind == ARG_FLOAT || c->arg[2].kind == ARG_FLOAT;
    if (float_bound && !dtype_is_float(c->dtype)) {
        c->spec[0].dtype = dtype_default();
    }
    return bound_fits(c, 1, c->spec[0].dtype) && bound_fits(c, 2, c->spec[0].dtype);
}

/* Nothing drops an imaginary part silently; true from 0 tells bool. */
static bool can_become(const Op *op, int from, int to) {
    if (!dtype_is_complex(from) || dtype_is_complex(to) || to == DT_BOOL) {
        return true;
    }
    return fail("%s: %s does not become %s by itself; take the part that is meant: :real(), "
                ":imag() or :abs()",
                op->public_name, dtype_name(from), dtype_name(to));
}

bool infer_copy(Call *c) {
    const Tensor *input = c->in[0], *src = c->in[1];
    int64_t shape[MAX_DIMS];
    if (!can_become(c->op, src->dtype, input->dtype)) {
        return false;
    }
    int dim = shape_broadcast(tensor_shape(input), tensor_shape(src), shape);
    if (dim != input->dim || memcmp(shape, input->shape, (size_t)dim * sizeof *shape) != 0) {
        return fail("%s: src of shape %s does not broadcast to input's shape %s",
                    c->op->public_name, shape_text(tensor_shape(src)),
                    shape_text(tensor_shape(input)));
    }
    bool ok = infer_unary(c);
    c->spec[0].dtype = input->dtype;
    return ok;
}

bool infer_fill(Call *c) {
    return infer_unary(c) && number_fits(c->op, "value", c->arg[1], c->dtype);
}

bool infer_clone(Call *c) { return infer_unary(c); }

bool infer_cast(Call *c) {
    if (!infer_unary(c)) {
        return false;
    }
    c->spec[0].dtype = (int)c->arg[1].i;
    return can_become(c->op, c->dtype, c->spec[0].dtype);
}

bool infer_move(Call *c) {
    c->device = device_of_arg(c->arg[1]);
    return infer_unary(c);
}

static bool infer_backward(Call *c) {
    const Tensor *grad = c->in[0], *output = c->in[1];
    if (!tensor_same_shape(grad, output)) {
        return fail("%s: grad and output must have one shape, got %s and %s", c->op->public_name,
                    shape_text(tensor_shape(grad)), shape_text(tensor_shape(output)));
    }
    spec_set(&c->spec[0], c->dtype, tensor_shape(output));
    spec_keep_order(&c->spec[0], output);
    return true;
}

bool infer_tanh_backward(Call *c) { return infer_backward(c); }
bool infer_sigmoid_backward(Call *c) { return infer_backward(c); }
bool infer_relu_backward(Call *c) { return infer_backward(c); }
