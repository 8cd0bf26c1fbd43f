/* Gradients of the ops that read and write at positions. */
#include <string.h>

#include "autograd/back.h"

/* The shape of a scalar. */
static const int64_t no_sizes[1];
#define NO_SIZES ((Ints){no_sizes, 0})

static Tensor *zeros_for(Back *n, int i, const Tensor *like) {
    return like ? t_zeros(SHAPE(i), like->dtype, like->device, false) : NULL;
}

Tensor *grad_gather(Back *n, int i, Tensor *g) {
    return t_scatter_add(zeros_for(n, i, g), ARG(1).i, IN(1), g);
}

/* t within zeros of a larger shape. */
static Tensor *padded(Tensor *t, Ints shape) {
    for (int d = 0; t && d < shape.n; d++) {
        if (t->shape[d] == shape.v[d]) {
            continue;
        }
        int64_t more[MAX_DIMS];
        for (int k = 0; k < shape.n; k++) {
            more[k] = k == d ? shape.v[d] - t->shape[d] : t->shape[k];
        }
        Tensor *both[] = {t, t_zeros((Ints){more, shape.n}, t->dtype, t->device, false)};
        t = t_cat((TensorList){both, 2}, d);
    }
    return t;
}

/* What src's elements at index contribute, in src's shape; a number got it from all. To an empty
 * index any src is as good. */
static Tensor *into_source(Back *n, Tensor *t) {
    Ints shape = SHAPE(2);
    if (t && t->numel == 0) {
        return t_zeros(shape, t->dtype, t->device, false);
    }
    return shape.n == 0 ? t_sum(t, NO_INTS, false, DT_NONE) : padded(t, shape);
}

Tensor *grad_scatter_add(Back *n, int i, Tensor *g) {
    return i == 0 ? g : into_source(n, t_gather(g, ARG(1).i, IN(1)));
}

/* 1, 2, ... in the shape of t. */
static Tensor *numbered(const Tensor *t) {
    Arg last = arg_int(t->numel);
    return t_reshape(t_arange(last, DT_INT64, t->device, false), tensor_shape(t));
}

/* Where positions repeat, one element of src stays and the others have no influence: the one that
 * stays finds its own number where it was written. */
Tensor *grad_scatter(Back *n, int i, Tensor *g) {
    int64_t dim = ARG(1).i;
    Tensor *index = IN(1);
    if (!index || !g) {
        return NULL;
    }
    if (i == 0) {
        return t_scatter(g, dim, index, t_zeros(NO_SIZES, g->dtype, g->device, false));
    }
    Tensor *own = numbered(index), *none = t_zeros(tensor_shape(g), DT_INT64, g->device, false);
    Tensor *stays = t_eq(t_gather(t_scatter(none, dim, index, own), dim, index), own);
    return into_source(n, t_mul(t_gather(g, dim, index), t_cast(stays, g->dtype)));
}

Tensor *grad_index_select(Back *n, int i, Tensor *g) {
    return t_index_add(zeros_for(n, i, g), ARG(1).i, IN(1), g);
}

Tensor *grad_index_add(Back *n, int i, Tensor *g) {
    if (i == 0) {
        return g;
    }
    Tensor *picked = t_index_select(g, ARG(1).i, IN(1));
    return SHAPE(2).n == 0 ? t_reshape(picked, SHAPE(2)) : picked;
}

/* The index tensors of argument 1 into list; false: an error was recorded. */
static bool indices_of(Back *n, Tensor **list) {
    for (int k = 0; k < ARG(1).count; k++) {
        list[k] = IN(1 + k);
        if (!list[k] && SHAPE(1 + k).n >= 0) {
            return false;
        }
    }
    return true;
}

Tensor *grad_index_take(Back *n, int i, Tensor *g) {
    Tensor *list[MAX_DIMS];
    TensorList indices = {list, ARG(1).count};
    return indices_of(n, list) ? t_index_put(zeros_for(n, i, g), indices, g, true) : NULL;
}

