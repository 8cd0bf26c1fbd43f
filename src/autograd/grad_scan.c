/* Gradients of the cumulative ops. */
#include <float.h>

#include "autograd/back.h"

Tensor *grad_cumsum(Back *n, int i, Tensor *g) {
    (void)i;
    int64_t dim = ARG(1).i;
    if (!g || g->dim == 0) {
        return g;
    }
    return t_flip(t_cumsum(t_flip(g, ints_one(&dim)), dim, DT_NONE), ints_one(&dim));
}

/* t moved up by step entries along dim, with zeros behind. */
static Tensor *moved_up(Tensor *t, int64_t dim, int64_t step) {
    if (!t) {
        return NULL;
    }
    Tensor *rest = t_narrow(t, dim, step, t->shape[dim] - step);
    Tensor *gone = t_narrow(t, dim, 0, step);
    Tensor *pair[] = {rest, gone ? t_zeros(tensor_shape(gone), t->dtype, t->device, false) : NULL};
    return pair[1] ? t_cat((TensorList){pair, 2}, dim) : NULL;
}

/* s with s[i] = g[i] + a[i] s[i + 1] along dim: each round doubles how far s reaches, so that
 * log2(size) rounds do, and the result is differentiable as often as one likes. The last entry of a
 * is not used. */
static Tensor *recurrence(Tensor *g, Tensor *a, int64_t dim) {
    for (int64_t step = 1; g && a && step < g->shape[dim]; step *= 2) {
        g = t_add(g, t_mul(a, moved_up(g, dim, step)));
        if (g && 2 * step < g->shape[dim]) {
            a = t_mul(a, moved_up(a, dim, step));
        }
    }
    return a ? g : NULL;
}

/* Input k counts in all results from k on: what they give without it, times what stood before. */
Tensor *grad_cumprod(Back *n, int i, Tensor *g) {
    int64_t dim = ARG(1).i, size = SHAPE(i).n ? SHAPE(i).v[dim] : 1;
    Tensor *x = IN(0);
    if (!x || !g || SHAPE(i).n == 0 || g->numel == 0) {
        return x ? g : NULL;
    }
    x = conjugate(t_cast(x, g->dtype));
    Tensor *behind = recurrence(g, moved_up(x, dim, 1), dim);
    Tensor *first = t_narrow(x, dim, 0, 1);
    Tensor *before[] = {first ? t_ones(tensor_shape(first), g->dtype, g->device, false) : NULL,
                        t_narrow(t_cumprod(x, dim, DT_NONE), dim, 0, size - 1)};
    return before[0] ? t_mul(t_cat((TensorList){before, 2}, dim), behind) : NULL;
}

Tensor *grad_cummax(Back *n, int i, Tensor *g) {
    Tensor *zeros = g ? t_zeros(SHAPE(i), g->dtype, g->device, false) : NULL;
    return t_scatter_add(zeros, ARG(1).i, OUT(1), g);
}

/* Minus infinity as the lowest finite number. */
static Tensor *from_finite(Tensor *t) {
    const Arg least = arg_float(-FLT_MAX);
    return t && dtype_is_complex(t->dtype)
               ? t_complex(t_clamp(t_real(t), least, arg_none()), t_imag(t))
               : t_clamp(t, least, arg_none());
}

/* The gradient of x[i] is the sum over k >= i of g[k] e^(x[i] - out[k]), as a recurrence whose
 * exponents are never above 0. A leading -inf has weight 0. */
Tensor *grad_logcumsumexp(Back *n, int i, Tensor *g) {
    int64_t dim = ARG(1).i, size = SHAPE(i).n ? SHAPE(i).v[dim] : 1;
    Tensor *x = IN(0), *out = OUT(0);
    if (!x || !out || !g || SHAPE(i).n == 0 || g->numel == 0) {
        return x && out ? g : NULL;
    }
    out = from_finite(out);
    Tensor *fall = t_sub(t_narrow(out, dim, 0, size - 1), t_narrow(out, dim, 1, size - 1));
    Tensor *step = conjugate(t_exp(fall));
    Tensor *both[] = {step, t_narrow(x, dim, 0, 1)};
    Tensor *sums = step && both[1] ? recurrence(g, t_cat((TensorList){both, 2}, dim), dim) : NULL;
    return t_mul(conjugate(t_exp(t_sub(x, out))), sums);
}
