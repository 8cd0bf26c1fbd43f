/* Gradients of recurrent networks: a fused op, or, where they are to have gradients themselves,
 * step by step of other ops. */
#include "autograd/back.h"
#include "base/memory.h"
#include "tensor/compose_rnn.h"
#include "tensor/rnn.h"

/* The way back through the steps, made of other ops. Tensors of one step are (N, H). */
typedef struct Walk {
    Back *n;
    RnnMode mode;
    bool reverse;
    int64_t steps, h;
    Tensor *weight, *h0, *c0, *output, *cells, *kept, *grad;
    Tensor *carry, *c_carry;
    Tensor **gates, **hidden; /* gradients by step */
} Walk;

static Tensor *step_of(Tensor *t, int64_t at) { return t ? t_select(t, 0, at) : NULL; }

/* Block j of H columns. */
static Tensor *block(const Walk *w, Tensor *t, int64_t j) { return t_narrow(t, 1, j * w->h, w->h); }

static Tensor *plus(Tensor *a, Tensor *b) { return t_add(a, b); }

/* d, and what the gradient of the kept activations adds to it. */
static Tensor *with_kept(const Walk *w, Tensor *d, int64_t at, int64_t j) {
    Tensor *kept = w->n->grads[2];
    return kept ? plus(d, block(w, step_of(kept, at), j)) : d;
}

static Tensor *one_minus(Tensor *t) { return t_add(t_neg(t), tensor_number(1)); }

static void simple_step(Walk *w, int64_t at, Tensor *dh) {
    Tensor *now = step_of(w->output, at);
    w->gates[at] = w->mode == RNN_TANH ? t_tanh_backward(dh, now) : t_relu_backward(dh, now);
    w->carry = t_mm(w->gates[at], w->weight);
}

static void lstm_step(Walk *w, int64_t at, int64_t before, Tensor *dh) {
    Tensor *k = step_of(w->kept, at), *c = before < 0 ? w->c0 : step_of(w->cells, before);
    Tensor *i = block(w, k, 0), *f = block(w, k, 1), *g = block(w, k, 2), *o = block(w, k, 3);
    Tensor *t = t_tanh(step_of(w->cells, at));
    Tensor *dc = plus(w->c_carry, t_tanh_backward(t_mul(dh, o), t));
    if (w->n->grads[1]) {
        dc = plus(dc, step_of(w->n->grads[1], at));
    }
    Tensor *parts[] = {t_sigmoid_backward(with_kept(w, t_mul(dc, g), at, 0), i),
                       t_sigmoid_backward(with_kept(w, t_mul(dc, c), at, 1), f),
                       t_tanh_backward(with_kept(w, t_mul(dc, i), at, 2), g),
                       t_sigmoid_backward(with_kept(w, t_mul(dh, t), at, 3), o)};
    w->gates[at] = t_cat((TensorList){parts, 4}, 1);
    w->c_carry = t_mul(dc, f);
    w->carry = t_mm(w->gates[at], w->weight);
}

static void gru_step(Walk *w, int64_t at, int64_t before, Tensor *dh) {
    Tensor *k = step_of(w->kept, at), *state = before < 0 ? w->h0 : step_of(w->output, before);
    Tensor *r = block(w, k, 0), *z = block(w, k, 1), *n = block(w, k, 2), *q = block(w, k, 3);
    Tensor *dz = t_sigmoid_backward(with_kept(w, t_mul(dh, t_sub(state, n)), at, 1), z);
    Tensor *dn = t_tanh_backward(with_kept(w, t_mul(dh, one_minus(z)), at, 2), n);
    Tensor *dq = with_kept(w, t_mul(dn, r), at, 3);
    Tensor *dr = t_sigmoid_backward(with_kept(w, t_mul(dn, q), at, 0), r);
    w->gates[at] = t_cat((TensorList){(Tensor *[]){dr, dz, dn}, 3}, 1);
    w->hidden[at] = t_cat((TensorList){(Tensor *[]){dr, dz, dq}, 3}, 1);
    w->carry = plus(t_mul(dh, z), t_mm(w->hidden[at], w->weight));
}

static void walk_back(Walk *w) {
    for (int64_t i = w->steps - 1; i >= 0; i--) {
        int64_t at = w->reverse ? w->steps - 1 - i : i;
        int64_t before = i == 0 ? -1 : w->reverse ? at + 1 : at - 1;
        Tensor *dh = plus(step_of(w->grad, at), w->carry);
        switch (w->mode) {
        case RNN_LSTM: lstm_step(w, at, before, dh); break;
        case RNN_GRU: gru_step(w, at, before, dh); break;
        default: simple_step(w, at, dh);
        }
    }
}

