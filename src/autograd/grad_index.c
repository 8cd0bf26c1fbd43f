/* Gradients of the ops that read and write at positions. */
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
