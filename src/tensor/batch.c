#include "tensor/batch.h"

#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "base/tls.h"
#include "tensor/batch_rules.h"

enum { MOST_LEVELS = 32 };

typedef struct Level {
    int64_t samples;
    uint64_t id;
    Randomness randomness;
} Level;

typedef struct Levels {
    int n;
    Level at[MOST_LEVELS];
} Levels;

/* Allocated for the thread's first vmap. */
static THREAD_LOCAL Levels *levels;
/* While a rule computes, the levels from its own inwards do not exist. */
static THREAD_LOCAL int hidden;

int batch_depth(void) { return levels ? levels->n - hidden : 0; }

int batch_hide(void) {
    int before = hidden;
    hidden = levels ? levels->n : 0;
    return before;
}

void batch_show(int before) { hidden = before; }

int64_t batch_samples(int level) { return levels->at[level - 1].samples; }

int batch_enter(int64_t samples, Randomness randomness) {
    static atomic_ullong next_id = 1;
    if (!levels && !(levels = mem_zalloc(sizeof *levels))) {
        return 0;
    }
    if (levels->n == MOST_LEVELS) {
        fail("vmap: at most %d nested vmaps are possible", MOST_LEVELS);
        return 0;
    }
    levels->at[levels->n] = (Level){samples, atomic_fetch_add(&next_id, 1), randomness};
    return ++levels->n;
}

void batch_leave(void) {
    levels->n--;
    if (levels->n == 0) {
        mem_free(levels, sizeof *levels);
        levels = NULL;
    }
}

Tensor *batch_wrap(Tensor *all, int dim, int level) {
    if (!all) {
        return NULL;
    }
    int64_t shape[MAX_DIMS], stride[MAX_DIMS];
    int n = 0;
    for (int d = 0; d < all->dim; d++) {
        if (d != dim) {
            shape[n] = all->shape[d];
            stride[n++] = all->stride[d];
        }
    }
    struct Batching *batching = mem_alloc(sizeof *batching);
    Tensor *t = batching ? tensor_alias(all, (Ints){shape, n}, stride, all->offset) : NULL;
    if (!t) {
        mem_free(batching, batching ? sizeof *batching : 0);
        return NULL;
    }
    *batching = (struct Batching){tensor_retain(all), dim, level, levels->at[level - 1].id};
    t->batching = batching;
    t->flags |= TENSOR_BATCHED;
    return t;
}

int batch_level(const Tensor *t) {
    if (!t->batching) {
        return 0;
    }
    int level = t->batching->level;
    if (levels && level <= levels->n && levels->at[level - 1].id == t->batching->id) {
        return level;
    }
    fail("vmap: a tensor from inside a vmap is used after it has ended; return it from the mapped "
         "function");
    return -1;
}

/* A view of t with dim from moved to place to. */
static Tensor *moved(Tensor *t, int from, int to) {
    if (from == to) {
        return t;
    }
    int64_t dims[MAX_DIMS];
    for (int d = 0, next = 0; d < t->dim; d++) {
        next += next == from;
        dims[d] = d == to ? from : next++;
    }
    return t_permute(t, (Ints){dims, t->dim});
}

/* Repeats t along a new dim. */
static Tensor *repeated(Tensor *t, int64_t n, int dim) {
    Tensor *one = t_unsqueeze(t, dim);
    if (!one) {
        return NULL;
    }
    int64_t shape[MAX_DIMS];
    memcpy(shape, one->shape, one->dim * sizeof *shape);
    shape[dim] = n;
    return t_expand(one, (Ints){shape, one->dim});
}

Tensor *batch_lower(Tensor *t, int level, int dim) {
    int own = t ? batch_level(t) : -1;
    if (own < level) {
        return own < 0 ? NULL : repeated(t, batch_samples(level), dim);
    }
    const struct Batching *b = t->batching;
    if (own == level) {
        return moved(b->all, b->dim, dim);
    }
    int place = dim + (b->dim <= dim);
    Tensor *all = batch_lower(b->all, level, place);
    return batch_wrap(all, b->dim + (place <= b->dim), own);
}

