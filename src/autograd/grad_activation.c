/* Gradients of the activation functions: one kernel for the first, and for the gradient of that the
 * second slopes of the curved ones as expressions. */
#include <math.h>

#include "autograd/back.h"
#include "tensor/activation.h"

static Tensor *number(double value) { return tensor_number(value); }
static Tensor *scaled(Tensor *t, double factor) { return t_mul(t, number(factor)); }
static Tensor *plus(Tensor *t, double value) { return t_add(t, number(value)); }
static Tensor *one_minus(Tensor *t) { return t_sub(number(1), t); }
/* 1 - t^2. */
static Tensor *one_minus_square(Tensor *t) { return one_minus(t_square(t)); }

static Tensor *backward(Tensor *g, Tensor *x, const Activation *a) {
    return t_activation_backward(g, x, activation_name(a->kind), a->a, a->b, a->c);
}

/* What of z / (1 + |z|) changes with z, and with |z| where g points along z. */
static Tensor *softsign_complex(Tensor *g, Tensor *z) {
    Tensor *over = t_reciprocal(plus(t_abs(z), 1));
    Tensor *along = t_mul(t_real(t_mul(t_conj_physical(g), z)), t_square(over));
    return t_sub(t_mul(g, over), t_mul(along, t_sgn(z)));
}

/* Complex numbers have no kernel for it. */
static Tensor *grad_complex(Tensor *g, Tensor *z, ActivationKind kind) {
    if (kind == ACT_softsign) {
        return softsign_complex(g, z);
    } else if (kind == ACT_tanhshrink) {
        return t_mul(g, t_conj_physical(t_square(t_tanh(z))));
    }
    Tensor *s = t_sigmoid(z);
    return t_mul(g, t_conj_physical(t_mul(s, plus(t_mul(z, one_minus(s)), 1))));
}

Tensor *grad_activation(Back *n, int i, Tensor *g) {
    Activation a = activation_of(n->node->op->id, n->node->arg);
    Tensor *x = IN(i);
    if (x && dtype_is_complex(x->dtype)) {
        return grad_complex(g, x, a.kind);
    }
    return backward(g, x, &a);
}

/* c times the slope where x is negative. */
static Tensor *bend_elu(Tensor *x, const Activation *a) {
    Tensor *curve = scaled(t_exp(scaled(x, a->c)), a->a * a->c * a->c);
    return t_where(t_le(x, number(0)), curve, number(0));
}

/* phi(x) (2 - x^2) with the normal density phi. */
static Tensor *bend_gelu(Tensor *x) {
    Tensor *square = t_square(x);
    Tensor *density = scaled(t_exp(scaled(square, -0.5)), M_2_SQRTPI * M_SQRT1_2 / 2);
    return t_mul(density, t_sub(number(2), square));
}

/* Of x s(v) with the logistic s and v = 2 sqrt(2 / pi) (x + 0.044715 x^3):
 * s' (2 v' + x (v'' + v'^2 (1 - 2 s))) with s' = s (1 - s). */
static Tensor *bend_gelu_tanh(Tensor *x) {
    const double k = M_2_SQRTPI * M_SQRT2, cubic = 0.044715;
    Tensor *square = t_square(x);
    Tensor *s = t_sigmoid(scaled(t_mul(x, plus(scaled(square, cubic), 1)), k));
    Tensor *slope = scaled(plus(scaled(square, 3 * cubic), 1), k);
    Tensor *turn = t_mul(t_square(slope), one_minus(scaled(s, 2)));
    Tensor *inner = t_mul(x, t_add(scaled(x, 6 * cubic * k), turn));
    return t_mul(t_mul(s, one_minus(s)), t_add(scaled(slope, 2), inner));
}

/* s' (2 + x (1 - 2 s)). */
static Tensor *bend_silu(Tensor *x) {
    Tensor *s = t_sigmoid(x);
    Tensor *turn = plus(t_mul(x, one_minus(scaled(s, 2))), 2);
    return t_mul(t_mul(s, one_minus(s)), turn);
}

/* s (1 - w^2) (2 + x (1 - s - 2 w s)) with w = tanh(log(1 + e^x)). */
static Tensor *bend_mish(Tensor *x) {
    Tensor *s = t_sigmoid(x), *w = t_tanh(t_softplus(x, 1, 20));
    Tensor *turn = t_sub(one_minus(s), scaled(t_mul(w, s), 2));
    return t_mul(t_mul(s, one_minus_square(w)), plus(t_mul(x, turn), 2));
}

static Tensor *bend_softplus(Tensor *x, const Activation *a) {
    Tensor *z = scaled(x, a->a), *s = t_sigmoid(z);
    Tensor *curve = scaled(t_mul(s, one_minus(s)), a->a);
    return t_where(t_gt(z, number(a->b)), number(0), curve);
}

static Tensor *bend_logsigmoid(Tensor *x) {
    Tensor *s = t_sigmoid(x);
    return t_neg(t_mul(s, one_minus(s)));
}

static Tensor *bend_tanhshrink(Tensor *x) {
    Tensor *t = t_tanh(x);
    return scaled(t_mul(t, one_minus_square(t)), 2);
}

/* -2 sign(x) / (1 + |x|)^3. */
static Tensor *bend_softsign(Tensor *x) {
    Tensor *over = t_reciprocal(plus(t_abs(x), 1));
    return scaled(t_mul(t_sign(x), t_mul(t_square(over), over)), -2);
}

static Tensor *bend_hardswish(Tensor *x) {
    Tensor *inside = t_logical_and(t_gt(x, number(-3)), t_lt(x, number(3)));
    return t_where(inside, number(1.0 / 3), t_mul(x, number(0)));
}

/* The second slope at x; NULL without an error for those made of straight lines. */
static Tensor *bend(Tensor *x, const Activation *a) {
    switch (a->kind) {
    case ACT_elu: return bend_elu(x, a);
    case ACT_gelu: return bend_gelu(x);
    case ACT_gelu_tanh: return bend_gelu_tanh(x);
    case ACT_silu: return bend_silu(x);
    case ACT_mish: return bend_mish(x);
    case ACT_softplus: return bend_softplus(x, a);
    case ACT_logsigmoid: return bend_logsigmoid(x);
    case ACT_tanhshrink: return bend_tanhshrink(x);
    case ACT_softsign: return bend_softsign(x);
    case ACT_hardswish: return bend_hardswish(x);
    default: return NULL;
    }
}

static bool is_curved(ActivationKind kind) {
    return kind != ACT_leaky_relu && kind != ACT_hardtanh && kind != ACT_hardsigmoid &&
           kind != ACT_softshrink && kind != ACT_hardshrink && kind != ACT_threshold;
}

Tensor *grad_activation_backward(Back *n, int i, Tensor *g) {
    Activation a = activation_of(n->node->op->id, n->node->arg);
    if (i == 0) {
        return backward(g, IN(1), &a);
    }
    return is_curved(a.kind) ? t_mul(t_mul(g, IN(0)), bend(IN(1), &a)) : grad_zero(n, i, g);
}

/* g on the positive side, g times the weight on the other. */
Tensor *grad_prelu_kernel(Back *n, int i, Tensor *g) {
    Tensor *x = IN(0), *positive = t_gt(x, tensor_number_int(0));
    if (i == 0) {
        return t_where(positive, g, t_mul(g, IN(1)));
    }
    return t_where(positive, tensor_number_int(0), t_mul(g, x));
}
