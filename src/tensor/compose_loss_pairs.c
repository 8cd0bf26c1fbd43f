/* Losses of an input and a target of one shape, and what all losses share. Half types are computed
 * as float32 and rounded once. */
#include <math.h>
#include <string.h>

#include "autograd/tape.h"
#include "tensor/loss.h"
#include "tensor/widen.h"

Tensor *loss_reduced(Tensor *loss, Reduction r) {
    switch (r) {
    case REDUCTION_NONE: return loss;
    case REDUCTION_MEAN: return t_mean(loss, NO_INTS, false, DT_NONE);
    default: return t_sum(loss, NO_INTS, false, DT_NONE);
    }
}

Tensor *loss_reduced_by(Tensor *loss, Tensor *weight, Reduction r) {
    loss = weight ? t_mul(loss, weight) : loss;
    if (!weight || r != REDUCTION_MEAN) {
        return loss_reduced(loss, r);
    }
    return t_div(t_sum(loss, NO_INTS, false, DT_NONE), t_sum(weight, NO_INTS, false, DT_NONE));
}

/* Broadcasting (n, 1) against (n) would silently compare all pairs. A number is no such mistake. */
bool loss_check_pair(const char *op, const char *name_a, const Tensor *a, const char *name_b,
                     const Tensor *b) {
    if (tensor_same_shape(a, b) || tensor_is_number(b)) {
        return true;
    }
    Ints shape_a = tensor_shape(a), shape_b = tensor_shape(b);
    if (a->numel == b->numel) {
        return fail("%s: %s has shape %s but %s has %s; give them one shape, as with "
                    "%s:reshape(%s.shape)",
                    op, name_a, shape_text(shape_a), name_b, shape_text(shape_b), name_b, name_a);
    }
    return fail("%s: %s has shape %s but %s has %s; give them one shape, as with "
                "%s:expand(%s.shape) where every row has the same %s",
                op, name_a, shape_text(shape_a), name_b, shape_text(shape_b), name_b, name_a,
                name_b);
}

/* A call of a loss of two tensors of one shape; the tensors are widened. */
typedef struct Pair {
    const char *name;
    Tensor *input, *target;
    int dtype;
    Reduction r;
} Pair;

static Tensor *given(const Arg *a) { return a->kind == ARG_TENSOR ? a->t : NULL; }
static Tensor *num(double x) { return tensor_number(x); }
static Tensor *at_least(Tensor *t, double least) {
    return t_clamp(t, arg_float(least), arg_none());
}

static bool read_numbers(Pair *p, const char *name, const Arg *a, const char *reduction) {
    *p = (Pair){
        .name = name, .input = a[0].t, .target = a[1].t, .r = loss_reduction(name, reduction)};
    if (p->r == REDUCTION_BAD || !loss_check_pair(name, "input", p->input, "target", p->target)) {
        return false;
    }
    p->dtype = tensor_is_number(p->target) ? p->input->dtype
                                           : dtype_promote(p->input->dtype, p->target->dtype);
    p->input = widened(p->input);
    p->target = widened(p->target);
    return p->input && p->target;
}

static bool fail_pair(const Pair *p, const char *wanted) {
    return fail("%s: input must be %s, got %s; convert it with :to(\"float32\")", p->name, wanted,
                dtype_name(p->input->dtype));
}

static bool read_pair(Pair *p, const char *name, const Arg *a, const char *reduction) {
    return read_numbers(p, name, a, reduction) &&
           (dtype_is_float(p->dtype) || fail_pair(p, "float16, bfloat16, float32, float64"));
}

/* For losses that complex numbers have too. */
static bool read_field(Pair *p, const char *name, const Arg *a, const char *reduction) {
    return read_numbers(p, name, a, reduction) &&
           (dtype_is_inexact(p->dtype) || fail_pair(p, dtype_set_text(DTSET_FIELD)));
}

/* A loss without the weight that could not be widened is none. */
static Tensor *finish(const Pair *p, Tensor *loss) {
    return error_message() ? NULL : rounded(loss_reduced(loss, p->r), p->dtype);
}

/* Argument a, a weight of input's shape, where given; false with an error. */
static bool read_weight(const Pair *p, const Arg *a, Tensor **weight) {
    *weight = widened(given(a));
    return !*weight ? !error_message()
                    : loss_check_pair(p->name, "input", p->input, "weight", *weight);
}

Tensor *compose_mse_loss(const Arg *a, Tensor **out) {
    (void)out;
    Pair p;
    Tensor *weight;
    if (!read_pair(&p, "mse_loss", a, a[2].s) || !read_weight(&p, &a[3], &weight)) {
        return NULL;
    }
    return rounded(loss_reduced_by(t_square(t_sub(p.input, p.target)), weight, p.r), p.dtype);
}

