/* Gradients of recurrent networks: a fused op, or, where they are to have gradients themselves,
 * step by step of other ops. */
#include "autograd/back.h"
#include "base/memory.h"
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
