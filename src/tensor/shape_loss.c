/* Output shapes of the losses. */
#include <string.h>

#include "tensor/loss.h"

Reduction loss_reduction(const char *op, const char *name) {
    static const char *const names[] = {"none", "mean", "sum"};
    for (int i = 0; i < REDUCTION_BAD; i++) {
        if (strcmp(name, names[i]) == 0) {
            return (Reduction)i;
        }
    }
    fail("%s: reduction must be \"none\", \"mean\" or \"sum\", got \"%s\"", op, name);
    return REDUCTION_BAD;
}

/* Whether labels and weight fit an input of that shape, (N, C), (C) or (N, C, d1, ...). */
bool loss_check_labels(const char *name, Ints input, const Tensor *target, const Tensor *weight) {
    int64_t shape[MAX_DIMS];
    int dim = 0, class_dim = input.n > 1;
    if (input.n == 0) {
        return fail("%s: input must be (N, C), (C) or (N, C, d1, ...), got a scalar", name);
    }
    for (int d = 0; d < input.n; d++) {
        if (d != class_dim) {
            shape[dim++] = input.v[d];
        }
    }
    if (target->dim != dim || memcmp(shape, target->shape, (size_t)dim * sizeof *shape) != 0) {
        return fail("%s: for an input of shape %s target must have shape %s, got %s", name,
                    shape_text(input), shape_text((Ints){shape, dim}),
                    shape_text(tensor_shape(target)));
    }
    if (weight && (weight->dim != 1 || weight->shape[0] != input.v[class_dim])) {
        return fail("%s: weight must have one entry for each of the %lld classes, got shape %s",
                    name, (long long)input.v[class_dim], shape_text(tensor_shape(weight)));
    }
    return true;
}

bool infer_nll_loss(Call *c) {
    const Tensor *input = c->in[0], *target = c->in[1];
    Reduction r = loss_reduction(c->op->public_name, c->arg[4].s);
    Ints shape = tensor_shape(target);
    spec_set(&c->spec[0], c->dtype, r == REDUCTION_NONE ? shape : (Ints){shape.v, 0});
    return r != REDUCTION_BAD &&
           loss_check_labels(c->op->public_name, tensor_shape(input), target, c->in[2]);
}

bool infer_nll_loss_backward(Call *c) {
    const Tensor *grad = c->in[0], *target = c->in[1];
    Ints size = arg_as_ints(c->arg[3]);
    Reduction r = loss_reduction(c->op->public_name, c->arg[5].s);
    if (r == REDUCTION_BAD || !loss_check_labels(c->op->public_name, size, target, c->in[2])) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, size);
    bool ok = r == REDUCTION_NONE ? tensor_same_shape(grad, target) : grad->dim == 0;
    return ok || fail("%s: grad must have the shape of nll_loss's result, got %s",
                      c->op->public_name, shape_text(tensor_shape(grad)));
}

/* The operands of ctc_losses, from log_probs, argument k, on. */
static bool check_ctc(const Call *c, int k) {
    const Tensor *probs = c->in[k], *targets = c->in[k + 1];
    const char *name = c->op->public_name;
    int64_t blank = c->arg[k + 4].i;
    if (probs->dim != 3) {
        return fail("%s: log_probs must be (T, N, C), got shape %s", name,
                    shape_text(tensor_shape(probs)));
    }
    int64_t n = probs->shape[1], classes = probs->shape[2];
    if (targets->dim != 1 && (targets->dim != 2 || targets->shape[0] != n)) {
        return fail("%s: targets must be (N, S) with N %lld, or a vector, got shape %s", name,
                    (long long)n, shape_text(tensor_shape(targets)));
    }
    for (int i = k + 2; i < k + 4; i++) {
        if (c->in[i]->dim != 1 || c->in[i]->shape[0] != n) {
            return fail("%s: %s must have shape %lld, one length for each sequence, got %s", name,
                        c->op->params[i].name, (long long)n, shape_text(tensor_shape(c->in[i])));
        }
    }
    return (blank >= INDEX_BASE && blank <= classes) ||
           fail("%s: blank must be a class from 1 to %lld, got %lld", name, (long long)classes,
                (long long)blank);
}

bool infer_ctc_losses(Call *c) {
    if (!check_ctc(c, 0)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, INTS(c->in[0]->shape[1]));
    return true;
}

bool infer_ctc_losses_backward(Call *c) {
    const Tensor *grad = c->in[0];
    if (!check_ctc(c, 1)) {
        return false;
    }
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[1]));
    return (grad->dim == 1 && grad->shape[0] == c->in[1]->shape[1]) ||
           fail("%s: grad must have one entry for each sequence, got shape %s", c->op->public_name,
                shape_text(tensor_shape(grad)));
}

/* The operands of cross_entropy_rows, from input, argument k, on. */
static bool check_rows(const Call *c, int k) {
    const Tensor *x = c->in[k], *weight = c->in[k + 2];
    const char *name = c->op->public_name;
    if (x->dim != 2) {
        return fail("%s: input must be (M, C), got shape %s", name, shape_text(tensor_shape(x)));
    }
    if (x->dtype != c->dtype || (weight && weight->dtype != c->dtype)) {
        return fail("%s: input and weight must be of one dtype, got %s and %s", name,
                    dtype_name(x->dtype), dtype_name(weight ? weight->dtype : c->dtype));
    }
    return loss_check_labels(name, tensor_shape(x), c->in[k + 1], weight);
}

bool infer_cross_entropy_rows(Call *c) {
    if (!check_rows(c, 0)) {
        return false;
    }
    Ints rows = INTS(c->in[0]->shape[0]);
    spec_set(&c->spec[0], c->dtype, rows);
    spec_set(&c->spec[1], DT_FLOAT64, rows);
    spec_set(&c->spec[2], c->dtype, rows);
    return true;
}

bool infer_cross_entropy_rows_backward(Call *c) {
    const Tensor *grad = c->in[0], *lse = c->in[4];
    if (!check_rows(c, 1)) {
        return false;
    }
    int64_t m = c->in[1]->shape[0];
    spec_set(&c->spec[0], c->dtype, tensor_shape(c->in[1]));
    return (grad->dim == 1 && grad->shape[0] == m && lse->dim == 1 && lse->shape[0] == m &&
            lse->dtype == DT_FLOAT64) ||
           fail("%s: grad and lse, which is float64, must have one entry for each row, got shapes "
                "%s "
                "and %s",
                c->op->public_name, shape_text(tensor_shape(grad)), shape_text(tensor_shape(lse)));
}
