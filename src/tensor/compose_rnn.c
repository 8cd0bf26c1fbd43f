/* Recurrent networks of several layers and directions, and single cells, on rnn_sequence, or as a
 * whole where a device has rnn_network. On rnn_sequence half types are computed as float32 and
 * rounded once. */
#include "tensor/compose_rnn.h"

#include "autograd/tape.h"
#include "base/memory.h"
#include "tensor/rnn.h"
#include "tensor/widen.h"

static Tensor *given(const Arg *a) { return a->kind == ARG_TENSOR ? a->t : NULL; }

/* The weights of one layer in one direction. */
typedef struct Weights {
    Tensor *ih, *hh, *b_ih, *b_hh; /* biases may be NULL */
    Tensor *hr;                    /* of lstm, to a state of another size, or NULL */
} Weights;

typedef struct Network {
    const char *name, *mode_name;
    RnnMode mode;
    Tensor *input, *h0, *c0; /* input: (T, N, I); states: (layers * directions, N, H) */
    TensorList params;
    bool has_biases, train, batch_first, single; /* single: without a batch dim */
    bool projects;
    const Packing *packing; /* of sequences that end at different steps, or NULL */
    int64_t layers, directions;
    double dropout;
    int dtype;
} Network;

static bool has_shape(const Tensor *t, Ints shape) {
    bool same = t->dim == shape.n;
    for (int d = 0; same && d < shape.n; d++) {
        same = t->shape[d] == shape.v[d];
    }
    return same;
}

static bool check(const char *name, const char *what, const Tensor *t, Ints shape, int dtype) {
    if (t && t->dtype != dtype) {
        return fail("%s: input is %s and %s is %s; convert one with :to(\"%s\")", name,
                    dtype_name(dtype), what, dtype_name(t->dtype), dtype_name(dtype));
    }
    return !t || has_shape(t, shape) ||
           fail("%s: %s must have shape %s, got %s", name, what, shape_text(shape),
                shape_text(tensor_shape(t)));
}

/* Whether weights take inputs of size in and states of size state to cells of size h. */
static bool check_weights(const char *name, const Weights *w, RnnMode mode, int64_t in, int64_t h,
                          int64_t state, int dtype) {
    int64_t k = rnn_gates(mode);
    if (h > INT64_MAX / 4) {
        return fail("%s: the state is too large", name);
    }
    return check(name, "w_ih", w->ih, INTS(k * h, in), dtype) &&
           check(name, "w_hh", w->hh, INTS(k * h, state), dtype) &&
           check(name, "w_hr", w->hr, INTS(state, h), dtype) &&
           check(name, "b_ih", w->b_ih, INTS(k * h), dtype) &&
           check(name, "b_hh", w->b_hh, INTS(k * h), dtype);
}

/* One step of lstm whose state is a projection of what it puts out; c is the cell state. */
static Tensor *projected_step(Tensor *gates, const Weights *w, Tensor *h, Tensor **c) {
    Tensor *all = t_add(gates, t_linear(h, widened(w->hh), NULL)), *part[4];
    int64_t size = *c ? (*c)->shape[1] : 0;
    for (int k = 0; k < 4; k++) {
        part[k] = t_narrow(all, 1, k * size, size);
    }
    Tensor *fresh = t_mul(t_sigmoid(part[0]), t_tanh(part[2]));
    *c = t_add(t_mul(t_sigmoid(part[1]), *c), fresh);
    return t_linear(t_mul(t_sigmoid(part[3]), t_tanh(*c)), widened(w->hr), NULL);
}

static bool run_projected(Tensor *gates, const Weights *w, Tensor *h, Tensor *c, bool reverse,
                          Tensor **out) {
    int64_t steps = gates ? gates->shape[0] : 0;
    size_t bytes = 2 * (size_t)steps * sizeof(Tensor *);
    Tensor **states = steps ? mem_alloc(bytes) : NULL;
    if (!states) {
        return false;
    }
    for (int64_t i = 0; i < steps; i++) {
        int64_t t = reverse ? steps - 1 - i : i;
        states[t] = h = projected_step(t_select(gates, 0, t), w, h, &c);
        states[steps + t] = c;
    }
    out[0] = h ? t_stack((TensorList){states, (int)steps}, 0) : NULL;
    out[1] = h ? t_stack((TensorList){states + steps, (int)steps}, 0) : NULL;
    mem_free(states, bytes);
    return out[0] && out[1];
}

