/* The tensor userdata: life, and what is no operator. */
#include <stdio.h>
#include <string.h>

#include "vm_bindings/bind.h"
#include "vm_bindings/callback.h"

static int collect(lua_State *L) {
    Box *box = lua_touserdata(L, 1);
    if (box && lua_rawlen(L, 1) >= sizeof *box && box->magic == &box_magic) {
        Tensor *t = box->t;
        box->t = NULL;
        tensor_release(t);
        if (callback_any_dropped()) {
            callback_sweep(L);
        }
    }
    return 0;
}

static const char shape_metatable_key = 0;

void bind_push_shape(lua_State *L, const int64_t *v, int n) {
    int64_t copy[MAX_DIMS];
    memcpy(copy, v, (size_t)n * sizeof *copy);
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_pushinteger(L, copy[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &shape_metatable_key);
    lua_setmetatable(L, -2);
}

static int shape_tostring(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_Buffer b;
    lua_Integer n = (lua_Integer)lua_rawlen(L, 1);
    luaL_buffinit(L, &b);
    for (lua_Integer i = 1; i <= n; i++) {
        luaL_addstring(&b, i > 1 ? "x" : "");
        lua_rawgeti(L, 1, i);
        luaL_addvalue(&b);
    }
    if (n == 0) {
        luaL_addstring(&b, "scalar");
    }
    luaL_pushresult(&b);
    return 1;
}

static int shape_equal(lua_State *L) {
    bool equal = lua_istable(L, 1) && lua_istable(L, 2) && lua_rawlen(L, 1) == lua_rawlen(L, 2);
    for (lua_Integer i = 1; equal && i <= (lua_Integer)lua_rawlen(L, 1); i++) {
        lua_rawgeti(L, 1, i);
        lua_rawgeti(L, 2, i);
        equal = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
    }
    lua_pushboolean(L, equal);
    return 1;
}

/* A dim given by a user (1-based, negatives from the end), as 0-based. */
static int check_dim(lua_State *L, int idx, const Tensor *t, const char *who) {
    lua_Integer d = bind_check_integer(L, idx, who, "dim");
    int dim = t->dim;
    if (d == 0 || d > dim || d < -dim) {
        bind_error(L, "%s: dim must be an integer in [-%d, %d] (%d dim%s), got %lld", who, dim, dim,
                   dim, dim == 1 ? "" : "s", (long long)d);
    }
    return (int)(d > 0 ? d - 1 : d + dim);
}

static int size(lua_State *L) {
    Tensor *t = lua_check_tensor(L, 1, "size");
    if (lua_isnoneornil(L, 2)) {
        bind_push_shape(L, t->shape, t->dim);
    } else {
        lua_pushinteger(L, t->shape[check_dim(L, 2, t, "size")]);
    }
    return 1;
}

static int stride(lua_State *L) {
    Tensor *t = lua_check_tensor(L, 1, "stride");
    if (lua_isnoneornil(L, 2)) {
        bind_push_shape(L, t->stride, t->dim);
        lua_pushnil(L);
        lua_setmetatable(L, -2);
    } else {
        lua_pushinteger(L, t->stride[check_dim(L, 2, t, "stride")]);
    }
    return 1;
}

static int dim(lua_State *L) {
    lua_pushinteger(L, lua_check_tensor(L, 1, "dim")->dim);
    return 1;
}

static int numel(lua_State *L) {
    lua_pushinteger(L, lua_check_tensor(L, 1, "numel")->numel);
    return 1;
}

static int element_size(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)dtype_size(lua_check_tensor(L, 1, "element_size")->dtype));
    return 1;
}

static int storage_offset(lua_State *L) {
    lua_pushinteger(L, lua_check_tensor(L, 1, "storage_offset")->offset);
    return 1;
}

static int data_ptr(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)(intptr_t)tensor_data(bind_check_values(L, 1, "data_ptr")));
    return 1;
}

static int is_contiguous(lua_State *L) {
    lua_pushboolean(L, tensor_is_contiguous(lua_check_tensor(L, 1, "is_contiguous")));
    return 1;
}

/* One that was freed is none any more, so that what asks first names it in its own words. */
static int is_tensor(lua_State *L) {
    lua_pushboolean(L, bind_peek_tensor(L, 1) != NULL);
    return 1;
}

