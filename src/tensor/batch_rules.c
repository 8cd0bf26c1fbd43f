/* Batching rules by the class of an op, and the way of last resort. */
#include "tensor/batch_rules.h"

#include <string.h>

#include "base/memory.h"

enum { MOST_TENSORS = 24 };

/* The call's arguments with other tensors: lists point into in. */
static void put_tensors(const Call *c, Tensor **in, Arg *arg) {
    memcpy(arg, c->arg, c->op->n_params * sizeof *arg);
    for (int i = 0, n = 0; i < c->op->n_params; i++) {
        const Param *param = &c->op->params[i];
        if (param->type == PARAM_TENSORS || param->type == PARAM_INDICES) {
            arg[i] = arg_tensors((TensorList){in + n, c->arg[i].count});
            n += c->arg[i].count;
        } else if (param->type <= PARAM_INDICES) {
            arg[i] = arg_tensor_opt(in[n++]);
        }
    }
}

static bool call(BatchCall *b, Tensor **in, Arg *arg) {
    for (int i = 0; i < b->c->n_in; i++) {
        if (b->c->in[i] && !in[i]) {
            return false;
        }
    }
    return op_call(b->c->op, arg, b->all);
}

static int most_dims(const Call *c) {
    int most = 0;
    for (int i = 0; i < c->n_in; i++) {
        most = c->in[i] && c->in[i]->dim > most ? c->in[i]->dim : most;
    }
    return most;
}

/* Element by element, broadcast from the last dim. */
static bool elementwise(BatchCall *b, bool *fits) {
    Tensor *in[MOST_TENSORS];
    Arg arg[MAX_ARGS];
    const Call *c = b->c;
    *fits = c->n_in <= MOST_TENSORS;
    if (!*fits) {
        return false;
    }
    int dim = most_dims(c);
    for (int i = 0; i < c->n_in; i++) {
        in[i] = batch_padded(b, i, dim);
    }
    put_tensors(c, in, arg);
    return call(b, in, arg);
}

/* Counts dims from behind the samples; false where an op takes all dims because none is named. */
static bool shift_dims(const Call *c, Arg *arg, int64_t room[][MAX_DIMS], int rooms) {
    int used = 0;
    for (int i = 0; i < c->op->n_params; i++) {
        int type = c->op->params[i].type;
        if (type == PARAM_DIM || type == PARAM_NEWDIM) {
            if (arg[i].kind == ARG_NONE) {
                return false;
            }
            arg[i].i++;
        } else if (type == PARAM_DIMS) {
            if (arg[i].kind == ARG_NONE || used == rooms) {
                return false;
            }
            for (int k = 0; k < arg[i].count; k++) {
                room[used][k] = arg[i].ints[k] + 1;
            }
            arg[i].ints = room[used++];
        }
    }
    return true;
}

/* Whether every result has the shape of one sample's behind the samples. */
static bool have_samples(const BatchCall *b) {
    for (int k = 0; k < b->c->op->n_outs; k++) {
        const OutSpec *s = &b->c->spec[k];
        const Tensor *t = b->all[k];
        if (t->dim != s->dim + 1 || t->shape[0] != b->samples ||
            (s->dim && memcmp(t->shape + 1, s->shape, (size_t)s->dim * sizeof *s->shape) != 0)) {
            return false;
        }
    }
    return true;
}

/* Whether tensor k, without dims, is what scatter and its like write at all positions. */
static bool fills(const Call *c, int k) {
    int id = c->op->id;
    bool scatters = id == OP_scatter || id == OP_scatter_add || id == OP_scatter_join;
    return scatters && k == 2 && c->in[2]->dim == 0 && c->in[1]->dim > 0;
}

/* Dims in front of all tensors pass through. */
static bool leading(BatchCall *b, bool *fits) {
    Tensor *in[MOST_TENSORS];
    Arg arg[MAX_ARGS];
    int64_t room[4][MAX_DIMS];
    const Call *c = b->c;
    bool has_dims = (c->op->flags & OPF_DIMS) != 0;
    *fits = c->n_in > 0 && c->n_in <= MOST_TENSORS && !(has_dims && c->in[0] && c->in[0]->dim == 0);
    for (int i = 0; *fits && i < c->n_in; i++) {
        in[i] = fills(c, i) ? c->in[i] : batch_full(b, i);
        *fits = (!in[i] || c->in[i]->dim < MAX_DIMS) && !(fills(c, i) && batch_is(b, i));
    }
    if (!*fits) {
        return false;
    }
    put_tensors(c, in, arg);
    *fits = shift_dims(c, arg, room, 4);
    if (!*fits || !call(b, in, arg)) {
        return false;
    }
    *fits = have_samples(b);
    return *fits;
}