/* One layer in one direction over x (T, N, I); out: output, cells and activations. */
static bool run_layer(RnnMode mode, const char *mode_name, Tensor *x, const Weights *w, Tensor *h0,
                      Tensor *c0, bool reverse, Tensor **out) {
    /* gru scales its state's bias by the reset gate; the others may add it to the input's. */
    bool apart = mode == RNN_GRU;
    Tensor *bias = widened(w->b_ih), *of_state = widened(w->b_hh);
    if (!apart && of_state) {
        bias = bias ? t_add(bias, of_state) : of_state;
    }
    if (error_message()) {
        return false; /* a missing bias and one that could not be made look the same */
    }
    Tensor *gates = t_linear(x, widened(w->ih), bias);
    if (w->hr) {
        return run_projected(gates, w, h0, c0, reverse, out);
    }
    return t_rnn_sequence(gates, widened(w->hh), apart ? of_state : NULL, h0, c0, mode_name,
                          reverse, out);
}

static bool check_input(Network *n) {
    Tensor *x = n->input;
    if (!dtype_is_float(x->dtype)) {
        return fail("%s: input must be float16, bfloat16, float32, float64, got %s", n->name,
                    dtype_name(x->dtype));
    }
    if (x->dim != 2 && x->dim != 3) {
        return fail("%s: input must be (T, N, I), (N, T, I) with batch_first, or (T, I), got shape "
                    "%s",
                    n->name, shape_text(tensor_shape(x)));
    }
    n->dtype = x->dtype;
    n->single = x->dim == 2;
    if (n->single) {
        n->input = t_unsqueeze(x, 1);
    } else if (n->batch_first) {
        n->input = t_transpose(x, 0, 1);
    }
    return n->input &&
           (n->input->shape[0] > 0 || fail("%s: input must have at least one step, got shape %s",
                                           n->name, shape_text(tensor_shape(x))));
}

static int64_t params_each(const Network *n) {
    return (n->has_biases ? 4 : 2) + (n->projects ? 1 : 0);
}

static bool check_counts(const Network *n) {
    int64_t each = params_each(n);
    if (n->layers < 1 || n->layers > n->params.n) {
        return fail("%s: num_layers must be at least 1 and params have %lld tensors a layer and "
                    "direction, got num_layers %lld and %d tensors",
                    n->name, (long long)each, (long long)n->layers, n->params.n);
    }
    if (n->params.n != n->layers * n->directions * each) {
        return fail("%s: params must have %lld tensors a layer and direction, %lld in all, got %d",
                    n->name, (long long)each, (long long)(n->layers * n->directions * each),
                    n->params.n);
    }
    return (n->dropout >= 0 && n->dropout <= 1) ||
           fail("%s: dropout must be in [0, 1], got %g", n->name, n->dropout);
}

/* A state as (layers * directions, N, H). */
static Tensor *read_state(const Network *n, const char *what, Tensor *t, int64_t h) {
    int64_t stacks = n->layers * n->directions, batch = n->input->shape[1];
    Ints shape = n->single ? INTS(stacks, h) : INTS(stacks, batch, h);
    if (!check(n->name, what, t, shape, n->dtype)) {
        return NULL;
    }
    return n->single ? t_unsqueeze(t, 1) : t;
}

static Weights weights_at(const Network *n, int64_t stack) {
    int64_t each = params_each(n);
    Tensor *const *p = n->params.v + stack * each;
    return (Weights){.ih = p[0],
                     .hh = p[1],
                     .b_ih = n->has_biases ? p[2] : NULL,
                     .b_hh = n->has_biases ? p[3] : NULL,
                     .hr = n->projects ? p[each - 1] : NULL};
}

/* The results of all stacks on the way: their last states. */
typedef struct Ends {
    Tensor *h[2], *c[2];   /* of the current layer's directions */
    Tensor *all_h, *all_c; /* (stacks so far, N, H) */
} Ends;

static Tensor *joined(Tensor *so_far, Tensor **more, int n) {
    Tensor *fresh = t_stack((TensorList){more, n}, 0);
    return so_far ? t_cat((TensorList){(Tensor *[]){so_far, fresh}, 2}, 0) : fresh;
}