/* _is_freed(x): whether x was a tensor. */
static int is_freed(lua_State *L) {
    const Box *box = lua_touserdata(L, 1);
    lua_pushboolean(L, lua_type(L, 1) == LUA_TUSERDATA && lua_rawlen(L, 1) >= sizeof *box &&
                           box->magic == &box_magic && !box->t);
    return 1;
}

static int is_floating_point(lua_State *L) {
    lua_pushboolean(L, dtype_is_float(lua_check_tensor(L, 1, "is_floating_point")->dtype));
    return 1;
}

static int is_complex(lua_State *L) {
    lua_pushboolean(L, dtype_is_complex(lua_check_tensor(L, 1, "is_complex")->dtype));
    return 1;
}

/* Conjugates and signs are computed at once, never put off. */
static int is_conj(lua_State *L) {
    lua_check_tensor(L, 1, "is_conj");
    lua_pushboolean(L, false);
    return 1;
}

static int is_neg(lua_State *L) {
    lua_check_tensor(L, 1, "is_neg");
    lua_pushboolean(L, false);
    return 1;
}

typedef struct Element {
    const void *p;
    int dtype;
} Element;

static bool run_scalar(void *ctx, Tensor **out) {
    const Element *e = ctx;
    out[0] = tensor_new(e->dtype, (Device){DEVICE_CPU, 0}, (Ints){NULL, 0}, NULL);
    if (out[0]) {
        memcpy(tensor_data(out[0]), e->p, dtype_size(e->dtype));
    }
    return out[0] != NULL;
}

/* A complex element is a 0-dim tensor of its own. What p points into is kept by the caller. */
static void push_element(lua_State *L, const void *p, int dtype) {
    if (dtype_is_complex(dtype)) {
        Element e = {p, dtype};
        Box *box = bind_push_box(L);
        bind_run(L, run_scalar, &e, &box, 1);
        return;
    }
    if (dtype == DT_BOOL) {
        lua_pushboolean(L, *(const uint8_t *)p);
    } else if (dtype_is_float(dtype)) {
        lua_pushnumber(L, element_get_float(p, dtype));
    } else {
        lua_pushinteger(L, element_get_int(p, dtype));
    }
}

static bool to_cpu(void *ctx, Tensor **out) {
    out[0] = t_contiguous(t_move(ctx, (Device){DEVICE_CPU, 0}));
    return out[0] != NULL;
}

/* The tensor at idx, which is one, on the CPU; what had to be copied is kept alive on the stack. */
static Tensor *on_cpu(lua_State *L, int idx, const char *who) {
    Tensor *t = bind_check_values(L, idx, who);
    if (t->device.kind == DEVICE_CPU) {
        return t;
    }
    Box *box = bind_push_box(L);
    bind_run(L, to_cpu, lua_check_tensor(L, idx, who), &box, 1);
    return box->t;
}

static int item(lua_State *L) {
    Tensor *t = lua_check_tensor(L, 1, "item");
    if (t->numel != 1) {
        return bind_error(L,
                          "item: only a tensor of one element is a number, this one has %lld (%s)",
                          (long long)t->numel, shape_text(tensor_shape(t)));
    }
    t = on_cpu(L, 1, "item");
    if (dtype_is_complex(t->dtype)) {
        Complex128 z = element_get_complex(tensor_data(t), t->dtype);
        lua_pushnumber(L, z.re);
        lua_pushnumber(L, z.im);
        return 2;
    }
    push_element(L, tensor_data(t), t->dtype);
    return 1;
}

/* Of a list and the lists in it; an entry takes 16 bytes, a table 56 more. A complex entry, a
 * tensor, takes about as much as 32 others. */
enum { MAX_ENTRIES = 1 << 27, MAX_COMPLEX_ENTRIES = MAX_ENTRIES / 32 };

