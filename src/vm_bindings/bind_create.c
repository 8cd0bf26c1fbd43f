/* tocha.tensor: from numbers, booleans and nested tables. */
#include <string.h>

#include "autograd/tape.h"
#include "tensor/number.h"
#include "tensor/op.h"
#include "vm_bindings/bind.h"

typedef struct Nested {
    lua_State *L;
    int64_t shape[MAX_DIMS];
    int dim;
    bool any_complex, any_float, any_int, any_bool;
} Nested;

static void note_kind(Nested *n, int idx) {
    lua_State *L = n->L;
    Tensor *t = lua_type(L, idx) == LUA_TUSERDATA ? bind_to_tensor(L, idx, "tensor") : NULL;
    if (lua_isboolean(L, idx)) {
        n->any_bool = true;
    } else if (lua_isinteger(L, idx)) {
        n->any_int = true;
    } else if (lua_type(L, idx) == LUA_TNUMBER) {
        n->any_float = true;
    } else if (t && t->numel == 1 && t->device.kind == DEVICE_CPU) {
        bool is_float = dtype_is_float(t->dtype);
        n->any_complex |= dtype_is_complex(t->dtype);
        n->any_float |= is_float;
        n->any_bool |= t->dtype == DT_BOOL;
        n->any_int |= dtype_kinds[t->dtype] == KIND_INT;
    } else {
        bind_error(L, "tensor: entries must be numbers or booleans, got %s", bind_describe(L, idx));
    }
}

/* The sizes are those of the first entries on the way down. */
static void find_shape(Nested *n, int idx) {
    lua_State *L = n->L;
    lua_pushvalue(L, idx);
    while (lua_istable(L, -1)) {
        if (n->dim == MAX_DIMS) {
            bind_error(L, "tensor: tables are nested deeper than %d, the most dims a tensor has",
                       MAX_DIMS);
        }
        n->shape[n->dim++] = (int64_t)lua_rawlen(L, -1);
        lua_rawgeti(L, -1, 1);
        lua_remove(L, -2);
    }
    lua_pop(L, 1);
}

static void check_nested(Nested *n, int d);

/* The table on top is one of elements: mostly numbers, which are told apart here and now. */
static void check_row(Nested *n, int64_t size) {
    lua_State *L = n->L;
    for (int64_t i = 1; i <= size; i++) {
        if (lua_rawgeti(L, -1, i) != LUA_TNUMBER) {
            check_nested(n, n->dim);
        } else if (lua_isinteger(L, -1)) {
            n->any_int = true;
        } else {
            n->any_float = true;
        }
        lua_pop(L, 1);
    }
}

/* Checks that the table on top is regular at depth d. */
static void check_nested(Nested *n, int d) {
    lua_State *L = n->L;
    if (d == n->dim) {
        if (lua_istable(L, -1)) {
            bind_error(L, "tensor: a number was expected at depth %d, got a table", d);
        }
        note_kind(n, -1);
        return;
    }
    if (!lua_istable(L, -1)) {
        bind_error(L, "tensor: a table was expected at depth %d, got %s", d + 1,
                   bind_describe(L, -1));
    }
    int64_t size = (int64_t)lua_rawlen(L, -1);
    if (size != n->shape[d]) {
        bind_error(L,
                   "tensor: rows differ in length: a table at depth %d has %lld entries, the "
                   "first one %lld",
                   d + 1, (long long)size, (long long)n->shape[d]);
    }
    if (d == n->dim - 1) {
        check_row(n, size);
        return;
    }
    for (int64_t i = 1; i <= size; i++) {
        lua_rawgeti(L, -1, i);
        check_nested(n, d + 1);
        lua_pop(L, 1);
    }
}

/* The one-element tensor on top of the stack, or NULL. */
static const Tensor *element_tensor(lua_State *L) {
    const Tensor *t = bind_peek_tensor(L, -1);
    return t && t->numel == 1 && !t->batching && t->device.kind == DEVICE_CPU ? t : NULL;
}

