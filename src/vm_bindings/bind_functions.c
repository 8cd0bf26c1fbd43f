/* autograd.Function: nodes whose gradients Lua computes. */
#include <string.h>

#include "autograd/tape.h"
#include "base/memory.h"
#include "vm_bindings/callback.h"

enum { MOST_OUTPUTS = 64 };

/* A tensor that forward saved: an alias, so that the user's tensor may change its place. An output
 * is kept without its place, which would own it in turn. */
typedef struct SavedValue {
    Tensor *t; /* owned; NULL: nil was saved */
    uint32_t version;
    int output; /* -1: no output */
} SavedValue;

typedef struct LuaFunction {
    Custom custom;
    Callback *backward;
    SavedValue *saved;
    int n_saved;
    bool materialize;
    bool kept; /* saved values have not been let go of */
} LuaFunction;

typedef struct BackwardCall {
    LuaFunction *f;
    const Node *node;
    Tensor *const *grads;
    Tensor **out; /* owned until the call is over */
} BackwardCall;

static bool make_place(void *ctx, Tensor **out) {
    Tensor *t = ctx;
    out[0] = tensor_alias(t, tensor_shape(t), t->stride, t->offset);
    return out[0] != NULL;
}

/* Pushes a saved output at its place. */
static void push_output(lua_State *L, const SavedValue *s, const Node *node) {
    Box *box = bind_push_box(L);
    bind_run(L, make_place, s->t, &box, 1);
    if (modes.recording && dtype_is_inexact(box->t->dtype)) {
        Node *place = (Node *)node;
        node_retain(place);
        box->t->node = place;
        box->t->out = s->output;
    }
}

static void push_saved(lua_State *L, const BackwardCall *c) {
    lua_createtable(L, c->f->n_saved, 0);
    for (int i = 0; i < c->f->n_saved; i++) {
        const SavedValue *s = &c->f->saved[i];
        if (!s->t) {
            continue;
        }
        if (atomic_load(&s->t->storage->version) != s->version) {
            const char *where = where_text(s->t->storage->last_write);
            bind_error(L,
                       "backward through %s: saved tensor %d was changed in place%s%s after it was "
                       "saved; clone it before changing it",
                       node_text(c->node), i + 1, *where ? " at " : "", where);
        }
        if (s->output >= 0) {
            push_output(L, s, c->node);
        } else {
            lua_push_tensor(L, s->t);
        }
        lua_rawseti(L, -2, i + 1);
    }
}

typedef struct Zeros {
    const NodeOutput *like;
} Zeros;

static bool make_zeros(void *ctx, Tensor **out) {
    const NodeOutput *o = ((Zeros *)ctx)->like;
    out[0] = t_zeros((Ints){o->shape, o->dim}, o->dtype, o->device, false);
    return out[0] != NULL;
}

static void push_grads(lua_State *L, const BackwardCall *c) {
    lua_createtable(L, c->node->n_out, 0);
    for (int k = 0; k < c->node->n_out; k++) {
        const NodeOutput *o = &c->node->out[k];
        if (c->grads[k]) {
            lua_push_tensor(L, c->grads[k]);
        } else if (c->f->materialize && dtype_is_inexact(o->dtype)) {
            Zeros zeros = {o};
            Box *box = bind_push_box(L);
            bind_run(L, make_zeros, &zeros, &box, 1);
        } else {
            continue;
        }
        lua_rawseti(L, -2, k + 1);
    }
}

/* Whether a gradient of shape g can be summed to an input's. */
static bool sums_to(const Tensor *g, const NodeInput *in) {
    int64_t shape[MAX_DIMS];
    int dim = shape_broadcast(tensor_shape(g), (Ints){in->shape, in->dim}, shape);
    return dim == g->dim && memcmp(shape, g->shape, g->dim * sizeof *shape) == 0;
}

