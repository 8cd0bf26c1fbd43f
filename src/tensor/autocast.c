#include "tensor/autocast.h"

#include <string.h>

#include "autograd/tape.h"
#include "base/memory.h"

enum { POLICY_NONE, POLICY_LOWER, POLICY_WIDE, POLICY_WIDEST };

static const uint8_t policies[N_OPS] = {
#define LOWER(name)  [OP_##name] = POLICY_LOWER,
#define WIDE(name)   [OP_##name] = POLICY_WIDE,
#define WIDEST(name) [OP_##name] = POLICY_WIDEST,
#include "autocast.def"
#undef LOWER
#undef WIDE
#undef WIDEST
};

bool autocast_applies(const Op *op) { return policies[op->id] != POLICY_NONE; }

/* The casts of weights: a table by address, which is emptied when the last block ends. */
typedef struct Kept {
    Tensor *weight, *cast; /* owned */
    unsigned version;
} Kept;

typedef struct Cache {
    int blocks;
    int n, size; /* size: a power of two, or 0 */
    Kept *kept;
} Cache;

enum { FIRST_SIZE = 64 };

static THREAD_LOCAL Cache *cache; /* NULL: no block is open, or its memory was not to be had */

void autocast_open(void) {
    if (!cache) {
        cache = mem_zalloc(sizeof *cache);
        if (!cache) {
            error_clear(); /* it is for speed alone */
            return;
        }
    }
    cache->blocks++;
}

void autocast_close(void) {
    if (!cache || --cache->blocks > 0) {
        return;
    }
    Cache *c = cache;
    cache = NULL;
    for (int i = 0; i < c->size; i++) {
        tensor_release(c->kept[i].cast);
        tensor_release(c->kept[i].weight);
    }
    mem_free(c->kept, (size_t)c->size * sizeof(Kept));
    mem_free(c, sizeof *c);
}

/* The weight's place, which is empty if it is not there. */
static Kept *place_of(const Cache *c, const Tensor *weight) {
    size_t at = (size_t)((uint64_t)(uintptr_t)weight * 0x9E3779B97F4A7C15ull >> 32);
    Kept *k;
    do {
        k = &c->kept[at++ & (size_t)(c->size - 1)];
    } while (k->weight && k->weight != weight);
    return k;
}

/* Room for one more; false: there is none. */
static bool cache_reserve(Cache *c) {
    if (2 * c->n < c->size) {
        return true;
    }
    Cache larger = {.size = c->size ? 2 * c->size : FIRST_SIZE};
    larger.kept = mem_zalloc((size_t)larger.size * sizeof(Kept));
    if (!larger.kept) {
        error_clear();
        return false;
    }
    for (int i = 0; i < c->size; i++) {
        if (c->kept[i].weight) {
            *place_of(&larger, c->kept[i].weight) = c->kept[i];
        }
    }
    mem_free(c->kept, (size_t)c->size * sizeof(Kept));
    c->kept = larger.kept;
    c->size = larger.size;
    return true;
}

static unsigned version_of(const Tensor *t) {
    return atomic_load_explicit(&t->storage->version, memory_order_relaxed);
}

static void keep(Tensor *weight, Tensor *cast) {
    if (!cache_reserve(cache)) {
        return;
    }
    Kept *k = place_of(cache, weight);
    if (k->weight) {
        tensor_release(k->cast);
    } else {
        k->weight = tensor_retain(weight);
        cache->n++;
    }
    k->cast = tensor_retain(cast);
    k->version = version_of(weight);
}

/* A weight's cast to the half type, made once. It is recorded, so a call without recording neither
 * makes nor takes one, nor does one that a checkpoint runs twice, the same both times. */
static Tensor *cast_weight(Tensor *weight, int dtype) {
    Kept *k = cache->size ? place_of(cache, weight) : NULL;
    if (k && k->weight && k->version == version_of(weight) && k->cast->dtype == dtype) {
        return scope_add(tensor_retain(k->cast)) ? k->cast : NULL;
    }
    Tensor *cast = t_cast(weight, dtype);
    if (cast) {
        keep(weight, cast);
    }
    return cast;
}

static bool is_weight(const Tensor *t) {
    return cache && modes.recording && !modes.replay && !modes.autocast.uncached &&
           t->dtype == DT_FLOAT32 && !t->base && !(t->flags & TENSOR_BATCHED) &&
           tensor_requires_grad(t) && tensor_is_leaf(t);
}

/* Whether t is of the numbers that mixed precision is about, on that kind of device. */
static bool is_eligible(const Tensor *t, int device_kind) {
    return t && t->device.kind == device_kind && !tensor_is_number(t) &&
           (t->dtype == DT_FLOAT16 || t->dtype == DT_BFLOAT16 || t->dtype == DT_FLOAT32);
}

