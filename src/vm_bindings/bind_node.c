/* x.grad_fn: a node of the graph. */
#include <stdio.h>
#include <string.h>

#include "vm_bindings/node_box.h"

static const char *const type_name = "tocha.grad_fn";

static int node_collect(lua_State *L) {
    Node **place = luaL_checkudata(L, 1, type_name);
    Node *n = *place;
    *place = NULL;
    node_release(n);
    return 0;
}

Node **node_box_push(lua_State *L) {
    Node **place = lua_newuserdatauv(L, sizeof *place, 0);
    *place = NULL;
    luaL_setmetatable(L, type_name);
    return place;
}

static Node *check_node(lua_State *L, int idx) {
    Node **place = luaL_checkudata(L, idx, type_name);
    if (!*place) {
        bind_error(L, "grad_fn: the node was freed");
    }
    return *place;
}

static void push_node(lua_State *L, Node *n) {
    Node **place = node_box_push(L);
    node_retain(n);
    *place = n;
}

static int name(lua_State *L) {
    lua_pushstring(L, node_name(check_node(L, 1)));
    return 1;
}

static void push_where(lua_State *L, const Node *n) {
    const char *where = where_text(n->where);
    if (*where) {
        lua_pushstring(L, where);
    } else {
        lua_pushnil(L);
    }
}

static void push_shape(lua_State *L, const int64_t *shape, int dim) {
    lua_pushstring(L, shape_text((Ints){shape, dim}));
}

/* "tensors" alone, or with its position where several inputs have that name. */
static void push_input_name(lua_State *L, const Node *n, int k) {
    const char *own = node_input_name(n, k);
    bool several = (k > 0 && strcmp(own, node_input_name(n, k - 1)) == 0) ||
                   (k + 1 < n->n_in && strcmp(own, node_input_name(n, k + 1)) == 0);
    int first = k;
    while (first > 0 && strcmp(own, node_input_name(n, first - 1)) == 0) {
        first--;
    }
    if (several) {
        lua_pushfstring(L, "%s[%d]", own, k - first + 1);
    } else {
        lua_pushstring(L, own);
    }
}

/* mul(input = exp, other = leaf 2x3) */
static int node_tostring(lua_State *L) {
    const Node *n = check_node(L, 1);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addstring(&b, node_name(n));
    luaL_addchar(&b, '(');
    for (int k = 0, shown = 0; k < n->n_in; k++) {
        const NodeInput *in = &n->in[k];
        if (!in->given) {
            continue;
        }
        luaL_addstring(&b, shown++ ? ", " : "");
        push_input_name(L, n, k);
        luaL_addvalue(&b);
        luaL_addstring(&b, " = ");
        const char *from = in->node ? node_name(in->node) : "constant";
        luaL_addstring(&b, from);
        if (!in->node || !in->node->op) {
            luaL_addchar(&b, ' ');
            luaL_addstring(&b, shape_text((Ints){in->shape, in->dim}));
        }
    }
    luaL_addchar(&b, ')');
    luaL_pushresult(&b);
    return 1;
}

static int node_equal(lua_State *L) {
    Node **a = luaL_testudata(L, 1, type_name), **b = luaL_testudata(L, 2, type_name);
    lua_pushboolean(L, a && b && *a == *b);
    return 1;
}

/* A list, one entry an input that was given: {node or nil, which of its outputs (from 1)}. */
static int next_functions(lua_State *L) {
    Node *n = check_node(L, 1);
    lua_newtable(L);
    for (int k = 0, at = 1; k < n->n_in; k++) {
        if (!n->in[k].given) {
            continue;
        }
        lua_createtable(L, 2, 0);
        if (n->in[k].node) {
            push_node(L, n->in[k].node);
            lua_rawseti(L, -2, 1);
        }
        lua_pushinteger(L, n->in[k].out + 1);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, at++);
    }
    return 1;
}

/* The tensor of a leaf, while there is one. */
static int variable(lua_State *L) {
    Node *n = check_node(L, 1);
    Box *box = bind_push_box(L);
    if (n->op || !n->out[0].owner) {
        lua_pushnil(L);
    } else {
        box->t = tensor_retain((Tensor *)n->out[0].owner);
    }
    return 1;
}