/* The states (N, H) that sequences end with, out of all (T, N, H). */
static Tensor *last_states(const Network *n, Tensor *all, bool reverse) {
    if (!all || n->packing) {
        return all ? packing_ends(n->packing, all) : NULL;
    }
    return t_select(all, 0, reverse ? 0 : all->shape[0] - 1);
}

/* Direction d of a layer, whose output it returns; NULL with an error. Sequences that end at
 * different steps are turned round themselves for the way back. */
static Tensor *direction(const Network *n, int64_t index, int d, Tensor *x, Ends *ends) {
    int64_t stack = index * n->directions + d;
    bool reverse = d == 1 && !n->packing, turns = d == 1 && n->packing;
    Weights w = weights_at(n, stack);
    Tensor *out[3], *h0 = t_select(n->h0, 0, stack);
    Tensor *c0 = n->c0 ? t_select(n->c0, 0, stack) : NULL;
    x = turns ? packing_turned(n->packing, x) : x;
    if (!x || !run_layer(n->mode, n->mode_name, x, &w, h0, c0, reverse, out)) {
        return NULL;
    }
    ends->h[d] = last_states(n, out[0], reverse);
    ends->c[d] = c0 ? last_states(n, out[1], reverse) : NULL;
    return turns ? packing_turned(n->packing, out[0]) : out[0];
}

/* A layer in all its directions; NULL with an error. */
static Tensor *layer(const Network *n, int64_t index, Tensor *x, Ends *ends) {
    Tensor *outputs[2];
    int dirs = (int)n->directions;
    for (int d = 0; d < dirs; d++) {
        outputs[d] = direction(n, index, d, x, ends);
        if (!outputs[d]) {
            return NULL;
        }
    }
    ends->all_h = joined(ends->all_h, ends->h, dirs);
    ends->all_c = n->c0 ? joined(ends->all_c, ends->c, dirs) : NULL;
    return dirs == 1 ? outputs[0] : t_cat((TensorList){outputs, dirs}, 2);
}

static Tensor *as_given(const Network *n, Tensor *t) {
    return rounded(n->single ? t_squeeze(t, INTS(1)) : t, n->dtype);
}

static bool read_states(Network *n, Tensor *h0, Tensor *c0) {
    int dims = n->single ? 2 : 3;
    if (h0->dim != dims || (c0 && c0->dim != dims)) {
        return fail("%s: the state must have shape (num_layers * directions, %sH), got %s", n->name,
                    n->single ? "" : "N, ", shape_text(tensor_shape(h0->dim != dims ? h0 : c0)));
    }
    int64_t h = h0->shape[dims - 1], cell = c0 ? c0->shape[dims - 1] : h;
    n->projects = cell != h;
    if (!check_counts(n)) {
        return false;
    }
    n->h0 = read_state(n, "the state", h0, h);
    n->c0 = n->h0 && c0 ? read_state(n, "the cell state", c0, cell) : NULL;
    return n->h0 && (!c0 || n->c0);
}

static bool check_all_weights(const Network *n) {
    int64_t state = n->h0->shape[2], cell = n->c0 ? n->c0->shape[2] : state;
    for (int64_t stack = 0; stack < n->layers * n->directions; stack++) {
        Weights w = weights_at(n, stack);
        int64_t in = stack < n->directions ? n->input->shape[2] : n->directions * state;
        if (!check_weights(n->name, &w, n->mode, in, cell, state, n->dtype)) {
            return false;
        }
    }
    return true;
}

static bool drops_out(const Network *n) { return n->train && n->dropout > 0 && n->layers > 1; }

/* Layer by layer. */
static Tensor *in_layers(Network *n, Ends *ends) {
    Tensor *x = widened(n->input);
    n->h0 = widened(n->h0);
    n->c0 = widened(n->c0);
    if (error_message()) {
        return NULL;
    }
    for (int64_t i = 0; x && i < n->layers; i++) {
        x = layer(n, i, x, ends);
        if (i + 1 < n->layers && drops_out(n)) {
            x = t_dropout(x, n->dropout, true);
        }
    }
    return x;
}

/* Whether some tensor of the network is mapped over samples, and whether one needs a gradient. */
static void look_at(const Network *n, bool *mapped, bool *wanted) {
    const Tensor *states[] = {n->input, n->h0, n->c0};
    *mapped = *wanted = false;
    for (int i = 0; i < 3 + n->params.n; i++) {
        const Tensor *t = i < 3 ? states[i] : n->params.v[i - 3];
        *mapped |= t && t->batching;
        *wanted |= t && modes.recording && tensor_requires_grad(t);
    }
}

