/* Output shapes of attention. */
#include "tensor/widen.h"

static bool fits(const Tensor *t, Ints shape, bool or_one) {
    bool ok = t->dim == shape.n;
    for (int d = 0; ok && d < shape.n; d++) {
        ok = t->shape[d] == shape.v[d] || (or_one && t->shape[d] == 1);
    }
    return ok;
}

/* Argument k, where given, must have that shape (or_one: or 1 in any dim) and dtype. */
static bool check(const Call *c, int k, Ints shape, bool or_one, int dtype) {
    const Tensor *t = c->in[k];
    const char *op = c->op->public_name, *name = c->op->params[k].name;
    if (t && t->dtype != dtype) {
        return fail("%s: for %s tensors %s must be %s, got %s", op, dtype_name(c->dtype), name,
                    dtype_name(dtype), dtype_name(t->dtype));
    }
    return !t || fits(t, shape, or_one) ||
           fail("%s: %s must have shape %s%s, got %s", op, name, shape_text(shape),
                or_one ? ", or 1 in any dim" : "", shape_text(tensor_shape(t)));
}

/* Checks query, key, value and bias, which stand at argument k and after it. */
static bool check_operands(const Call *c, int k) {
    const Tensor *q = c->in[k], *key = c->in[k + 1], *v = c->in[k + 2];
    const char *op = c->op->public_name;
    if (q->dim != 4 || key->dim != 4 || v->dim != 4) {
        return fail("%s: query, key and value must have 4 dims, got shapes %s, %s and %s", op,
                    shape_text(tensor_shape(q)), shape_text(tensor_shape(key)),
                    shape_text(tensor_shape(v)));
    }
    int64_t heads = key->shape[1];
    if (heads == 0 ? q->shape[1] != 0 : q->shape[1] % heads != 0) {
        return fail("%s: the %lld heads of query must be a multiple of the %lld of key", op,
                    (long long)q->shape[1], (long long)heads);
    }
    if (shape_numel(INTS(q->shape[0], q->shape[1], q->shape[2], v->shape[3])) < 0) {
        return fail("%s: the result would be too large", op);
    }
    return check(c, k + 1, INTS(q->shape[0], heads, key->shape[2], q->shape[3]), false, c->dtype) &&
           check(c, k + 2, INTS(q->shape[0], heads, key->shape[2], v->shape[3]), false, c->dtype) &&
           check(c, k + 3, INTS(q->shape[0], q->shape[1], q->shape[2], key->shape[2]), true,
                 c->dtype);
}

static int sums_dtype(const Call *c) { return is_half(c->dtype) ? DT_FLOAT32 : c->dtype; }

bool infer_attend(Call *c) {
    const Tensor *q = c->in[0], *v = c->in[2];
    if (!check_operands(c, 0)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, INTS(q->shape[0], q->shape[1], q->shape[2], v->shape[3]));
    spec_set(&c->spec[1], sums_dtype(c), INTS(q->shape[0], q->shape[1], q->shape[2]));
    return true;
}

bool infer_attend_backward(Call *c) {
    if (!check_operands(c, 1)) {
        return false;
    }
    const Tensor *q = c->in[1], *v = c->in[3];
    Ints rows = INTS(q->shape[0], q->shape[1], q->shape[2]);
    for (int k = 0; k < 3; k++) {
        spec_set(&c->spec[k], c->dtype, tensor_shape(c->in[k + 1]));
    }
    Ints output = INTS(q->shape[0], q->shape[1], q->shape[2], v->shape[3]);
    return check(c, 0, output, false, c->dtype) && check(c, 5, output, false, c->dtype) &&
           check(c, 6, rows, false, sums_dtype(c)) && check(c, 7, rows, false, sums_dtype(c));
}