Tensor *batch_raise(Tensor *t, int level, int dim) {
    int own = t ? batch_level(t) : -1;
    if (own <= level) {
        return own < 0 ? NULL : batch_wrap(t, dim, level);
    }
    const struct Batching *b = t->batching;
    int place = dim + (b->dim <= dim);
    Tensor *all = batch_raise(b->all, level, place);
    return batch_wrap(all, b->dim - (place < b->dim), own);
}

Tensor *batch_everywhere(Tensor *t) {
    Tensor *all = t;
    int n = batch_depth();
    for (int level = n; level >= 1; level--) {
        all = batch_lower(all, level, 0);
    }
    for (int level = 1; all && level <= n; level++) {
        all = batch_wrap(all, 0, level);
    }
    return all;
}

Tensor *batch_root(Tensor *t) {
    while (t && t->batching) {
        t = t->batching->all;
    }
    return t;
}

bool batch_is(const BatchCall *b, int k) {
    const Tensor *t = b->c->in[k];
    return t && t->batching && t->batching->level == b->level;
}

Tensor *batch_front(const BatchCall *b, int k) {
    Tensor *t = b->c->in[k];
    return batch_is(b, k) ? moved(t->batching->all, t->batching->dim, 0) : t;
}

Tensor *batch_full(const BatchCall *b, int k) {
    Tensor *t = b->c->in[k];
    if (!t || tensor_is_number(t) || batch_is(b, k)) {
        return batch_front(b, k);
    }
    return repeated(t, b->samples, 0);
}

Tensor *batch_padded(const BatchCall *b, int k, int dim) {
    Tensor *t = batch_front(b, k);
    for (int missing = t && batch_is(b, k) ? dim - (t->dim - 1) : 0; t && missing > 0; missing--) {
        t = t_unsqueeze(t, 1);
    }
    return t;
}

/* The innermost level among the arguments; -1: error recorded. */
static int highest_level(const Call *c) {
    int highest = 0;
    for (int i = 0; i < c->n_in; i++) {
        int level = c->in[i] ? batch_level(c->in[i]) : 0;
        if (level < 0) {
            return -1;
        }
        highest = level > highest ? level : highest;
    }
    return highest;
}

bool batch_involved(const Call *c) {
    if ((c->op->flags & OPF_RANDOM) && batch_depth()) {
        return true;
    }
    for (int i = 0; i < c->n_in; i++) {
        if (c->in[i] && c->in[i]->batching) {
            return true;
        }
    }
    return false;
}

/* The call on the first sample, for results that all share. */
static bool call_shared(BatchCall *b, bool *fits) {
    Arg arg[MAX_ARGS];
    Tensor *in[MAX_ARGS];
    const Call *c = b->c;
    *fits = c->n_in <= MAX_ARGS;
    memcpy(arg, c->arg, c->op->n_params * sizeof *arg);
    for (int i = 0, n = 0; *fits && i < c->op->n_params; i++) {
        if (c->op->params[i].type != PARAM_TENSOR || arg[i].kind != ARG_TENSOR) {
            *fits = c->op->params[i].type > PARAM_INDICES;
            continue;
        }
        in[n] = batch_is(b, n) ? t_select(batch_front(b, n), 0, 0) : c->in[n];
        arg[i] = arg_tensor(in[n++]);
    }
    b->shared = true;
    return *fits && op_call(c->op, arg, b->all);
}

/* A random op without batched arguments that is to draw for each sample: its shape, which most
 * have, gets the samples' dim. */
static bool call_with_shape(BatchCall *b, bool *fits) {
    const Call *c = b->c;
    Arg arg[MAX_ARGS];
    int64_t shape[MAX_DIMS + 1];
    memcpy(arg, c->arg, c->op->n_params * sizeof *arg);
    *fits = false;
    for (int i = 0; i < c->op->n_params; i++) {
        if (c->op->params[i].type == PARAM_SHAPE && arg[i].kind == ARG_INTS) {
            shape[0] = b->samples;
            memcpy(shape + 1, arg[i].ints, (size_t)arg[i].count * sizeof *shape);
            arg[i] = arg_ints((Ints){shape, arg[i].count + 1});
            *fits = c->n_in == 0;
        }
    }
    return *fits && op_call(c->op, arg, b->all);
}

