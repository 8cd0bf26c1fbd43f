#include "vm_bindings/bind.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/tls.h"
#include "cpu/cpu.h"
#include "vm_bindings/callback.h"
#include "vm_bindings/switches.h"

const char box_magic = 0;

static const char metatable_key = 0, methods_key = 0, library_key = 0;
static THREAD_LOCAL lua_State *running;

static const char *library_prefix(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &library_key);
    const char *prefix = lua_tostring(L, -1);
    lua_pop(L, 1); /* the registry keeps it alive */
    return prefix;
}

/* The innermost frame that is the user's Lua code; false where there is none. */
static bool user_frame(lua_State *L, lua_Debug *ar) {
    const char *prefix = library_prefix(L);
    size_t n = prefix ? strlen(prefix) : 0;
    for (int level = 0; lua_getstack(L, level, ar); level++) {
        lua_getinfo(L, "Sl", ar);
        bool library = n && ar->source[0] == '@' && strncmp(ar->source + 1, prefix, n) == 0;
        if (ar->currentline > 0 && !library) {
            return true;
        }
    }
    return false;
}

static Where where_in_lua(void) {
    lua_Debug ar;
    static THREAD_LOCAL struct {
        char name[LUA_IDSIZE];
        int32_t id;
    } last;
    if (!running || !lua_checkstack(running, 4) || !user_frame(running, &ar)) {
        return (Where){0, 0};
    }
    if (!last.id || strcmp(last.name, ar.short_src) != 0) {
        memcpy(last.name, ar.short_src, sizeof last.name);
        last.id = where_intern(ar.short_src);
    }
    return (Where){last.id, ar.currentline};
}

/* Collects garbage by f; finalizers may call in meanwhile. */
static void collect_by(lua_State *L, void (*f)(lua_State *L)) {
    lua_State *caller = running;
    Modes before = modes;
    f(L);
    running = caller;
    modes = before;
}

/* Collects garbage in the middle of an engine call. */
static bool collect_garbage(void) {
    collect_by(running, pressure_collect_all);
    mem_trim(0);
    return true;
}

void bind_enter(lua_State *L) {
    if (L != running) {
        switch_follow(L);
        running = L;
    }
    where_hook = where_in_lua;
    reclaim_hook = collect_garbage;
}

lua_State *bind_running(void) { return running; }

