/* Shapes of random tensors, and what their distributions may be given. */
#include <math.h>

#include "tensor/number.h"

static bool like_input(Call *c) {
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[0]));
    return true;
}

bool infer_bernoulli(Call *c) { return like_input(c); }
bool infer_poisson(Call *c) { return like_input(c); }
bool infer_random(Call *c) { return like_input(c); }

static bool infer_between(Call *c, int64_t low, int64_t high) {
    if (low > high) {
        return fail("%s: to must be at least %lld, got %lld", c->op->public_name, (long long)low,
                    (long long)high);
    }
    return whole_number_fits(c->op, "from", low, c->dtype) &&
           whole_number_fits(c->op, "to", high, c->dtype) && like_input(c);
}

bool infer_random__to(Call *c) { return infer_between(c, 1, c->arg[1].i); }
bool infer_random__range(Call *c) { return infer_between(c, c->arg[1].i, c->arg[2].i); }

static bool is_probability(const Call *c, bool ok) {
    return ok || fail("%s: p must be a probability, in [0, 1]%s, got %g", c->op->public_name,
                      c->op->id == OP_geometric ? " but not 0" : "", c->arg[1].f);
}

bool infer_bernoulli__number(Call *c) {
    double p = c->arg[1].f;
    return is_probability(c, p >= 0 && p <= 1) && like_input(c);
}

bool infer_geometric(Call *c) {
    double p = c->arg[1].f;
    return is_probability(c, p > 0 && p <= 1) && like_input(c);
}

bool infer_exponential(Call *c) {
    double lambd = c->arg[1].f;
    if (!(lambd > 0) || isinf(lambd)) {
        return fail("%s: lambd must be above 0 and finite, got %g", c->op->public_name, lambd);
    }
    return like_input(c);
}

/* Arguments 1 and 2: where the middle lies, and how wide it is about it. */
static bool infer_located(Call *c) {
    double middle = c->arg[1].f, width = c->arg[2].f;
    if (!isfinite(middle) || !(width >= 0) || isinf(width)) {
        return fail("%s: %s must be finite and %s finite and not negative, got %g and %g",
                    c->op->public_name, c->op->params[1].name, c->op->params[2].name, middle,
                    width);
    }
    return like_input(c);
}

bool infer_cauchy(Call *c) { return infer_located(c); }
bool infer_log_normal(Call *c) { return infer_located(c); }

bool infer_multinomial(Call *c) {
    const Tensor *t = c->in[0];
    int64_t n = c->arg[1].i;
    if (t->dim < 1 || t->dim > 2 || t->shape[t->dim - 1] == 0) {
        return fail("multinomial: input must be a vector or a matrix with at least one column, got "
                    "shape %s",
                    shape_text(tensor_shape(t)));
    }
    int64_t categories = t->shape[t->dim - 1];
    if (n < 1 || (!c->arg[2].b && n > categories)) {
        return fail("multinomial: num_samples must be at least 1 and without replacement at most "
                    "%lld, the number of weights, got %lld",
                    (long long)categories, (long long)n);
    }
    spec_set(&c->spec[0], DT_INT64, t->dim == 1 ? INTS(n) : INTS(t->shape[0], n));
    return true;
}