/* Puts the n elements from p on, step bytes apart, into the table on top of the stack. */
static void set_row(lua_State *L, int dtype, const char *p, int64_t step, int64_t n) {
    for (int64_t i = 0; i < n; i++, p += step) {
        switch (dtype) {
        case DT_FLOAT32: lua_pushnumber(L, *(const float *)p); break;
        case DT_FLOAT64: lua_pushnumber(L, *(const double *)p); break;
        case DT_INT64: lua_pushinteger(L, *(const int64_t *)p); break;
        default: push_element(L, p, dtype);
        }
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_nested(lua_State *L, const Tensor *t, int d, const char *p) {
    if (d == t->dim) {
        push_element(L, p, t->dtype);
        return;
    }
    int64_t step = t->stride[d] * (int64_t)dtype_size(t->dtype);
    lua_createtable(L, (int)t->shape[d], 0);
    if (d == t->dim - 1) {
        set_row(L, t->dtype, p, step, t->shape[d]);
        return;
    }
    for (int64_t i = 0; i < t->shape[d]; i++) {
        push_nested(L, t, d + 1, p + i * step);
        lua_rawseti(L, -2, i + 1);
    }
}

/* Entries of all the tables that tolist makes of t. */
static int64_t count_entries(const Tensor *t) {
    int64_t tables = 1, entries = 0;
    for (int d = 0; d < t->dim && tables > 0 && entries <= MAX_ENTRIES; d++) {
        if (__builtin_mul_overflow(tables, t->shape[d], &tables)) {
            return INT64_MAX;
        }
        entries = tables > MAX_ENTRIES ? INT64_MAX : entries + tables;
    }
    return entries;
}

static int tolist(lua_State *L) {
    Tensor *t = lua_check_tensor(L, 1, "tolist");
    luaL_checkstack(L, 2 * MAX_DIMS + 4, NULL);
    if (count_entries(t) > (dtype_is_complex(t->dtype) ? MAX_COMPLEX_ENTRIES : MAX_ENTRIES)) {
        return bind_error(L, "tolist: %s is too large for a table", shape_text(tensor_shape(t)));
    }
    Box *box = bind_push_box(L); /* the tables' making may free the user's */
    box->t = tensor_retain(on_cpu(L, 1, "tolist"));
    push_nested(L, box->t, 0, tensor_data(box->t));
    return 1;
}

static bool run_equal(void *ctx, Tensor **out) {
    Tensor **pair = ctx;
    out[0] = t_all(t_eq(pair[0], pair[1]), NO_INTS, false);
    return out[0] != NULL;
}

/* Same shape and same values: x == y. */
static int equal(lua_State *L) {
    lua_settop(L, 2);
    Box *box = bind_push_box(L);
    Tensor *pair[2] = {lua_check_tensor(L, 1, "equal"), lua_check_tensor(L, 2, "equal")};
    bool same =
        tensor_same_shape(pair[0], pair[1]) && device_equal(pair[0]->device, pair[1]->device);
    if (same) {
        bind_run(L, run_equal, pair, &box, 1);
        Tensor *t = on_cpu(L, 3, "equal");
        same = *(uint8_t *)tensor_data(t);
    }
    lua_pushboolean(L, same);
    return 1;
}

/* A number or one-element tensor, for < and <=. */
static double check_scalar(lua_State *L, int idx, const char *who) {
    Tensor *t = bind_to_tensor(L, idx, who);
    if (!t) {
        if (lua_type(L, idx) != LUA_TNUMBER) {
            bind_error(L, "%s: expected a number or a one-element tensor, got %s", who,
                       bind_describe(L, idx));
        }
        return lua_tonumber(L, idx);
    }
    if (t->numel != 1) {
        bind_error(L,
                   "%s: only one-element tensors compare as numbers, this one is %s; use "
                   "lt, le, gt or ge for each element",
                   who, shape_text(tensor_shape(t)));
    }
    if (dtype_is_complex(t->dtype)) {
        bind_error(L, "%s: complex numbers have no order; compare abs() or real()", who);
    }
    t = on_cpu(L, idx, who);
    return element_get_float(tensor_data(t), t->dtype);
}

static int less(lua_State *L) {
    double a = check_scalar(L, 1, "<");
    lua_pushboolean(L, a < check_scalar(L, 2, "<"));
    return 1;
}

static int less_equal(lua_State *L) {
    double a = check_scalar(L, 1, "<=");
    lua_pushboolean(L, a <= check_scalar(L, 2, "<="));
    return 1;
}

static int length(lua_State *L) {
    Tensor *t = lua_check_tensor(L, 1, "#");
    if (t->dim == 0) {
        return bind_error(L, "#: a 0-dim tensor has no length; use item()");
    }
    lua_pushinteger(L, t->shape[0]);
    return 1;
}

/* A number as Lua writes it, but for a trailing ".0" of the parts of a complex one. */
static void push_number(lua_State *L, const Tensor *t) {
    if (!dtype_is_complex(t->dtype)) {
        push_element(L, tensor_data(t), t->dtype);
        return;
    }
    char text[80];
    Complex128 z = element_get_complex(tensor_data(t), t->dtype);
    snprintf(text, sizeof text, "%.14g%+.14gi", z.re, z.im);
    lua_pushstring(L, text);
}

/* Replaces a one-element tensor at idx by its number, anything else by how it prints. */
static void make_text(lua_State *L, int idx) {
    Tensor *t = bind_to_tensor(L, idx, "..");
    if (t && t->numel == 1) {
        t = on_cpu(L, idx, "..");
        push_number(L, t);
        lua_replace(L, idx);
    }
    luaL_tolstring(L, idx, NULL);
    lua_replace(L, idx);
    lua_settop(L, 2);
}

static int concat(lua_State *L) {
    make_text(L, 1);
    make_text(L, 2);
    lua_concat(L, 2);
    return 1;
}

/* string.format with one-element tensors standing for their numbers; upvalue 1: the original. */
static int format(lua_State *L) {
    int n = lua_gettop(L);
    for (int i = 2; i <= n; i++) {
        Tensor *t = lua_type(L, i) == LUA_TUSERDATA ? bind_to_tensor(L, i, "format") : NULL;
        if (t && t->numel == 1) {
            t = on_cpu(L, i, "format");
            push_number(L, t);
            lua_replace(L, i);
            lua_settop(L, n);
        }
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, n, 1);
    return 1;
}

/* Replaces string.format; once a state. */
static void wrap_format(lua_State *L) {
    lua_getglobal(L, "string");
    if (lua_istable(L, -1) && lua_getfield(L, -1, "format") == LUA_TFUNCTION) {
        lua_pushcclosure(L, format, 1);
        lua_setfield(L, -2, "format");
    } else {
        lua_settop(L, -2);
    }
    lua_pop(L, 1);
}

/* _replace(x, y): x is from now on another name of y's tensor, and is returned. */
static int replace(lua_State *L) {
    lua_check_tensor(L, 1, "_replace");
    Tensor *t = tensor_retain(lua_check_tensor(L, 2, "_replace"));
    Box *box = lua_touserdata(L, 1);
    Tensor *old = box->t;
    box->t = t;
    tensor_release(old);
    lua_settop(L, 1);
    return 1;
}

/* Upvalue 1: methods. */
static int index_tensor(lua_State *L) {
    if (lua_type(L, 2) != LUA_TSTRING) {
        return bind_index_get(L);
    }
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
        return 1;
    }
    if (!bind_push_property(L, lua_tostring(L, 2))) {
        lua_pushnil(L);
    }
    return 1;
}

static int newindex_tensor(lua_State *L) {
    return lua_type(L, 2) == LUA_TSTRING ? bind_set_property(L) : bind_index_set(L);
}

static const luaL_Reg methods[] = {{"size", size},
                                   {"stride", stride},
                                   {"dim", dim},
                                   {"numel", numel},
                                   {"nelement", numel},
                                   {"element_size", element_size},
                                   {"storage_offset", storage_offset},
                                   {"data_ptr", data_ptr},
                                   {"is_contiguous", is_contiguous},
                                   {"is_tensor", is_tensor},
                                   {"is_floating_point", is_floating_point},
                                   {"is_complex", is_complex},
                                   {"is_conj", is_conj},
                                   {"is_neg", is_neg},
                                   {"item", item},
                                   {"tolist", tolist},
                                   {"equal", equal},
                                   {NULL, NULL}};

static const luaL_Reg events[] = {{"__gc", collect},    {"__close", collect},
                                  {"__eq", equal},      {"__lt", less},
                                  {"__le", less_equal}, {"__len", length},
                                  {"__concat", concat}, {"__newindex", newindex_tensor},
                                  {NULL, NULL}};

static const luaL_Reg shape_events[] = {
    {"__tostring", shape_tostring}, {"__eq", shape_equal}, {NULL, NULL}};

void bind_tensor(lua_State *L) {
    bind_methods(L, methods);
    lua_pushcfunction(L, is_freed);
    lua_setfield(L, -2, "_is_freed");
    lua_pushcfunction(L, replace);
    lua_setfield(L, -2, "_replace");
    lua_getfield(L, -1, "metatable");
    luaL_setfuncs(L, events, 0);
    lua_pushstring(L, "Tensor");
    lua_setfield(L, -2, "__name");
    bind_push_methods(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__methods");
    lua_pushcclosure(L, index_tensor, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    lua_newtable(L);
    luaL_setfuncs(L, shape_events, 0);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &shape_metatable_key);
    wrap_format(L);
}
