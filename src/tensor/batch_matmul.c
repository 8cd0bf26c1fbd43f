/* Batching rules of products: matrices, linear layers, convolutions, pooling. */
#include <string.h>

#include "tensor/batch_ops.h"
#include "tensor/number.h"

/* Both factors, padded to the same number of batch dims, which broadcast. */
bool batch_matmul(BatchCall *b, bool *fits) {
    (void)fits;
    int dim = b->c->in[0]->dim > b->c->in[1]->dim ? b->c->in[0]->dim : b->c->in[1]->dim;
    b->all[0] = t_matmul(batch_padded(b, 0, dim), batch_padded(b, 1, dim));
    return b->all[0] != NULL;
}

bool batch_mv(BatchCall *b, bool *fits) {
    (void)fits;
    if (!batch_is(b, 0)) {
        b->all[0] = t_matmul(batch_front(b, 1), t_t(b->c->in[0]));
    } else if (!batch_is(b, 1)) {
        b->all[0] = t_matmul(batch_front(b, 0), b->c->in[1]);
    } else {
        Tensor *product = t_matmul(batch_front(b, 0), t_unsqueeze(batch_front(b, 1), 2));
        b->all[0] = t_squeeze(product, INTS(2));
    }
    return b->all[0] != NULL;
}

bool batch_dot(BatchCall *b, bool *fits) {
    (void)fits;
    int batched = batch_is(b, 0) ? 0 : 1;
    if (!batch_is(b, 1 - batched)) {
        b->all[0] = t_matmul(batch_front(b, batched), b->c->in[1 - batched]);
        return b->all[0] != NULL;
    }
    Tensor *product =
        t_matmul(t_unsqueeze(batch_front(b, 0), 1), t_unsqueeze(batch_front(b, 1), 2));
    b->all[0] = t_squeeze(product, INTS(1, 2));
    return b->all[0] != NULL;
}

bool batch_addmm(BatchCall *b, bool *fits) {
    (void)fits;
    const Arg *arg = b->c->arg;
    Tensor *product = number_times(arg[4], t_matmul(batch_front(b, 1), batch_front(b, 2)));
    if (!batch_is(b, 1) && !batch_is(b, 2)) {
        product = t_expand(t_unsqueeze(product, 0), INTS(b->samples, -1, -1));
    }
    bool adds = !number_is(arg[3], 0);
    b->all[0] = adds ? t_add(product, number_times(arg[3], batch_padded(b, 0, 2))) : product;
    return b->all[0] != NULL;
}

Tensor *batch_merged(Tensor *t, int first, int end) {
    int64_t shape[MAX_DIMS];
    int n = 0;
    if (!t) {
        return NULL;
    }
    for (int d = 0; d < t->dim; d++) {
        if (d > first && d < end) {
            shape[n - 1] *= t->shape[d];
        } else {
            shape[n++] = t->shape[d];
        }
    }
    return t_reshape(t, (Ints){shape, n});
}

Tensor *batch_split(Tensor *t, int dim, int64_t outer, int64_t inner) {
    int64_t shape[MAX_DIMS + 1];
    if (!t) {
        return NULL;
    }
    memcpy(shape, t->shape, (size_t)dim * sizeof *shape);
    shape[dim] = outer;
    shape[dim + 1] = inner;
    memcpy(shape + dim + 2, t->shape + dim + 1, (size_t)(t->dim - dim - 1) * sizeof *shape);
    return t_reshape(t, (Ints){shape, t->dim + 1});
}

/* Weights of each sample's own: x becomes one matrix a sample. */
static Tensor *linear_each(BatchCall *b) {
    const Tensor *x = b->c->in[0];
    Tensor *rows = batch_front(b, 0);
    int first = batch_is(b, 0);
    rows = x->dim == 1 ? t_unsqueeze(rows, first) : batch_merged(rows, first, first + x->dim - 1);
    Tensor *y = t_matmul(rows, t_transpose(batch_full(b, 1), 1, 2));
    if (b->c->in[2]) {
        Tensor *bias = batch_front(b, 2);
        y = t_add(y, batch_is(b, 2) ? t_unsqueeze(bias, 1) : bias);
    }
    int64_t shape[MAX_DIMS + 1];
    if (!y) {
        return NULL;
    }
    shape[0] = b->samples;
    memcpy(shape + 1, x->shape, (size_t)(x->dim - 1) * sizeof *shape);
    shape[x->dim] = y->shape[2];
    return t_reshape(y, (Ints){shape, x->dim + 1});
}

