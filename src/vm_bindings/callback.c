#include "vm_bindings/callback.h"

#include <pthread.h>

#include "base/memory.h"
#include "vm_bindings/switches.h"

/* A Lua state as its callbacks know it: it may be closed before they go. */
typedef struct Home {
    atomic_int refs; /* of the state and of each callback */
    atomic_bool open;
    const void *registry; /* the state's identity */
    pthread_mutex_t lock;
    Callback *dropped;
} Home;

struct Callback {
    Home *home;
    int ref;
    Callback *next;
};

static const char home_key = 0, raised_key = 0;
static atomic_int dropped_anywhere;

static void home_release(Home *home) {
    if (atomic_fetch_sub(&home->refs, 1) == 1) {
        pthread_mutex_destroy(&home->lock);
        mem_free(home, sizeof *home);
    }
}

static void callback_free(Callback *c) {
    Home *home = c->home;
    mem_free(c, sizeof *c);
    home_release(home);
}

static Callback *take_dropped(Home *home) {
    pthread_mutex_lock(&home->lock);
    Callback *list = home->dropped;
    home->dropped = NULL;
    pthread_mutex_unlock(&home->lock);
    return list;
}

/* The state is being closed. */
static int close_home(lua_State *L) {
    Home **place = lua_touserdata(L, 1);
    Home *home = *place;
    if (!home) {
        return 0;
    }
    *place = NULL;
    pthread_mutex_lock(&home->lock);
    atomic_store(&home->open, false);
    pthread_mutex_unlock(&home->lock);
    for (Callback *c = take_dropped(home), *next; c; c = next) {
        next = c->next;
        atomic_fetch_sub(&dropped_anywhere, 1);
        callback_free(c);
    }
    home_release(home);
    return 0;
}

void callback_open(lua_State *L) {
    Home **place = lua_newuserdatauv(L, sizeof *place, 0);
    *place = NULL;
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, close_home);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    Home *home = mem_zalloc(sizeof *home);
    if (!home) {
        bind_raise(L);
        return;
    }
    atomic_init(&home->refs, 1);
    atomic_init(&home->open, true);
    home->registry = lua_topointer(L, LUA_REGISTRYINDEX);
    pthread_mutex_init(&home->lock, NULL);
    *place = home;
    lua_rawsetp(L, LUA_REGISTRYINDEX, &home_key);
    lua_pushboolean(L, false);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &raised_key); /* so that storing needs no memory */
}

static Home *home_of(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &home_key);
    Home **place = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return place ? *place : NULL;
}

bool callback_any_dropped(void) {
    return atomic_load_explicit(&dropped_anywhere, memory_order_relaxed) != 0;
}

void callback_sweep(lua_State *L) {
    Home *home = lua_checkstack(L, 4) ? home_of(L) : NULL;
    for (Callback *c = home ? take_dropped(home) : NULL, *next; c; c = next) {
        next = c->next;
        luaL_unref(L, LUA_REGISTRYINDEX, c->ref);
        atomic_fetch_sub(&dropped_anywhere, 1);
        callback_free(c);
    }
}

Callback *callback_new(lua_State *L, int idx) {
    if (callback_any_dropped()) {
        callback_sweep(L);
    }
    Home *home = home_of(L);
    lua_pushvalue(L, idx);
    if (!home) {
        return fail_null("the Lua state is being closed");
    }
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    Callback *c = mem_alloc(sizeof *c);
    c = c || !mem_reclaimed() ? c : mem_alloc(sizeof *c);
    if (!c) {
        luaL_unref(L, LUA_REGISTRYINDEX, ref);
        return NULL;
    }
    *c = (Callback){.home = home, .ref = ref};
    atomic_fetch_add(&home->refs, 1);
    return c;
}

void callback_drop(Callback *c) {
    if (!c) {
        return;
    }
    Home *home = c->home;
    pthread_mutex_lock(&home->lock);
    bool open = atomic_load(&home->open);
    if (open) {
        c->next = home->dropped;
        home->dropped = c;
        atomic_fetch_add(&dropped_anywhere, 1);
    }
    pthread_mutex_unlock(&home->lock);
    if (!open) {
        callback_free(c);
    }
}

void callback_push(lua_State *L, const Callback *c) { lua_rawgeti(L, LUA_REGISTRYINDEX, c->ref); }

/* Pops the error value of a call and records it. */
static bool keep_raised(lua_State *L) {
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : luaL_typename(L, -1);
    bool kept = fail_kind(ERR_RAISED, "%s", text);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &raised_key);
    return kept;
}

void callback_push_raised(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &raised_key);
    lua_pushboolean(L, false);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &raised_key);
}

bool callback_call(const Callback *c, lua_CFunction body, void *ctx, const char *who) {
    lua_State *L = bind_running();
    if (!L || c->home->registry != lua_topointer(L, LUA_REGISTRYINDEX)) {
        return fail("%s: the Lua function belongs to another Lua state than the one that runs the "
                    "backward pass",
                    who);
    }
    if (!lua_checkstack(L, LUA_MINSTACK)) {
        return fail_kind(ERR_MEMORY, "%s: no room on Lua's stack", who);
    }
    Modes before = modes;
    Switch s;
    switch_push(L, &s, modes);
    lua_pushcfunction(L, body);
    lua_pushlightuserdata(L, ctx);
    int status = lua_pcall(L, 1, 0, 0);
    switch_pop(L, &s);
    bind_enter(L);
    modes = before;
    return status == LUA_OK || keep_raised(L);
}