/* The tensors that a call is given, one after another; false behind the last. */
typedef struct Walk {
    const Op *op;
    const Arg *arg;
    int param, element;
} Walk;

static bool next_tensor(Walk *w, Tensor **t) {
    for (; w->param < w->op->n_params; w->param++, w->element = 0) {
        const Arg *a = &w->arg[w->param];
        int type = w->op->params[w->param].type;
        bool casts = type == PARAM_TENSOR || type == PARAM_TENSORS;
        int count = a->kind == ARG_TENSOR ? 1 : a->kind == ARG_TENSORS ? a->count : 0;
        if (casts && w->element < count) {
            *t = a->kind == ARG_TENSOR ? a->t : a->ts[w->element];
            w->element++;
            return true;
        }
    }
    return false;
}

/* The dtype to compute in on that kind of device, or DT_NONE. */
static int dtype_wanted(const Op *op, const Arg *arg, int device_kind) {
    int policy = policies[op->id];
    if (!modes.autocast.dtype[device_kind]) {
        return DT_NONE;
    }
    if (policy == POLICY_LOWER) {
        return modes.autocast.dtype[device_kind];
    }
    for (int i = 0; policy == POLICY_WIDE && i < op->n_params; i++) {
        if (op->params[i].type == PARAM_DTYPE && arg[i].kind != ARG_NONE) {
            return DT_NONE; /* the user has said it */
        }
    }
    int found = DT_NONE;
    Tensor *t;
    for (Walk w = {.op = op, .arg = arg}; policy == POLICY_WIDEST && next_tensor(&w, &t);) {
        if (is_eligible(t, device_kind)) {
            found = found == DT_NONE || found == t->dtype ? t->dtype : DT_FLOAT32;
        }
    }
    return policy == POLICY_WIDE ? DT_FLOAT32 : found;
}

/* The kind of device that the call runs on: that of its first tensor with dims, or else of its
 * first. -1: there are none. */
static int device_kind_of(const Op *op, const Arg *arg) {
    int kind = -1;
    Tensor *t;
    for (Walk w = {.op = op, .arg = arg}; next_tensor(&w, &t);) {
        if (t && t->dim > 0) {
            return t->device.kind;
        }
        kind = kind < 0 && t ? t->device.kind : kind;
    }
    return kind;
}

static Tensor *cast_one(Tensor *t, int dtype, int device_kind) {
    if (!is_eligible(t, device_kind) || t->dtype == dtype) {
        return t;
    }
    return dtype != DT_FLOAT32 && is_weight(t) ? cast_weight(t, dtype) : t_cast(t, dtype);
}

/* Casts into given, whose lists stand in list; false with an error recorded. */
static bool cast_all(const Op *op, Arg *given, Tensor **list, int dtype, int device_kind) {
    for (int i = 0; i < op->n_params; i++) {
        Arg *a = &given[i];
        if (op->params[i].type == PARAM_TENSOR && a->kind == ARG_TENSOR && a->t) {
            a->t = cast_one(a->t, dtype, device_kind);
            if (!a->t) {
                return false;
            }
        } else if (op->params[i].type == PARAM_TENSORS && a->kind == ARG_TENSORS) {
            Tensor **to = list;
            for (int k = 0; k < a->count; k++) {
                to[k] = cast_one(a->ts[k], dtype, device_kind);
                if (a->ts[k] && !to[k]) {
                    return false;
                }
            }
            a->ts = to;
            list += a->count;
        }
    }
    return true;
}

static int list_length(const Op *op, const Arg *arg) {
    int n = 0;
    for (int i = 0; i < op->n_params; i++) {
        n += op->params[i].type == PARAM_TENSORS && arg[i].kind == ARG_TENSORS ? arg[i].count : 0;
    }
    return n;
}

bool autocast_call(const Op *op, const Arg *arg, Tensor **out) {
    int kind = device_kind_of(op, arg);
    int dtype = kind < 0 ? DT_NONE : dtype_wanted(op, arg, kind);
    Arg given[MAX_ARGS];
    memcpy(given, arg, op->n_params * sizeof *given);
    size_t bytes = (size_t)list_length(op, arg) * sizeof(Tensor *);
    Tensor **list = bytes ? mem_alloc(bytes) : NULL;
    modes.autocast.on = false;
    bool ok = (!bytes || list) && (dtype == DT_NONE || cast_all(op, given, list, dtype, kind)) &&
              op_call(op, given, out);
    modes.autocast.on = true;
    mem_free(list, bytes);
    return ok;
}