/* The real number on top of the stack. */
static Arg element_number(lua_State *L) {
    const Tensor *t = element_tensor(L);
    if (lua_isinteger(L, -1)) {
        return arg_int(lua_tointeger(L, -1));
    }
    if (lua_isboolean(L, -1)) {
        return arg_int(lua_toboolean(L, -1));
    }
    if (t && !dtype_is_float(t->dtype)) {
        return arg_int(element_get_int(tensor_data(t), t->dtype));
    }
    return arg_float(t ? element_get_float(tensor_data(t), t->dtype) : lua_tonumber(L, -1));
}

/* Stores the number on top of the stack; false with an error where the dtype cannot hold it. */
static bool store_element(lua_State *L, int dtype, char *p) {
    const Tensor *t = element_tensor(L);
    if (t && dtype_is_complex(t->dtype)) {
        if (!dtype_is_complex(dtype)) {
            return fail("tensor: an entry is complex and does not fit into %s; take its real() or "
                        "abs()",
                        dtype_name(dtype));
        }
        element_set_complex(p, dtype, element_get_complex(tensor_data(t), t->dtype));
        return true;
    }
    Arg number = element_number(L);
    /* Floats become inf where they are too large, as they would by arithmetic. */
    if (!dtype_is_inexact(dtype) && !number_fits(&op_table[OP_full], "an entry", number, dtype)) {
        return false;
    }
    number_store(p, dtype, number);
    return true;
}

/* Stores the number on top of the stack if it needs no check for dtype. */
static bool store_plain(lua_State *L, int dtype, void *p) {
    if (lua_isinteger(L, -1)) {
        lua_Integer i = lua_tointeger(L, -1);
        switch (dtype) {
        case DT_FLOAT32: *(float *)p = (float)i; return true;
        case DT_FLOAT64: *(double *)p = (double)i; return true;
        case DT_INT64: *(int64_t *)p = i; return true;
        default: return false;
        }
    }
    switch (dtype) {
    case DT_FLOAT32: *(float *)p = (float)lua_tonumber(L, -1); return true;
    case DT_FLOAT64: *(double *)p = lua_tonumber(L, -1); return true;
    default: return false;
    }
}

/* As fill, for a table of elements. */
static char *fill_row(lua_State *L, int64_t n, int dtype, char *p) {
    int64_t size = (int64_t)dtype_size(dtype);
    for (int64_t i = 1; i <= n; i++, p += size) {
        bool number = lua_rawgeti(L, -1, i) == LUA_TNUMBER;
        bool ok = (number && store_plain(L, dtype, p)) || store_element(L, dtype, p);
        lua_pop(L, 1);
        if (!ok) {
            return NULL;
        }
    }
    return p;
}

/* Stores the elements of the table on top of the stack from p on, and gives where they end; NULL
 * with an error where the dtype cannot hold one. The table was regular when it was checked; if a
 * finalizer has changed it since, there is no telling what the elements are. */
static char *fill(Nested *n, int d, int dtype, char *p) {
    lua_State *L = n->L;
    if (d == n->dim) {
        return store_element(L, dtype, p) ? p + dtype_size(dtype) : NULL;
    }
    bool is_table = lua_istable(L, -1);
    if (is_table && d == n->dim - 1) {
        return fill_row(L, n->shape[d], dtype, p);
    }
    for (int64_t i = 1; p && i <= n->shape[d]; i++) {
        if (is_table) {
            lua_rawgeti(L, -1, i);
        } else {
            lua_pushnil(L);
        }
        p = fill(n, d + 1, dtype, p);
        lua_pop(L, 1);
    }
    return p;
}

typedef struct Options {
    int dtype;
    Device device;
    bool has_device, requires_grad;
} Options;

