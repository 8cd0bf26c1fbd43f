#include "vm_bindings/hold.h"

#include <lauxlib.h>
#include <stdio.h>

#include "base/error.h"

static int release_all(lua_State *L) {
    Tensor **entries = lua_touserdata(L, 1);
    size_t n = lua_rawlen(L, 1) / sizeof *entries;
    for (size_t i = 0; i < n; i++) {
        tensor_release(entries[i]);
        entries[i] = NULL;
    }
    return 0;
}

Tensor **hold_tensors(lua_State *L, size_t n) {
    size_t slots = n ? n : 1;
    Tensor **entries = lua_newuserdatauv(L, slots * sizeof *entries, 0);
    for (size_t i = 0; i < slots; i++) {
        entries[i] = NULL;
    }
    if (luaL_newmetatable(L, "tocha.hold")) {
        lua_pushcfunction(L, release_all);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return entries;
}

void hold_push(lua_State *L, Tensor **entry) {
    lua_push_tensor(L, *entry);
    Tensor *t = *entry;
    *entry = NULL;
    tensor_release(t); /* the box that was pushed keeps it */
}

static bool run_once(HoldFn *f, void *ctx) {
    int mark = scope_open();
    bool ok = f(ctx);
    scope_close(mark, NULL);
    return ok;
}

bool hold_run(lua_State *L, HoldFn *f, void *ctx) {
    bind_enter(L);
    bool ok = run_once(f, ctx);
    int mark;
    if (!ok && error_kind() == ERR_MEMORY && bind_make_room(L, &mark)) {
        ok = run_once(f, ctx);
        scope_close(mark, NULL);
    }
    return ok;
}

int hold_failure(lua_State *L) {
    char text[ERROR_MESSAGE_MAX + 1];
    const char *message = error_message();
    snprintf(text, sizeof text, "%s", message ? message : "unknown error");
    error_clear();
    lua_pushnil(L);
    lua_pushstring(L, text);
    return 2;
}
