/* backward, grad, and what of them is a tensor's. */
#include <string.h>

#include "autograd/tape.h"
#include "base/memory.h"
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

/* The tensors of an argument of grad(): one, or a table of them. */
typedef struct TensorsRead {
    Tensor **v;
    int n, at; /* at: the stack entry; 0: not given */
    bool single;
} TensorsRead;

/* Makes room for the tensors at idx, in a userdata left on the stack. */
static TensorsRead room_for_tensors(lua_State *L, int idx, const char *who, const char *what) {
    enum { MOST = 1 << 24 };
    TensorsRead r = {.at = idx, .single = !lua_istable(L, idx)};
    lua_Unsigned n = r.single ? 1 : lua_rawlen(L, idx);
    if (n > MOST) {
        bind_error(L, "%s: %s has %llu entries, at most %d are possible", who, what,
                   (unsigned long long)n, MOST);
    }
    r.n = (int)n;
    r.v = lua_newuserdatauv(L, (size_t)(r.n ? r.n : 1) * sizeof *r.v, 0);
    return r;
}

/* Reads the tensors; allocates nothing. */
static void read_tensors(lua_State *L, const TensorsRead *r, const char *who, const char *what,
                         bool holes) {
    if (r->at && r->single) {
        r->v[0] = lua_check_tensor(L, r->at, who);
        return;
    }
    for (int i = 0; r->at && i < r->n; i++) {
        lua_rawgeti(L, r->at, i + 1);
        bool hole = holes && !lua_toboolean(L, -1);
        r->v[i] = hole || lua_type(L, -1) != LUA_TUSERDATA ? NULL : bind_to_tensor(L, -1, who);
        if (!r->v[i] && !hole) {
            bind_error(L, "%s: %s must be a tensor or a table of tensors, number %d is %s", who,
                       what, i + 1, bind_describe(L, -1));
        }
        lua_pop(L, 1);
    }
}

typedef struct GradCall {
    TensorsRead outputs, inputs, grad_outputs;
    bool retain_graph, create_graph, allow_unused, materialize;
    Tensor **grads; /* owned by the call until boxed */
} GradCall;

/* Zeros for the inputs that no gradient reached. */
static bool materialize(GradCall *g) {
    for (int i = 0; i < g->inputs.n; i++) {
        const Tensor *x = g->inputs.v[i];
        if (!g->grads[i] && !(g->grads[i] = t_zeros(tensor_shape(x), x->dtype, x->device, false))) {
            return false;
        }
    }
    return true;
}