Tensor *compose_l1_loss(const Arg *a, Tensor **out) {
    (void)out;
    Pair p;
    Tensor *weight;
    if (!read_field(&p, "l1_loss", a, a[2].s) || !read_weight(&p, &a[3], &weight)) {
        return NULL;
    }
    Tensor *loss = loss_reduced_by(t_abs(t_sub(p.input, p.target)), weight, p.r);
    bool real = loss && !dtype_is_complex(loss->dtype);
    return rounded(loss, real ? dtype_real_of(p.dtype) : p.dtype);
}

Tensor *compose_smooth_l1_loss(const Arg *a, Tensor **out) {
    (void)out;
    Pair p;
    double beta = a[3].f;
    if (!read_pair(&p, "smooth_l1_loss", a, a[2].s)) {
        return NULL;
    }
    if (!(beta >= 0)) {
        return fail_null("smooth_l1_loss: beta must not be negative, got %g", beta);
    }
    Tensor *d = t_sub(p.input, p.target), *size = t_abs(d);
    if (beta == 0) {
        return finish(&p, size);
    }
    Tensor *near = t_mul(t_square(d), num(0.5 / beta)), *far = t_sub(size, num(0.5 * beta));
    return finish(&p, t_where(t_lt(size, num(beta)), near, far));
}

Tensor *compose_huber_loss(const Arg *a, Tensor **out) {
    (void)out;
    Pair p;
    Tensor *weight;
    double delta = a[3].f;
    if (!read_pair(&p, "huber_loss", a, a[2].s) || !read_weight(&p, &a[4], &weight)) {
        return NULL;
    }
    if (!(delta > 0)) {
        return fail_null("huber_loss: delta must be positive, got %g", delta);
    }
    Tensor *d = t_sub(p.input, p.target), *size = t_abs(d);
    Tensor *near = t_mul(t_square(d), num(0.5));
    Tensor *far = t_mul(t_sub(size, num(0.5 * delta)), num(delta));
    Tensor *loss = t_where(t_le(size, num(delta)), near, far);
    return finish(&p, weight ? t_mul(loss, weight) : loss);
}

/* t * log(t), 0 at 0. */
static Tensor *entropy(Tensor *t) {
    Tensor *zero = num(0), *one = num(1), *none = t_eq(t, zero);
    return t_where(none, zero, t_mul(t, t_log(t_where(none, one, t))));
}

Tensor *compose_kl_div(const Arg *a, Tensor **out) {
    (void)out;
    Pair p;
    bool by_batch = strcmp(a[2].s, "batchmean") == 0;
    if (!read_pair(&p, "kl_div", a, by_batch ? "sum" : a[2].s)) {
        return NULL;
    }
    Tensor *loss = a[3].b ? t_mul(t_exp(p.target), t_sub(p.target, p.input))
                          : t_sub(entropy(p.target), t_mul(p.target, p.input));
    loss = loss_reduced(loss, p.r);
    if (by_batch) {
        double batch = p.input->dim ? (double)p.input->shape[0] : 1;
        loss = t_div(loss, num(batch));
    }
    return rounded(loss, p.dtype);
}

/* Whether all elements are in [0, 1], or NaN. */
static bool check_shares(const Pair *p, const char *what, Tensor *t) {
    bool was = modes.recording;
    modes.recording = false;
    Tensor *low = t_lt(t, num(0)), *high = t_gt(t, num(1));
    Tensor *bad = t_any(t_logical_or(low, high), NO_INTS, false);
    if (bad && bad->device.kind != DEVICE_CPU) {
        bad = t_move(bad, (Device){DEVICE_CPU, 0});
    }
    modes.recording = was;
    if (!bad) {
        return false;
    }
    return !element_get_int(tensor_data(bad), DT_BOOL) ||
           fail("%s: %s must be in [0, 1]; for logits there is binary_cross_entropy_with_logits",
                p->name, what);
}

Tensor *compose_binary_cross_entropy(const Arg *a, Tensor **out) {
    (void)out;
    Pair p;
    if (!read_pair(&p, "binary_cross_entropy", a, a[3].s) || !check_shares(&p, "input", p.input) ||
        !check_shares(&p, "target", p.target)) {
        return NULL;
    }
    /* Logarithms of 0 count as -100, so that losses stay finite. */
    Tensor *rest = t_sub(num(1), p.input), *other = t_sub(num(1), p.target);
    Tensor *loss = t_neg(t_add(t_mul(p.target, at_least(t_log(p.input), -100)),
                               t_mul(other, at_least(t_log(rest), -100))));
    Tensor *weight = widened(given(&a[2]));
    return finish(&p, weight ? t_mul(loss, weight) : loss);
}

Tensor *compose_binary_cross_entropy_with_logits(const Arg *a, Tensor **out) {
    (void)out;
    Pair p;
    if (!read_pair(&p, "binary_cross_entropy_with_logits", a, a[3].s)) {
        return NULL;
    }
    Tensor *weight = widened(given(&a[2])), *positive = widened(given(&a[4]));
    Tensor *log_of_one = t_logsigmoid(p.input), *other = t_sub(num(1), p.target);
    if (positive) {
        log_of_one = t_mul(log_of_one, t_add(t_mul(p.target, t_sub(positive, num(1))), num(1)));
    }
    Tensor *loss = t_sub(t_mul(other, p.input), log_of_one);
    return finish(&p, weight ? t_mul(loss, weight) : loss);
}

