/* Output shapes of the core of recurrent networks. */
#include "tensor/op.h"
#include "tensor/rnn.h"

/* Argument k, where given, must have that shape. */
static bool check(const Call *c, int k, Ints shape) {
    const Tensor *t = c->in[k];
    bool same = !t || t->dim == shape.n;
    for (int d = 0; t && same && d < shape.n; d++) {
        same = t->shape[d] == shape.v[d];
    }
    return same || fail("%s: %s must have shape %s, got %s", c->op->public_name,
                        c->op->params[k].name, shape_text(shape), shape_text(tensor_shape(t)));
}

/* lstm alone has a second state, argument k. */
static bool check_cell(const Call *c, int k, RnnMode mode) {
    return !c->in[k] == (mode != RNN_LSTM) ||
           fail("%s: c0 must be given for lstm and for nothing else", c->op->public_name);
}

bool infer_rnn_sequence(Call *c) {
    const Tensor *gates = c->in[0], *weight = c->in[1];
    const char *op = c->op->public_name;
    RnnMode mode = rnn_mode(op, c->arg[5].s);
    if (mode == RNN_BAD || !check_cell(c, 4, mode)) {
        return false;
    }
    if (gates->dim != 3 || weight->dim != 2) {
        return fail("%s: gates must be (T, N, k * H) and weight (k * H, H), got shapes %s and %s",
                    op, shape_text(tensor_shape(gates)), shape_text(tensor_shape(weight)));
    }
    int64_t t = gates->shape[0], n = gates->shape[1], h = weight->shape[1], k = rnn_gates(mode);
    if (shape_numel(INTS(t, n, 4, h)) < 0) {
        return fail("%s: the result would be too large", op);
    }
    spec_set(&c->spec[0], c->dtype, INTS(t, n, h));
    spec_set(&c->spec[1], c->dtype, INTS(t, n, mode == RNN_LSTM ? h : 0));
    spec_set(&c->spec[2], c->dtype, INTS(t, n, rnn_kept(mode) * h));
    return check(c, 0, INTS(t, n, k * h)) && check(c, 1, INTS(k * h, h)) &&
           check(c, 2, INTS(k * h)) && check(c, 3, INTS(n, h)) && check(c, 4, INTS(n, h));
}

bool infer_rnn_sequence_backward(Call *c) {
    const Tensor *grad = c->in[0];
    const char *op = c->op->public_name;
    RnnMode mode = rnn_mode(op, c->arg[9].s);
    if (mode == RNN_BAD || !check_cell(c, 5, mode)) {
        return false;
    }
    if (grad->dim != 3) {
        return fail("%s: grad must be (T, N, H), got shape %s", op, shape_text(tensor_shape(grad)));
    }
    int64_t t = grad->shape[0], n = grad->shape[1], h = grad->shape[2], k = rnn_gates(mode);
    if (shape_numel(INTS(t, n, 4, h)) < 0 || shape_numel(INTS(4, h, h)) < 0) {
        return fail("%s: the result would be too large", op);
    }
    Ints cells = INTS(t, n, mode == RNN_LSTM ? h : 0), kept = INTS(t, n, rnn_kept(mode) * h);
    spec_set(&c->spec[0], c->dtype, INTS(t, n, k * h));
    spec_set(&c->spec[1], c->dtype, INTS(t, n, mode == RNN_GRU ? k * h : 0));
    spec_set(&c->spec[2], c->dtype, INTS(n, h));
    spec_set(&c->spec[3], c->dtype, INTS(n, mode == RNN_LSTM ? h : 0));
    return check(c, 1, cells) && check(c, 2, kept) && check(c, 3, INTS(k * h, h)) &&
           check(c, 4, INTS(n, h)) && check(c, 5, INTS(n, h)) && check(c, 6, INTS(t, n, h)) &&
           check(c, 7, cells) && check(c, 8, kept);
}