/* The four gradients into out, from ops that have gradients. */
static bool composed(Back *n, RnnMode mode, Tensor *g, Tensor **out) {
    Ints gates = SHAPE(0);
    Walk w = {.n = n,
              .mode = mode,
              .reverse = ARG(6).b,
              .steps = gates.v[0],
              .h = SHAPE(1).v[1],
              .weight = IN(1),
              .h0 = IN(3),
              .c0 = IN(4),
              .output = OUT(0),
              .cells = OUT(1),
              .kept = OUT(2),
              .grad = g};
    size_t bytes = (size_t)w.steps * 2 * sizeof(Tensor *);
    w.gates = mem_zalloc(bytes);
    if (!w.gates || !w.h0 || (mode == RNN_LSTM && !w.c0)) {
        mem_free(w.gates, bytes);
        return false;
    }
    w.hidden = w.gates + w.steps;
    w.carry = t_zeros(SHAPE(3), g->dtype, g->device, false);
    w.c_carry = w.carry;
    walk_back(&w);
    int steps = (int)w.steps;
    out[0] = t_stack((TensorList){w.gates, steps}, 0);
    out[1] = mode == RNN_GRU ? t_stack((TensorList){w.hidden, steps}, 0) : out[0];
    out[2] = w.carry;
    out[3] = w.c_carry;
    mem_free(w.gates, bytes);
    return out[0] && out[1] && out[2] && out[3];
}

static bool fused(Back *n, RnnMode mode, Tensor *g, Tensor **out) {
    bool ok =
        t_rnn_sequence_backward(g, mode == RNN_LSTM ? n->grads[1] : NULL, n->grads[2], IN(1), IN(3),
                                IN(4), OUT(0), OUT(1), OUT(2), ARG(5).s, ARG(6).b, out);
    if (ok && mode != RNN_GRU) {
        out[1] = out[0];
    }
    return ok;
}

/* The states before each step, (T, N, H). */
static Tensor *states_before(Back *n) {
    int64_t steps = SHAPE(0).v[0];
    bool reverse = ARG(6).b;
    Tensor *first = t_unsqueeze(IN(3), 0), *rest = t_narrow(OUT(0), 0, reverse, steps - 1);
    Tensor *pair[] = {reverse ? rest : first, reverse ? first : rest};
    return pair[0] && pair[1] ? t_cat((TensorList){pair, 2}, 0) : NULL;
}

static Tensor *of_weight(Back *n, Tensor *hidden) {
    Ints gates = SHAPE(0);
    if (gates.v[0] == 0) {
        return t_zeros(SHAPE(1), hidden->dtype, hidden->device, false);
    }
    Tensor *states = states_before(n);
    Tensor *flat = t_reshape(hidden, INTS(gates.v[0] * gates.v[1], gates.v[2]));
    states = t_reshape(states, INTS(gates.v[0] * gates.v[1], SHAPE(1).v[1]));
    return t_mm(t_transpose(flat, 0, 1), states);
}

Tensor *grad_rnn_sequence(Back *n, int i, Tensor *g) {
    RnnMode mode = rnn_mode(n->node->op->public_name, ARG(5).s);
    if (!n->memo[0]) {
        bool walk = modes.recording && SHAPE(0).v[0] > 0;
        if (!(walk ? composed(n, mode, g, n->memo) : fused(n, mode, g, n->memo))) {
            return NULL;
        }
    }
    switch (i) {
    case 0: return n->memo[0];
    case 1: return of_weight(n, n->memo[1]);
    case 2: return t_sum(n->memo[1], INTS(0, 1), false, DT_NONE);
    case 3: return n->memo[2];
    default: return n->memo[3];
    }
}

/* The inputs of a whole network, at places of their own in the graph where gradients are wanted:
 * what stands twice among them, or depends on another, counts once each. fresh has the inputs, and
 * wanted some of these. */
static bool fresh_inputs(Back *n, Tensor **fresh, Tensor **wanted, int *count) {
    *count = 0;
    for (int k = 0; k < n->node->n_in; k++) {
        fresh[k] = IN(k);
        if (fresh[k] && NEEDS(k)) {
            fresh[k] = t_view(fresh[k], SHAPE(k));
            wanted[(*count)++] = fresh[k];
        }
        if (!fresh[k] && error_message()) {
            return false;
        }
    }
    return true;
}