static bool run_grad(void *ctx, Tensor **out) {
    (void)out;
    GradCall *g = ctx;
    if (!autograd_grad(g->outputs.v, g->grad_outputs.v, g->outputs.n, g->inputs.v, g->inputs.n,
                       g->retain_graph, g->create_graph, g->allow_unused || g->materialize,
                       g->grads) ||
        (g->materialize && !materialize(g))) {
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
    static const char *const known[] = {"grad_outputs", "retain_graph",      "create_graph",
                                        "allow_unused", "materialize_grads", NULL};
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
    g->materialize = read_flag(L, idx, "materialize_grads");
    lua_pushstring(L, "grad_outputs");
    if (lua_rawget(L, idx) != LUA_TNIL) {
        g->grad_outputs = room_for_tensors(L, lua_gettop(L), "grad", "grad_outputs");
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
    g.outputs = room_for_tensors(L, 1, "grad", "outputs");
    g.inputs = room_for_tensors(L, 2, "grad", "inputs");
    read_grad_options(L, 3, &g);
    g.grads = lua_newuserdatauv(L, (size_t)(g.inputs.n ? g.inputs.n : 1) * sizeof *g.grads, 0);
    memset(g.grads, 0, (size_t)g.inputs.n * sizeof *g.grads);
    Box **box = push_boxes(L, g.inputs.n);
    int table = lua_gettop(L);
    read_tensors(L, &g.outputs, "grad", "outputs", false);
    read_tensors(L, &g.inputs, "grad", "inputs", false);
    read_tensors(L, &g.grad_outputs, "grad", "grad_outputs", true);
    bind_run_once(L, run_grad, &g, NULL, 0);
    for (int i = 0; i < g.inputs.n; i++) {
        box[i]->t = g.grads[i];
        if (g.grads[i]) {
            pressure_add(g.grads[i]);
        }
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

typedef struct Backward {
    TensorsRead outputs, grads, inputs;
    bool retain_graph, create_graph;
} Backward;

static bool run_backward(void *ctx, Tensor **out) {
    (void)out;
    Backward *b = ctx;
    return autograd_backward(b->outputs.v, b->grads.v, b->outputs.n, b->inputs.v, b->inputs.n,
                             b->retain_graph, b->create_graph) ||
           bind_name_failure("backward");
}

static void read_backward_options(lua_State *L, int idx, Backward *b) {
    static const char *const known[] = {"gradient", "retain_graph", "create_graph", "inputs", NULL};
    check_options(L, idx, "backward", known);
    b->retain_graph = read_flag(L, idx, "retain_graph");
    b->create_graph = read_flag(L, idx, "create_graph");
    lua_pushstring(L, "inputs");
    if (lua_rawget(L, idx) != LUA_TNIL) {
        b->inputs = room_for_tensors(L, lua_gettop(L), "backward", "inputs");
        if (!b->inputs.n) {
            bind_error(L, "backward: inputs is empty; leave it out to fill all leaves");
        }
    }
}

/* backward(outputs, gradients, {retain_graph, create_graph, inputs}); either may be one tensor or a
 * table of them. */
static int backward(lua_State *L) {
    Backward b = {0};
    lua_settop(L, 3);
    luaL_checkstack(L, 20, NULL);
    bool named = lua_istable(L, 2) && !lua_isnil(L, 2) && lua_isnil(L, 3) && !lua_rawlen(L, 2);
    int options = named ? 2 : 3, gradient = named ? 0 : 2;
    if (lua_istable(L, options)) {
        read_backward_options(L, options, &b);
        lua_pushstring(L, "gradient");
        gradient = lua_rawget(L, options) == LUA_TNIL ? gradient : lua_gettop(L);
    } else if (!lua_isnil(L, options)) {
        return bind_error(L, "backward: options must be a table, got %s",
                          bind_describe(L, options));
    }
    b.outputs = room_for_tensors(L, 1, "backward", "outputs");
    if (gradient && !lua_isnil(L, gradient)) {
        b.grads = room_for_tensors(L, gradient, "backward", "gradient");
        if (b.grads.n != b.outputs.n) {
            return bind_error(L, "backward: %d gradients for %d outputs", b.grads.n, b.outputs.n);
        }
    }
    read_tensors(L, &b.outputs, "backward", "outputs", false);
    read_tensors(L, &b.grads, "backward", "gradient", true);
    read_tensors(L, &b.inputs, "backward", "inputs", false);
    bind_run_once(L, run_backward, &b, NULL, 0);
    return 0;
}

static int requires_grad_(lua_State *L) {
    Tensor *t = lua_check_tensor(L, 1, "requires_grad_");
    bool on = lua_isnoneornil(L, 2) || lua_toboolean(L, 2);
    bind_enter(L);
    if (!tensor_set_requires_grad(t, on) && !(mem_reclaimed() && tensor_set_requires_grad(t, on)) &&
        !bind_name_failure("requires_grad_")) {
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

/* x:detach_() */
static int detach_(lua_State *L) {
    bind_enter(L);
    if (!tensor_detach_(lua_check_tensor(L, 1, "detach_"))) {
        return bind_raise(L);
    }
    lua_settop(L, 1);
    return 1;
}

static const luaL_Reg methods[] = {{"backward", backward},       {"requires_grad_", requires_grad_},
                                   {"retain_grad", retain_grad}, {"detach", detach},
                                   {"detach_", detach_},         {NULL, NULL}};

static const luaL_Reg functions[] = {{"grad", grad}, {NULL, NULL}};

void bind_autograd(lua_State *L) {
    bind_methods(L, methods);
    luaL_setfuncs(L, functions, 0);
}
