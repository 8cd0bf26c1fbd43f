/* Gradients of reductions and softmax. */
#include "autograd/back.h"

/* Which dims a reduction's argument k names, a bit each; all where it was not given. */
static uint32_t dims_of(const Back *n, int k) {
    uint32_t dims = 0;
    for (int i = 0; ARG(k).kind == ARG_INTS && i < ARG(k).count; i++) {
        dims |= 1u << ARG(k).ints[i];
    }
    return dims ? dims : ~0u;
}

/* g, of the reduced shape, with the reduced dims back as dims of size 1. */
static Tensor *with_dims(Tensor *g, Ints shape, uint32_t dims) {
    int64_t kept[MAX_DIMS];
    if (!g || g->dim == shape.n) {
        return g;
    }
    for (int d = 0; d < shape.n; d++) {
        kept[d] = dims >> d & 1 ? 1 : shape.v[d];
    }
    return t_reshape(g, (Ints){kept, shape.n});
}

static Ints dims_list(uint32_t dims, int n, int64_t *list) {
    int m = 0;
    for (int d = 0; d < n; d++) {
        if (dims >> d & 1) {
            list[m++] = d;
        }
    }
    return (Ints){list, m};
}

Tensor *grad_sum(Back *n, int i, Tensor *g) {
    return t_expand(with_dims(g, SHAPE(i), dims_of(n, 1)), SHAPE(i));
}

Tensor *grad_nansum(Back *n, int i, Tensor *g) {
    return t_where(t_isnan(IN(0)), tensor_number_int(0), grad_sum(n, i, g));
}

Tensor *grad_sum_squares(Back *n, int i, Tensor *g) {
    return t_mul(grad_sum(n, i, g), t_mul(IN(0), tensor_number(2)));
}

Tensor *grad_mean(Back *n, int i, Tensor *g) {
    Ints shape = SHAPE(i);
    uint32_t dims = dims_of(n, 1);
    double count = 1;
    for (int d = 0; d < shape.n; d++) {
        count *= dims >> d & 1 ? (double)shape.v[d] : 1;
    }
    return t_expand(with_dims(t_div(g, tensor_number(count)), shape, dims), shape);
}

/* Products of the entries before each (or behind, with reverse) along the last dim, which has size
 * size: log2(size) multiplications of the whole, and differentiable as often as one likes. */
static Tensor *products_before(Tensor *x, Tensor *one, int64_t size, bool reverse) {
    int64_t last = -1;
    Tensor *rest = t_narrow(x, last, reverse ? 1 : 0, size - 1);
    Tensor *pair[] = {reverse ? rest : one, reverse ? one : rest};
    Tensor *p = t_cat((TensorList){pair, 2}, last);
    for (int64_t step = 1; step < size; step *= 2) {
        Tensor *edge = t_narrow(p, last, reverse ? size - step : 0, step);
        Tensor *inner =
            t_mul(t_narrow(p, last, 0, size - step), t_narrow(p, last, step, size - step));
        Tensor *both[] = {reverse ? inner : edge, reverse ? edge : inner};
        p = t_cat((TensorList){both, 2}, last);
    }
    return p;
}

/* The product of all others for each element: right where some are zero. */
Tensor *grad_prod(Back *n, int i, Tensor *g) {
    Ints shape = SHAPE(i);
    uint32_t dims = dims_of(n, 1);
    int64_t order[MAX_DIMS], inverse[MAX_DIMS], flat[MAX_DIMS + 1], moved[MAX_DIMS], size = 1;
    int kept = 0;
    for (int pass = 0, at = 0; pass < 2; pass++) {
        for (int d = 0; d < shape.n; d++) {
            if ((int)(dims >> d & 1) != pass) {
                continue;
            }
            order[at] = d;
            inverse[d] = at;
            moved[at++] = shape.v[d];
            size *= pass ? shape.v[d] : 1;
            if (!pass) {
                flat[kept++] = shape.v[d];
            }
        }
    }
    if (size == 0) {
        return t_zeros(shape, g->dtype, g->device, false);
    }
    flat[kept] = size;
    Tensor *x = shape.n ? t_permute(IN(0), (Ints){order, shape.n}) : IN(0);
    x = t_reshape(x, (Ints){flat, kept + 1});
    flat[kept] = 1;
    Tensor *one = t_ones((Ints){flat, kept + 1}, back_dtype(n, 0), g->device, false);
    Tensor *others =
        t_mul(products_before(x, one, size, false), products_before(x, one, size, true));
    others = t_reshape(others, (Ints){moved, shape.n});
    others = shape.n ? t_permute(others, (Ints){inverse, shape.n}) : others;
    return t_mul(conjugate(others), with_dims(g, shape, dims));
}

/* An equal share of g for each element of input that equals its result. */
static Tensor *shared(Tensor *input, Tensor *result, Tensor *g, uint32_t dims) {
    if (!input || !result) {
        return NULL;
    }
    int64_t list[MAX_DIMS];
    Ints shape = tensor_shape(input);
    Tensor *mask = t_cast(t_eq(input, with_dims(result, shape, dims)), input->dtype);
    Tensor *count = shape.n ? t_sum(mask, dims_list(dims, shape.n, list), true, DT_NONE) : mask;
    return t_mul(mask, t_div(with_dims(g, shape, dims), count));
}

Tensor *grad_amax(Back *n, int i, Tensor *g) {
    (void)i;
    return shared(IN(0), OUT(0), g, dims_of(n, 1));
}

Tensor *grad_max(Back *n, int i, Tensor *g) {
    (void)i;
    return shared(IN(0), OUT(0), g, ~0u);
}

Tensor *grad_max__dim(Back *n, int i, Tensor *g) {
    Ints shape = SHAPE(i);
    int64_t dim = ARG(1).i;
    if (!g) {
        return NULL;
    }
    Tensor *zeros = t_zeros(shape, g->dtype, g->device, false);
    uint32_t dims = 1u << dim;
    return t_scatter(zeros, dim, with_dims(OUT(1), shape, dims), with_dims(g, shape, dims));
}

Tensor *grad_softmax(Back *n, int i, Tensor *g) {
    (void)i;
    return t_softmax_backward(g, OUT(0), ARG(1).i);
}

Tensor *grad_log_softmax(Back *n, int i, Tensor *g) {
    (void)i;
    return t_log_softmax_backward(g, OUT(0), ARG(1).i);
}

static Tensor *sum_along(Tensor *t, int64_t dim) {
    return t_sum(t, t && t->dim ? ints_one(&dim) : NO_INTS, true, DT_NONE);
}

/* softmax_backward(g, y) = y * (g - sum(g * y)). */
Tensor *grad_softmax_backward(Back *n, int i, Tensor *gg) {
    int64_t dim = ARG(2).i;
    if (i == 0) {
        return t_softmax_backward(gg, IN(1), dim);
    }
    Tensor *g = IN(0), *y = IN(1);
    Tensor *centred = t_sub(g, sum_along(t_mul(g, y), dim));
    return t_sub(t_mul(gg, centred), t_mul(g, sum_along(t_mul(gg, y), dim)));
}

/* log_softmax_backward(g, y) = g - exp(y) * sum(g). */
Tensor *grad_log_softmax_backward(Back *n, int i, Tensor *gg) {
    int64_t dim = ARG(2).i;
    Tensor *y = IN(1), *p = t_exp(y);
    if (i == 0) {
        return t_sub(gg, sum_along(t_mul(gg, p), dim));
    }
    return t_neg(t_mul(t_mul(gg, p), sum_along(IN(0), dim)));
}