static Options read_options(lua_State *L, int idx) {
    Options o = {.dtype = DT_NONE};
    if (lua_isnoneornil(L, idx)) {
        return o;
    }
    if (!lua_istable(L, idx)) {
        bind_error(L, "tensor: options must be a table such as {dtype = \"float64\"}, got %s",
                   bind_describe(L, idx));
    }
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        if (strcmp(key, "dtype") == 0) {
            o.dtype = dtype_parse(text);
            if (o.dtype == DT_NONE) {
                bind_error(L, "tensor: dtype must be a dtype such as \"float32\", got %s",
                           bind_describe(L, -1));
            }
        } else if (strcmp(key, "device") == 0) {
            o.has_device = device_parse(text, &o.device);
            if (!o.has_device) {
                error_clear();
                bind_error(L, "tensor: device must be \"cpu\", \"cuda\" or \"cuda:N\", got %s",
                           bind_describe(L, -1));
            }
        } else if (strcmp(key, "requires_grad") == 0) {
            o.requires_grad = lua_toboolean(L, -1);
        } else {
            bind_error(L, "tensor: unknown option %s; known: dtype, device, requires_grad",
                       bind_describe(L, -2));
        }
        lua_pop(L, 1);
    }
    return o;
}

typedef struct Making {
    Tensor *from; /* copied, where the value is a tensor */
    Nested *nested;
    Options options;
    int dtype;
} Making;

static Tensor *make(const Making *m) {
    Tensor *t;
    if (m->from) {
        t = t_clone(tensor_detach(m->from));
        t = t ? t_to(t, m->dtype, m->options.has_device ? m->options.device : t->device, false,
                     false)
              : NULL;
    } else {
        t = tensor_new(m->dtype, (Device){DEVICE_CPU, 0}, (Ints){m->nested->shape, m->nested->dim},
                       NULL);
        if (t) {
            lua_pushvalue(m->nested->L, 1);
            t = fill(m->nested, 0, m->dtype, tensor_data(t)) ? t : NULL;
            lua_pop(m->nested->L, 1);
        }
        t = t && m->options.has_device ? t_to(t, m->dtype, m->options.device, false, false) : t;
    }
    bool ok = t && (!m->options.requires_grad || tensor_set_requires_grad(t, true));
    return ok ? t : NULL;
}

static bool run_make(void *ctx, Tensor **out) {
    out[0] = make(ctx);
    if (!out[0]) {
        op_name_error("tensor");
    }
    return out[0] != NULL;
}

static int natural_dtype(const Nested *n) {
    if (n->any_complex) {
        return dtype_complex_of(dtype_default());
    }
    if (n->any_float || !(n->any_int || n->any_bool)) {
        return dtype_default();
    }
    return n->any_int ? DT_INT64 : DT_BOOL;
}

/* tensor(value, options) */
static int make_tensor(lua_State *L) {
    Nested nested = {.L = L};
    Making m = {.nested = &nested};
    lua_settop(L, 2);
    luaL_checkstack(L, 2 * MAX_DIMS + 10, NULL);
    Box *box = bind_push_box(L);
    m.options = read_options(L, 2);
    m.from = lua_type(L, 1) == LUA_TUSERDATA ? bind_to_tensor(L, 1, "tensor") : NULL;
    if (m.from) {
        m.dtype = m.options.dtype == DT_NONE ? m.from->dtype : m.options.dtype;
    } else {
        find_shape(&nested, 1);
        lua_pushvalue(L, 1);
        check_nested(&nested, 0);
        lua_pop(L, 1);
        m.dtype = m.options.dtype == DT_NONE ? natural_dtype(&nested) : m.options.dtype;
    }
    bind_run(L, run_make, &m, &box, 1);
    return 1;
}

static const luaL_Reg functions[] = {{"tensor", make_tensor}, {NULL, NULL}};

void bind_create(lua_State *L) { luaL_setfuncs(L, functions, 0); }
