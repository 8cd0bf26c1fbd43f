/* Gradients of attention. attend's are tiled; those of bias and of the gradients hold the matrix of
 * scores. In the composed ones heads are (B, K, R, L, E): R heads of queries share one of keys. */
#include <math.h>

#include "autograd/back.h"
#include "tensor/widen.h"

/* query and what has its shape but for the last dims, and key or value. */
static Tensor *grouped(Tensor *t, Ints key) {
    if (!t) {
        return NULL;
    }
    int64_t rows = t->shape[2], last = t->dim > 3 ? t->shape[3] : 1;
    return t_reshape(t,
                     INTS(key.v[0], key.v[1], key.v[1] ? t->shape[1] / key.v[1] : 1, rows, last));
}

static Tensor *shared(Tensor *t) { return t_unsqueeze(widened(t), 2); }

static Tensor *grouped_bias(Tensor *bias, Ints key) {
    if (!bias) {
        return NULL;
    }
    bool own = bias->shape[1] != 1;
    return t_reshape(widened(bias), INTS(bias->shape[0], own ? key.v[1] : 1,
                                         own && key.v[1] ? bias->shape[1] / key.v[1] : 1,
                                         bias->shape[2], bias->shape[3]));
}

static Tensor *swapped(Tensor *t) { return t_transpose(t, -2, -1); }
static Tensor *sum_last(Tensor *t) { return t_sum(t, INTS(-1), true, DT_NONE); }
static Tensor *sum_of(Tensor *a, Tensor *b) { return !a ? b : !b ? a : t_add(a, b); }

/* What attend and its gradients compute with, in float for half types. */
typedef struct Scores {
    Ints query, key, value; /* shapes */
    double scale;
    bool causal;
    Tensor *q, *k, *v, *bias, *lse;
    Tensor *weights; /* e^(score - lse), (B, K, R, L, S) */
} Scores;

static void weigh(Scores *s) {
    Tensor *x = t_mul(t_matmul(s->q, swapped(s->k)), tensor_number(s->scale));
    Tensor *never = tensor_number(-INFINITY);
    if (s->bias) {
        x = t_add(x, s->bias);
    }
    if (s->causal && x) {
        Tensor *all = t_ones(INTS(s->query.v[2], s->key.v[2]), DT_BOOL, x->device, false);
        x = t_where(t_tril(all, 0), x, never);
    }
    /* A query that sees nothing weighs nothing. */
    Tensor *blind = t_eq(s->lse, never);
    s->weights = t_exp(t_sub(x, t_where(blind, tensor_number(0), s->lse)));
}

/* The operands from argument k on, and lse. */
static Scores scores(Back *n, int k, Tensor *lse, double scale, bool causal) {
    Scores s = {.query = SHAPE(k),
                .key = SHAPE(k + 1),
                .value = SHAPE(k + 2),
                .scale = scale,
                .causal = causal};
    s.q = grouped(widened(IN(k)), s.key);
    s.k = shared(IN(k + 1));
    s.v = shared(IN(k + 2));
    s.bias = grouped_bias(IN(k + 3), s.key);
    s.lse = grouped(lse, s.key);
    weigh(&s);
    return s;
}

/* The gradient of the scores, given those of the output and what is subtracted from them. */
static Tensor *of_scores(const Scores *s, Tensor *g, Tensor *delta) {
    return t_mul(s->weights, t_sub(t_matmul(g, swapped(s->v)), delta));
}

/* A sum over the heads that share a key. */
static Tensor *unshared(Tensor *t) { return t_sum(t, INTS(2), false, DT_NONE); }

/* Summed and shaped as bias is. */
static Tensor *of_bias(const Scores *s, Tensor *of_score, Ints bias) {
    Tensor *whole =
        t_reshape(of_score, INTS(s->query.v[0], s->query.v[1], s->query.v[2], s->key.v[2]));
    return t_sum_to_size(whole, bias);
}

/* What is subtracted from the gradients of weights: the sums of grad * output along the last dim,
 * less the gradient of lse; all grouped. */
static Tensor *delta_of(Tensor *g, Tensor *output, Tensor *lse_grad) {
    Tensor *sums = sum_last(t_mul(g, output));
    return lse_grad ? t_sub(sums, lse_grad) : sums;
}