/* Whether the device computes the network as a whole; false with an error where it could not find
 * out. Dropout draws the same numbers everywhere, so that it is left to t_dropout. */
static bool is_whole(const Network *n, bool *train) {
    bool mapped;
    if (n->packing || n->projects || drops_out(n)) {
        return false;
    }
    look_at(n, &mapped, train);
    const Backend *b = mapped ? NULL : backend_of(n->input->device);
    RnnNetwork whole = {.steps = n->input->shape[0],
                        .batch = n->input->shape[1],
                        .input = n->input->shape[2],
                        .hidden = n->h0->shape[2],
                        .layers = n->layers,
                        .dtype = n->dtype,
                        .mode = n->mode,
                        .bidirectional = n->directions == 2,
                        .train = *train};
    int64_t kept;
    return b && b->rnn_takes && b->rnn_takes(n->input->device, &whole, &kept);
}

static Tensor *as_whole(const Network *n, bool train, Ends *ends) {
    Tensor *out[4];
    if (!t_rnn_network(n->input, n->h0, n->c0, n->params, n->mode_name, n->has_biases, n->layers,
                       n->directions == 2, train, out)) {
        return NULL;
    }
    ends->all_h = out[1];
    ends->all_c = out[2];
    return out[0];
}

static Tensor *run(Network *n, Tensor *h0, Tensor *c0, Tensor **out) {
    if (!check_input(n) || !read_states(n, h0, c0) || !check_all_weights(n)) {
        return NULL;
    }
    Ends ends = {0};
    bool train;
    Tensor *x = is_whole(n, &train) ? as_whole(n, train, &ends) : in_layers(n, &ends);
    if (!x) {
        return NULL;
    }
    out[1] = as_given(n, ends.all_h);
    out[2] = c0 ? as_given(n, ends.all_c) : NULL;
    return as_given(n, !n->single && n->batch_first ? t_transpose(x, 0, 1) : x);
}

bool rnn_network_by_layers(const Arg *a, Tensor *const *in, int n_params, Tensor **out) {
    Network n = {.name = "rnn_network",
                 .mode_name = a[4].s,
                 .mode = rnn_mode("rnn_network", a[4].s),
                 .input = in[0],
                 .h0 = in[1],
                 .c0 = in[2],
                 .params = {in + 3, n_params},
                 .has_biases = a[5].b,
                 .layers = a[6].i,
                 .directions = a[7].b ? 2 : 1,
                 .dtype = in[0]->dtype};
    Ends ends = {0};
    Tensor *x = in_layers(&n, &ends);
    out[0] = rounded(x, n.dtype);
    out[1] = x ? rounded(ends.all_h, n.dtype) : NULL;
    out[2] = x && in[2] ? rounded(ends.all_c, n.dtype) : NULL;
    return out[0] && out[1] && (!in[2] || out[2]);
}

static Network network(const char *name, const char *mode_name, const Arg *a) {
    return (Network){.name = name,
                     .mode_name = mode_name,
                     .mode = rnn_mode(name, mode_name),
                     .input = a[0].t,
                     .params = {a[2].ts, a[2].count},
                     .has_biases = a[3].b,
                     .layers = a[4].i,
                     .dropout = a[5].f,
                     .train = a[6].b,
                     .directions = a[7].b ? 2 : 1,
                     .batch_first = a[8].b};
}

static bool check_pair(const char *name, const Arg *hx) {
    return hx->count == 2 ||
           fail("%s: hx must be a list of two tensors, the state and the cell state, got %d", name,
                hx->count);
}

Tensor *compose_lstm(const Arg *a, Tensor **out) {
    Network n = network("lstm", "lstm", a);
    return check_pair("lstm", &a[1]) ? run(&n, a[1].ts[0], a[1].ts[1], out) : NULL;
}

static Tensor *run_one_state(Network *n, const Arg *hx, Tensor **out) {
    Tensor *all[3], *output = run(n, hx->t, NULL, all);
    out[1] = output ? all[1] : NULL;
    return output;
}

/* Of sequences packed one step after the other: arguments 0 and 1 are the data and the sizes of its
 * steps, the rest follow as of the padded form without batch_first. */
