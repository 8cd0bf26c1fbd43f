/* help("conv2d"), help(x.sum): signature, doc and example, from the operator table. */
#include <stdio.h>
#include <string.h>

#include "vm_bindings/bind.h"

static bool has_public_name(const Op *op, const char *name) {
    return strcmp(op->public_name, name) == 0;
}

static void add_row(luaL_Buffer *b, const Op *op) {
    lua_State *L = b->L;
    const char *arrow = strstr(op->sig, "->");
    size_t n = arrow ? (size_t)(arrow - op->sig) : strlen(op->sig);
    while (n && op->sig[n - 1] == ' ') {
        n--;
    }
    luaL_addstring(b, op->public_name);
    luaL_addchar(b, '(');
    luaL_addlstring(b, op->sig, n);
    luaL_addchar(b, ')');
    if (arrow) {
        lua_pushfstring(L, " %s", arrow);
        luaL_addvalue(b);
    }
    luaL_addchar(b, '\n');
    luaL_addstring(b, op->doc);
    luaL_addchar(b, '\n');
    if (op->flags & OPF_INPLACE) {
        lua_pushfstring(L, "In place: %s_\n", op->public_name);
        luaL_addvalue(b);
    }
}

/* Pushes the text of all rows of that public name; false where there is none. */
static bool push_help(lua_State *L, const char *name) {
    luaL_Buffer b;
    bool found = false;
    char plain[64];
    snprintf(plain, sizeof plain, "%s", name);
    size_t n = strlen(plain);
    luaL_buffinit(L, &b);
    for (int turn = 0; turn < 2 && !found; turn++) {
        for (const Op *op = op_table; op < op_table + N_OPS; op++) {
            if (has_public_name(op, plain)) {
                luaL_addstring(&b, found ? "\n" : "");
                add_row(&b, op);
                found = true;
            }
        }
        if (n && plain[n - 1] == '_') {
            plain[n - 1] = '\0'; /* exp_ is told about under exp */
        }
    }
    luaL_pushresult(&b);
    return found;
}

/* The row that a bound function serves, or NULL: its first upvalue is the row. */
static const Op *op_of_function(lua_State *L, int idx) {
    if (!lua_iscfunction(L, idx) || !lua_getupvalue(L, idx, 1)) {
        return NULL;
    }
    const char *p = lua_touserdata(L, -1);
    bool row = lua_islightuserdata(L, -1) && p >= (const char *)op_table &&
               p < (const char *)(op_table + N_OPS);
    lua_pop(L, 1);
    return row ? (const Op *)(const void *)p : NULL;
}

/* _op_help(name or function): the text, or nil for what is no operator. */
static int op_help(lua_State *L) {
    const Op *op = op_of_function(L, 1);
    if (!op && lua_type(L, 1) != LUA_TSTRING) {
        lua_pushnil(L);
        return 1;
    }
    if (!push_help(L, op ? op->public_name : lua_tostring(L, 1))) {
        lua_pushnil(L);
    }
    return 1;
}

static void set_text(lua_State *L, const char *key, const char *value) {
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

/* _op_table(): the rows as a list of tables, for the tests that walk them. */
static int list_ops(lua_State *L) {
    static const char *const classes[] = {"unary", "binary", "compare", "reduce",
                                          "view",  "op",     "compose"};
    lua_createtable(L, N_OPS, 0);
    for (int i = 0; i < N_OPS; i++) {
        const Op *op = &op_table[i];
        lua_newtable(L);
        set_text(L, "name", op->name);
        set_text(L, "public_name", op->public_name);
        set_text(L, "signature", op->sig);
        set_text(L, "doc", op->doc);
        set_text(L, "class", classes[op->op_class]);
        set_text(L, "dtypes", dtype_set_text(op->dtypes & DTSET_ALL));
        lua_pushboolean(L, (op->dtypes & DTSET_TO_FLOAT) != 0);
        lua_setfield(L, -2, "to_float");
        lua_pushboolean(L, (op->flags & OPF_INPLACE) != 0);
        lua_setfield(L, -2, "inplace");
        lua_pushboolean(L, (op->flags & OPF_RANDOM) != 0);
        lua_setfield(L, -2, "random");
        lua_pushboolean(L, (op->flags & OPF_LIBRARY) != 0);
        lua_setfield(L, -2, "library");
        lua_pushboolean(L, op->grad != no_grad && op->op_class != CLASS_COMPOSE);
        lua_setfield(L, -2, "differentiable");
        lua_pushinteger(L, op->n_outs);
        lua_setfield(L, -2, "outputs");
        lua_pushboolean(L, op->op_class == CLASS_COMPOSE || op->op_class == CLASS_VIEW ||
                               op_kernel(op, DEVICE_CPU) != NULL);
        lua_setfield(L, -2, "has_cpu_kernel");
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static const luaL_Reg functions[] = {{"_op_help", op_help}, {"_op_table", list_ops}, {NULL, NULL}};

void bind_help(lua_State *L) { luaL_setfuncs(L, functions, 0); }