Tensor *grad_attend(Back *n, int i, Tensor *g) {
    double scale = ARG(4).f;
    bool causal = ARG(5).b;
    if (i == 3) {
        Scores s = scores(n, 0, OUT(1), scale, causal);
        Tensor *grad = grouped(widened(g), s.key);
        Tensor *delta =
            delta_of(grad, grouped(widened(OUT(0)), s.key), grouped(n->grads[1], s.key));
        return of_bias(&s, of_scores(&s, grad, delta), SHAPE(3));
    }
    if (!n->memo[0] && !t_attend_backward(g, IN(0), IN(1), IN(2), IN(3), OUT(0), OUT(1),
                                          n->grads[1], scale, causal, n->memo)) {
        return NULL;
    }
    return n->memo[i];
}

/* The gradients of attend_backward. With x the gradient of the scores' gradient and weights p:
 * query_grad = scale * d k, key_grad = scale * d^T q, value_grad = p^T g, where d = p * (g v^T -
 * delta) and delta, the sum of g * output less lse_grad, has the gradient w. */
typedef struct Second {
    Scores s;
    Tensor *g, *output;
    Tensor *of_query, *of_key, *of_value; /* the gradients that come in; may be NULL */
    Tensor *d, *x, *w, *z;                /* z: the gradient of the scores */
} Second;

static Second second(Back *n) {
    Second t = {.s = scores(n, 1, IN(6), ARG(8).f, ARG(9).b)};
    Scores *s = &t.s;
    Tensor *scale = tensor_number(s->scale);
    t.g = grouped(widened(IN(0)), s->key);
    t.output = grouped(widened(IN(5)), s->key);
    Tensor *delta = delta_of(t.g, t.output, grouped(IN(7), s->key));
    t.of_query = n->grads[0] ? grouped(widened(n->grads[0]), s->key) : NULL;
    t.of_key = n->grads[1] ? shared(n->grads[1]) : NULL;
    t.of_value = n->grads[2] ? shared(n->grads[2]) : NULL;
    Tensor *gap = t_sub(t_matmul(t.g, swapped(s->v)), delta), *of_weights = NULL;
    t.d = t_mul(s->weights, gap);
    if (t.of_query) {
        t.x = t_matmul(t.of_query, swapped(s->k));
    }
    if (t.of_key) {
        t.x = sum_of(t.x, t_matmul(s->q, swapped(t.of_key)));
    }
    if (t.x) {
        t.x = t_mul(t.x, scale);
        of_weights = t_mul(t.x, gap);
        t.w = t_neg(sum_last(t_mul(t.x, s->weights)));
    }
    if (t.of_value) {
        of_weights = sum_of(of_weights, t_matmul(t.g, swapped(t.of_value)));
    }
    t.z = of_weights ? t_mul(of_weights, s->weights) : NULL;
    return t;
}

static Tensor *of_grad(const Second *t) {
    Tensor *sum = t->of_value ? t_matmul(t->s.weights, t->of_value) : NULL;
    if (!t->x) {
        return sum;
    }
    Tensor *of_scores = t_matmul(t_mul(t->x, t->s.weights), t->s.v);
    return sum_of(sum, t_add(of_scores, t_mul(t->w, t->output)));
}

static Tensor *of_query(const Second *t) {
    Tensor *scale = tensor_number(t->s.scale);
    Tensor *sum = t->of_key ? t_mul(t_matmul(t->d, t->of_key), scale) : NULL;
    return t->z ? sum_of(sum, t_mul(t_matmul(t->z, t->s.k), scale)) : sum;
}

static Tensor *of_key(const Second *t) {
    Tensor *scale = tensor_number(t->s.scale);
    Tensor *sum = t->of_query ? t_mul(t_matmul(swapped(t->d), t->of_query), scale) : NULL;
    sum = t->z ? sum_of(sum, t_mul(t_matmul(swapped(t->z), t->s.q), scale)) : sum;
    return sum ? unshared(sum) : NULL;
}

static Tensor *of_value(const Second *t) {
    return t->x ? unshared(t_matmul(swapped(t_mul(t->x, t->s.weights)), t->g)) : NULL;
}

Tensor *grad_attend_backward(Back *n, int i, Tensor *gg) {
    (void)gg;
    Second t = second(n);
    Tensor *d = NULL;
    switch (i) {
    case 0: d = of_grad(&t); break;
    case 1: d = of_query(&t); break;
    case 2: d = of_key(&t); break;
    case 3: d = of_value(&t); break;
    case 4: d = t.z ? of_bias(&t.s, t.z, SHAPE(4)) : NULL; break;
    case 5: d = t.w ? t_mul(t.w, t.g) : NULL; break;
    case 6: d = t.z ? t_neg(sum_last(t.z)) : NULL; break;
    default: d = t.w ? t_neg(t.w) : NULL;
    }
    /* A sum without the part whose computation failed is no gradient. */
    return d && !error_message() ? t_reshape(d, SHAPE(i)) : NULL;
}
