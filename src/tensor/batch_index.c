/* Batching rules of reading and writing at positions. */
#include <string.h>

#include "tensor/batch_ops.h"

static Device cpu(void) { return (Device){DEVICE_CPU, 0}; }

/* 1, 2, ... up to the samples, to pick from each its own: (samples, 1, ..., 1). */
static Tensor *sample_numbers(const BatchCall *b, int ones, Device device) {
    int64_t shape[MAX_DIMS];
    shape[0] = b->samples;
    for (int d = 1; d <= ones; d++) {
        shape[d] = 1;
    }
    Tensor *numbers = t_arange(arg_int(b->samples), DT_INT64, cpu(), false);
    return t_view(t_to(numbers, DT_NONE, device, false, false), (Ints){shape, ones + 1});
}

/* input, dim, one vector of positions for all samples, and perhaps a source. */
bool batch_along_index(BatchCall *b, bool *fits) {
    const Call *c = b->c;
    Arg arg[MAX_ARGS];
    *fits = !batch_is(b, 1) && c->in[0]->dim > 0 && c->in[0]->dim < MAX_DIMS &&
            (c->n_in < 3 || c->in[2]->dim == c->in[0]->dim);
    if (!*fits) {
        return false;
    }
    memcpy(arg, c->arg, c->op->n_params * sizeof *arg);
    arg[0] = arg_tensor(batch_full(b, 0));
    arg[1] = arg_int(c->arg[1].i + 1);
    if (c->n_in == 3) {
        arg[3] = arg_tensor(batch_full(b, 2));
    }
    return arg[0].t && (c->n_in < 3 || arg[3].t) && op_call(c->op, arg, b->all);
}

/* The list of positions of index_take and index_put, in front of which each sample picks itself;
 * only where all positions stand together from the first dim on. */
static int sample_list(BatchCall *b, int n, Tensor **list) {
    int dim = 0;
    for (int i = 1; i <= n; i++) {
        const Tensor *t = b->c->in[i];
        if (!t || t->dtype != DT_INT64 || n >= MAX_DIMS) {
            return -1;
        }
        dim = t->dim > dim ? t->dim : dim;
    }
    list[0] = sample_numbers(b, dim, b->c->device);
    for (int i = 1; i <= n; i++) {
        list[i] = batch_padded(b, i, dim);
    }
    return dim;
}

bool batch_index_take(BatchCall *b, bool *fits) {
    Tensor *list[MAX_DIMS];
    int n = b->c->arg[1].count;
    int dim = n ? sample_list(b, n, list) : -1;
    *fits = dim >= 0 && b->c->in[0]->dim < MAX_DIMS;
    if (!*fits) {
        return false;
    }
    bool own = batch_is(b, 0);
    TensorList indices = {own ? list : list + 1, own ? n + 1 : n};
    b->all[0] = t_index_take(batch_front(b, 0), indices);
    return b->all[0] != NULL;
}

bool batch_index_put(BatchCall *b, bool *fits) {
    Tensor *list[MAX_DIMS];
    const Call *c = b->c;
    int n = c->arg[1].count;
    int dim = n ? sample_list(b, n, list) : -1;
    *fits = dim >= 0 && c->in[0]->dim < MAX_DIMS;
    if (!*fits) {
        return false;
    }
    Tensor *values = batch_padded(b, n + 1, dim + c->in[0]->dim - n);
    b->all[0] = t_index_put(batch_full(b, 0), (TensorList){list, n + 1}, values, c->arg[3].b);
    return b->all[0] != NULL;
}

/* One table of rows for all samples. */
bool batch_embedding(BatchCall *b, bool *fits) {
    const Call *c = b->c;
    Arg arg[MAX_ARGS];
    *fits = !batch_is(b, 1) && c->in[0]->dim < MAX_DIMS - 1;
    memcpy(arg, c->arg, c->op->n_params * sizeof *arg);
    arg[0] = arg_tensor_opt(*fits ? batch_front(b, 0) : NULL);
    return *fits && arg[0].t && op_call(c->op, arg, b->all);
}

/* nll_loss without reduction for all samples: (samples, targets of one). */
static Tensor *losses(BatchCall *b, Tensor *input, Tensor *target) {
    const Call *c = b->c;
    bool single = c->in[0]->dim == 1;
    Tensor *folded = single ? input : batch_merged(input, 0, 2);
    Tensor *labels = single ? target : batch_merged(target, 0, 2);
    Tensor *each = t_nll_loss(folded, labels, c->in[2], c->arg[3].i, "none");
    if (!each) {
        return NULL;
    }
    return t_reshape(each, INTS(b->samples, c->in[1]->numel));
}

bool batch_nll_loss(BatchCall *b, bool *fits) {
    const Call *c = b->c;
    const char *reduction = c->arg[4].s;
    *fits = b->samples > 0 && !(c->in[2] && batch_is(b, 2)) && c->in[0]->dim < MAX_DIMS;
    if (!*fits) {
        return false;
    }
    Tensor *input = batch_full(b, 0), *target = batch_full(b, 1);
    Tensor *each = losses(b, input, target);
    if (each && strcmp(reduction, "none") == 0) {
        int64_t shape[MAX_DIMS];
        shape[0] = b->samples;
        memcpy(shape + 1, c->in[1]->shape, c->in[1]->dim * sizeof *shape);
        b->all[0] = t_reshape(each, (Ints){shape, c->in[1]->dim + 1});
        return b->all[0] != NULL;
    }
    Tensor *sum = t_sum(each, INTS(1), false, DT_NONE);
    if (sum && strcmp(reduction, "mean") == 0) {
        /* Scores of -1 give every target's weight. */
        Modes before = modes;
        modes.recording = false;
        Tensor *minus = t_full_like(input, arg_int(-1), DT_NONE, input->device, false);
        Tensor *weights = t_sum(losses(b, minus, target), INTS(1), false, DT_NONE);
        modes = before;
        sum = t_div(sum, weights);
    }
    b->all[0] = sum;
    return sum != NULL;
}