/* Takes the gradients out of the table on top of the stack. */
static void read_gradients(lua_State *L, BackwardCall *c) {
    if (!lua_istable(L, -1)) {
        bind_error(L, "%s: backward must give a table of gradients", c->f->custom.name);
    }
    for (int i = 0; i < c->node->n_in; i++) {
        const NodeInput *in = &c->node->in[i];
        lua_rawgeti(L, -1, i + 1);
        if (!lua_isnil(L, -1)) {
            Tensor *g = bind_to_tensor(L, -1, c->f->custom.name);
            if (!g || !dtype_is_inexact(g->dtype) || !sums_to(g, in)) {
                bind_error(L,
                           "%s: backward must return nil or a floating-point gradient of shape %s "
                           "for tensor argument %d, got %s",
                           c->f->custom.name, shape_text((Ints){in->shape, in->dim}), i + 1,
                           bind_describe(L, -1));
            }
            c->out[i] = in->node ? tensor_retain(g) : NULL;
        }
        lua_pop(L, 1);
    }
}

/* In protected mode: backward(saved tensors, gradients of the outputs). */
static int call_backward(lua_State *L) {
    BackwardCall *c = lua_touserdata(L, 1);
    luaL_checkstack(L, 12, NULL);
    callback_push(L, c->f->backward);
    push_saved(L, c);
    push_grads(L, c);
    lua_call(L, 2, 1);
    read_gradients(L, c);
    return 0;
}

static bool function_backward(Custom *custom, const Node *node, Tensor *const *grads,
                              Tensor **out) {
    BackwardCall c = {(LuaFunction *)custom, node, grads, out};
    if (node->freed) {
        return fail("backward through %s: the values it saved were freed by an earlier backward; "
                    "pass {retain_graph = true} to that one, or compute the output again",
                    node_text(node));
    }
    bool ok = callback_call(c.f->backward, call_backward, &c, custom->name);
    for (int i = 0; i < node->n_in; i++) {
        if (out[i] && !scope_add(out[i])) {
            out[i] = NULL;
            ok = false;
        }
    }
    return ok;
}

static bool forget_saved(Custom *custom) {
    LuaFunction *f = (LuaFunction *)custom;
    bool had = f->kept && f->n_saved > 0;
    f->kept = false;
    for (int i = 0; i < f->n_saved; i++) {
        Tensor *t = f->saved[i].t;
        f->saved[i].t = NULL;
        tensor_release(t);
    }
    return had;
}

static void free_function(Custom *custom) {
    LuaFunction *f = (LuaFunction *)custom;
    forget_saved(custom);
    callback_drop(f->backward);
    mem_free(f->saved, (size_t)f->n_saved * sizeof *f->saved);
    mem_free(f, sizeof *f);
}

static const char *const holder_type = "tocha.function";

/* Frees a function that no node has taken. */
static int collect_holder(lua_State *L) {
    LuaFunction **place = luaL_checkudata(L, 1, holder_type);
    LuaFunction *f = *place;
    *place = NULL;
    if (f) {
        free_function(&f->custom);
    }
    return 0;
}

/* Pushes a holder with a new function; backward and name stand at those stack entries. */
static LuaFunction **push_function(lua_State *L, int name, int backward, int n_saved) {
    LuaFunction **place = lua_newuserdatauv(L, sizeof *place, 0);
    *place = NULL;
    luaL_setmetatable(L, holder_type);
    LuaFunction *f = bind_zalloc(L, sizeof *f, "Function");
    *place = f;
    f->custom =
        (Custom){intern(lua_tostring(L, name)), function_backward, forget_saved, free_function};
    f->custom.name = f->custom.name ? f->custom.name : "Function";
    f->kept = true;
    f->saved = bind_zalloc(L, (size_t)n_saved * sizeof *f->saved, "Function");
    f->n_saved = n_saved;
    f->backward = callback_new(L, backward);
    if (!f->backward) {
        bind_name_failure("Function");
        bind_raise(L);
    }
    return place;
}

