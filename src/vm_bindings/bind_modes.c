/* Recording, inference and anomaly mode: as functions around a function, and as guards of a block.
 */
#include "vm_bindings/switches.h"

#include "tensor/autocast.h"

static THREAD_LOCAL Switch *switches; /* the latest first */
static THREAD_LOCAL Modes outside = {.recording = true};

/* Whether L has resumed another coroutine and waits for it. */
static bool is_waiting(lua_State *L) {
    lua_Debug ar;
    return lua_status(L) == LUA_OK && lua_getstack(L, 0, &ar);
}

/* The modes that hold in L. */
static Modes *modes_of(lua_State *L) {
    for (Switch *s = switches; s; s = s->next) {
        if (s->L == L) {
            return &s->modes;
        }
    }
    for (Switch *s = switches; s; s = s->next) {
        if (is_waiting(s->L)) {
            return &s->modes;
        }
    }
    return &outside;
}

void switch_follow(lua_State *L) {
    if (switches) {
        modes = *modes_of(L);
    }
}

void switch_push(lua_State *L, Switch *s, Modes wanted) {
    *s = (Switch){.next = switches, .L = L, .modes = wanted, .active = true};
    switches = s;
    modes = wanted;
    if (wanted.autocast.on) {
        s->casts = true;
        autocast_open();
    }
}

void switch_pop(lua_State *L, Switch *s) {
    if (!s->active) {
        return;
    }
    s->active = false;
    for (Switch **at = &switches; *at; at = &(*at)->next) {
        if (*at == s) {
            *at = s->next;
            break;
        }
    }
    modes = *modes_of(L);
    if (s->casts) {
        autocast_close();
    }
}

static const char guard_key = 0;

/* A guard's block has ended, or its coroutine was collected. The metamethods may be called with
 * anything. */
static int guard_end(lua_State *L) {
    Switch *s = lua_touserdata(L, 1);
    if (s && lua_getmetatable(L, 1)) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &guard_key);
        if (lua_rawequal(L, -1, -2)) {
            switch_pop(L, s);
        }
    }
    return 0;
}

static const char restorer_key = 0;

/* A block in which set_grad_enabled was called has ended. */
static int restore_end(lua_State *L) {
    const bool *before = lua_touserdata(L, 1);
    if (before && lua_getmetatable(L, 1)) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &restorer_key);
        if (lua_rawequal(L, -1, -2)) {
            bind_enter(L);
            modes.recording = *before;
            *modes_of(L) = modes;
        }
    }
    return 0;
}

static void push_restorer(lua_State *L, bool before) {
    bool *kept = lua_newuserdatauv(L, sizeof *kept, 0);
    *kept = before;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &restorer_key);
    lua_setmetatable(L, -2);
}

/* Pushes a guard; the coroutine lives as long as it does. */
static Switch *push_guard(lua_State *L) {
    Switch *s = lua_newuserdatauv(L, sizeof *s, 1);
    s->active = false;
    lua_pushthread(L);
    lua_setiuservalue(L, -2, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &guard_key);
    lua_setmetatable(L, -2);
    return s;
}

/* The guard stands below the results, or below the error. */
static int finish_switched(lua_State *L, int status, lua_KContext guard) {
    switch_pop(L, lua_touserdata(L, (int)guard));
    if (status != LUA_OK && status != LUA_YIELD) {
        return lua_error(L);
    }
    return lua_gettop(L) - (int)guard;
}

static bool is_callable(lua_State *L, int idx) {
    if (lua_isfunction(L, idx)) {
        return true;
    }
    bool has = luaL_getmetafield(L, idx, "__call") != LUA_TNIL;
    lua_pop(L, has);
    return has;
}

/* f(...) with other modes, f at stack entry idx; without f, a guard for local g <close> = ... */
static int switched(lua_State *L, int idx, Modes wanted, const char *who) {
    bind_enter(L);
    if (lua_isnone(L, idx)) {
        switch_push(L, push_guard(L), wanted);
        return 1;
    }
    if (!is_callable(L, idx)) {
        return bind_error(L, "%s: expected a function, got %s", who, bind_describe(L, idx));
    }
    Switch *s = push_guard(L);
    lua_insert(L, idx);
    switch_push(L, s, wanted);
    int status =
        lua_pcallk(L, lua_gettop(L) - idx - 1, LUA_MULTRET, 0, (lua_KContext)idx, finish_switched);
    return finish_switched(L, status, (lua_KContext)idx);
}

static Modes current(lua_State *L) {
    bind_enter(L);
    return modes;
}

static Modes with_recording(Modes m, bool on) {
    m.recording = on && !m.inference;
    return m;
}