bool batch_linear(BatchCall *b, bool *fits) {
    bool shared = !batch_is(b, 1) && !(b->c->in[2] && batch_is(b, 2));
    *fits = b->c->in[0]->dim < MAX_DIMS;
    if (!*fits) {
        return false;
    }
    b->all[0] = shared ? t_linear(batch_front(b, 0), b->c->in[1], b->c->in[2]) : linear_each(b);
    return b->all[0] != NULL;
}

/* Calls the op with other tensors. */
static Tensor *call_conv(const BatchCall *b, Tensor *x, Tensor *weight, Tensor *bias,
                         int64_t groups) {
    Arg arg[MAX_ARGS];
    Tensor *out = NULL;
    memcpy(arg, b->c->arg, b->c->op->n_params * sizeof *arg);
    arg[0] = arg_tensor(x);
    arg[1] = arg_tensor(weight);
    arg[2] = arg_tensor_opt(bias);
    arg[b->c->op->n_params - 1] = arg_int(groups);
    return x && weight && op_call(b->c->op, arg, &out) ? out : NULL;
}

/* One weight for all: the samples join the images. */
static Tensor *conv_shared(BatchCall *b, bool has_images) {
    Tensor *x = batch_front(b, 0);
    int64_t images = has_images ? b->c->in[0]->shape[0] : 1;
    int64_t groups = b->c->arg[b->c->op->n_params - 1].i;
    Tensor *y =
        call_conv(b, has_images ? batch_merged(x, 0, 2) : x, b->c->in[1], b->c->in[2], groups);
    return has_images ? batch_split(y, 0, b->samples, images) : y;
}

/* A weight of each sample's own: the samples join the groups. */
static Tensor *conv_grouped(BatchCall *b, bool has_images) {
    Tensor *x = batch_full(b, 0);
    x = has_images ? t_transpose(x, 0, 1) : x; /* images, samples, channels, ... */
    x = has_images ? batch_merged(x, 1, 3) : t_unsqueeze(batch_merged(x, 0, 2), 0);
    int64_t groups = b->c->arg[b->c->op->n_params - 1].i * b->samples;
    Tensor *bias = b->c->in[2] ? batch_merged(batch_full(b, 2), 0, 2) : NULL;
    int64_t channels = b->c->in[1]->shape[0];
    Tensor *y = call_conv(b, x, batch_merged(batch_full(b, 1), 0, 2), bias, groups);
    y = batch_split(y, 1, b->samples, channels);
    return has_images ? t_transpose(y, 0, 1) : t_squeeze(y, INTS(0));
}

/* conv1d, conv2d, conv3d, conv_relu: input, weight, bias first and groups last. */
bool batch_conv(BatchCall *b, bool *fits) {
    const Call *c = b->c;
    bool has_images = c->in[0]->dim == c->in[1]->dim;
    *fits = b->samples > 0 && c->in[0]->dim < MAX_DIMS && c->in[1]->shape[0] > 0;
    if (!*fits) {
        return false;
    }
    bool shared = !batch_is(b, 1) && !(c->in[2] && batch_is(b, 2));
    b->all[0] = shared ? conv_shared(b, has_images) : conv_grouped(b, has_images);
    return b->all[0] != NULL;
}

/* Pooling over images of as many dims as the second argument has numbers: with channels in front,
 * or with images before these, which the samples join. */
