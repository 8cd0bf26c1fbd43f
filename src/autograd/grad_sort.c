/* Gradients of sorting and turning. */
#include "autograd/back.h"

/* Each element that was taken gets the gradient of its place; none was taken twice. */
Tensor *grad_sort(Back *n, int i, Tensor *g) {
    int dim = n->node->op->id == OP_topk ? 2 : 1;
    Tensor *zeros = g ? t_zeros(SHAPE(i), g->dtype, g->device, false) : NULL;
    return t_scatter(zeros, ARG(dim).i, OUT(1), g);
}

Tensor *grad_flip(Back *n, int i, Tensor *g) {
    (void)i;
    return t_flip(g, arg_as_ints(ARG(1)));
}
