/* Gradients of sorting and turning. */
#include "autograd/back.h"

/* Each element that was taken gets the gradient of its place; none was taken twice. */
Tensor *grad_sort(Back *n, int i, Tensor *g) {
    int dim = n->node->op->id == OP_topk ? 2 : 1;
    Tensor *zeros = g ? t_zeros(SHAPE(i), g->dtype, g->device, false) : NULL;
    return t_scatter(zeros, ARG(dim).i, OUT(1), g);
}

/* The gradient goes to the element that was taken. */
Tensor *grad_kthvalue(Back *n, int i, Tensor *g) {
    int64_t dim = ARG(2).i;
    bool keepdim = ARG(3).b || SHAPE(i).n == 0;
    Tensor *zeros = g ? t_zeros(SHAPE(i), g->dtype, g->device, false) : NULL;
    Tensor *place = keepdim ? OUT(1) : t_unsqueeze(OUT(1), dim);
    return t_scatter(zeros, dim, place, keepdim ? g : t_unsqueeze(g, dim));
}

Tensor *grad_flip(Back *n, int i, Tensor *g) {
    (void)i;
    return t_flip(g, arg_as_ints(ARG(1)));
}