/* Over no dims at all means over all of a sample's. */
static bool reduction(BatchCall *b, bool *fits) {
    const Call *c = b->c;
    *fits = c->n_in == 1;
    Tensor *in = *fits ? batch_front(b, 0) : NULL;
    if (in && c->in[0]->dim == 0) {
        in = t_unsqueeze(in, 1);
    }
    if (!in) {
        return false;
    }
    Ints given = arg_as_ints(c->arg[1]);
    int64_t dims[MAX_DIMS];
    int n = given.n > 0 && c->in[0]->dim > 0 ? given.n : in->dim - 1;
    for (int k = 0; k < n; k++) {
        dims[k] = given.n > 0 && c->in[0]->dim > 0 ? given.v[k] + 1 : k + 1;
    }
    Arg arg[MAX_ARGS];
    memcpy(arg, c->arg, c->op->n_params * sizeof *arg);
    arg[0] = arg_tensor(in);
    arg[1] = arg_ints((Ints){dims, n});
    if (c->in[0]->dim == 0) {
        arg[2] = arg_bool(false);
    }
    return op_call(c->op, arg, b->all);
}

/* Views that name the dims they concern; others have rules of their own. */
static bool view(BatchCall *b, bool *fits) {
    *fits = (b->c->op->flags & OPF_DIMS) != 0;
    return *fits && leading(b, fits);
}

bool batch_by_class(BatchCall *b, bool *fits) {
    const Op *op = b->c->op;
    if (op->op_class == CLASS_UNARY || op->op_class == CLASS_BINARY ||
        op->op_class == CLASS_COMPARE || (op->flags & OPF_BROADCASTS)) {
        return elementwise(b, fits);
    }
    if (op->op_class == CLASS_REDUCE) {
        return reduction(b, fits);
    }
    if (op->op_class == CLASS_VIEW) {
        return view(b, fits);
    }
    *fits = (op->flags & OPF_LEADING) != 0;
    return *fits && leading(b, fits);
}

/* The results of one sample. */
static bool call_one(const BatchCall *b, Tensor *const *fronts, Tensor **in, int64_t sample,
                     Tensor **out) {
    const Call *c = b->c;
    Arg arg[MAX_ARGS];
    for (int i = 0; i < c->n_in; i++) {
        in[i] = batch_is(b, i) ? t_select(fronts[i], 0, sample) : c->in[i];
        if (c->in[i] && !in[i]) {
            return false;
        }
    }
    put_tensors(c, in, arg);
    return op_call(c->op, arg, out);
}

static bool join(BatchCall *b, Tensor **results) {
    int n_outs = b->c->op->n_outs;
    for (int k = 0; k < n_outs; k++) {
        Tensor **list = results + k * b->samples;
        for (int64_t s = 1; s < b->samples; s++) {
            if (!tensor_same_shape(list[0], list[s])) {
                return fail("%s: inside vmap its results must have one shape, but they are %s for "
                            "sample 1 and %s for sample %lld",
                            b->c->op->public_name, shape_text(tensor_shape(list[0])),
                            shape_text(tensor_shape(list[s])), (long long)s + 1);
            }
        }
        b->all[k] = t_stack((TensorList){list, (int)b->samples}, 0);
        if (!b->all[k]) {
            return false;
        }
    }
    return true;
}

/* Without samples the results are empty, of the shapes that one would have. */
static bool empty_results(BatchCall *b) {
    const Call *c = b->c;
    if (c->op->op_class == CLASS_COMPOSE) {
        return fail("%s: vmap cannot tell its result's shape without samples", c->op->public_name);
    }
    for (int k = 0; k < c->op->n_outs; k++) {
        const OutSpec *s = &c->spec[k];
        int64_t shape[MAX_DIMS + 1] = {0};
        memcpy(shape + 1, s->shape, (size_t)s->dim * sizeof *shape);
        b->all[k] = t_zeros((Ints){shape, s->dim + 1}, s->dtype, c->device, false);
        if (!b->all[k]) {
            return false;
        }
    }
    return true;
}

static bool run_samples(BatchCall *b, Tensor **fronts, Tensor **in, Tensor **results) {
    for (int i = 0; i < b->c->n_in; i++) {
        fronts[i] = batch_front(b, i);
        if (b->c->in[i] && !fronts[i]) {
            return false;
        }
    }
    for (int64_t s = 0; s < b->samples; s++) {
        Tensor *out[MAX_OUTS];
        if (!call_one(b, fronts, in, s, out)) {
            return false;
        }
        for (int k = 0; k < b->c->op->n_outs; k++) {
            results[k * b->samples + s] = out[k];
        }
    }
    return join(b, results);
}

bool batch_one_by_one(BatchCall *b, bool *fits) {
    *fits = true;
    if (b->samples == 0) {
        return empty_results(b);
    }
    size_t count = 2 * (size_t)b->c->n_in + (size_t)b->c->op->n_outs * (size_t)b->samples;
    Tensor **room = mem_zalloc(count * sizeof(Tensor *));
    bool ok = room && run_samples(b, room, room + b->c->n_in, room + 2 * b->c->n_in);
    mem_free(room, count * sizeof(Tensor *));
    return ok;
}
