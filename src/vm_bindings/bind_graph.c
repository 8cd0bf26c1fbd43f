/* Graphs of CUDA devices: recording, replays, and the optimisers' steps in them. */
#include "tensor/capture.h"
#include "vm_bindings/bind_cuda.h"
#include "vm_bindings/switches.h"

typedef struct Graph {
    Capture *capture; /* NULL: it was reset */
} Graph;

static const char *const graph_type = "tocha.cuda.Graph";

static int graph_reset(lua_State *L) {
    Graph *g = luaL_checkudata(L, 1, graph_type);
    Capture *capture = g->capture;
    g->capture = NULL;
    lua_pushnil(L);
    lua_setiuservalue(L, 1, 1);
    if (capture) {
        capture_free(capture);
    }
    return 0;
}

/* Its address is where the registry has the steps of the graph that is being recorded: the list
 * that is the graph's user value. */
static const char recorded_steps;

/* record_step(step): calls step, which takes optimisers' steps, while a graph is recorded. Each
 * replay calls it again for the numbers of these steps, and then, once it is on its way, what step
 * has returned. */
static int record_step(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    bind_enter(L);
    Capture *c = modes.capture;
    if (!c || lua_rawgetp(L, LUA_REGISTRYINDEX, &recorded_steps) != LUA_TTABLE) {
        return bind_error(L, "record_step: no graph is being recorded");
    }
    if (!capture_numbers(c, NUMBERS_RECORDED)) {
        return bind_raise(L);
    }
    lua_pushvalue(L, 1);
    int status = lua_pcall(L, 0, 0, 0);
    bind_enter(L);
    capture_numbers(c, NUMBERS_FIXED);
    if (status != LUA_OK) {
        return lua_error(L);
    }
    lua_pushvalue(L, 1);
    lua_rawseti(L, 2, (lua_Integer)lua_rawlen(L, 2) + 1);
    return 0;
}

/* graph(device, f, ...): records what f(...) gives to the device; the graph and f's results. f runs
 * behind a C call, so it cannot yield: other coroutines' work would be recorded too. */
static int graph_new(lua_State *L) {
    Device d;
    bind_check_cuda(L, 1, "graph", &d);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    Graph *g = lua_newuserdatauv(L, sizeof *g, 1);
    g->capture = NULL;
    luaL_setmetatable(L, graph_type);
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    lua_replace(L, 1);
    bind_enter(L);
    g->capture = capture_begin(d);
    if (!g->capture) {
        return bind_raise(L);
    }
    lua_getiuservalue(L, 1, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &recorded_steps);
    Modes m = modes;
    Switch s;
    m.capture = g->capture;
    switch_push(L, &s, m);
    int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
    switch_pop(L, &s);
    bool ended = capture_end(g->capture);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &recorded_steps);
    if (status == LUA_OK && ended) {
        return lua_gettop(L);
    }
    capture_free(g->capture);
    g->capture = NULL;
    if (status == LUA_OK) {
        return bind_raise(L);
    }
    error_clear(); /* what f raised says more than that its recording has ended */
    return lua_error(L);
}

static Capture *check_graph(lua_State *L, const char *who) {
    Graph *g = luaL_checkudata(L, 1, graph_type);
    bind_enter(L);
    if (!g->capture) {
        bind_error(L, "%s: the graph was reset", who);
    }
    return g->capture;
}

/* Calls the graph's recorded steps, the list at index 2, and puts what they return into a list at
 * index 3; an error stays on the stack, which is the status's. */
static int renew_steps(lua_State *L, int n) {
    int status = LUA_OK;
    for (int i = 1; i <= n && status == LUA_OK; i++) {
        lua_rawgeti(L, 2, i);
        status = lua_pcall(L, 0, 1, 0);
        if (status == LUA_OK) {
            lua_rawseti(L, 3, i);
        }
    }
    return status;
}

static int graph_replay(lua_State *L) {
    Capture *c = check_graph(L, "Graph:replay");
    lua_settop(L, 1);
    lua_getiuservalue(L, 1, 1);
    int n = (int)lua_rawlen(L, 2);
    lua_createtable(L, n, 0);
    if (n > 0) {
        if (!capture_numbers(c, NUMBERS_RENEWED)) {
            return bind_raise(L);
        }
        int status = renew_steps(L, n);
        bind_enter(L);
        capture_numbers(c, NUMBERS_FIXED);
        if (status != LUA_OK) {
            return lua_error(L);
        }
    }
    if (!capture_replay(c)) {
        return bind_raise(L);
    }
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, 3, i);
        lua_call(L, 0, 0);
    }
    return 0;
}

static int graph_size(lua_State *L) {
    lua_pushinteger(L, capture_size(check_graph(L, "Graph:size")));
    return 1;
}

static bool run_empty(void *ctx, Tensor **out) {
    const Tensor *t = ctx;
    Capture *c = modes.capture;
    capture_pause(c, true);
    modes.capture = NULL;
    out[0] = tensor_new(t->dtype, t->device, tensor_shape(t), NULL);
    modes.capture = c;
    capture_pause(c, false);
    return out[0] != NULL;
}

/* empty_outside(x): memory for a tensor like x that is not of the graph that is being recorded,
 * whose other calls may use theirs for several things one after the other. */
static int empty_outside(lua_State *L) {
    Tensor *t = lua_check_tensor(L, 1, "empty_outside");
    bind_enter(L);
    if (!modes.capture) {
        return bind_error(L, "empty_outside: no graph is being recorded");
    }
    Box *box = bind_push_box(L);
    bind_run(L, run_empty, t, &box, 1);
    return 1;
}

/* capturing(): the name of the device whose graph is being recorded, or nil. */
static int capturing(lua_State *L) {
    bind_enter(L);
    if (!modes.capture) {
        return 0;
    }
    lua_pushstring(L, device_text(capture_device(modes.capture)));
    return 1;
}

static const luaL_Reg functions[] = {{"graph", graph_new},
                                     {"record_step", record_step},
                                     {"empty_outside", empty_outside},
                                     {"capturing", capturing},
                                     {NULL, NULL}};

static const luaL_Reg methods[] = {
    {"replay", graph_replay}, {"size", graph_size}, {"reset", graph_reset}, {NULL, NULL}};

void bind_graph(lua_State *L) {
    luaL_setfuncs(L, functions, 0);
    bind_cuda_type(L, graph_type, "graph_methods", methods, graph_reset);
}