static void set_string(lua_State *L, const char *key, const char *value) {
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

typedef struct Value {
    Storage *storage;
    const int64_t *shape, *stride;
    int64_t offset;
    int dtype, dim;
} Value;

static bool make_value(void *ctx, Tensor **out) {
    const Value *v = ctx;
    out[0] =
        tensor_of_storage(v->storage, v->dtype, (Ints){v->shape, v->dim}, v->stride, v->offset);
    return out[0] != NULL;
}

/* Sets the field value to a saved value, if there is one and it is as it was. */
static void set_value(lua_State *L, Value v, uint32_t version) {
    if (!v.storage || atomic_load(&v.storage->version) != version) {
        return;
    }
    Box *box = bind_push_box(L);
    bind_run(L, make_value, &v, &box, 1);
    lua_setfield(L, -2, "value");
}

static void push_input(lua_State *L, const Node *n, int k) {
    const NodeInput *in = &n->in[k];
    lua_newtable(L);
    push_input_name(L, n, k);
    lua_setfield(L, -2, "name");
    push_shape(L, in->shape, in->dim);
    lua_setfield(L, -2, "shape");
    set_string(L, "dtype", dtype_name(in->dtype));
    if (in->node) {
        push_node(L, in->node);
        lua_setfield(L, -2, "node");
        lua_pushinteger(L, in->out + 1);
        lua_setfield(L, -2, "output");
    }
    set_value(L, (Value){in->saved, in->shape, in->stride, in->offset, in->dtype, in->dim},
              in->version);
}

static void push_output(lua_State *L, const NodeOutput *out) {
    lua_newtable(L);
    push_shape(L, out->shape, out->dim);
    lua_setfield(L, -2, "shape");
    set_string(L, "dtype", dtype_name(out->dtype));
    set_value(L, (Value){out->saved, out->shape, out->stride, out->offset, out->dtype, out->dim},
              out->version);
}

/* _node_info(node): everything about it, for texts about graphs. */
static int node_info(lua_State *L) {
    Node *n = check_node(L, 1);
    luaL_checkstack(L, 16, NULL);
    lua_newtable(L);
    set_string(L, "name", node_name(n));
    push_where(L, n);
    lua_setfield(L, -2, "where");
    lua_pushboolean(L, !n->op);
    lua_setfield(L, -2, "leaf");
    lua_pushinteger(L, (lua_Integer)n->seq);
    lua_setfield(L, -2, "id");
    lua_newtable(L);
    for (int k = 0, at = 1; k < n->n_in; k++) {
        if (n->in[k].given) {
            push_input(L, n, k);
            lua_rawseti(L, -2, at++);
        }
    }
    lua_setfield(L, -2, "inputs");
    lua_newtable(L);
    for (int k = 0; k < n->n_out; k++) {
        push_output(L, &n->out[k]);
        lua_rawseti(L, -2, k + 1);
    }
    lua_setfield(L, -2, "outputs");
    return 1;
}

/* _node(x): x's node, that of a leaf too; nil where there is none. */
static int node_of(lua_State *L) {
    Node **place = node_box_push(L);
    bool ok = true;
    bind_enter(L);
    Node *n = tape_node_for(lua_check_tensor(L, 1, "graph"), "graph", &ok);
    if (!ok) {
        return bind_raise(L);
    }
    if (n) {
        node_retain(n);
        *place = n;
    } else {
        lua_pushnil(L);
    }
    return 1;
}

/* The methods name(), and the fields next_functions, where and variable. Upvalue 1: the methods. */
static int node_index(lua_State *L) {
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(key, "name") == 0) {
        lua_pushcfunction(L, name);
    } else if (strcmp(key, "next_functions") == 0) {
        return next_functions(L);
    } else if (strcmp(key, "variable") == 0) {
        return variable(L);
    } else if (strcmp(key, "where") == 0) {
        push_where(L, check_node(L, 1));
    } else {
        lua_pushnil(L);
    }
    return 1;
}

static const luaL_Reg events[] = {{"__gc", node_collect},
                                  {"__tostring", node_tostring},
                                  {"__eq", node_equal},
                                  {"__index", node_index},
                                  {NULL, NULL}};

static const luaL_Reg functions[] = {{"_node", node_of}, {"_node_info", node_info}, {NULL, NULL}};

void bind_node(lua_State *L) {
    luaL_newmetatable(L, type_name);
    luaL_setfuncs(L, events, 0);
    lua_pop(L, 1);
    luaL_setfuncs(L, functions, 0);
}