Tensor *compose_poisson_nll_loss(const Arg *a, Tensor **out) {
    (void)out;
    Pair p;
    if (!read_pair(&p, "poisson_nll_loss", a, a[5].s)) {
        return NULL;
    }
    Tensor *log_rate = a[2].b ? p.input : t_log(t_add(p.input, num(a[4].f)));
    Tensor *loss = t_sub(a[2].b ? t_exp(p.input) : p.input, t_mul(p.target, log_rate));
    if (a[3].b) {
        /* Stirling's approximation of log(target!), for targets above 1. */
        Tensor *large = t_gt(p.target, num(1)), *safe = t_where(large, p.target, num(1));
        Tensor *rest = t_mul(t_log(t_mul(safe, num(2 * M_PI))), num(0.5));
        Tensor *stirling = t_add(t_sub(t_mul(safe, t_log(safe)), safe), rest);
        loss = t_add(loss, t_where(large, stirling, num(0)));
    }
    return finish(&p, loss);
}

/* var as a tensor that broadcasts over input: of its shape, without its last dim, or with 1 there.
 */
static Tensor *spread_var(const Pair *p, Tensor *var) {
    const Tensor *input = p->input;
    if (!var) {
        return NULL;
    }
    if (tensor_is_number(var) || tensor_same_shape(input, var)) {
        return var;
    }
    int lead = input->dim - 1;
    bool fits = var->dim == lead || (var->dim == input->dim && var->shape[lead] == 1);
    for (int d = 0; fits && d < lead; d++) {
        fits = var->shape[d] == input->shape[d];
    }
    if (!fits) {
        return fail_null("%s: var must have input's shape %s, or be without its last dim or have 1 "
                         "there, got %s",
                         p->name, shape_text(tensor_shape(input)), shape_text(tensor_shape(var)));
    }
    return var->dim == lead ? t_unsqueeze(var, -1) : var;
}

Tensor *compose_gaussian_nll_loss(const Arg *a, Tensor **out) {
    (void)out;
    Pair p;
    if (!read_pair(&p, "gaussian_nll_loss", a, a[5].s)) {
        return NULL;
    }
    double eps = a[4].f;
    if (!(eps > 0)) {
        return fail_null("gaussian_nll_loss: eps must be positive, got %g", eps);
    }
    Tensor *var = spread_var(&p, widened(a[2].t));
    if (!var) {
        return NULL;
    }
    /* At least eps, with the gradient of var itself. */
    Tensor *fixed = tensor_detach(var);
    var = t_add(var, t_sub(at_least(fixed, eps), fixed));
    Tensor *loss = t_add(t_log(var), t_div(t_square(t_sub(p.input, p.target)), var));
    if (a[3].b) {
        loss = t_add(loss, num(log(2 * M_PI)));
    }
    return finish(&p, t_mul(loss, num(0.5)));
}

Tensor *compose_soft_margin_loss(const Arg *a, Tensor **out) {
    (void)out;
    Pair p;
    if (!read_field(&p, "soft_margin_loss", a, a[2].s)) {
        return NULL;
    }
    Tensor *margin = t_mul(p.input, p.target);
    bool real = dtype_is_float(p.dtype);
    return finish(&p, real ? t_neg(t_logsigmoid(margin)) : t_log1p(t_exp(t_neg(margin))));
}

Tensor *compose_hinge_embedding_loss(const Arg *a, Tensor **out) {
    (void)out;
    Pair p;
    if (!read_pair(&p, "hinge_embedding_loss", a, a[3].s)) {
        return NULL;
    }
    Tensor *zero = num(0), *apart = at_least(t_sub(num(a[2].f), p.input), 0);
    Tensor *loss = t_add(t_where(t_ne(p.target, num(1)), apart, zero),
                         t_where(t_ne(p.target, num(-1)), p.input, zero));
    return finish(&p, loss);
}

Tensor *compose_multilabel_soft_margin_loss(const Arg *a, Tensor **out) {
    (void)out;
    Pair p;
    if (!read_pair(&p, "multilabel_soft_margin_loss", a, a[3].s)) {
        return NULL;
    }
    if (p.input->dim == 0) {
        return fail_null("multilabel_soft_margin_loss: input must be (C) or (*, C), got a scalar");
    }
    Tensor *weight = widened(given(&a[2]));
    Tensor *loss = t_neg(t_add(t_mul(p.target, t_logsigmoid(p.input)),
                               t_mul(t_sub(num(1), p.target), t_logsigmoid(t_neg(p.input)))));
    loss = weight ? t_mul(loss, weight) : loss;
    return finish(&p, t_mean(loss, INTS(p.input->dim - 1), false, DT_NONE));
}
