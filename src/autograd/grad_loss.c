/* Gradients of the losses. */
#include <math.h>

#include "autograd/back.h"

static Tensor *fail_weight(const Back *n) {
    return fail_null("%s: weight is not differentiable; pass weight:detach()",
                     n->node->op->public_name);
}

Tensor *grad_nll_loss(Back *n, int i, Tensor *g) {
    if (i != 0) {
        return fail_weight(n);
    }
    return t_nll_loss_backward(g, IN(1), IN(2), SHAPE(0), ARG(3).i, ARG(4).s);
}

/* The loss is linear in its input, and so is its gradient in grad. */
Tensor *grad_nll_loss_backward(Back *n, int i, Tensor *gg) {
    if (i != 0) {
        return fail_weight(n);
    }
    return t_nll_loss(gg, IN(1), IN(2), ARG(4).i, ARG(5).s);
}

/* (M) as a column that broadcasts over (M, C), in the dtype of like. */
static Tensor *column(Tensor *t, const Tensor *like) {
    t = t && like && t->dtype != like->dtype ? t_cast(t, like->dtype) : t;
    return t ? t_unsqueeze(t, 1) : NULL;
}

Tensor *grad_cross_entropy_rows(Back *n, int i, Tensor *g) {
    if (i != 0) {
        return fail_weight(n);
    }
    Tensor *x = IN(0), *lse = OUT(1);
    Tensor *d = t_cross_entropy_rows_backward(g, x, IN(1), IN(2), lse, ARG(3).i, ARG(4).f);
    if (!n->grads[1]) {
        return d;
    }
    Tensor *p = t_exp(t_sub(x, column(lse, x)));
    return t_add(d, t_mul(p, column(n->grads[1], x)));
}

/* The gradient is grad * (all * p - q), where p = e^(input - lse), q are the target's shares and
 * all their sum; with an infinite lse p is 0, so that the op itself tells the two apart. */
Tensor *grad_cross_entropy_rows_backward(Back *n, int i, Tensor *gg) {
    if (i == 3) {
        return fail_weight(n);
    }
    Tensor *g = IN(0), *x = IN(1), *target = IN(2), *weight = IN(3), *lse = IN(4);
    if (!g || !x || !lse) {
        return NULL;
    }
    Tensor *one = t_ones(tensor_shape(g), g->dtype, g->device, false);
    int64_t ignore = ARG(5).i;
    double smoothing = ARG(6).f;
    if (i == 0) {
        Tensor *d = t_cross_entropy_rows_backward(one, x, target, weight, lse, ignore, smoothing);
        return t_sum(t_mul(gg, d), INTS(1), false, DT_NONE);
    }
    Tensor *never = t_full(tensor_shape(lse), arg_float(INFINITY), lse->dtype, lse->device, false);
    Tensor *d = t_cross_entropy_rows_backward(g, x, target, weight, lse, ignore, smoothing);
    Tensor *q = t_cross_entropy_rows_backward(g, x, target, weight, never, ignore, smoothing);
    Tensor *slope = t_mul(gg, t_sub(d, q));
    return i == 1 ? slope : t_neg(t_sum(slope, INTS(1), false, DT_NONE));
}
