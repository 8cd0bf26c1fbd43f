/* Gradients of matrix products. */
#include "autograd/back.h"

static Tensor *turned(Tensor *x) { return conjugate(t_transpose(x, -2, -1)); }

Tensor *grad_mm(Back *n, int i, Tensor *g) {
    return i == 0 ? t_mm(g, turned(IN(1))) : t_mm(turned(IN(0)), g);
}

Tensor *grad_bmm(Back *n, int i, Tensor *g) {
    return i == 0 ? t_bmm(g, turned(IN(1))) : t_bmm(turned(IN(0)), g);
}

Tensor *grad_matmul_batched(Back *n, int i, Tensor *g) {
    return i == 0 ? t_matmul_batched(g, turned(IN(1))) : t_matmul_batched(turned(IN(0)), g);
}

Tensor *grad_mv(Back *n, int i, Tensor *g) {
    return i == 0 ? t_outer(g, conjugate(IN(1))) : t_mv(turned(IN(0)), g);
}

Tensor *grad_dot(Back *n, int i, Tensor *g) { return t_mul(g, conjugate(IN(1 - i))); }

Tensor *grad_addmm(Back *n, int i, Tensor *g) {
    if (i == 0) {
        return back_times(ARG(3), g);
    }
    return back_times(ARG(4), i == 1 ? t_mm(g, turned(IN(2))) : t_mm(turned(IN(1)), g));
}

/* g is the gradient of the product. The weight's gradient sums over all rows at once. */
static Tensor *of_linear(Back *n, int i, Tensor *g) {
    if (i == 0) {
        return t_matmul(g, conjugate(IN(1)));
    }
    if (i == 2) {
        return g;
    }
    Ints weight = SHAPE(1);
    int64_t rows = 1;
    for (int d = 0; d < SHAPE(0).n - 1; d++) {
        rows *= SHAPE(0).v[d];
    }
    return t_mm(t_t(t_reshape(g, INTS(rows, weight.v[0]))),
                conjugate(t_reshape(IN(0), INTS(rows, weight.v[1]))));
}

Tensor *grad_linear(Back *n, int i, Tensor *g) { return of_linear(n, i, g); }

Tensor *grad_linear_gelu_with_preactivation(Back *n, int i, Tensor *g) {
    if (!n->memo[0]) {
        Tensor *slope = t_activation_backward(g, OUT(1), "gelu_tanh", 0, 0, 0);
        n->memo[0] = n->grads[1] ? t_add(slope, n->grads[1]) : slope;
    }
    return n->memo[0] ? of_linear(n, i, n->memo[0]) : NULL;
}
