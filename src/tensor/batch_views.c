/* Batching rules of views whose dims are not named one by one, and of what concerns all elements.
 */
#include <string.h>

#include "tensor/batch_ops.h"

/* The sizes of one sample's result behind those of the samples. */
static Ints result_sizes(const BatchCall *b, int64_t *room) {
    const OutSpec *s = &b->c->spec[0];
    room[0] = b->samples;
    memcpy(room + 1, s->shape, (size_t)s->dim * sizeof *room);
    return (Ints){room, s->dim + 1};
}

bool batch_view(BatchCall *b, bool *fits) {
    int64_t room[MAX_DIMS + 1];
    const Param *last = &b->c->op->params[b->c->op->n_params - 1];
    *fits = b->c->spec[0].dim < MAX_DIMS && last->type == PARAM_SHAPE;
    b->all[0] = *fits ? t_view(batch_front(b, 0), result_sizes(b, room)) : NULL;
    return b->all[0] != NULL;
}

bool batch_expand(BatchCall *b, bool *fits) {
    int64_t room[MAX_DIMS + 1];
    *fits = b->c->spec[0].dim < MAX_DIMS;
    b->all[0] =
        *fits ? t_expand(batch_padded(b, 0, b->c->spec[0].dim), result_sizes(b, room)) : NULL;
    return b->all[0] != NULL;
}

bool batch_t(BatchCall *b, bool *fits) {
    (void)fits;
    Tensor *x = batch_front(b, 0);
    b->all[0] = b->c->in[0]->dim == 2 ? t_transpose(x, 1, 2) : x;
    return b->all[0] != NULL;
}

bool batch_permute(BatchCall *b, bool *fits) {
    int64_t dims[MAX_DIMS + 1] = {0};
    const Arg *given = &b->c->arg[1];
    *fits = given->count < MAX_DIMS;
    for (int k = 0; k < given->count; k++) {
        dims[k + 1] = given->ints[k] + 1;
    }
    b->all[0] = *fits ? t_permute(batch_front(b, 0), (Ints){dims, given->count + 1}) : NULL;
    return b->all[0] != NULL;
}

bool batch_squeeze(BatchCall *b, bool *fits) {
    (void)fits;
    int64_t dims[MAX_DIMS];
    int n = 0;
    const Arg *given = &b->c->arg[1];
    const Tensor *one = b->c->in[0];
    bool all = given->kind == ARG_NONE;
    for (int k = 0; k < (all ? one->dim : given->count); k++) {
        int d = all ? k : (int)given->ints[k];
        if (one->dim && one->shape[d] == 1) {
            dims[n++] = d + 1;
        }
    }
    Tensor *x = batch_front(b, 0);
    b->all[0] = n ? t_squeeze(x, (Ints){dims, n}) : x;
    return b->all[0] != NULL;
}

bool batch_as_strided(BatchCall *b, bool *fits) {
    const Call *c = b->c;
    Tensor *x = batch_front(b, 0);
    int64_t size[MAX_DIMS + 1], stride[MAX_DIMS + 1];
    int n = c->arg[1].count;
    *fits = x && !x->batching && n < MAX_DIMS;
    if (!*fits) {
        return false;
    }
    size[0] = b->samples;
    stride[0] = x->stride[0];
    memcpy(size + 1, c->arg[1].ints, (size_t)n * sizeof *size);
    memcpy(stride + 1, c->arg[2].ints, (size_t)n * sizeof *stride);
    int64_t offset = c->arg[3].kind == ARG_NONE ? x->offset : c->arg[3].i;
    const Arg arg[] = {arg_tensor(x), arg_ints((Ints){size, n + 1}),
                       arg_ints((Ints){stride, n + 1}), arg_int(offset)};
    return op_call(c->op, arg, b->all);
}

/* copy: the result has the shape of input, which must have the samples' dim. */
bool batch_copy_rule(BatchCall *b, bool *fits) {
    (void)fits;
    b->all[0] = t_copy(batch_full(b, 0), batch_padded(b, 1, b->c->in[0]->dim), b->c->arg[2].b);
    return b->all[0] != NULL;
}

/* A sample's elements as a vector. */
static Tensor *flat(const BatchCall *b) {
    return t_reshape(batch_front(b, 0), INTS(b->samples, b->c->in[0]->numel));
}

/* max and min of all elements, whose gradient is shared as that of amax and amin. */
bool batch_extreme(BatchCall *b, bool *fits) {
    (void)fits;
    bool largest = b->c->op->id == OP_max;
    Tensor *x = flat(b);
    b->all[0] = largest ? t_amax(x, INTS(1), false) : t_amin(x, INTS(1), false);
    return b->all[0] != NULL;
}

/* argmax and argmin of all elements; along a dim they are like any op that names one. */
bool batch_arg_extreme(BatchCall *b, bool *fits) {
    *fits = b->c->arg[1].kind == ARG_NONE && !b->c->arg[2].b;
    if (!*fits) {
        return false;
    }
    const Arg arg[] = {arg_tensor(flat(b)), arg_int(1), arg_bool(false)};
    return arg[0].t && op_call(b->c->op, arg, b->all);
}