static int without_grad(lua_State *L) {
    return switched(L, 1, with_recording(current(L), false), "no_grad");
}

static int with_grad(lua_State *L) {
    return switched(L, 1, with_recording(current(L), true), "enable_grad");
}

static int inference_mode(lua_State *L) {
    Modes m = current(L);
    m.recording = false;
    m.inference = true;
    return switched(L, 1, m, "inference_mode");
}

static int detect_anomaly(lua_State *L) {
    Modes m = current(L);
    m.anomaly = true;
    return switched(L, 1, m, "detect_anomaly");
}

/* _autocast(cpu, cuda, cached, f, ...): cpu and cuda are the dtypes to compute in there, false to
 * switch it off, nil to leave it as it is. */
static int autocast(lua_State *L) {
    Modes m = current(L);
    m.autocast.on = false;
    for (int kind = 0; kind < N_DEVICE_KINDS; kind++) {
        if (!lua_isnoneornil(L, 1 + kind)) {
            const char *name = lua_tostring(L, 1 + kind);
            m.autocast.dtype[kind] = name ? (uint8_t)dtype_parse(name) : 0;
        }
        m.autocast.on |= m.autocast.dtype[kind] != 0;
    }
    m.autocast.uncached = !lua_toboolean(L, 1 + N_DEVICE_KINDS);
    for (int i = 0; i <= N_DEVICE_KINDS; i++) {
        lua_remove(L, 1);
    }
    return switched(L, 1, m, "autocast");
}

/* _autocast_dtypes(): what holds on the CPU and on CUDA devices, nil where it is off. */
static int autocast_dtypes(lua_State *L) {
    Autocast a = current(L).autocast;
    for (int kind = 0; kind < N_DEVICE_KINDS; kind++) {
        lua_pushstring(L, a.on && a.dtype[kind] ? dtype_name(a.dtype[kind]) : NULL);
    }
    return N_DEVICE_KINDS;
}

static bool check_on(lua_State *L, const char *who) {
    if (!lua_isboolean(L, 1)) {
        bind_error(L, "%s: expected true or false, got %s", who, bind_describe(L, 1));
    }
    return lua_toboolean(L, 1);
}

/* set_grad_enabled(on), until the function or guard around ends, or what it gives back is closed;
 * set_grad_enabled(on, f, ...). */
static int set_grad_enabled(lua_State *L) {
    bool on = check_on(L, "set_grad_enabled");
    Modes m = with_recording(current(L), on);
    if (!lua_isnone(L, 2)) {
        return switched(L, 2, m, "set_grad_enabled");
    }
    push_restorer(L, modes.recording);
    *modes_of(L) = modes = m;
    return 1;
}

static int set_detect_anomaly(lua_State *L) {
    bool on = check_on(L, "set_detect_anomaly");
    Modes m = current(L);
    m.anomaly = on;
    *modes_of(L) = modes = m;
    return 0;
}

static int is_grad_enabled(lua_State *L) {
    lua_pushboolean(L, current(L).recording);
    return 1;
}

static int is_inference_mode_enabled(lua_State *L) {
    lua_pushboolean(L, current(L).inference);
    return 1;
}

static int is_anomaly_enabled(lua_State *L) {
    lua_pushboolean(L, current(L).anomaly);
    return 1;
}

static int is_inference(lua_State *L) {
    lua_pushboolean(L, lua_check_tensor(L, 1, "is_inference")->flags & TENSOR_INFERENCE);
    return 1;
}

static const luaL_Reg functions[] = {{"no_grad", without_grad},
                                     {"enable_grad", with_grad},
                                     {"inference_mode", inference_mode},
                                     {"detect_anomaly", detect_anomaly},
                                     {"set_detect_anomaly", set_detect_anomaly},
                                     {"is_grad_enabled", is_grad_enabled},
                                     {"is_inference_mode_enabled", is_inference_mode_enabled},
                                     {"is_anomaly_enabled", is_anomaly_enabled},
                                     {"set_grad_enabled", set_grad_enabled},
                                     {"_autocast", autocast},
                                     {"_autocast_dtypes", autocast_dtypes},
                                     {NULL, NULL}};

static const luaL_Reg methods[] = {{"is_inference", is_inference}, {NULL, NULL}};

void bind_modes(lua_State *L) {
    bind_methods(L, methods);
    luaL_setfuncs(L, functions, 0);
    lua_newtable(L);
    lua_pushcfunction(L, guard_end);
    lua_setfield(L, -2, "__close");
    lua_pushcfunction(L, guard_end);
    lua_setfield(L, -2, "__gc");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &guard_key);
    lua_newtable(L);
    lua_pushcfunction(L, restore_end);
    lua_setfield(L, -2, "__close");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &restorer_key);
}