/* Where positions repeat and values do not accumulate, the last value alone has influence. */
static Tensor *values_grad(Tensor *g, TensorList indices, bool accumulate) {
    Tensor *picked = t_index(g, indices);
    if (accumulate || !picked) {
        return picked;
    }
    Tensor *own = numbered(picked), *none = t_zeros(tensor_shape(g), DT_INT64, g->device, false);
    Tensor *stays = t_eq(t_index(t_index_put(none, indices, own, false), indices), own);
    return t_mul(picked, t_cast(stays, g->dtype));
}

Tensor *grad_index_put(Back *n, int i, Tensor *g) {
    Tensor *list[MAX_DIMS];
    TensorList indices = {list, ARG(1).count};
    bool accumulate = ARG(3).b;
    if (!indices_of(n, list) || !g) {
        return NULL;
    }
    if (i > 0) {
        return values_grad(g, indices, accumulate);
    }
    Tensor *zero = accumulate ? NULL : t_zeros(NO_SIZES, g->dtype, g->device, false);
    return accumulate ? g : t_index_put(g, indices, zero, false);
}

static Tensor *number_like(const Tensor *g, int64_t v) {
    return g ? t_full(NO_SIZES, arg_int(v), g->dtype, g->device, false) : NULL;
}

/* 1, 2, ... for the entries along dim of a tensor of that shape, broadcast. */
static Tensor *numbered_entries(Ints shape, int64_t dim, Device device) {
    int64_t sizes[MAX_DIMS];
    for (int d = 0; d < shape.n; d++) {
        sizes[d] = d == dim ? shape.v[d] : 1;
    }
    Tensor *numbers = t_arange(arg_int(shape.n ? shape.v[dim] : 1), DT_INT64, device, false);
    return t_expand(t_reshape(numbers, (Ints){sizes, shape.n}), shape);
}

/* Where positions repeat, the last entry of source alone has influence: it finds its own number
 * where it was written. */
Tensor *grad_index_copy(Back *n, int i, Tensor *g) {
    int64_t dim = ARG(1).i;
    Tensor *index = IN(1);
    if (!g || !index || i == 0) {
        return t_index_fill(g, dim, index, number_like(g, 0));
    }
    Ints shape = SHAPE(2);
    Tensor *own = numbered_entries(shape, dim, g->device);
    Tensor *none = t_zeros(tensor_shape(g), DT_INT64, g->device, false);
    Tensor *found = t_index_select(t_index_copy(none, dim, index, own), dim, index);
    Tensor *picked = t_index_select(g, dim, index);
    return t_reshape(t_mul(picked, t_cast(t_eq(found, own), g->dtype)), shape);
}

/* value has influence on an element once, however often its position comes. */
Tensor *grad_index_fill(Back *n, int i, Tensor *g) {
    Tensor *kept = t_index_fill(g, ARG(1).i, IN(1), number_like(g, 0));
    return i == 0 ? kept : t_sum(t_sub(g, kept), NO_INTS, false, DT_NONE);
}

/* The part of src that index reads, or a number as often as it does; in dtype. */
static Tensor *read_source(Tensor *src, const Tensor *index, int dtype) {
    if (!src || !index) {
        return NULL;
    }
    if (src->dim == 0) {
        return t_expand(t_cast(src, dtype), tensor_shape(index));
    }
    for (int d = 0; src && d < src->dim; d++) {
        if (src->shape[d] != index->shape[d]) {
            src = t_narrow(src, d, 0, index->shape[d]);
        }
    }
    return src;
}

/* What a position joins: the elements, and the factors or candidates that come to them. */
typedef struct Joined {
    int64_t dim;
    Tensor *input, *index, *src, *out;
} Joined;

/* All that equal the result share the gradient. */
static Tensor *grad_extreme(const Joined *j, int i, Tensor *g) {
    Tensor *own = t_cast(t_eq(j->input, j->out), g->dtype);
    Tensor *theirs = t_cast(t_eq(j->src, t_gather(j->out, j->dim, j->index)), g->dtype);
    Tensor *share = t_div(g, t_scatter_add(own, j->dim, j->index, theirs));
    return i == 0 ? t_mul(share, own) : t_mul(t_gather(share, j->dim, j->index), theirs);
}