static Tensor *run_packed(const char *name, const char *mode_name, const Arg *a, Tensor **out) {
    const Arg padded[] = {a[0], a[2], a[3], a[4], a[5], a[6], a[7], a[8], arg_bool(false)};
    Network n = network(name, mode_name, padded);
    Packing packing;
    bool pair = n.mode == RNN_LSTM;
    if ((pair && !check_pair(name, &a[2])) || !packing_read(&packing, name, a[0].t, a[1].t)) {
        return NULL;
    }
    n.packing = &packing;
    n.input = packing_padded(&packing, a[0].t);
    Tensor *h0 = pair ? a[2].ts[0] : a[2].t, *c0 = pair ? a[2].ts[1] : NULL, *all[3];
    Tensor *output = n.input ? run(&n, h0, c0, all) : NULL;
    out[1] = output ? all[1] : NULL;
    if (pair) {
        out[2] = output ? all[2] : NULL;
    }
    return output ? packing_packed(&packing, output) : NULL;
}

#define NETWORKS(name, mode)                                       \
    Tensor *compose_##name(const Arg *a, Tensor **out) {           \
        Network n = network(#name, mode, a);                       \
        return run_one_state(&n, &a[1], out);                      \
    }                                                              \
    Tensor *compose_##name##__packed(const Arg *a, Tensor **out) { \
        return run_packed(#name, mode, a, out);                    \
    }
NETWORKS(gru, "gru")
NETWORKS(rnn_tanh, "tanh")
NETWORKS(rnn_relu, "relu")

Tensor *compose_lstm__packed(const Arg *a, Tensor **out) {
    return run_packed("lstm", "lstm", a, out);
}

/* One step of a cell, whose weights are arguments 2 to 5; the state goes to out, lstm's second to
 * out[1]. */
static Tensor *run_cell(const char *name, const char *mode_name, const Arg *a, Tensor *h, Tensor *c,
                        Tensor **out) {
    RnnMode mode = rnn_mode(name, mode_name);
    Weights w = {a[2].t, a[3].t, given(&a[4]), given(&a[5]), NULL};
    Tensor *x = a[0].t, *steps[3];
    int lead = x->dim - 1;
    if (!dtype_is_float(x->dtype) || lead < 0 || lead > 1 || h->dim != x->dim) {
        return fail_null("%s: input and state must be (N, I) and (N, H), or (I) and (H), of one "
                         "float dtype, got %s %s and %s",
                         name, dtype_name(x->dtype), shape_text(tensor_shape(x)),
                         shape_text(tensor_shape(h)));
    }
    int64_t width = h->shape[lead];
    Ints state = lead ? INTS(x->shape[0], width) : INTS(width);
    if (!check(name, "the state", h, state, x->dtype) ||
        !check(name, "the cell state", c, state, x->dtype) ||
        !check_weights(name, &w, mode, x->shape[lead], width, width, x->dtype)) {
        return NULL;
    }
    int64_t batch = lead ? x->shape[0] : 1;
    Tensor *input = t_reshape(widened(x), INTS(1, batch, x->shape[lead]));
    Tensor *h0 = t_reshape(widened(h), INTS(batch, width));
    Tensor *c0 = c ? t_reshape(widened(c), INTS(batch, width)) : NULL;
    if ((c && !c0) || !run_layer(mode, mode_name, input, &w, h0, c0, false, steps)) {
        return NULL;
    }
    if (c) {
        out[1] = rounded(t_reshape(steps[1], state), x->dtype);
    }
    return rounded(t_reshape(steps[0], state), x->dtype);
}

Tensor *compose_lstm_cell(const Arg *a, Tensor **out) {
    return check_pair("lstm_cell", &a[1])
               ? run_cell("lstm_cell", "lstm", a, a[1].ts[0], a[1].ts[1], out)
               : NULL;
}

Tensor *compose_gru_cell(const Arg *a, Tensor **out) {
    return run_cell("gru_cell", "gru", a, a[1].t, NULL, out);
}

Tensor *compose_rnn_tanh_cell(const Arg *a, Tensor **out) {
    return run_cell("rnn_tanh_cell", "tanh", a, a[1].t, NULL, out);
}

Tensor *compose_rnn_relu_cell(const Arg *a, Tensor **out) {
    return run_cell("rnn_relu_cell", "relu", a, a[1].t, NULL, out);
}
