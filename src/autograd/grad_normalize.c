/* Gradients of the core of the norms. x is (N, G, K, S); statistics are (N, G), or (G) over the
 * batch. */
#include "autograd/back.h"

/* A view of t, statistics or weights, that broadcasts over (N, G, K, S). */
static Tensor *spread(Tensor *t, Ints shape, bool weights) {
    if (!t) {
        return NULL;
    }
    if (weights) {
        return t_reshape(t, INTS(1, shape.v[1], shape.v[2], 1));
    }
    return t_reshape(t, INTS(t->dim == 2 ? shape.v[0] : 1, shape.v[1], 1, 1));
}

/* The sum over each set, in the shape of the statistics. */
static Tensor *sum_sets(Tensor *t, bool over_batch) {
    return t_sum(t, over_batch ? INTS(0, 2, 3) : INTS(2, 3), false, DT_NONE);
}

static Tensor *sum_weights(Tensor *t, Ints weights) {
    return t_reshape(t_sum(t, INTS(0, 3), false, DT_NONE), weights);
}

/* What input gets by way of the results mean and rstd. */
static Tensor *by_statistics(Back *n, bool over_batch, bool center) {
    Ints shape = SHAPE(0);
    int64_t count = shape.v[2] * shape.v[3] * (over_batch ? shape.v[0] : 1);
    Tensor *share = tensor_number(1 / (double)count), *sum = NULL;
    if (n->grads[1] && center) {
        sum = t_expand(spread(t_mul(n->grads[1], share), shape, false), shape);
    }
    if (n->grads[2]) {
        Tensor *rstd = OUT(2), *cube = t_mul(t_square(rstd), rstd);
        Tensor *slope = t_neg(t_mul(t_mul(n->grads[2], cube), share));
        Tensor *part =
            t_mul(t_sub(IN(0), spread(OUT(1), shape, false)), spread(slope, shape, false));
        sum = sum ? t_add(sum, part) : part;
    }
    return sum;
}

Tensor *grad_standardize(Back *n, int i, Tensor *g) {
    bool over_batch = ARG(4).b, center = ARG(5).b;
    if (i == 2) {
        return sum_weights(g, SHAPE(2));
    }
    if (!n->memo[0] &&
        !t_standardize_backward(g, IN(0), IN(1), OUT(1), OUT(2), over_batch, center, n->memo)) {
        return NULL;
    }
    if (i == 1) {
        return n->memo[1];
    }
    Tensor *more = by_statistics(n, over_batch, center);
    if (error_message()) {
        return NULL;
    }
    return more ? t_add(n->memo[0], more) : n->memo[0];
}

/* The means that standardize_backward takes over each set: of the gradient v of the normalised x,
 * and of v times the normalised x. */
typedef struct Means {
    Tensor *plain, *times;
} Means;

typedef struct Second {
    Back *n;
    Ints shape;
    bool over_batch, center;
    double count;
    Tensor *g, *x, *mean, *rstd, *weight; /* spread; weight may be NULL */
    Tensor *normal, *v;                   /* the normalised x, and its gradient weight * g */
    Tensor *of_x, *of_weight, *of_bias;   /* the gradients that come in, spread; may be NULL */
} Second;

static Means means_of(const Second *s, Tensor *v) {
    Tensor *share = tensor_number(1 / s->count);
    Means m = {NULL,
               spread(t_mul(sum_sets(t_mul(v, s->normal), s->over_batch), share), s->shape, false)};
    if (s->center) {
        m.plain = spread(t_mul(sum_sets(v, s->over_batch), share), s->shape, false);
    }
    return m;
}

/* v - mean(v) - normal * mean(v * normal) */
static Tensor *projected(const Second *s, Tensor *v) {
    Means m = means_of(s, v);
    Tensor *rest = t_sub(v, t_mul(s->normal, m.times));
    return s->center ? t_sub(rest, m.plain) : rest;
}

static Tensor *sum_of(Tensor *a, Tensor *b) { return !a ? b : !b ? a : t_add(a, b); }

static Second second(Back *n) {
    Second s = {.n = n, .shape = SHAPE(1), .over_batch = ARG(5).b, .center = ARG(6).b};
    Ints shape = s.shape;
    s.count = (double)shape.v[2] * (double)shape.v[3] * (s.over_batch ? (double)shape.v[0] : 1);
    s.g = IN(0);
    s.x = IN(1);
    s.weight = spread(IN(2), shape, true);
    s.mean = spread(IN(3), shape, false);
    s.rstd = spread(IN(4), shape, false);
    s.normal = t_mul(t_sub(s.x, s.mean), s.rstd);
    s.v = s.weight ? t_mul(s.g, s.weight) : s.g;
    s.of_x = n->grads[0];
    s.of_weight = spread(n->grads[1], shape, true);
    s.of_bias = spread(n->grads[2], shape, true);
    return s;
}

/* What the normalised x gets, apart from rstd as a factor of the result. */
static Tensor *of_normal(const Second *s) {
    Tensor *sum = NULL;
    if (s->of_x) {
        Means v = means_of(s, s->v), w = means_of(s, s->of_x);
        Tensor *both = t_add(t_mul(s->of_x, v.times), t_mul(s->v, w.times));
        sum = t_neg(t_mul(s->rstd, both));
    }
    return s->of_weight ? sum_of(sum, t_mul(s->of_weight, s->g)) : sum;
}

static Tensor *of_grad(const Second *s) {
    Tensor *sum = NULL;
    if (s->of_x) {
        sum = t_mul(projected(s, s->of_x), s->rstd);
        sum = s->weight ? t_mul(sum, s->weight) : sum;
    }
    if (s->of_weight) {
        sum = sum_of(sum, t_mul(s->of_weight, s->normal));
    }
    return s->of_bias ? sum_of(sum, t_expand(s->of_bias, s->shape)) : sum;
}

static Tensor *of_rstd(const Second *s) {
    Tensor *normal = of_normal(s), *sum = NULL;
    if (normal) {
        sum = sum_sets(t_mul(normal, t_sub(s->x, s->mean)), s->over_batch);
    }
    return s->of_x ? sum_of(sum, sum_sets(t_mul(s->of_x, projected(s, s->v)), s->over_batch)) : sum;
}

/* A sum without the part whose computation failed is no gradient. */
static Tensor *unless_failed(Tensor *t) { return error_message() ? NULL : t; }

/* With normal = (x - mean) * rstd and v = weight * g: input_grad = rstd * (v - mean(v) - normal *
 * mean(v * normal)), weight_grad the sum of g * normal, bias_grad that of g. */
Tensor *grad_standardize_backward(Back *n, int i, Tensor *gg) {
    (void)gg;
    Second s = second(n);
    Tensor *normal;
    switch (i) {
    case 0: return unless_failed(of_grad(&s));
    case 2:
        return s.of_x ? sum_weights(t_mul(t_mul(s.g, s.rstd), projected(&s, s.of_x)), SHAPE(2))
                      : NULL;
    case 4: return unless_failed(of_rstd(&s));
    default:
        normal = unless_failed(of_normal(&s));
        normal = normal ? t_mul(normal, s.rstd) : NULL;
        return i == 1 || !normal ? normal : t_neg(sum_sets(normal, s.over_batch));
    }
}
