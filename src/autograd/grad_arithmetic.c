/* Gradients of arithmetic of two and of three tensors. */
#include <math.h>

#include "autograd/back.h"

static Tensor *number(double value) { return tensor_number(value); }
static Tensor *zero(void) { return tensor_number_int(0); }
static Tensor *scaled(Tensor *t, double factor) { return t_mul(t, number(factor)); }

Tensor *grad_fmod(Back *n, int i, Tensor *g) {
    return i == 0 ? g : t_neg(t_mul(g, t_div__rounding(IN(0), IN(1), "trunc")));
}

/* x / (x^2 + y^2) towards y, the first argument, and -y / (x^2 + y^2) towards x. */
Tensor *grad_atan2(Back *n, int i, Tensor *g) {
    Tensor *y = IN(0), *x = IN(1);
    Tensor *over = t_div(g, t_add(t_square(x), t_square(y)));
    return i == 0 ? t_mul(over, x) : t_neg(t_mul(over, y));
}

Tensor *grad_hypot(Back *n, int i, Tensor *g) { return t_mul(g, t_div(IN(i), OUT(0))); }

/* What the one that is chosen gets: half where both are equal. less: t_lt for the larger one. A NaN
 * is chosen only as the first of two. */
static Tensor *chosen(Back *n, int i, Tensor *g, Tensor *(*less)(Tensor *, Tensor *)) {
    Tensor *own = IN(i), *against = IN(1 - i);
    Tensor *lost = t_logical_or(less(own, against), t_isnan(own));
    if (i == 0) {
        lost = t_logical_and(lost, t_logical_not(t_isnan(against)));
    }
    return t_where(lost, zero(), t_where(t_eq(own, against), scaled(g, 0.5), g));
}

Tensor *grad_fmax(Back *n, int i, Tensor *g) { return chosen(n, i, g, t_lt); }
Tensor *grad_fmin(Back *n, int i, Tensor *g) { return chosen(n, i, g, t_gt); }

Tensor *grad_nextafter(Back *n, int i, Tensor *g) { return i == 0 ? g : grad_zero(n, i, g); }

Tensor *grad_heaviside(Back *n, int i, Tensor *g) {
    return i == 0 ? grad_zero(n, i, g) : t_where(t_eq(IN(0), zero()), g, zero());
}

/* 1 where the sign stayed, -1 where it changed, 0 at 0. */
Tensor *grad_copysign(Back *n, int i, Tensor *g) {
    return i == 0 ? t_mul(g, t_mul(t_sign(IN(0)), t_sign(OUT(0)))) : grad_zero(n, i, g);
}

static Tensor *log_share(Back *n, int i, Tensor *g, double base_log) {
    Tensor *lead = t_sub(IN(i), IN(1 - i));
    return t_mul(g, conjugate(t_sigmoid(base_log == 1 ? lead : scaled(lead, base_log))));
}

Tensor *grad_logaddexp(Back *n, int i, Tensor *g) { return log_share(n, i, g, 1); }
Tensor *grad_logaddexp2(Back *n, int i, Tensor *g) { return log_share(n, i, g, M_LN2); }

/* log(other) towards input, but 0 where input is 0 and other has no logarithm. */
Tensor *grad_xlogy(Back *n, int i, Tensor *g) {
    Tensor *x = IN(0), *y = IN(1);
    if (i == 1) {
        return t_mul(g, t_div(x, y));
    }
    Tensor *flat = t_logical_and(t_eq(x, zero()), t_le(y, zero()));
    return t_where(flat, zero(), t_xlogy(g, y));
}

Tensor *grad_addcmul(Back *n, int i, Tensor *g) {
    return i == 0 ? g : t_mul(back_times(ARG(3), g), conjugate(IN(3 - i)));
}

Tensor *grad_addcdiv(Back *n, int i, Tensor *g) {
    if (i == 0) {
        return g;
    }
    Tensor *over = t_div(back_times(ARG(3), g), conjugate(IN(2)));
    return i == 1 ? over : t_neg(t_mul(over, conjugate(t_div(IN(1), IN(2)))));
}

Tensor *grad_lerp(Back *n, int i, Tensor *g) {
    if (i == 2) {
        return t_mul(g, conjugate(t_sub(IN(1), IN(0))));
    }
    Tensor *part = t_mul(g, conjugate(IN(2)));
    return i == 1 ? part : t_sub(g, part);
}

/* With one bound, as maximum or minimum has it. */
static Tensor *clamp_with_one(Tensor *own, Tensor *against, Tensor *g,
                              Tensor *(*loses)(Tensor *, Tensor *)) {
    Tensor *equal = t_eq(own, against);
    return t_where(loses(own, against), zero(), t_where(equal, scaled(g, 0.5), g));
}

/* input, where it lies within the bounds; on one of two different ones it shares with it. */
static Tensor *clamp_to_input(Tensor *x, Tensor *min, Tensor *max, Tensor *g) {
    Tensor *edge = t_logical_and(t_logical_or(t_eq(x, min), t_eq(x, max)), t_lt(min, max));
    Tensor *within = t_logical_and(t_ge(x, min), t_le(x, max));
    return t_where(within, t_where(edge, scaled(g, 0.5), g), zero());
}

/* min, where it is below max and above input. */
static Tensor *clamp_to_min(Tensor *x, Tensor *min, Tensor *max, Tensor *g) {
    Tensor *taken = t_where(t_lt(x, min), g, t_where(t_eq(x, min), scaled(g, 0.5), zero()));
    return t_where(t_lt(min, max), taken, zero());
}

/* max, where it is below input or below min. */
static Tensor *clamp_to_max(Tensor *x, Tensor *min, Tensor *max, Tensor *g) {
    Tensor *shut = t_logical_and(t_eq(min, max), t_lt(x, max));
    Tensor *taken = t_logical_or(t_logical_or(t_gt(x, max), t_gt(min, max)), shut);
    Tensor *edge = t_logical_and(t_eq(x, max), t_lt(min, max));
    return t_where(taken, g, t_where(edge, scaled(g, 0.5), zero()));
}

Tensor *grad_clamp__tensor(Back *n, int i, Tensor *g) {
    Tensor *x = IN(0), *min = IN(1), *max = IN(2);
    if (!max || !min) {
        Tensor *bound = min ? min : max;
        Tensor *own = i == 0 ? x : bound, *against = i == 0 ? bound : x;
        return clamp_with_one(own, against, g, min ? t_lt : t_gt);
    }
    return i == 0   ? clamp_to_input(x, min, max, g)
           : i == 1 ? clamp_to_min(x, min, max, g)
                    : clamp_to_max(x, min, max, g);
}
