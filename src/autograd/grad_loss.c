/* Gradients of the losses. */
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

Tensor *grad_ctc_losses(Back *n, int i, Tensor *g) {
    (void)i;
    return t_ctc_losses_backward(g, IN(0), IN(1), IN(2), IN(3), ARG(4).i, ARG(5).b);
}