typedef struct Record {
    LuaFunction *f;
    Tensor **in, **out, **save;
    int n_in, n_out;
    uint64_t apart;
} Record;

/* An output's number, or -1. */
static int output_number(const Record *r, const Tensor *t) {
    for (int k = 0; k < r->n_out; k++) {
        if (r->out[k] == t) {
            return k;
        }
    }
    return -1;
}

static bool save_values(const Record *r) {
    forget_saved(&r->f->custom); /* those of a first attempt */
    r->f->kept = true;
    for (int i = 0; i < r->f->n_saved; i++) {
        Tensor *t = r->save[i];
        SavedValue *s = &r->f->saved[i];
        if (!t) {
            continue;
        }
        s->output = output_number(r, t);
        s->t = s->output < 0 ? tape_keep(t)
                             : scope_take(tensor_alias(t, tensor_shape(t), t->stride, t->offset));
        if (!s->t) {
            return false;
        }
        s->version = atomic_load(&t->storage->version);
    }
    return true;
}

static bool run_record(void *ctx, Tensor **out) {
    (void)out;
    Record *r = ctx;
    return save_values(r) &&
           tape_record_custom(&r->f->custom, r->in, r->n_in, r->out, r->n_out, r->apart);
}

/* Room for n tensors, in a userdata left on the stack. */
static Tensor **push_room(lua_State *L, int n) {
    return lua_newuserdatauv(L, (size_t)(n ? n : 1) * sizeof(Tensor *), 0);
}

/* Reads the tensors of the table at idx, allocating nothing; holes are NULL. */
static void read_list(lua_State *L, int idx, Tensor **list, int n) {
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, idx, i + 1);
        list[i] = bind_peek_tensor(L, -1);
        lua_pop(L, 1);
    }
}

/* _record_function(name, backward, inputs, outputs, apart, saved, n_saved, materialize): makes the
 * outputs, fresh tensors, depend on the inputs. apart[k]: output k stays outside the graph. */
static int record_function(lua_State *L) {
    lua_settop(L, 8);
    luaL_checkstack(L, 12, NULL);
    const char *who = luaL_checkstring(L, 1);
    Record r = {.n_in = (int)lua_rawlen(L, 3), .n_out = (int)lua_rawlen(L, 4)};
    if (r.n_out > MOST_OUTPUTS) {
        return bind_error(L, "%s: at most %d outputs are possible, got %d", who, MOST_OUTPUTS,
                          r.n_out);
    }
    LuaFunction **place = push_function(L, 1, 2, (int)luaL_checkinteger(L, 7));
    r.f = *place;
    r.f->materialize = lua_toboolean(L, 8);
    for (int k = 0; k < r.n_out; k++) {
        lua_rawgeti(L, 5, k + 1);
        r.apart |= (uint64_t)lua_toboolean(L, -1) << k;
        lua_pop(L, 1);
    }
    r.in = push_room(L, r.n_in);
    r.out = push_room(L, r.n_out);
    r.save = push_room(L, r.f->n_saved);
    read_list(L, 3, r.in, r.n_in);
    read_list(L, 4, r.out, r.n_out);
    read_list(L, 6, r.save, r.f->n_saved);
    for (int k = 0; k < r.n_in + r.n_out; k++) {
        if (!(k < r.n_in ? r.in[k] : r.out[k - r.n_in])) {
            return bind_error(L, "%s: a tensor was freed while it was used", who);
        }
    }
    bind_run(L, run_record, &r, NULL, 0);
    *place = NULL; /* the node's */
    return 0;
}

static const luaL_Reg functions[] = {{"_record_function", record_function}, {NULL, NULL}};

void bind_functions(lua_State *L) {
    luaL_setfuncs(L, functions, 0);
    luaL_newmetatable(L, holder_type);
    lua_pushcfunction(L, collect_holder);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}
