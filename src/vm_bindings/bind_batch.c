/* What tocha.func.vmap is made of. */
#include <string.h>

#include "autograd/tape.h"
#include "base/memory.h"
#include "tensor/batch.h"
#include "vm_bindings/bind.h"

static Randomness check_randomness(lua_State *L, int idx) {
    const char *word = luaL_checkstring(L, idx);
    if (strcmp(word, "different") == 0) {
        return RANDOM_DIFFERENT;
    }
    return strcmp(word, "same") == 0 ? RANDOM_SAME : RANDOM_ERROR;
}

/* _vmap(samples, randomness, f): f(level), with a level of that many samples open. */
static int vmap(lua_State *L) {
    lua_settop(L, 3);
    bind_enter(L);
    lua_Integer samples = luaL_checkinteger(L, 1);
    Randomness randomness = check_randomness(L, 2);
    luaL_argcheck(L, samples >= 0, 1, "negative");
    int level = batch_enter(samples, randomness);
    level = level || !mem_reclaimed() ? level : batch_enter(samples, randomness);
    if (!level) {
        return bind_raise(L);
    }
    lua_pushinteger(L, level);
    int status = lua_pcall(L, 1, LUA_MULTRET, 0);
    batch_leave();
    return status == LUA_OK ? lua_gettop(L) - 2 : lua_error(L);
}

typedef struct BatchArgs {
    Tensor *t;
    int level, dim;
} BatchArgs;

/* The open level at stack entry idx. */
static int check_level(lua_State *L, int idx) {
    lua_Integer level = luaL_checkinteger(L, idx);
    luaL_argcheck(L, level >= 1 && level <= batch_depth(), idx, "no such level");
    return (int)level;
}

static bool run_wrap(void *ctx, Tensor **out) {
    BatchArgs *a = ctx;
    out[0] = batch_wrap(a->t, a->dim, a->level);
    return out[0] || bind_name_failure("vmap");
}

/* _batch(x, dim, level): x with the samples along dim as one of them. */
static int batch(lua_State *L) {
    lua_settop(L, 3);
    Box *box = bind_push_box(L);
    bind_enter(L);
    BatchArgs a = {NULL, check_level(L, 3), (int)luaL_checkinteger(L, 2) - 1};
    a.t = lua_check_tensor(L, 1, "vmap");
    luaL_argcheck(L, a.dim >= 0 && a.dim < a.t->dim, 2, "no such dim");
    luaL_argcheck(L, a.t->shape[a.dim] == batch_samples(a.level), 2, "other samples");
    bind_run(L, run_wrap, &a, &box, 1);
    return 1;
}

static bool run_lower(void *ctx, Tensor **out) {
    BatchArgs *a = ctx;
    out[0] = batch_lower(a->t, a->level, a->dim);
    return out[0] || bind_name_failure("vmap");
}

/* _unbatch(y, level, dim): all samples, along dim. */
static int unbatch(lua_State *L) {
    lua_settop(L, 3);
    Box *box = bind_push_box(L);
    bind_enter(L);
    BatchArgs a = {NULL, check_level(L, 2), (int)luaL_checkinteger(L, 3) - 1};
    a.t = lua_check_tensor(L, 1, "vmap");
    luaL_argcheck(L, a.dim >= 0 && a.dim <= a.t->dim, 3, "no such dim");
    bind_run(L, run_lower, &a, &box, 1);
    return 1;
}

static bool run_everywhere(void *ctx, Tensor **out) {
    out[0] = batch_everywhere(ctx);
    return out[0] || bind_name_failure("vmap");
}

/* _batch_everywhere(x): x batched at every open level. */
static int everywhere(lua_State *L) {
    lua_settop(L, 1);
    Box *box = bind_push_box(L);
    bind_run(L, run_everywhere, lua_check_tensor(L, 1, "vmap"), &box, 1);
    return 1;
}

/* t with another ordinary tensor behind its levels. */
static Tensor *with_root(const Tensor *t, Tensor *root) {
    if (!t->batching) {
        return root;
    }
    Tensor *all = with_root(t->batching->all, root);
    return batch_wrap(all, t->batching->dim, t->batching->level);
}

static bool run_start(void *ctx, Tensor **out) {
    Tensor *t = batch_everywhere(ctx), *root = batch_root(t);
    if (!root) {
        return bind_name_failure("func");
    }
    if (modes.recording && tensor_requires_grad(root)) {
        out[0] = t_view(t, tensor_shape(t));
    } else {
        Tensor *leaf = tensor_detach(root);
        out[0] = leaf && tensor_set_requires_grad(leaf, true) ? with_root(t, leaf) : NULL;
    }
    return out[0] || bind_name_failure("func");
}

/* _start(x): x for a function to be differentiated by, one tensor a sample inside vmap; a view of x
 * while recording if x requires grad, so that results can be differentiated further. */
static int start(lua_State *L) {
    lua_settop(L, 1);
    Box *box = bind_push_box(L);
    bind_run(L, run_start, lua_check_tensor(L, 1, "func"), &box, 1);
    return 1;
}

/* _others(outputs, inputs): whether outputs depend on leaves other than those behind inputs. */
static int others(lua_State *L) {
    lua_settop(L, 2);
    int n = (int)lua_rawlen(L, 1), n_in = (int)lua_rawlen(L, 2);
    Tensor **t = lua_newuserdatauv(L, (size_t)(n + n_in + 1) * sizeof *t, 0);
    for (int i = 0; i < n + n_in; i++) {
        lua_rawgeti(L, i < n ? 1 : 2, i < n ? i + 1 : i - n + 1);
        t[i] = bind_peek_tensor(L, -1);
        lua_pop(L, 1);
        if (!t[i]) {
            return bind_error(L, "func: a tensor was freed while it was used");
        }
    }
    bool found = false;
    bind_enter(L);
    if (!autograd_reaches_others(t, n, t + n, n_in, &found) &&
        !(mem_reclaimed() && autograd_reaches_others(t, n, t + n, n_in, &found))) {
        return bind_raise(L);
    }
    lua_pushboolean(L, found);
    return 1;
}

/* _batch_level(x): the level x is batched at, or nil. */
static int level_of(lua_State *L) {
    const Tensor *t = lua_check_tensor(L, 1, "vmap");
    if (!t->batching) {
        lua_pushnil(L);
        return 1;
    }
    bind_enter(L);
    int level = batch_level(t);
    if (level < 0) {
        return bind_raise(L);
    }
    lua_pushinteger(L, level);
    return 1;
}

static int samples_of(lua_State *L) {
    lua_pushinteger(L, batch_samples(check_level(L, 1)));
    return 1;
}

static int depth(lua_State *L) {
    lua_pushinteger(L, batch_depth());
    return 1;
}

static const luaL_Reg functions[] = {{"_vmap", vmap},
                                     {"_batch", batch},
                                     {"_unbatch", unbatch},
                                     {"_batch_everywhere", everywhere},
                                     {"_start", start},
                                     {"_others", others},
                                     {"_batch_level", level_of},
                                     {"_batch_samples", samples_of},
                                     {"_vmap_depth", depth},
                                     {NULL, NULL}};

void bind_batch(lua_State *L) { luaL_setfuncs(L, functions, 0); }
