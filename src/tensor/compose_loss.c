/* Losses that are made of other ops. */
#include "tensor/loss.h"
#include "tensor/widen.h"

typedef struct CrossEntropy {
    Tensor *logp, *target, *weight; /* weight may be NULL */
    int64_t class_dim, ignore;
    const char *reduction;
    Reduction r;
    double smoothing;
} CrossEntropy;

/* weight (C) as a tensor that broadcasts over logp. */
static Tensor *spread_weight(const CrossEntropy *e) {
    int64_t shape[MAX_DIMS];
    for (int d = 0; d < e->logp->dim; d++) {
        shape[d] = d == e->class_dim ? e->weight->shape[0] : 1;
    }
    return t_view(e->weight, (Ints){shape, e->logp->dim});
}

static Tensor *weighted(const CrossEntropy *e, Tensor *t) {
    return e->weight ? t_mul(t, spread_weight(e)) : t;
}

/* Minus the sum over classes. */
static Tensor *minus_over_classes(const CrossEntropy *e, Tensor *t) {
    return t_neg(t_sum(t, ints_one(&e->class_dim), false, DT_NONE));
}

/* By labels, in one fused pass over rows of logits. */
static Tensor *of_labels(const CrossEntropy *e, Tensor *input) {
    if (!loss_check_labels("cross_entropy", tensor_shape(input), e->target, e->weight)) {
        return NULL;
    }
    if (e->weight && e->weight->dtype != input->dtype) {
        return fail_null(
            "cross_entropy: input is %s and weight is %s; convert one with :to(\"%s\")",
            dtype_name(input->dtype), dtype_name(e->weight->dtype), dtype_name(input->dtype));
    }
    int64_t classes = input->shape[e->class_dim], rows = e->target->numel;
    Tensor *x = widened(input), *weight = widened(e->weight), *out[3];
    if (input->dim > 2) {
        int64_t order[MAX_DIMS];
        for (int d = 0; d < input->dim; d++) {
            order[d] = d == 0 ? 0 : d + 1;
        }
        order[input->dim - 1] = 1;
        x = t_permute(x, (Ints){order, input->dim});
    }
    if (!x || !weight != !e->weight) {
        return NULL;
    }
    Tensor *labels = t_reshape(rounded(e->target, DT_INT64), INTS(rows));
    if (!t_cross_entropy_rows(t_reshape(x, INTS(rows, classes)), labels, weight, e->ignore,
                              e->smoothing, out)) {
        return NULL;
    }
    Tensor *loss = out[0];
    switch (e->r) {
    case REDUCTION_NONE: loss = t_reshape(loss, tensor_shape(e->target)); break;
    case REDUCTION_SUM: loss = t_sum(loss, NO_INTS, false, DT_NONE); break;
    default:
        loss = t_div(t_sum(loss, NO_INTS, false, DT_NONE), t_sum(out[2], NO_INTS, false, DT_NONE));
    }
    return rounded(loss, input->dtype);
}

static Tensor *of_probabilities(const CrossEntropy *e) {
    Tensor *p = e->target;
    double classes = (double)e->logp->shape[e->class_dim];
    if (e->smoothing != 0) {
        p = t_add(t_mul(p, tensor_number(1 - e->smoothing)), tensor_number(e->smoothing / classes));
    }
    Tensor *loss = minus_over_classes(e, weighted(e, t_mul(e->logp, p)));
    return loss_reduced(loss, e->r);
}

static bool check_probabilities(const Tensor *input, const Tensor *target) {
    if (tensor_same_shape(input, target)) {
        return true;
    }
    return fail("cross_entropy: target is %s of shape %s; class labels must be integers, as from "
                "target:to(\"int64\"), and probabilities must have input's shape %s",
                dtype_name(target->dtype), shape_text(tensor_shape(target)),
                shape_text(tensor_shape(input)));
}

static bool check_weight(const CrossEntropy *e) {
    const Tensor *w = e->weight;
    int64_t classes = e->logp->shape[e->class_dim];
    return !w || (w->dim == 1 && w->shape[0] == classes) ||
           fail("cross_entropy: weight must have one entry for each of the %lld classes, got shape "
                "%s",
                (long long)classes, shape_text(tensor_shape(w)));
}

Tensor *compose_cross_entropy(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *input = a[0].t;
    CrossEntropy e = {.target = a[1].t,
                      .weight = a[2].kind == ARG_TENSOR ? a[2].t : NULL,
                      .ignore = a[3].i,
                      .reduction = a[4].s,
                      .smoothing = arg_number(a[5])};
    e.r = loss_reduction("cross_entropy", e.reduction);
    if (e.r == REDUCTION_BAD) {
        return NULL;
    }
    if (!(e.smoothing >= 0 && e.smoothing <= 1)) {
        return fail_null("cross_entropy: label_smoothing must be in [0, 1], got %g", e.smoothing);
    }
    if (input->dim == 0) {
        return fail_null("cross_entropy: input must be (N, C), (C) or (N, C, d1, ...), got a "
                         "scalar");
    }
    bool labels = !dtype_is_float(e.target->dtype);
    if (!labels && !check_probabilities(input, e.target)) {
        return NULL;
    }
    e.class_dim = input->dim > 1;
    if (labels) {
        return of_labels(&e, input);
    }
    e.logp = t_log_softmax(input, e.class_dim);
    if (!e.logp || !check_weight(&e)) {
        return NULL;
    }
    return of_probabilities(&e);
}
