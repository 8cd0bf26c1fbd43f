/* Kernels of the losses. */
#include "tensor/loss.h"

#include <string.h>

#include "cpu/cpu.h"
#include "cpu/index.h"

static double get(const View *v, int64_t at) {
    switch (v->dtype) {
    case DT_FLOAT32: return (double)((const float *)v->data)[at];
    case DT_FLOAT64: return ((const double *)v->data)[at];
    default: return element_get_float((const char *)v->data + at * 2, v->dtype);
    }
}

static void set(const View *v, int64_t at, double x) {
    switch (v->dtype) {
    case DT_FLOAT32: ((float *)v->data)[at] = (float)x; return;
    case DT_FLOAT64: ((double *)v->data)[at] = x; return;
    default: element_set_float((char *)v->data + at * 2, v->dtype, x);
    }
}

/* A walk over the labels. entry: where class 0 of the label's row lies in a tensor of the logits'
 * shape; grad: where the label's own entry lies in a tensor of the labels' shape. */
typedef struct Labels {
    const View *target, *weight;
    int64_t classes, ignore;
    const int64_t *entry_stride, *grad_stride; /* of the logits' and the labels' shape */
    int64_t place[MAX_DIMS];
    int64_t at, entry, grad; /* of the current label, in elements */
} Labels;

/* One label on; the dim of the classes, behind the first of the logits', is left out. */
static void labels_next(Labels *l) {
    for (int d = l->target->dim - 1; d >= 0; d--) {
        int64_t entry = l->entry_stride[d ? d + 1 : 0];
        int64_t grad = l->grad_stride ? l->grad_stride[d] : 0, at = l->target->stride[d];
        int64_t size = l->target->shape[d];
        bool carry = ++l->place[d] == size;
        int64_t steps = carry ? 1 - size : 1;
        l->at += steps * at;
        l->entry += steps * entry;
        l->grad += steps * grad;
        if (!carry) {
            return;
        }
        l->place[d] = 0;
    }
}

/* The class of the current label from 0 on, or -1 where it counts for nothing. */
static int64_t labels_class(const Labels *l) {
    int64_t label = ((const int64_t *)l->target->data)[l->at];
    return label == l->ignore ? -1 : label - INDEX_BASE;
}

static double weight_of(const Labels *l, int64_t class) {
    return l->weight->data ? get(l->weight, class * l->weight->stride[0]) : 1;
}

static bool fail_label(const Labels *l, const char *name, int64_t i, int64_t label) {
    char text[INDEX_TEXT_MAX];
    label_text(text, name, (Ints){l->target->shape, l->target->dim}, i, label, l->classes);
    return fail("%s", text);
}

/* Checks all labels and adds up their weights. */
static bool labels_check(Labels l, const char *name, double *total) {
    *total = 0;
    for (int64_t i = 0; i < l.target->numel; i++, labels_next(&l)) {
        int64_t class = labels_class(&l);
        int64_t label = ((const int64_t *)l.target->data)[l.at];
        if (label == l.ignore) {
            continue;
        }
        if (class < 0 || class >= l.classes) {
            return fail_label(&l, name, i, label);
        }
        *total += weight_of(&l, class);
    }
    return true;
}

static bool cpu_nll_loss(const KernelCall *c) {
    const View *input = &c->in[0], *out = &c->out[0];
    Reduction r = loss_reduction(c->name, c->arg[4].s);
    int class_dim = input->dim > 1;
    Labels l = {.target = &c->in[1],
                .weight = &c->in[2],
                .classes = input->shape[class_dim],
                .ignore = c->arg[3].i,
                .entry_stride = input->stride};
    double sum = 0, total;
    if (!labels_check(l, c->name, &total)) {
        return false;
    }
    for (int64_t i = 0; i < l.target->numel; i++, labels_next(&l)) {
        int64_t class = labels_class(&l);
        double loss = 0;
        if (class >= 0) {
            loss = -weight_of(&l, class) * get(input, l.entry + class * input->stride[class_dim]);
        }
        if (r == REDUCTION_NONE) {
            set(out, i, loss);
        }
        sum += loss;
    }
    if (r != REDUCTION_NONE) {
        set(out, 0, r == REDUCTION_MEAN ? sum / total : sum);
    }
    return true;
}

static bool cpu_nll_loss_backward(const KernelCall *c) {
    const View *grad = &c->in[0], *out = &c->out[0];
    Reduction r = loss_reduction(c->name, c->arg[5].s);
    int class_dim = out->dim > 1;
    Labels l = {.target = &c->in[1],
                .weight = &c->in[2],
                .classes = out->shape[class_dim],
                .ignore = c->arg[4].i,
                .entry_stride = out->stride,
                .grad_stride = r == REDUCTION_NONE ? grad->stride : NULL};
    double total;
    if (!labels_check(l, c->name, &total)) {
        return false;
    }
    memset(out->data, 0, (size_t)out->numel * dtype_size(out->dtype));
    for (int64_t i = 0; i < l.target->numel; i++, labels_next(&l)) {
        int64_t class = labels_class(&l);
        if (class >= 0) {
            double g = get(grad, l.grad) / (r == REDUCTION_MEAN ? total : 1);
            set(out, l.entry + class * out->stride[class_dim], -weight_of(&l, class) * g);
        }
    }
    return true;
}

const KernelRow cpu_loss_rows[] = {
    {"nll_loss", cpu_nll_loss}, {"nll_loss_backward", cpu_nll_loss_backward}, {NULL, NULL}};
