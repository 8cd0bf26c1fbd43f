/* Output shapes of the core of the norms. */
#include "tensor/widen.h"

/* Statistics of half types are kept in float, so that the gradients round once. */
static int statistics_dtype(int dtype) { return is_half(dtype) ? DT_FLOAT32 : dtype; }

static bool has_shape(const Tensor *t, Ints shape) {
    bool same = t->dim == shape.n;
    for (int d = 0; same && d < shape.n; d++) {
        same = t->shape[d] == shape.v[d];
    }
    return same;
}

/* Argument k, where given, must have that shape and dtype. */
static bool check(const Call *c, int k, Ints shape, int dtype) {
    const Tensor *t = c->in[k];
    const char *op = c->op->public_name, *name = c->op->params[k].name;
    if (t && t->dtype != dtype) {
        return fail("%s: for a %s input %s must be %s, got %s", op, dtype_name(c->dtype), name,
                    dtype_name(dtype), dtype_name(t->dtype));
    }
    return !t || has_shape(t, shape) ||
           fail("%s: %s must have shape %s, got %s", op, name, shape_text(shape),
                shape_text(tensor_shape(t)));
}

/* Checks input, argument k, and says how many weights there are; -1 with an error. */
static int64_t count_weights(const Call *c, int k, bool over_batch) {
    const Tensor *x = c->in[k];
    const char *op = c->op->public_name;
    if (x->dim != 4 || (over_batch && x->shape[2] != 1)) {
        fail("%s: input must be (N, G, K, S)%s, got shape %s", op,
             over_batch ? " with K 1 over the batch" : "", shape_text(tensor_shape(x)));
        return -1;
    }
    int64_t weights = shape_numel(INTS(x->shape[1], x->shape[2]));
    if (weights < 0) {
        fail("%s: input's shape %s is too large", op, shape_text(tensor_shape(x)));
    }
    return weights;
}

bool infer_standardize(Call *c) {
    bool over_batch = c->arg[4].b;
    const Tensor *x = c->in[0];
    int64_t weights = count_weights(c, 0, over_batch);
    if (weights < 0 || !check(c, 1, INTS(weights), c->dtype) ||
        !check(c, 2, INTS(weights), c->dtype)) {
        return false;
    }
    Ints rows = over_batch ? INTS(x->shape[1]) : INTS(x->shape[0], x->shape[1]);
    spec_set(&c->spec[0], c->dtype, tensor_shape(x));
    spec_set(&c->spec[1], statistics_dtype(c->dtype), rows);
    spec_set(&c->spec[2], statistics_dtype(c->dtype), rows);
    return true;
}

bool infer_standardize_backward(Call *c) {
    bool over_batch = c->arg[5].b;
    const Tensor *x = c->in[1];
    int64_t weights = count_weights(c, 1, over_batch);
    if (weights < 0) {
        return false;
    }
    int dtype = statistics_dtype(c->dtype);
    Ints rows = over_batch ? INTS(x->shape[1]) : INTS(x->shape[0], x->shape[1]);
    spec_set(&c->spec[0], c->dtype, tensor_shape(x));
    spec_set(&c->spec[1], c->dtype, INTS(weights));
    spec_set(&c->spec[2], c->dtype, INTS(weights));
    return check(c, 0, tensor_shape(x), c->dtype) && check(c, 1, tensor_shape(x), c->dtype) &&
           check(c, 2, INTS(weights), c->dtype) && check(c, 3, rows, dtype) &&
           check(c, 4, rows, dtype);
}
