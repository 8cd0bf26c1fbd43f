/* Gradients of padding. Where a constant was added, nothing flows back from it. */
#include <string.h>

#include "autograd/back.h"

static Tensor *taken_away(Back *n, Tensor *g) {
    int64_t pads[2 * MAX_DIMS];
    Ints added = arg_as_ints(ARG(1));
    for (int i = 0; i < added.n; i++) {
        pads[i] = -added.v[i];
    }
    return t_pad(g, (Ints){pads, added.n}, "constant", arg_none());
}

Tensor *grad_pad(Back *n, int i, Tensor *g) {
    if (strcmp(ARG(2).s, "constant") == 0) {
        return taken_away(n, g);
    }
    return t_pad_backward(g, SHAPE(i), arg_as_ints(ARG(1)), ARG(2).s);
}

Tensor *grad_pad_backward(Back *n, int i, Tensor *g) {
    (void)i;
    return t_pad(g, arg_as_ints(ARG(2)), ARG(3).s, arg_none());
}
