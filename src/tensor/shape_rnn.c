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

/* Where the operands of a whole network stand among a call's tensors and arguments; the list of
 * params is an argument at the place of its first tensor, and what follows it stands behind. */
typedef struct Places {
    int input, h0, c0, params;
} Places;

/* The same as check(), for the dtype too. */
static bool check_like(const Call *c, int k, const char *name, Ints shape) {
    const Tensor *t = c->in[k];
    if (t && t->dtype != c->dtype) {
        return fail("%s: %s is %s and %s is %s; convert one with :to(\"%s\")", c->op->public_name,
                    c->op->params[0].name, dtype_name(c->dtype), name, dtype_name(t->dtype),
                    dtype_name(c->dtype));
    }
    bool same = !t || t->dim == shape.n;
    for (int d = 0; t && same && d < shape.n; d++) {
        same = t->shape[d] == shape.v[d];
    }
    return same || fail("%s: %s must have shape %s, got %s", c->op->public_name, name,
                        shape_text(shape), shape_text(tensor_shape(t)));
}

/* Of each layer and direction: weights of input and state, and biases. */
static bool check_params(const Call *c, const Places *p, const RnnNetwork *n, bool biases) {
    int64_t directions = n->bidirectional ? 2 : 1, each = biases ? 4 : 2;
    int64_t count = c->n_in - p->params, rows = rnn_gates((RnnMode)n->mode) * n->hidden;
    if (n->layers < 1 || n->layers > count || n->layers * directions * each != count) {
        return fail("%s: params must have %lld tensors for each of num_layers and directions, got "
                    "%lld tensors for %lld layers",
                    c->op->public_name, (long long)(each * directions), (long long)count,
                    (long long)n->layers);
    }
    for (int64_t k = 0; k < count; k++) {
        int64_t wide = k / each < directions ? n->input : directions * n->hidden;
        Ints shape = k % each == 0   ? INTS(rows, wide)
                     : k % each == 1 ? INTS(rows, n->hidden)
                                     : INTS(rows);
        if (!check_like(c, (int)(p->params + k), "params", shape)) {
            return false;
        }
    }
    return true;
}

/* Reads and checks the operands. Mode, has_biases, num_layers and bidirectional follow params. */
static bool read_network(const Call *c, const Places *p, RnnNetwork *n) {
    const Tensor *input = c->in[p->input], *h0 = c->in[p->h0];
    const Arg *a = c->arg + p->params + 1;
    const char *op = c->op->public_name;
    RnnMode mode = rnn_mode(op, a[0].s);
    if (mode == RNN_BAD || !check_cell(c, p->c0, mode)) {
        return false;
    }
    if (input->dim != 3 || h0->dim != 3) {
        return fail("%s: input must be (T, N, I) and h0 (num_layers * directions, N, H), got "
                    "shapes %s and %s",
                    op, shape_text(tensor_shape(input)), shape_text(tensor_shape(h0)));
    }
    *n = (RnnNetwork){.steps = input->shape[0],
                      .batch = input->shape[1],
                      .input = input->shape[2],
                      .hidden = h0->shape[2],
                      .layers = a[2].i,
                      .dtype = c->dtype,
                      .mode = mode,
                      .bidirectional = a[3].b};
    if (n->hidden > INT64_MAX / 8) {
        return fail("%s: the state is too large", op);
    }
    if (!check_params(c, p, n, a[1].b)) {
        return false;
    }
    int64_t directions = n->bidirectional ? 2 : 1;
    Ints state = INTS(n->layers * directions, n->batch, n->hidden);
    if (shape_numel(INTS(n->steps, n->batch, directions, n->hidden)) < 0 ||
        shape_numel(state) < 0) {
        return fail("%s: the result would be too large", op);
    }
    return check_like(c, p->input, "input", tensor_shape(input)) &&
           check_like(c, p->h0, "h0", state) && check_like(c, p->c0, "c0", state);
}

static bool ask_device(const Call *c, const RnnNetwork *n, int64_t *kept) {
    const Backend *b = backend_of(c->device);
    if (!b) {
        return false;
    }
    if (!b->rnn_takes) {
        return fail("%s: there is no %s kernel for %s; lstm, gru, rnn_tanh and rnn_relu do without",
                    c->op->public_name, device_text(c->device), dtype_name(c->dtype));
    }
    return b->rnn_takes(c->device, n, kept) ||
           fail("%s: the library of device %s does not take this network, or is missing or "
                "switched off; lstm, gru, rnn_tanh and rnn_relu do without",
                c->op->public_name, device_text(c->device));
}

static int64_t output_width(const RnnNetwork *n) { return (n->bidirectional ? 2 : 1) * n->hidden; }

bool infer_rnn_network(Call *c) {
    static const Places places = {0, 1, 2, 3};
    RnnNetwork n;
    int64_t kept;
    if (!read_network(c, &places, &n)) {
        return false;
    }
    n.train = c->arg[places.params + 5].b;
    if (!ask_device(c, &n, &kept)) {
        return false;
    }
    int64_t stacks = c->in[1]->shape[0], cell = n.mode == RNN_LSTM ? n.hidden : 0;
    spec_set(&c->spec[0], c->dtype, INTS(n.steps, n.batch, output_width(&n)));
    spec_set(&c->spec[1], c->dtype, INTS(stacks, n.batch, n.hidden));
    spec_set(&c->spec[2], c->dtype, INTS(stacks, n.batch, cell));
    spec_set(&c->spec[3], DT_UINT8, INTS(kept));
    return true;
}

bool infer_rnn_network_backward(Call *c) {
    static const Places places = {3, 4, 5, 8};
    RnnNetwork n;
    int64_t kept, numel = 0;
    if (!read_network(c, &places, &n)) {
        return false;
    }
    n.train = n.back = true;
    if (!ask_device(c, &n, &kept)) {
        return false;
    }
    int64_t stacks = c->in[4]->shape[0], cell = n.mode == RNN_LSTM ? n.hidden : 0;
    for (int k = places.params; k < c->n_in; k++) {
        if (__builtin_add_overflow(numel, c->in[k]->numel, &numel)) {
            return fail("%s: the result would be too large", c->op->public_name);
        }
    }
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[3]));
    spec_set(&c->spec[1], c->dtype, INTS(stacks, n.batch, n.hidden));
    spec_set(&c->spec[2], c->dtype, INTS(stacks, n.batch, cell));
    spec_set(&c->spec[3], c->dtype, INTS(c->arg[places.params + 5].b ? numel : 0));
    Ints state = tensor_shape(c->in[4]);
    const Tensor *reserve = c->in[7];
    if (reserve->dtype != DT_UINT8) {
        return fail("%s: reserve must be uint8, got %s", c->op->public_name,
                    dtype_name(reserve->dtype));
    }
    return check_like(c, 0, "grad", INTS(n.steps, n.batch, output_width(&n))) &&
           check_like(c, 1, "h_grad", state) &&
           check_like(c, 2, "c_grad", INTS(stacks, n.batch, cell)) &&
           check_like(c, 6, "output", INTS(n.steps, n.batch, output_width(&n))) &&
           check(c, 7, INTS(kept));
}
