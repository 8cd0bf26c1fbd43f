/* Recording, backward, grad. */
#include <string.h>

#include "autograd/tape.h"
#include "vm_bindings/bind.h"

static bool read_flag(lua_State *L, int table, const char *name) {
    lua_pushstring(L, name);
    lua_rawget(L, table);
    bool on = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return on;
}

/* Raises for a named entry that is not in known (ends at NULL). */
static void check_options(lua_State *L, int table, const char *who, const char *const *known) {
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        bool ok = false;
        for (int i = 0; known[i] && lua_type(L, -1) == LUA_TSTRING; i++) {
            ok |= strcmp(known[i], lua_tostring(L, -1)) == 0;
        }
        if (!ok) {
            luaL_Buffer b;
            const char *name = bind_describe(L, -1);
            luaL_buffinit(L, &b);
            for (int i = 0; known[i]; i++) {
                luaL_addstring(&b, i ? ", " : "");
                luaL_addstring(&b, known[i]);
            }
            luaL_pushresult(&b);
            bind_error(L, "%s: unknown option %s; known: %s", who, name, lua_tostring(L, -1));
        }
    }
}

typedef struct Backward {
    Tensor *output, *gradient;
    bool retain_graph, create_graph;
} Backward;

static bool run_backward(void *ctx, Tensor **out) {
    (void)out;
    Backward *b = ctx;
    return autograd_backward(&b->output, &b->gradient, 1, b->retain_graph, b->create_graph) ||
           bind_name_failure("backward");
}

/* x:backward(gradient, {retain_graph, create_graph}) */
static int backward(lua_State *L) {
    static const char *const known[] = {"gradient", "retain_graph", "create_graph", NULL};
    Backward b = {NULL};
    lua_settop(L, 3);
    int options = lua_istable(L, 2) ? 2 : 3, gradient = options == 3 ? 2 : 0;
    if (lua_istable(L, options)) {
        check_options(L, options, "backward", known);
        b.retain_graph = read_flag(L, options, "retain_graph");
        b.create_graph = read_flag(L, options, "create_graph");
        lua_pushstring(L, "gradient");
        if (lua_rawget(L, options) != LUA_TNIL) {
            gradient = lua_gettop(L);
        }
    } else if (!lua_isnil(L, options)) {
        return bind_error(L, "backward: options must be a table, got %s",
                          bind_describe(L, options));
    }
    b.output = lua_check_tensor(L, 1, "backward");
    if (gradient && !lua_isnil(L, gradient)) {
        b.gradient = lua_check_tensor(L, gradient, "backward");
    }
    bind_run(L, run_backward, &b, NULL, 0);
    return 0;
}

/* The tensors of an argument of grad(): one, or a table of them. */
typedef struct TensorsRead {
    Tensor **v;
    int n, at; /* at: the stack entry; 0: not given */
    bool single;
} TensorsRead;

/* Makes room for the tensors at idx, in a userdata left on the stack. */
static TensorsRead room_for_tensors(lua_State *L, int idx, const char *what) {
    enum { MOST = 1 << 24 };
    TensorsRead r = {.at = idx, .single = !lua_istable(L, idx)};
    lua_Unsigned n = r.single ? 1 : lua_rawlen(L, idx);
    if (n > MOST) {
        bind_error(L, "grad: %s has %llu entries, at most %d are possible", what,
                   (unsigned long long)n, MOST);
    }
    r.n = (int)n;
    r.v = lua_newuserdatauv(L, (size_t)(r.n ? r.n : 1) * sizeof *r.v, 0);
    return r;
}

