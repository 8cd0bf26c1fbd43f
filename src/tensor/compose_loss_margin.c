/* Losses that compare distances or scores with one another, up to a margin. */
#include "tensor/loss.h"
#include "tensor/widen.h"

static Tensor *given(const Arg *a) { return a->kind == ARG_TENSOR ? a->t : NULL; }
static Tensor *num(double x) { return tensor_number(x); }
static Tensor *hinge(Tensor *t) { return t_clamp(t, arg_float(0), arg_none()); }

static bool check_float(const char *name, const char *what, const Tensor *t) {
    return dtype_is_float(t->dtype) ||
           fail("%s: %s must be float16, bfloat16, float32, float64, got %s; convert it with "
                ":to(\"float32\")",
                name, what, dtype_name(t->dtype));
}

/* t in the dtype that a loss is computed in. */
static Tensor *as_computed(Tensor *t, int dtype) {
    return rounded(t, is_half(dtype) ? DT_FLOAT32 : dtype);
}

Tensor *compose_margin_ranking_loss(const Arg *a, Tensor **out) {
    (void)out;
    static const char name[] = "margin_ranking_loss";
    Reduction r = loss_reduction(name, a[4].s);
    if (r == REDUCTION_BAD || !check_float(name, "input1", a[0].t) ||
        !loss_check_pair(name, "input1", a[0].t, "input2", a[1].t) ||
        !loss_check_pair(name, "input1", a[0].t, "target", a[2].t)) {
        return NULL;
    }
    int dtype = a[0].t->dtype;
    Tensor *gap = t_sub(as_computed(a[0].t, dtype), as_computed(a[1].t, dtype));
    Tensor *loss = t_sub(num(a[3].f), t_mul(as_computed(a[2].t, dtype), gap));
    return rounded(loss_reduced(hinge(loss), r), dtype);
}

/* Scores (N, C) or (C), as (N, C). */
static Tensor *as_rows(Tensor *t, bool single) { return single ? t_unsqueeze(t, 0) : t; }

static bool check_scores(const char *name, const Tensor *input) {
    return (check_float(name, "input", input) && input->dim >= 1 && input->dim <= 2 &&
            input->shape[input->dim - 1] > 0) ||
           fail("%s: input must be (N, C) or (C), got shape %s", name,
                shape_text(tensor_shape(input)));
}

/* 1, ..., classes. */
static Tensor *class_labels(const Tensor *input) {
    int64_t classes = input->shape[input->dim - 1];
    return t_arange__range(arg_int(INDEX_BASE), arg_int(classes), arg_int(1), DT_INT64,
                           input->device, false);
}

Tensor *compose_multi_margin_loss(const Arg *a, Tensor **out) {
    (void)out;
    static const char name[] = "multi_margin_loss";
    Tensor *input = a[0].t, *target = a[1].t, *weight = given(&a[4]);
    Reduction r = loss_reduction(name, a[5].s);
    int64_t p = a[2].i;
    if (r == REDUCTION_BAD || !check_scores(name, input)) {
        return NULL;
    }
    bool single = input->dim == 1;
    int64_t classes = input->shape[input->dim - 1];
    if (p != 1 && p != 2) {
        return fail_null("%s: p must be 1 or 2, got %lld", name, (long long)p);
    }
    if (target->dim != input->dim - 1 || (!single && target->shape[0] != input->shape[0])) {
        return fail_null("%s: for an input of shape %s target must have shape %s, got %s", name,
                         shape_text(tensor_shape(input)),
                         shape_text((Ints){input->shape, input->dim - 1}),
                         shape_text(tensor_shape(target)));
    }
    if (weight && (weight->dim != 1 || weight->shape[0] != classes)) {
        return fail_null(
            "%s: weight must have one entry for each of the %lld classes, got shape %s", name,
            (long long)classes, shape_text(tensor_shape(weight)));
    }
    Tensor *x = as_rows(widened(input), single), *label = t_unsqueeze(target, single ? 0 : 1);
    label = single ? t_unsqueeze(label, 0) : label;
    Tensor *own = t_gather(x, 1, label);
    Tensor *gap = hinge(t_add(t_sub(x, own), num(a[3].f)));
    gap = p == 2 ? t_square(gap) : gap;
    if (weight && label) {
        Tensor *of_label = t_index_select(widened(weight), 0, t_reshape(label, INTS(label->numel)));
        gap = t_mul(gap, t_unsqueeze(of_label, 1));
    }
    gap = t_where(t_eq(class_labels(input), label), num(0), gap);
    Tensor *loss = t_mean(gap, INTS(1), false, DT_NONE);
    loss = single ? t_squeeze(loss, INTS(0)) : loss;
    return rounded(loss_reduced(loss, r), input->dtype);
}