static int raise_text(lua_State *L) {
    lua_Debug ar;
    if (user_frame(L, &ar)) {
        lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

int bind_error(lua_State *L, const char *fmt, ...) {
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    lua_pushstring(L, text);
    return raise_text(L);
}

int bind_raise(lua_State *L) {
    if (error_kind() == ERR_RAISED) {
        error_clear();
        callback_push_raised(L);
        return lua_error(L);
    }
    const char *text = error_message();
    char copy[ERROR_MESSAGE_MAX + 1];
    snprintf(copy, sizeof copy, "%s", text ? text : "unknown error");
    error_clear();
    lua_pushstring(L, copy);
    return raise_text(L);
}

bool bind_name_failure(const char *who) {
    const char *const bare = "out of memory:";
    if (error_kind() == ERR_MEMORY && strncmp(error_message(), bare, strlen(bare)) == 0) {
        error_put_name(who, 0);
    }
    return false;
}

const char *bind_describe(lua_State *L, int idx) {
    const Box *box = lua_touserdata(L, idx);
    if (lua_type(L, idx) == LUA_TNUMBER) {
        lua_pushvalue(L, idx);
        return lua_tostring(L, -1);
    }
    if (lua_type(L, idx) == LUA_TSTRING) {
        return lua_pushfstring(L, "\"%s\"", lua_tostring(L, idx));
    }
    if (lua_isboolean(L, idx)) {
        return lua_pushstring(L, lua_toboolean(L, idx) ? "true" : "false");
    }
    if (lua_type(L, idx) == LUA_TUSERDATA && lua_rawlen(L, idx) >= sizeof *box &&
        box->magic == &box_magic) {
        if (!box->t) {
            return lua_pushstring(L, "a tensor that was freed");
        }
        return lua_pushfstring(L,
                               box->t->batching ? "a tensor of a vmap (%s %s)" : "a tensor (%s %s)",
                               dtype_name(box->t->dtype), shape_text(tensor_shape(box->t)));
    }
    return lua_pushstring(L, luaL_typename(L, idx));
}

/* The box at idx, or NULL. */
static const Box *to_box(lua_State *L, int idx) {
    const Box *box = lua_touserdata(L, idx);
    bool is = box && lua_rawlen(L, idx) >= sizeof *box && box->magic == &box_magic;
    return is ? box : NULL;
}

Tensor *bind_peek_tensor(lua_State *L, int idx) {
    const Box *box = to_box(L, idx);
    return box ? box->t : NULL;
}

Tensor *bind_to_tensor(lua_State *L, int idx, const char *who) {
    const Box *box = to_box(L, idx);
    if (!box) {
        return NULL;
    }
    if (!box->t) {
        bind_error(L, "%s: the tensor was freed when its block ended (local x <close>)", who);
    }
    return box->t;
}

lua_Integer bind_check_integer(lua_State *L, int idx, const char *who, const char *what) {
    int is;
    lua_Integer i = lua_tointegerx(L, idx, &is);
    if (!is || lua_type(L, idx) != LUA_TNUMBER) {
        bind_error(L, "%s: %s must be an integer, got %s", who, what, bind_describe(L, idx));
    }
    return i;
}

Tensor *lua_check_tensor(lua_State *L, int idx, const char *who) {
    Tensor *t = bind_to_tensor(L, idx, who);
    if (!t) {
        bind_error(L, "%s: expected a tensor, got %s", who, bind_describe(L, idx));
    }
    return t;
}

Tensor *bind_check_values(lua_State *L, int idx, const char *who) {
    Tensor *t = lua_check_tensor(L, idx, who);
    if (t->batching) {
        bind_error(
            L,
            "%s: inside vmap a tensor has other values for each sample, and none to be read; "
            "return it from the mapped function, or decide with where()",
            who);
    }
    return t;
}

void bind_collect(lua_State *L) { collect_by(L, pressure_relieve); }

Box *bind_push_box(lua_State *L) {
    bind_before_boxes(L);
    Box *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->magic = &box_magic;
    box->t = NULL;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key);
    lua_setmetatable(L, -2);
    return box;
}

void lua_push_tensor(lua_State *L, Tensor *t) {
    if (!t) {
        lua_pushnil(L);
        return;
    }
    Box *box = bind_push_box(L);
    box->t = tensor_retain(t);
    pressure_add(t);
}

static bool attempt(BindFn *f, void *ctx, Box **box, int n) {
    Tensor *out[MAX_OUTS] = {NULL};
    int mark = scope_open();
    bool ok = f(ctx, out);
    assert(!ok || !error_message()); /* it would be told of a later call */
    for (int k = n - 1; ok && k >= 0; k--) {
        box[k]->t = scope_take(out[k]);
    }
    scope_close(mark, NULL);
    return ok;
}

static bool keep_tensor(lua_State *L, int idx) {
    Tensor *t = bind_peek_tensor(L, idx);
    return !t || scope_add(tensor_retain(t));
}

/* Keeps the tensors on the stack and in tables there in the innermost scope. */
static bool keep_arguments(lua_State *L) {
    int top = lua_gettop(L);
    bool ok = lua_checkstack(L, 4);
    for (int i = 1; ok && i <= top; i++) {
        ok = keep_tensor(L, i);
        if (!lua_istable(L, i)) {
            continue;
        }
        lua_pushnil(L);
        while (ok && lua_next(L, i)) {
            ok = keep_tensor(L, -1);
            lua_pop(L, 1);
        }
        lua_settop(L, top);
    }
    return ok;
}

bool bind_make_room(lua_State *L, int *mark) {
    *mark = scope_open();
    if (!keep_arguments(L)) {
        scope_close(*mark, NULL);
        return false;
    }
    error_clear();
    pressure_collect_all(L);
    mem_trim(0);
    bind_enter(L); /* finalizers may have called in */
    return true;
}

static void finish_run(lua_State *L, bool ok, Box **box, int n) {
    if (!ok) {
        bind_raise(L);
    }
    for (int k = 0; k < n; k++) {
        if (box[k]->t) {
            pressure_add(box[k]->t);
        }
    }
}

void bind_run(lua_State *L, BindFn *f, void *ctx, Box **box, int n) {
    bind_enter(L);
    bool ok = attempt(f, ctx, box, n);
    int mark;
    if (!ok && error_kind() == ERR_MEMORY && bind_make_room(L, &mark)) {
        ok = attempt(f, ctx, box, n);
        scope_close(mark, NULL);
    }
    finish_run(L, ok, box, n);
}

void bind_run_once(lua_State *L, BindFn *f, void *ctx, Box **box, int n) {
    bind_enter(L);
    finish_run(L, attempt(f, ctx, box, n), box, n);
}

void *bind_zalloc(lua_State *L, size_t bytes, const char *who) {
    bind_enter(L);
    void *p = mem_zalloc(bytes);
    p = p || !mem_reclaimed() ? p : mem_zalloc(bytes);
    if (!p) {
        bind_name_failure(who);
        bind_raise(L);
    }
    return p;
}

void bind_push_metatable(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key); }

void bind_push_methods(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &methods_key); }

void bind_methods(lua_State *L, const luaL_Reg *functions) {
    luaL_setfuncs(L, functions, 0);
    bind_push_methods(L);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}

/* Tells where Tocha's own Lua files stand: errors are not laid at their door. */
static int set_library(lua_State *L) {
    luaL_checkstring(L, 1);
    lua_settop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &library_key);
    return 0;
}

static void new_registry_table(lua_State *L, const void *key) {
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

int luaopen_tocha_core(lua_State *L) __attribute__((visibility("default")));
int luaopen_tocha_core(lua_State *L) {
    luaL_checkversion(L);
    pressure_open(L);
    static atomic_int started;
    if (!atomic_exchange(&started, 1) && !cpu_start()) {
        return bind_raise(L);
    }
    callback_open(L);
    new_registry_table(L, &metatable_key);
    new_registry_table(L, &methods_key);
    lua_newtable(L);
    lua_pushcfunction(L, set_library);
    lua_setfield(L, -2, "_set_library");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key);
    lua_setfield(L, -2, "metatable");
    bind_push_methods(L);
    lua_setfield(L, -2, "methods");
    bind_ops(L);
    bind_tensor(L);
    bind_bytes(L);
    bind_pinned(L);
    bind_create(L);
    bind_autograd(L);
    bind_modes(L);
    bind_hooks(L);
    bind_functions(L);
    bind_node(L);
    bind_batch(L);
    bind_generator(L);
    bind_help(L);
    bind_session(L);
    bind_serialize(L);
    bind_files(L);
    bind_cuda(L);
    return 1;
}