/* The gradients of params, one element after another. */
static Tensor *joined_params(Back *n, Tensor *const *grads, int dtype, Device device) {
    int count = n->node->n_in - 3;
    size_t bytes = (size_t)count * sizeof(Tensor *);
    Tensor **flat = mem_alloc(bytes);
    for (int k = 0; flat && k < count; k++) {
        Tensor *g = grads[3 + k];
        g = g ? g : t_zeros(SHAPE(3 + k), dtype, device, false);
        flat[k] = g ? t_flatten(g, 0, -1) : NULL;
    }
    Tensor *all = flat ? t_cat((TensorList){flat, count}, 0) : NULL;
    mem_free(flat, bytes);
    return all;
}

/* The gradients of input, h0 and c0, and those of params together. */
static bool collect(Back *n, Tensor *const *grads, const Tensor *g, Tensor **out) {
    for (int k = 0; k < 3; k++) {
        bool given = k < 2 || n->node->in[k].given;
        out[k] = grads[k] || !given ? grads[k] : t_zeros(SHAPE(k), g->dtype, g->device, false);
        if (given && !out[k]) {
            return false;
        }
    }
    out[3] = joined_params(n, grads, g->dtype, g->device);
    return out[3] != NULL;
}

/* Room for three lists of as many tensors as the network has inputs. */
static bool network_by_layers(Back *n, Tensor *g, Tensor **lists, Tensor **out) {
    int n_in = n->node->n_in, count, n_outs = 0;
    Tensor **fresh = lists, **wanted = lists + n_in, **found = lists + 2 * (ptrdiff_t)n_in;
    Tensor *all[3], *outs[3], *grads[3], *came[] = {g, n->grads[1], n->grads[2]};
    if (!fresh_inputs(n, fresh, wanted, &count) ||
        !rnn_network_by_layers(n->node->arg, fresh, n_in - 3, all)) {
        return false;
    }
    for (int k = 0; k < (fresh[2] ? 3 : 2); k++) {
        if (came[k]) {
            outs[n_outs] = all[k];
            grads[n_outs++] = came[k];
        }
    }
    if (!autograd_grad(outs, grads, n_outs, wanted, count, true, true, true, found)) {
        return false;
    }
    for (int k = n_in - 1; k >= 0; k--) {
        bool is_wanted = count > 0 && fresh[k] && wanted[count - 1] == fresh[k];
        count -= is_wanted;
        fresh[k] = is_wanted ? found[count] : NULL;
    }
    return collect(n, fresh, g, out);
}

/* Gradients of a whole network that are to have gradients themselves are those of the same network
 * layer by layer, whose steps are computed anew and recorded. */
static bool composed_network(Back *n, Tensor *g, Tensor **out) {
    size_t bytes = 3 * (size_t)n->node->n_in * sizeof(Tensor *);
    Tensor **lists = mem_zalloc(bytes);
    bool ok = lists && network_by_layers(n, g, lists, out);
    mem_free(lists, bytes);
    return ok;
}

static bool fused_network(Back *n, Tensor *g, Tensor **out) {
    int count = n->node->n_in - 3;
    size_t bytes = (size_t)count * sizeof(Tensor *);
    Tensor **params = mem_alloc(bytes);
    bool weights = false, ok = params != NULL;
    for (int k = 0; ok && k < count; k++) {
        params[k] = IN(3 + k);
        weights |= NEEDS(3 + k);
        ok = params[k] != NULL;
    }
    bool lstm = n->node->in[2].given;
    ok = ok && t_rnn_network_backward(g, n->grads[1], lstm ? n->grads[2] : NULL, IN(0), IN(1),
                                      IN(2), OUT(0), OUT(3), (TensorList){params, count}, ARG(4).s,
                                      ARG(5).b, ARG(6).i, ARG(7).b, weights, out);
    mem_free(params, bytes);
    return ok;
}

Tensor *grad_rnn_network(Back *n, int i, Tensor *g) {
    if (!n->memo[0] &&
        !(modes.recording ? composed_network(n, g, n->memo) : fused_network(n, g, n->memo))) {
        return NULL;
    }
    if (i < 3) {
        return n->memo[i];
    }
    int64_t from = 0;
    for (int k = 3; k < i; k++) {
        from += shape_numel(SHAPE(k));
    }
    Ints shape = SHAPE(i);
    return t_view(t_narrow(n->memo[3], 0, from, shape_numel(shape)), shape);
}