/* Reads the tensors; allocates nothing. */
static void read_tensors(lua_State *L, const TensorsRead *r, const char *what, bool holes) {
    if (r->at && r->single) {
        r->v[0] = lua_check_tensor(L, r->at, "grad");
        return;
    }
    for (int i = 0; r->at && i < r->n; i++) {
        lua_rawgeti(L, r->at, i + 1);
        bool hole = holes && !lua_toboolean(L, -1);
        r->v[i] = hole || lua_type(L, -1) != LUA_TUSERDATA ? NULL : bind_to_tensor(L, -1, "grad");
        if (!r->v[i] && !hole) {
            bind_error(L, "grad: %s must be a tensor or a table of tensors, number %d is %s", what,
                       i + 1, bind_describe(L, -1));
        }
        lua_pop(L, 1);
    }
}

typedef struct GradCall {
    TensorsRead outputs, inputs, grad_outputs;
    bool retain_graph, create_graph, allow_unused;
    Tensor **grads; /* owned by the call until boxed */
} GradCall;

static bool run_grad(void *ctx, Tensor **out) {
    (void)out;
    GradCall *g = ctx;
    if (!autograd_grad(g->outputs.v, g->grad_outputs.v, g->outputs.n, g->inputs.v, g->inputs.n,
                       g->retain_graph, g->create_graph, g->allow_unused, g->grads)) {
        return bind_name_failure("grad");
    }
    for (int i = 0; i < g->inputs.n; i++) {
        tensor_retain(g->grads[i]);
    }
    return true;
}

/* Boxes are made before the engine runs, so that nothing can raise once there are results. */
static Box **push_boxes(lua_State *L, int n) {
    Box **box = lua_newuserdatauv(L, (size_t)(n ? n : 1) * sizeof *box, 0);
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        box[i] = bind_push_box(L);
        lua_rawseti(L, -2, i + 1);
    }
    return box;
}

static void read_grad_options(lua_State *L, int idx, GradCall *g) {
    static const char *const known[] = {"grad_outputs", "retain_graph", "create_graph",
                                        "allow_unused", NULL};
    if (lua_isnoneornil(L, idx)) {
        return;
    }
    if (!lua_istable(L, idx)) {
        bind_error(L, "grad: options must be a table, got %s", bind_describe(L, idx));
    }
    check_options(L, idx, "grad", known);
    g->retain_graph = read_flag(L, idx, "retain_graph");
    g->create_graph = read_flag(L, idx, "create_graph");
    g->allow_unused = read_flag(L, idx, "allow_unused");
    lua_pushstring(L, "grad_outputs");
    if (lua_rawget(L, idx) != LUA_TNIL) {
        g->grad_outputs = room_for_tensors(L, lua_gettop(L), "grad_outputs");
        if (g->grad_outputs.n != g->outputs.n) {
            bind_error(L, "grad: grad_outputs has %d entries for %d outputs", g->grad_outputs.n,
                       g->outputs.n);
        }
    }
}

/* grad(outputs, inputs, options): a tensor for a tensor, a table for a table. */
static int grad(lua_State *L) {
    GradCall g = {0};
    luaL_checkstack(L, 20, NULL);
    lua_settop(L, 3);
    g.outputs = room_for_tensors(L, 1, "outputs");
    g.inputs = room_for_tensors(L, 2, "inputs");
    read_grad_options(L, 3, &g);
    g.grads = lua_newuserdatauv(L, (size_t)(g.inputs.n ? g.inputs.n : 1) * sizeof *g.grads, 0);
    memset(g.grads, 0, (size_t)g.inputs.n * sizeof *g.grads);
    Box **box = push_boxes(L, g.inputs.n);
    int table = lua_gettop(L);
    read_tensors(L, &g.outputs, "outputs", false);
    read_tensors(L, &g.inputs, "inputs", false);
    read_tensors(L, &g.grad_outputs, "grad_outputs", true);
    bind_run(L, run_grad, &g, NULL, 0);
    for (int i = 0; i < g.inputs.n; i++) {
        box[i]->t = g.grads[i];
    }
    for (int i = 0; i < g.inputs.n; i++) {
        if (!g.grads[i]) {
            lua_pushnil(L);
            lua_rawseti(L, table, i + 1);
        }
    }
    lua_settop(L, table);
    if (g.inputs.single) {
        lua_rawgeti(L, table, 1);
    }
    return 1;
}