static bool fits_then(BatchRule *rule, BatchCall *b, bool *done) {
    bool fits = true;
    bool ok = rule(b, &fits);
    *done = fits;
    return fits ? ok : error_message() == NULL;
}

/* Tries the rules in turn: the op's own, that of its class, one sample after another. */
static bool by_rules(BatchCall *b, BatchRule *const *rules, int n) {
    bool done = false;
    for (int i = 0; i < n && !done; i++) {
        if (rules[i] && !fits_then(rules[i], b, &done)) {
            return false;
        }
    }
    return done;
}

static bool call_random(BatchCall *b, Randomness randomness) {
    BatchRule *const different[] = {call_with_shape, batch_by_class, batch_one_by_one};
    BatchRule *const same[] = {call_shared, batch_one_by_one};
    switch (randomness) {
    case RANDOM_ERROR:
        return fail("%s: random numbers inside vmap: say {randomness = \"different\"}, each sample "
                    "with its own, or \"same\"",
                    b->c->op->public_name);
    case RANDOM_SAME: return by_rules(b, same, 2);
    default: return by_rules(b, different, 3);
    }
}

static bool compute(BatchCall *b) {
    if (b->c->op->flags & OPF_RANDOM) {
        return call_random(b, levels->at[b->level - 1].randomness);
    }
    BatchRule *const rules[] = {batch_rule_of(b->c->op), batch_by_class, batch_one_by_one};
    return by_rules(b, rules, 3);
}

/* Computes at the call's level, seen from outside it, and wraps what comes out. */
static bool call_at(const Call *c, int level, bool (*run)(BatchCall *b), Tensor **out) {
    BatchCall b = {.c = c, .level = level, .samples = batch_samples(level)};
    int before = hidden;
    hidden = levels->n - level + 1;
    bool ok = run(&b);
    hidden = before;
    for (int k = 0; ok && k < c->op->n_outs; k++) {
        out[k] = b.shared ? b.all[k] : batch_wrap(b.all[k], 0, level);
        ok = out[k] != NULL;
    }
    return ok;
}

static bool fail_written(const Call *c) {
    return fail("%s: writes into its arguments and cannot be used on what a vmap maps",
                c->op->public_name);
}

bool batch_call(const Call *c, Tensor **out) {
    int level = highest_level(c);
    if (level < 0) {
        return false;
    }
    if (c->op->flags & OPF_WRITES) {
        return fail_written(c);
    }
    if ((c->op->flags & OPF_RANDOM) && level < batch_depth()) {
        level = batch_depth();
    }
    return call_at(c, level, compute, out);
}

static bool one_by_one(BatchCall *b) {
    bool fits = true;
    return batch_one_by_one(b, &fits);
}

bool batch_call_samplewise(const Call *c, Tensor **out) {
    int level = highest_level(c);
    return level >= 0 && call_at(c, level, one_by_one, out);
}

static THREAD_LOCAL bool shared_write;

bool batch_shared_write(void) {
    bool was = shared_write;
    shared_write = false;
    return was;
}

bool batch_copy(Tensor *self, Tensor *result, const char *name) {
    int own = batch_level(self), level = batch_level(result);
    if (own < 0 || level < 0) {
        return false;
    }
    if (level > own) {
        shared_write = true;
        return fail(
            "%s_: the result differs from sample to sample of a vmap, the tensor written is "
            "one for all; use %s",
            name, name);
    }
    Tensor *into = moved(self->batching->all, self->batching->dim, 0);
    Tensor *from = level == own ? moved(result->batching->all, result->batching->dim, 0) : result;
    const Arg arg[] = {arg_tensor(into), arg_tensor(from), arg_bool(false)};
    return into && from && op_call_inplace(&op_table[OP_copy], arg);
}
