/* Output shapes of the reductions that are no class rows, and of softmax. */
#include "tensor/shape_reduce.h"

bool reduce_has_choice(const Call *c, uint32_t dims) {
    const Tensor *t = c->in[0];
    bool results = true, choice = true;
    for (int d = 0; d < t->dim; d++) {
        bool reduced = dims >> d & 1;
        results &= reduced || t->shape[d] != 0;
        choice &= !reduced || t->shape[d] != 0;
    }
    return choice || !results ||
           fail("%s: expected at least one element to choose from, got shape %s",
                c->op->public_name, shape_text(tensor_shape(t)));
}

/* The shape without dim; all dims where dim < 0. */
static void set_reduced(Call *c, int k, int dtype, int64_t dim, bool keepdim) {
    const Tensor *t = c->in[0];
    int64_t shape[MAX_DIMS];
    int n = 0;
    for (int d = 0; d < t->dim; d++) {
        bool gone = dim < 0 || d == dim;
        if (!gone || keepdim) {
            shape[n++] = gone ? 1 : t->shape[d];
        }
    }
    spec_set(&c->spec[k], dtype, (Ints){shape, n});
}

static bool infer_whole(Call *c) {
    set_reduced(c, 0, c->dtype, -1, false);
    return reduce_has_choice(c, ~0u);
}

static bool infer_pick(Call *c) {
    int64_t dim = c->arg[1].i;
    set_reduced(c, 0, c->dtype, dim, c->arg[2].b);
    set_reduced(c, 1, DT_INT64, dim, c->arg[2].b);
    return reduce_has_choice(c, 1u << dim);
}

static bool infer_arg(Call *c) {
    bool whole = c->arg[1].kind == ARG_NONE;
    int64_t dim = whole ? -1 : c->arg[1].i;
    set_reduced(c, 0, DT_INT64, dim, c->arg[2].b);
    return reduce_has_choice(c, whole ? ~0u : 1u << dim);
}

bool infer_max(Call *c) { return infer_whole(c); }
bool infer_min(Call *c) { return infer_whole(c); }
bool infer_max__dim(Call *c) { return infer_pick(c); }
bool infer_min__dim(Call *c) { return infer_pick(c); }
bool infer_argmax(Call *c) { return infer_arg(c); }
bool infer_argmin(Call *c) { return infer_arg(c); }

static bool infer_same(Call *c) {
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[0]));
    return true;
}

static bool infer_same_of_two(Call *c) {
    const Tensor *a = c->in[0], *b = c->in[1];
    return tensor_same_shape(a, b)
               ? infer_same(c)
               : fail("%s: %s and %s must have one shape, got %s and %s", c->op->public_name,
                      c->op->params[0].name, c->op->params[1].name, shape_text(tensor_shape(a)),
                      shape_text(tensor_shape(b)));
}

bool infer_softmax(Call *c) { return infer_same(c); }
bool infer_log_softmax(Call *c) { return infer_same(c); }
bool infer_softmax_backward(Call *c) { return infer_same_of_two(c); }
bool infer_log_softmax_backward(Call *c) { return infer_same_of_two(c); }
