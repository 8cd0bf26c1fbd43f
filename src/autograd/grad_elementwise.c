/* Gradients of elementwise operators. */
#include "autograd/back.h"

Tensor *no_grad(Back *n, int i, Tensor *g) {
    (void)i;
    (void)g;
    return fail_null("%s: is not differentiable", n->node->op->public_name);
}

/* Zeros rather than nothing: the result does depend on the input, if in no way that slopes. */
Tensor *grad_zero(Back *n, int i, Tensor *g) {
    return t_zeros(SHAPE(i), g->dtype, g->device, false);
}

/* Numbers yield to the dtype of what they meet. */
static Tensor *number(double value) { return tensor_number(value); }
static Tensor *zero(void) { return tensor_number_int(0); }
static Tensor *scaled(Tensor *t, double factor) { return t_mul(t, number(factor)); }

Tensor *grad_neg(Back *n, int i, Tensor *g) {
    (void)n;
    (void)i;
    return t_neg(g);
}

Tensor *grad_abs(Back *n, int i, Tensor *g) { return t_mul(g, t_sgn(IN(i))); }

Tensor *grad_exp(Back *n, int i, Tensor *g) {
    (void)i;
    return t_mul(g, conjugate(OUT(0)));
}

Tensor *grad_log(Back *n, int i, Tensor *g) { return t_div(g, conjugate(IN(i))); }

Tensor *grad_sqrt(Back *n, int i, Tensor *g) {
    (void)i;
    return t_div(g, scaled(conjugate(OUT(0)), 2));
}

Tensor *grad_tanh(Back *n, int i, Tensor *g) {
    (void)i;
    return t_tanh_backward(g, conjugate(OUT(0)));
}

Tensor *grad_sigmoid(Back *n, int i, Tensor *g) {
    (void)i;
    return t_sigmoid_backward(g, conjugate(OUT(0)));
}

Tensor *grad_relu(Back *n, int i, Tensor *g) {
    (void)i;
    return t_relu_backward(g, OUT(0));
}

/* d(g (1 - y^2)): (1 - y^2) towards g, -2 g y towards y. */
Tensor *grad_tanh_backward(Back *n, int i, Tensor *g) {
    Tensor *y = conjugate(IN(1));
    return i == 0 ? t_tanh_backward(g, y) : t_mul(g, scaled(t_mul(conjugate(IN(0)), y), -2));
}

/* d(g y (1 - y)): y (1 - y) towards g, g (1 - 2 y) towards y. */
Tensor *grad_sigmoid_backward(Back *n, int i, Tensor *g) {
    Tensor *y = conjugate(IN(1));
    if (i == 0) {
        return t_sigmoid_backward(g, y);
    }
    return t_mul(g, t_mul(conjugate(IN(0)), t_sub(number(1), scaled(y, 2))));
}

Tensor *grad_relu_backward(Back *n, int i, Tensor *g) {
    return i == 0 ? t_relu_backward(g, IN(1)) : grad_zero(n, i, g);
}

Tensor *grad_sin(Back *n, int i, Tensor *g) { return t_mul(g, t_cos(conjugate(IN(i)))); }

Tensor *grad_cos(Back *n, int i, Tensor *g) { return t_neg(t_mul(g, t_sin(conjugate(IN(i))))); }

Tensor *grad_square(Back *n, int i, Tensor *g) { return t_mul(g, scaled(conjugate(IN(i)), 2)); }

Tensor *grad_reciprocal(Back *n, int i, Tensor *g) {
    (void)i;
    return t_neg(t_mul(g, t_square(conjugate(OUT(0)))));
}

Tensor *grad_add(Back *n, int i, Tensor *g) { return i == 0 ? g : back_times(ARG(2), g); }

Tensor *grad_sub(Back *n, int i, Tensor *g) { return i == 0 ? g : t_neg(back_times(ARG(2), g)); }

Tensor *grad_mul(Back *n, int i, Tensor *g) { return t_mul(g, conjugate(IN(1 - i))); }

/* a / b: 1 / b towards a, -(a / b) / b towards b. */
Tensor *grad_div(Back *n, int i, Tensor *g) {
    Tensor *over = t_div(g, conjugate(IN(1)));
    return i == 0 ? over : t_neg(t_mul(over, conjugate(OUT(0))));
}

/* Numbers on their own would be reckoned with in the default dtype. */
static Tensor *in_dtype(Tensor *t, const Tensor *g) {
    return t && tensor_is_number(t) ? t_cast(t, g->dtype) : t;
}

/* a^b: b a^(b - 1) towards a, which is 0 for b = 0 whatever a is; a^b log a towards b, which is 0
 * where a is 0 and b is not negative. */
Tensor *grad_pow(Back *n, int i, Tensor *g) {
    Tensor *a = in_dtype(IN(0), g), *b = in_dtype(IN(1), g);
    if (i == 0) {
        Tensor *slope = t_mul(b, t_pow(a, t_sub(b, number(1))));
        return t_mul(g, conjugate(t_where(t_eq(b, zero()), zero(), slope)));
    }
    Tensor *flat = t_logical_and(t_eq(a, zero()), t_ge(t_real(b), zero()));
    Tensor *log = t_log(t_where(flat, number(1), a));
    return t_mul(g, conjugate(t_mul(OUT(0), log)));
}

/* g where input wins over other, half of it where they are equal. */
static Tensor *winner(Tensor *g, Tensor *loses, Tensor *equal) {
    return t_where(loses, zero(), t_where(equal, scaled(g, 0.5), g));
}

Tensor *grad_maximum(Back *n, int i, Tensor *g) {
    Tensor *own = IN(i), *against = IN(1 - i);
    return winner(g, t_lt(own, against), t_eq(own, against));
}

Tensor *grad_minimum(Back *n, int i, Tensor *g) {
    Tensor *own = IN(i), *against = IN(1 - i);
    return winner(g, t_gt(own, against), t_eq(own, against));
}

Tensor *grad_remainder(Back *n, int i, Tensor *g) {
    return i == 0 ? g : t_neg(t_mul(g, t_floor_divide(IN(0), IN(1))));
}

Tensor *grad_where(Back *n, int i, Tensor *g) {
    Tensor *condition = IN(0);
    return i == 1 ? t_where(condition, g, zero()) : t_where(condition, zero(), g);
}

Tensor *grad_clamp(Back *n, int i, Tensor *g) {
    Tensor *x = IN(i);
    Arg min = ARG(1), max = ARG(2);
    if (min.kind != ARG_NONE) {
        g = t_where(t_ge(x, number(arg_number(min))), g, zero());
    }
    if (max.kind != ARG_NONE) {
        g = t_where(t_le(x, number(arg_number(max))), g, zero());
    }
    return g;
}

Tensor *grad_copy(Back *n, int i, Tensor *g) { return i == 1 ? g : grad_zero(n, i, g); }

Tensor *grad_clone(Back *n, int i, Tensor *g) {
    (void)n;
    (void)i;
    return g;
}

/* The engine casts each gradient to its input's dtype. */
Tensor *grad_cast(Back *n, int i, Tensor *g) {
    (void)n;
    (void)i;
    return g;
}

Tensor *grad_move(Back *n, int i, Tensor *g) { return t_move(g, n->node->in[i].device); }
