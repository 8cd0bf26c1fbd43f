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
    Ints pads = arg_as_ints(ARG(1));
    if (g && dtype_is_complex(g->dtype)) {
        return t_complex(t_pad_backward(t_real(g), SHAPE(i), pads, ARG(2).s),
                         t_pad_backward(t_imag(g), SHAPE(i), pads, ARG(2).s));
    }
    return t_pad_backward(g, SHAPE(i), pads, ARG(2).s);
}

Tensor *grad_pad_backward(Back *n, int i, Tensor *g) {
    (void)i;
    return t_pad(g, arg_as_ints(ARG(2)), ARG(3).s, arg_none());
}