static int requires_grad_(lua_State *L) {
    Tensor *t = lua_check_tensor(L, 1, "requires_grad_");
    bool on = lua_isnoneornil(L, 2) || lua_toboolean(L, 2);
    bind_enter(L);
    if (!tensor_set_requires_grad(t, on) && !bind_name_failure("requires_grad_")) {
        return bind_raise(L);
    }
    lua_settop(L, 1);
    return 1;
}

static int retain_grad(lua_State *L) {
    bind_enter(L);
    if (!tensor_retain_grad(lua_check_tensor(L, 1, "retain_grad"))) {
        return bind_raise(L);
    }
    lua_settop(L, 1);
    return 1;
}

static bool run_detach(void *ctx, Tensor **out) {
    out[0] = tensor_detach(ctx);
    return out[0] || bind_name_failure("detach");
}

static int detach(lua_State *L) {
    lua_settop(L, 1);
    Box *box = bind_push_box(L);
    Tensor *t = lua_check_tensor(L, 1, "detach");
    bind_run(L, run_detach, t, &box, 1);
    return 1;
}

static const char guard_key = 0;

/* A guard puts recording back when its block ends; its userdata holds what was before. The
 * metamethod may be called with anything. */
static int guard_close(lua_State *L) {
    bool *before = lua_touserdata(L, 1);
    if (before && lua_getmetatable(L, 1)) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &guard_key);
        if (lua_rawequal(L, -1, -2)) {
            modes.recording = *before;
        }
    }
    return 0;
}

static void push_guard(lua_State *L) {
    bool *before = lua_newuserdatauv(L, sizeof *before, 0);
    *before = modes.recording;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &guard_key);
    lua_setmetatable(L, -2);
}

static int finish_switched(lua_State *L, int status, lua_KContext before) {
    modes.recording = before;
    if (status != LUA_OK && status != LUA_YIELD) {
        return lua_error(L);
    }
    return lua_gettop(L);
}

/* f(...) with recording switched; without f, a guard for local g <close> = ... */
static int switched(lua_State *L, bool recording, const char *who) {
    bool before = modes.recording;
    if (lua_isnone(L, 1)) {
        push_guard(L);
        modes.recording = recording;
        return 1;
    }
    if (!lua_isfunction(L, 1)) {
        return bind_error(L, "%s: expected a function, got %s", who, bind_describe(L, 1));
    }
    modes.recording = recording;
    int status = lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, before, finish_switched);
    return finish_switched(L, status, before);
}

static int without_grad(lua_State *L) { return switched(L, false, "no_grad"); }
static int with_grad(lua_State *L) { return switched(L, true, "enable_grad"); }

static int is_grad_enabled(lua_State *L) {
    lua_pushboolean(L, modes.recording);
    return 1;
}

static int set_grad_enabled(lua_State *L) {
    if (!lua_isboolean(L, 1)) {
        return bind_error(L, "set_grad_enabled: expected true or false, got %s",
                          bind_describe(L, 1));
    }
    modes.recording = lua_toboolean(L, 1);
    return 0;
}

static const luaL_Reg methods[] = {{"backward", backward},
                                   {"requires_grad_", requires_grad_},
                                   {"retain_grad", retain_grad},
                                   {"detach", detach},
                                   {NULL, NULL}};

static const luaL_Reg functions[] = {{"grad", grad},
                                     {"no_grad", without_grad},
                                     {"enable_grad", with_grad},
                                     {"is_grad_enabled", is_grad_enabled},
                                     {"set_grad_enabled", set_grad_enabled},
                                     {NULL, NULL}};

void bind_autograd(lua_State *L) {
    bind_methods(L, methods);
    luaL_setfuncs(L, functions, 0);
    lua_newtable(L);
    lua_pushcfunction(L, guard_close);
    lua_setfield(L, -2, "__close");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &guard_key);
}