bool batch_pool(BatchCall *b, bool *fits) {
    const Call *c = b->c;
    int dims = c->arg[1].count;
    bool has_images = c->in[0]->dim == dims + 2;
    *fits = c->n_in == 1 && (c->in[0]->dim == dims + 1 || has_images) && b->samples > 0;
    Arg arg[MAX_ARGS];
    if (!*fits) {
        return false;
    }
    Tensor *x = batch_front(b, 0);
    memcpy(arg, c->arg, c->op->n_params * sizeof *arg);
    arg[0] = arg_tensor(has_images ? batch_merged(x, 0, 2) : x);
    if (!arg[0].t || !op_call(c->op, arg, b->all)) {
        return false;
    }
    for (int k = 0; has_images && k < c->op->n_outs; k++) {
        b->all[k] = batch_split(b->all[k], 0, b->samples, c->in[0]->shape[0]);
        if (!b->all[k]) {
            return false;
        }
    }
    return true;
}

/* Batches of matrices that broadcast: (*, n, n) and (*, n, k). */
bool batch_solve(BatchCall *b, bool *fits) {
    Arg arg[MAX_ARGS];
    const Call *c = b->c;
    int dim = c->in[0]->dim > c->in[1]->dim ? c->in[0]->dim : c->in[1]->dim;
    *fits = dim < MAX_DIMS;
    memcpy(arg, c->arg, c->op->n_params * sizeof *arg);
    Tensor *in[2] = {batch_padded(b, 0, dim), batch_padded(b, 1, dim)};
    arg[0] = arg_tensor(in[0]);
    arg[1] = arg_tensor(in[1]);
    return *fits && in[0] && in[1] && op_call(c->op, arg, b->all);
}

/* Joins the samples to the first dim of every tensor and of every result. */
static bool fold_first(BatchCall *b, Tensor **in) {
    const Call *c = b->c;
    Arg arg[MAX_ARGS];
    memcpy(arg, c->arg, c->op->n_params * sizeof *arg);
    for (int i = 0; i < c->n_in; i++) {
        if (c->in[i]) {
            arg[i] = arg_tensor(batch_merged(in[i], 0, 2));
            if (!arg[i].t) {
                return false;
            }
        }
    }
    if (!op_call(c->op, arg, b->all)) {
        return false;
    }
    for (int k = 0; k < c->op->n_outs; k++) {
        b->all[k] = batch_split(b->all[k], 0, b->samples, c->spec[k].shape[0]);
        if (!b->all[k]) {
            return false;
        }
    }
    return true;
}

/* attend: query, key, value (B, H, L, E) and a bias with sizes of 1. */
bool batch_attend(BatchCall *b, bool *fits) {
    const Call *c = b->c;
    *fits = b->samples > 0;
    Tensor *in[4];
    for (int i = 0; i < 4; i++) {
        in[i] = batch_full(b, i);
    }
    if (in[3] && c->in[3]->shape[0] != c->in[0]->shape[0]) {
        const Tensor *bias = in[3];
        in[3] = t_expand(in[3], INTS(b->samples, c->in[0]->shape[0], bias->shape[2], bias->shape[3],
                                     bias->shape[4]));
    }
    return *fits && fold_first(b, in);
}

/* standardize: input (N, G, K, S), weight and bias (G * K); the samples join the groups. */
bool batch_standardize(BatchCall *b, bool *fits) {
    const Call *c = b->c;
    int64_t groups = c->in[0]->shape[1];
    bool over_batch = c->arg[4].b;
    Arg arg[MAX_ARGS];
    *fits = b->samples > 0 && groups > 0;
    memcpy(arg, c->arg, c->op->n_params * sizeof *arg);
    arg[0] = arg_tensor(batch_merged(t_transpose(batch_full(b, 0), 0, 1), 1, 3));
    for (int i = 1; i < 3; i++) {
        arg[i] = arg_tensor_opt(c->in[i] ? batch_merged(batch_full(b, i), 0, 2) : NULL);
    }
    if (!*fits || error_message() != NULL || !op_call(c->op, arg, b->all)) {
        return false;
    }
    for (int k = 0; k < 3; k++) {
        int dim = k == 0 || !over_batch;
        b->all[k] = batch_split(b->all[k], dim, b->samples, groups);
        b->all[k] = dim ? t_transpose(b->all[k], 0, 1) : b->all[k];
    }
    return b->all[0] && b->all[1] && b->all[2];
}