/* The factors of a product without the zeros, or the zeros alone (the others as 1). */
static Tensor *product_of(const Joined *j, Tensor *own_zero, Tensor *their_zero, bool zeros) {
    Tensor *one = number_like(j->input, 1);
    Tensor *own = zeros ? t_where(own_zero, j->input, one) : t_where(own_zero, one, j->input);
    Tensor *theirs = zeros ? t_where(their_zero, j->src, one) : t_where(their_zero, one, j->src);
    return t_scatter_join(own, j->dim, j->index, theirs, "prod");
}

/* The product without one factor x: by division where that is no zero. The zeros' own product is
 * kept apart and not divided, and the other zero of two is the sum of both less itself, so that
 * derivatives of this are right, too. n_zeros, rest, zeros and sum are those of x's position. */
static Tensor *without(Tensor *x, Tensor *is_zero, Tensor *n_zeros, Tensor *rest, Tensor *zeros,
                       Tensor *sum) {
    Tensor *one = number_like(x, 1), *none = number_like(x, 0);
    Tensor *other = t_where(t_eq(n_zeros, tensor_number_int(2)), t_sub(sum, x), none);
    other = t_where(t_eq(n_zeros, tensor_number_int(1)), one, other);
    Tensor *divided = t_mul(t_div(rest, t_where(is_zero, one, x)), zeros);
    return t_where(is_zero, t_mul(rest, other), divided);
}

static Tensor *grad_product(const Joined *j, int i, Tensor *g) {
    Tensor *none = number_like(g, 0);
    Tensor *own_zero = t_eq(j->input, none), *their_zero = t_eq(j->src, none);
    Tensor *n_zeros =
        t_scatter_add(t_cast(own_zero, DT_INT64), j->dim, j->index, t_cast(their_zero, DT_INT64));
    Tensor *rest = product_of(j, own_zero, their_zero, false);
    Tensor *zeros = product_of(j, own_zero, their_zero, true);
    Tensor *sum = t_scatter_add(t_where(own_zero, j->input, none), j->dim, j->index,
                                t_where(their_zero, j->src, none));
    if (i == 0) {
        return t_mul(g, without(j->input, own_zero, n_zeros, rest, zeros, sum));
    }
    Tensor *at[] = {n_zeros, rest, zeros, sum};
    for (int k = 0; k < 4; k++) {
        at[k] = t_gather(at[k], j->dim, j->index);
    }
    return t_mul(t_gather(g, j->dim, j->index),
                 without(j->src, their_zero, at[0], at[1], at[2], at[3]));
}

Tensor *grad_scatter_join(Back *n, int i, Tensor *g) {
    Joined j = {.dim = ARG(1).i, .input = IN(0), .index = IN(1), .out = OUT(0)};
    j.src = g ? read_source(IN(2), j.index, g->dtype) : NULL;
    if (!g || !j.input || !j.src || !j.out) {
        return NULL;
    }
    Tensor *grad = strcmp(ARG(4).s, "prod") == 0 ? grad_product(&j, i, g) : grad_extreme(&j, i, g);
    return i == 0 ? grad : into_source(n, grad);
}

Tensor *grad_embedding(Back *n, int i, Tensor *g) {
    return t_embedding_backward(g, IN(0), SHAPE(i).v[0], ARG(2));
}

/* embedding_backward is linear in grad: its gradient reads the rows of gg, but for the padding. */
Tensor *grad_embedding_backward(Back *n, int i, Tensor *gg) {
    (void)i;
    Tensor *input = IN(1), *rows = t_embedding(input, gg, arg_none());
    if (ARG(3).kind == ARG_NONE || !rows) {
        return rows;
    }
    int64_t padding = ARG(3).i < 0 ? ARG(3).i + ARG(2).i + INDEX_BASE : ARG(3).i;
    Tensor *counts = t_unsqueeze(t_ne(input, tensor_number_int(padding)), -1);
    return t_mul(rows, t_cast(counts, rows->dtype));
}
