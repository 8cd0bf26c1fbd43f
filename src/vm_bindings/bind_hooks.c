/* Hooks on tensors, and the replay of checkpointed functions. */
#include "autograd/replay.h"
#include "autograd/tape.h"
#include "base/memory.h"
#include "vm_bindings/callback.h"
#include "vm_bindings/switches.h"

typedef struct LuaHook {
    Hook hook;
    Callback *function; /* NULL once it was removed */
} LuaHook;

typedef struct HookCall {
    const LuaHook *h;
    Tensor *g, *changed; /* changed is owned */
} HookCall;

static const char *const hook_name = "register_hook";

/* In protected mode: function(gradient). */
static int call_hook(lua_State *L) {
    HookCall *c = lua_touserdata(L, 1);
    luaL_checkstack(L, 8, NULL);
    callback_push(L, c->h->function);
    lua_push_tensor(L, c->g);
    lua_call(L, 1, 1);
    if (c->h->hook.after || lua_isnil(L, -1)) {
        return 0;
    }
    Tensor *t = bind_to_tensor(L, -1, hook_name);
    if (!t || !tensor_same_shape(t, c->g) || t->dtype != c->g->dtype ||
        !device_equal(t->device, c->g->device)) {
        return bind_error(L,
                          "%s: a hook must return nil or a gradient like the one it was given (%s "
                          "%s), got %s",
                          hook_name, dtype_name(c->g->dtype), shape_text(tensor_shape(c->g)),
                          bind_describe(L, -1));
    }
    c->changed = tensor_retain(t);
    return 0;
}

static Tensor *run_hook(Hook *hook, Tensor *g) {
    HookCall c = {(const LuaHook *)hook, g, NULL};
    if (!callback_call(c.h->function, call_hook, &c, hook_name)) {
        tensor_release(c.changed);
        return NULL;
    }
    if (!c.changed) {
        return g;
    }
    return scope_add(c.changed) ? c.changed : NULL;
}

static void free_hook(Hook *hook) {
    LuaHook *h = (LuaHook *)hook;
    callback_drop(h->function);
    mem_free(h, sizeof *h);
}

static const char *const handle_type = "tocha.hook";

/* handle:remove() */
static int remove_hook(lua_State *L) {
    LuaHook **place = luaL_checkudata(L, 1, handle_type);
    if (*place && !(*place)->hook.removed) {
        (*place)->hook.removed = true;
        callback_drop((*place)->function);
        (*place)->function = NULL;
    }
    return 0;
}

static int collect_handle(lua_State *L) {
    LuaHook **place = luaL_checkudata(L, 1, handle_type);
    LuaHook *h = *place;
    *place = NULL;
    hook_release(h ? &h->hook : NULL);
    return 0;
}

/* _register_hook(x, function, after): a handle. */
static int register_hook(lua_State *L) {
    lua_settop(L, 3);
    LuaHook **place = lua_newuserdatauv(L, sizeof *place, 0);
    *place = NULL;
    luaL_setmetatable(L, handle_type);
    LuaHook *h = bind_zalloc(L, sizeof *h, hook_name);
    atomic_init(&h->hook.refs, 1);
    h->hook.run = run_hook;
    h->hook.release = free_hook;
    h->hook.after = lua_toboolean(L, 3);
    *place = h;
    h->function = callback_new(L, 2);
    bind_enter(L);
    Tensor *t = lua_check_tensor(L, 1, hook_name);
    if (!h->function ||
        !(tensor_add_hook(t, &h->hook) || (mem_reclaimed() && tensor_add_hook(t, &h->hook)))) {
        bind_name_failure(hook_name);
        return bind_raise(L);
    }
    atomic_fetch_add(&h->hook.refs, 1); /* the list's */
    return 1;
}

typedef struct LuaReplay {
    Replay replay;
    Callback *again;
} LuaReplay;

static int call_again(lua_State *L) {
    const LuaReplay *r = lua_touserdata(L, 1);
    callback_push(L, r->again);
    lua_call(L, 0, 0);
    return 0;
}

static bool replay_again(Replay *r) {
    return callback_call(((LuaReplay *)r)->again, call_again, r, "checkpoint");
}

static void free_replay(Replay *replay) {
    LuaReplay *r = (LuaReplay *)replay;
    callback_drop(r->again);
    mem_free(r, sizeof *r);
}

static const char *const replay_type = "tocha.replay";

static int collect_replay(lua_State *L) {
    LuaReplay **place = luaL_checkudata(L, 1, replay_type);
    LuaReplay *r = *place;
    *place = NULL;
    replay_release(r ? &r->replay : NULL);
    return 0;
}

static LuaReplay *push_replay(lua_State *L, int again) {
    LuaReplay **place = lua_newuserdatauv(L, sizeof *place, 0);
    *place = NULL;
    luaL_setmetatable(L, replay_type);
    LuaReplay *r = bind_zalloc(L, sizeof *r, "checkpoint");
    atomic_init(&r->replay.refs, 1);
    r->replay.again = replay_again;
    r->replay.release = free_replay;
    *place = r;
    r->again = callback_new(L, again);
    if (!r->again) {
        bind_name_failure("checkpoint");
        bind_raise(L);
    }
    return r;
}

/* _checkpoint(again, f, ...): f(...), whose nodes save nothing; again() runs it once more. */
static int checkpoint(lua_State *L) {
    bind_enter(L);
    LuaReplay *r = push_replay(L, 1);
    lua_replace(L, 1);
    Switch s;
    Modes m = modes;
    m.replay = &r->replay;
    r->replay.autocast = m.autocast;
    switch_push(L, &s, m);
    int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
    switch_pop(L, &s);
    if (status != LUA_OK) {
        return lua_error(L);
    }
    return lua_gettop(L) - 1;
}

static void new_type(lua_State *L, const char *name, lua_CFunction collect) {
    luaL_newmetatable(L, name);
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__gc");
}

static const luaL_Reg functions[] = {
    {"_register_hook", register_hook}, {"_checkpoint", checkpoint}, {NULL, NULL}};

void bind_hooks(lua_State *L) {
    luaL_setfuncs(L, functions, 0);
    new_type(L, replay_type, collect_replay);
    lua_pop(L, 1);
    new_type(L, handle_type, collect_handle);
    lua_pushcfunction(L, remove_hook);
    lua_setfield(L, -2, "__close");
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, remove_hook);
    lua_setfield(L, -2, "remove");
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
