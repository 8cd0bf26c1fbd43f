/* Gradients of the mathematical functions. */
#include <math.h>

#include "autograd/back.h"

static Tensor *number(double value) { return tensor_number(value); }
static Tensor *scaled(Tensor *t, double factor) { return t_mul(t, number(factor)); }
static Tensor *plus(Tensor *t, double value) { return t_add(t, number(value)); }

Tensor *grad_rsqrt(Back *n, int i, Tensor *g) {
    (void)i;
    return t_mul(scaled(g, -0.5), conjugate(t_mul(OUT(0), t_square(OUT(0)))));
}

Tensor *grad_exp2(Back *n, int i, Tensor *g) {
    (void)i;
    return t_mul(g, scaled(conjugate(OUT(0)), M_LN2));
}

Tensor *grad_expm1(Back *n, int i, Tensor *g) {
    (void)i;
    return t_mul(g, plus(conjugate(OUT(0)), 1));
}

Tensor *grad_log2(Back *n, int i, Tensor *g) { return t_div(g, scaled(conjugate(IN(i)), M_LN2)); }
Tensor *grad_log10(Back *n, int i, Tensor *g) { return t_div(g, scaled(conjugate(IN(i)), M_LN10)); }
Tensor *grad_log1p(Back *n, int i, Tensor *g) { return t_div(g, plus(conjugate(IN(i)), 1)); }

Tensor *grad_tan(Back *n, int i, Tensor *g) {
    (void)i;
    return t_mul(g, plus(t_square(conjugate(OUT(0))), 1));
}

/* 1 - x^2, without cancellation near 1. */
static Tensor *rest_of_square(Tensor *x) { return t_mul(t_sub(number(1), x), plus(x, 1)); }

Tensor *grad_asin(Back *n, int i, Tensor *g) {
    return t_mul(g, t_rsqrt(rest_of_square(conjugate(IN(i)))));
}

Tensor *grad_acos(Back *n, int i, Tensor *g) {
    return t_neg(t_mul(g, t_rsqrt(rest_of_square(conjugate(IN(i))))));
}

Tensor *grad_atan(Back *n, int i, Tensor *g) {
    return t_div(g, plus(t_square(conjugate(IN(i))), 1));
}
Tensor *grad_sinh(Back *n, int i, Tensor *g) { return t_mul(g, t_cosh(conjugate(IN(i)))); }
Tensor *grad_cosh(Back *n, int i, Tensor *g) { return t_mul(g, t_sinh(conjugate(IN(i)))); }

Tensor *grad_asinh(Back *n, int i, Tensor *g) {
    return t_mul(g, t_rsqrt(plus(t_square(conjugate(IN(i))), 1)));
}

Tensor *grad_acosh(Back *n, int i, Tensor *g) {
    /* Apart: of complex numbers the product may lie across the cut of the root. */
    return t_mul(g, t_mul(t_rsqrt(plus(conjugate(IN(i)), -1)), t_rsqrt(plus(conjugate(IN(i)), 1))));
}

Tensor *grad_atanh(Back *n, int i, Tensor *g) { return t_div(g, rest_of_square(conjugate(IN(i)))); }

static Tensor *bell(Tensor *x) { return scaled(t_exp(t_neg(t_square(x))), M_2_SQRTPI); }

Tensor *grad_erf(Back *n, int i, Tensor *g) { return t_mul(g, bell(IN(i))); }
Tensor *grad_erfc(Back *n, int i, Tensor *g) { return t_neg(t_mul(g, bell(IN(i)))); }

Tensor *grad_erfinv(Back *n, int i, Tensor *g) {
    (void)i;
    return t_mul(g, scaled(t_exp(t_square(OUT(0))), 1 / M_2_SQRTPI));
}

Tensor *grad_lgamma(Back *n, int i, Tensor *g) { return t_mul(g, t_digamma(IN(i))); }
Tensor *grad_digamma(Back *n, int i, Tensor *g) { return t_mul(g, t_polygamma(IN(i), 1)); }
Tensor *grad_polygamma(Back *n, int i, Tensor *g) {
    int64_t order = ARG(1).i;
    return t_mul(g, t_polygamma(IN(i), order + (order < INT64_MAX)));
}

Tensor *grad_i0(Back *n, int i, Tensor *g) { return t_mul(g, t_special_i1(IN(i))); }

/* I0 - I1 / x, which tends to 1/2 at 0. */
Tensor *grad_special_i1(Back *n, int i, Tensor *g) {
    Tensor *x = IN(i), *zero = t_eq(x, tensor_number_int(0));
    Tensor *ratio = t_div(OUT(0), t_where(zero, number(1), x));
    return t_mul(g, t_sub(t_i0(x), t_where(zero, number(0.5), ratio)));
}

/* (cos(pi x) - sinc(x)) / x, 0 at 0. */
Tensor *grad_sinc(Back *n, int i, Tensor *g) {
    Tensor *x = IN(i), *zero = t_eq(x, tensor_number_int(0));
    Tensor *slope = t_div(t_sub(t_cos(scaled(x, M_PI)), OUT(0)), t_where(zero, number(1), x));
    return t_mul(g, conjugate(t_where(zero, number(0), slope)));
}

/* 1 / (x (1 - x)), and 0 where eps has replaced x. */
Tensor *grad_logit(Back *n, int i, Tensor *g) {
    Tensor *x = IN(i);
    Tensor *slope = t_div(g, t_mul(x, t_sub(number(1), x)));
    if (ARG(1).kind == ARG_NONE) {
        return slope;
    }
    double eps = ARG(1).f;
    Tensor *replaced = t_logical_or(t_lt(x, number(eps)), t_gt(x, number(1 - eps)));
    return t_where(replaced, number(0), slope);
}

Tensor *grad_deg2rad(Back *n, int i, Tensor *g) {
    (void)n;
    (void)i;
    return t_deg2rad(g);
}

Tensor *grad_rad2deg(Back *n, int i, Tensor *g) {
    (void)n;
    (void)i;
    return t_rad2deg(g);
}

Tensor *grad_nan_to_num(Back *n, int i, Tensor *g) {
    return t_where(t_isfinite(IN(i)), g, number(0));
}

Tensor *grad_special_zeta(Back *n, int i, Tensor *g) {
    if (i == 0) {
        return fail_null("special_zeta: is not differentiable with respect to input");
    }
    Tensor *s = IN(0), *q = IN(1);
    return t_neg(t_mul(g, t_mul(s, t_special_zeta(plus(s, 1), q))));
}

Tensor *grad_frexp(Back *n, int i, Tensor *g) {
    (void)i;
    return t_ldexp(g, t_neg(OUT(1)));
}

/* x^(a - 1) e^-x / gamma(a) towards x, of the upper one with the other sign. */
Tensor *grad_igamma(Back *n, int i, Tensor *g) {
    if (i == 0) {
        return fail_null("%s: is not differentiable with respect to input",
                         n->node->op->public_name);
    }
    Tensor *a = IN(0), *x = IN(1);
    Tensor *power = t_sub(t_xlogy(plus(a, -1), x), x);
    Tensor *slope = t_mul(g, t_exp(t_sub(power, t_lgamma(a))));
    return n->node->op->id == OP_igamma ? slope : t_neg(slope);
}
