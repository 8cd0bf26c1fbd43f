/* Losses that are made of other ops. */
#include "tensor/compose_error.h"
#include "tensor/loss.h"

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

/* What label smoothing adds: all classes count, wherever the label does. */
static Tensor *smooth_part(const CrossEntropy *e) {
    Tensor *all = minus_over_classes(e, weighted(e, e->logp));
    Tensor *counts = t_ne(e->target, tensor_number_int(e->ignore));
    Tensor *zero = tensor_number(0);
    all = t_where(counts, all, zero);
    if (e->r != REDUCTION_MEAN) {
        return loss_reduced(all, e->r);
    }
    Tensor *total = t_cast(counts, e->logp->dtype);
    if (e->weight) {
        Tensor *first = tensor_number_int(INDEX_BASE);
        Tensor *label = t_where(counts, e->target, first);
        Tensor *flat = label ? t_reshape(label, INTS(label->numel)) : NULL;
        Tensor *of_label = flat ? t_index_select(e->weight, 0, flat) : NULL;
        total = t_mul(total, of_label ? t_reshape(of_label, tensor_shape(label)) : NULL);
    }
    return t_div(t_sum(all, NO_INTS, false, DT_NONE), t_sum(total, NO_INTS, false, DT_NONE));
}

static Tensor *of_labels(const CrossEntropy *e) {
    Tensor *loss = t_nll_loss(e->logp, e->target, e->weight, e->ignore, e->reduction);
    if (!loss) {
        return fail_as_caller("nll_loss", "cross_entropy");
    }
    if (e->smoothing == 0) {
        return loss;
    }
    double share = e->smoothing / (double)e->logp->shape[e->class_dim];
    return t_add(t_mul(loss, tensor_number(1 - e->smoothing)),
                 t_mul(smooth_part(e), tensor_number(share)));
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
    e.logp = t_log_softmax(input, e.class_dim);
    if (!e.logp || !check_weight(&e)) {
        return NULL;
    }
    return labels ? of_labels(&e) : of_probabilities(&e);
}