Tensor *compose_multilabel_margin_loss(const Arg *a, Tensor **out) {
    (void)out;
    static const char name[] = "multilabel_margin_loss";
    Tensor *input = a[0].t, *target = a[1].t;
    Reduction r = loss_reduction(name, a[2].s);
    if (r == REDUCTION_BAD || !check_scores(name, input) ||
        !loss_check_pair(name, "input", input, "target", target)) {
        return NULL;
    }
    bool single = input->dim == 1;
    Tensor *x = as_rows(widened(input), single), *labels = as_rows(target, single);
    if (!x || !labels) {
        return NULL;
    }
    /* The labels of a row end before the first that is below 1. */
    Tensor *valid =
        t_gt(t_cumprod(t_cast(t_ge(labels, tensor_number_int(INDEX_BASE)), DT_INT64), 1, DT_NONE),
             tensor_number_int(0));
    Tensor *first = tensor_number_int(INDEX_BASE), *safe = t_where(valid, labels, first);
    Tensor *none = t_zeros(tensor_shape(x), x->dtype, x->device, false);
    Tensor *counts = t_cast(valid, x->dtype);
    Tensor *is_target = t_gt(t_scatter_add(none, 1, safe, counts), num(0));
    /* (N, labels, classes) */
    Tensor *own = t_unsqueeze(t_gather(x, 1, safe), 2);
    Tensor *gap = hinge(t_add(t_sub(t_unsqueeze(x, 1), own), num(1)));
    Tensor *compared =
        t_logical_and(t_unsqueeze(valid, 2), t_unsqueeze(t_logical_not(is_target), 1));
    Tensor *loss = t_sum(t_where(compared, gap, num(0)), INTS(1, 2), false, DT_NONE);
    loss = t_div(loss, num((double)x->shape[1]));
    loss = single ? t_squeeze(loss, INTS(0)) : loss;
    return rounded(loss_reduced(loss, r), input->dtype);
}

Tensor *compose_cosine_embedding_loss(const Arg *a, Tensor **out) {
    (void)out;
    static const char name[] = "cosine_embedding_loss";
    Tensor *x = a[0].t, *y = a[1].t, *target = a[2].t;
    Reduction r = loss_reduction(name, a[4].s);
    if (r == REDUCTION_BAD || !check_float(name, "input1", x) ||
        !loss_check_pair(name, "input1", x, "input2", y)) {
        return NULL;
    }
    if (x->dim < 1 || x->dim > 2 || target->dim != x->dim - 1 ||
        (x->dim == 2 && target->shape[0] != x->shape[0])) {
        return fail_null(
            "%s: input1 and input2 must be (N, D) and target (N), or (D) and a scalar, "
            "got shapes %s, %s and %s",
            name, shape_text(tensor_shape(x)), shape_text(tensor_shape(y)),
            shape_text(tensor_shape(target)));
    }
    int dtype = x->dtype;
    x = widened(x);
    y = as_computed(y, dtype);
    Ints last = INTS(-1);
    Tensor *eps = num(1e-12), *both = t_sum(t_mul(x, y), last, false, DT_NONE);
    Tensor *square_x = t_add(t_sum(t_square(x), last, false, DT_NONE), eps);
    Tensor *square_y = t_add(t_sum(t_square(y), last, false, DT_NONE), eps);
    Tensor *cosine = t_div(both, t_sqrt(t_mul(square_x, square_y)));
    Tensor *near = t_sub(num(1), cosine), *far = hinge(t_sub(cosine, num(a[3].f)));
    Tensor *loss = t_add(t_where(t_eq(target, tensor_number_int(1)), near, num(0)),
                         t_where(t_eq(target, tensor_number_int(-1)), far, num(0)));
    return rounded(loss_reduced(loss, r), dtype);
}

Tensor *compose_triplet_margin_loss(const Arg *a, Tensor **out) {
    (void)out;
    static const char name[] = "triplet_margin_loss";
    Reduction r = loss_reduction(name, a[7].s);
    double margin = a[3].f, p = a[4].f, eps = a[5].f;
    bool complex = dtype_is_complex(a[0].t->dtype);
    if (r == REDUCTION_BAD || !(complex || check_float(name, "anchor", a[0].t)) ||
        !loss_check_pair(name, "anchor", a[0].t, "positive", a[1].t) ||
        !loss_check_pair(name, "anchor", a[0].t, "negative", a[2].t)) {
        return NULL;
    }
    if (!(margin > 0)) {
        return fail_null("%s: margin must be positive, got %g", name, margin);
    }
    if (a[0].t->dim == 0) {
        return fail_null("%s: anchor must be (D) or (N, D), got a scalar", name);
    }
    int dtype = a[0].t->dtype;
    Tensor *anchor = as_computed(a[0].t, dtype), *positive = as_computed(a[1].t, dtype);
    Tensor *negative = as_computed(a[2].t, dtype);
    Tensor *near = t_pairwise_distance(anchor, positive, p, eps, false);
    Tensor *far = t_pairwise_distance(anchor, negative, p, eps, false);
    if (a[6].b) {
        far = t_minimum(far, t_pairwise_distance(positive, negative, p, eps, false));
    }
    Tensor *loss = hinge(t_add(t_sub(near, far), num(margin)));
    return rounded(loss_reduced(loss, r), dtype_real_of(dtype));
}
