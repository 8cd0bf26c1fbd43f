/* Recurrent networks of several layers and directions, and single cells, on rnn_sequence. Half
 * types are computed as float32 and rounded once. */
#include "tensor/rnn.h"
#include "tensor/widen.h"

static Tensor *given(const Arg *a) { return a->kind == ARG_TENSOR ? a->t : NULL; }

/* The weights of one layer in one direction. */
typedef struct Weights {
    Tensor *ih, *hh, *b_ih, *b_hh; /* biases may be NULL */
} Weights;

typedef struct Network {
    const char *name, *mode_name;
    RnnMode mode;
    Tensor *input, *h0, *c0; /* input: (T, N, I); states: (layers * directions, N, H) */
    TensorList params;
    bool has_biases, train, batch_first, single; /* single: without a batch dim */
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

/* Whether weights take inputs of size in to states of size h. */
static bool check_weights(const char *name, const Weights *w, RnnMode mode, int64_t in, int64_t h,
                          int dtype) {
    int64_t k = rnn_gates(mode);
    if (h > INT64_MAX / 4) {
        return fail("%s: the state is too large", name);
    }
    return check(name, "w_ih", w->ih, INTS(k * h, in), dtype) &&
           check(name, "w_hh", w->hh, INTS(k * h, h), dtype) &&
           check(name, "b_ih", w->b_ih, INTS(k * h), dtype) &&
           check(name, "b_hh", w->b_hh, INTS(k * h), dtype);
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

static bool check_counts(const Network *n) {
    int64_t each = n->has_biases ? 4 : 2;
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
    return widened(n->single ? t_unsqueeze(t, 1) : t);
}

static Weights weights_at(const Network *n, int64_t stack) {
    int64_t each = n->has_biases ? 4 : 2;
    Tensor *const *p = n->params.v + stack * each;
    return (Weights){p[0], p[1], n->has_biases ? p[2] : NULL, n->has_biases ? p[3] : NULL};
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

/* A layer in all its directions; NULL with an error. */
static Tensor *layer(const Network *n, int64_t index, Tensor *x, Ends *ends) {
    Tensor *outputs[2];
    for (int d = 0; d < n->directions; d++) {
        int64_t stack = index * n->directions + d, h = n->h0->shape[2];
        Weights w = weights_at(n, stack);
        Tensor *out[3], *h0 = t_select(n->h0, 0, stack);
        Tensor *c0 = n->c0 ? t_select(n->c0, 0, stack) : NULL;
        if (!check_weights(n->name, &w, n->mode, x->shape[2], h, n->dtype) ||
            !run_layer(n->mode, n->mode_name, x, &w, h0, c0, d == 1, out)) {
            return NULL;
        }
        int64_t last = d == 1 ? 0 : x->shape[0] - 1;
        outputs[d] = out[0];
        ends->h[d] = t_select(out[0], 0, last);
        ends->c[d] = n->c0 ? t_select(out[1], 0, last) : NULL;
    }
    int dirs = (int)n->directions;
    ends->all_h = joined(ends->all_h, ends->h, dirs);
    ends->all_c = n->c0 ? joined(ends->all_c, ends->c, dirs) : NULL;
    return dirs == 1 ? outputs[0] : t_cat((TensorList){outputs, dirs}, 2);
}

static Tensor *as_given(const Network *n, Tensor *t) {
    return rounded(n->single ? t_squeeze(t, INTS(1)) : t, n->dtype);
}

static Tensor *run(Network *n, Tensor *h0, Tensor *c0, Tensor **out) {
    if (!check_input(n) || !check_counts(n)) {
        return NULL;
    }
    if (h0->dim != (n->single ? 2 : 3)) {
        return fail_null("%s: the state must have shape (num_layers * directions, %sH), got %s",
                         n->name, n->single ? "" : "N, ", shape_text(tensor_shape(h0)));
    }
    int64_t h = h0->shape[h0->dim - 1];
    n->h0 = read_state(n, "the state", h0, h);
    n->c0 = n->h0 && c0 ? read_state(n, "the cell state", c0, h) : NULL;
    if (!n->h0 || (c0 && !n->c0)) {
        return NULL;
    }
    Ends ends = {0};
    Tensor *x = widened(n->input);
    for (int64_t i = 0; x && i < n->layers; i++) {
        x = layer(n, i, x, &ends);
        if (i + 1 < n->layers && n->train && n->dropout > 0) {
            x = t_dropout(x, n->dropout, true);
        }
    }
    if (!x) {
        return NULL;
    }
    out[1] = as_given(n, ends.all_h);
    out[2] = c0 ? as_given(n, ends.all_c) : NULL;
    return as_given(n, !n->single && n->batch_first ? t_transpose(x, 0, 1) : x);
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

Tensor *compose_gru(const Arg *a, Tensor **out) {
    Network n = network("gru", "gru", a);
    Tensor *all[3];
    all[0] = run(&n, a[1].t, NULL, all);
    out[1] = all[0] ? all[1] : NULL;
    return all[0];
}

Tensor *compose_rnn_tanh(const Arg *a, Tensor **out) {
    Network n = network("rnn_tanh", "tanh", a);
    Tensor *all[3];
    all[0] = run(&n, a[1].t, NULL, all);
    out[1] = all[0] ? all[1] : NULL;
    return all[0];
}

Tensor *compose_rnn_relu(const Arg *a, Tensor **out) {
    Network n = network("rnn_relu", "relu", a);
    Tensor *all[3];
    all[0] = run(&n, a[1].t, NULL, all);
    out[1] = all[0] ? all[1] : NULL;
    return all[0];
}

/* One step of a cell, whose weights are arguments 2 to 5; the state goes to out, lstm's second to
 * out[1]. */
static Tensor *run_cell(const char *name, const char *mode_name, const Arg *a, Tensor *h, Tensor *c,
                        Tensor **out) {
    RnnMode mode = rnn_mode(name, mode_name);
    Weights w = {a[2].t, a[3].t, given(&a[4]), given(&a[5])};
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
        !check_weights(name, &w, mode, x->shape[lead], width, x->dtype)) {
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
