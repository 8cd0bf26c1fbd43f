/* Reads an operator's arguments off the Lua stack, by its signature: positional ones, then a table
 * of options. A trailing table may be both: zeros{2, 3, dtype = "int32"}. */
#include <string.h>

#include "vm_bindings/bind.h"

typedef struct Parser {
    lua_State *L;
    const Op *op;
    Parsed *p;
    const Param *param; /* the one being read */
    bool quiet;
} Parser;

/* Records that the value at idx is not what the parameter takes; raises unless forms are tried. */
static bool mismatch(Parser *s, const char *expected, int idx) {
    if (!s->quiet) {
        bind_error(s->L, "%s: %s must be %s, got %s", s->op->public_name, s->param->name, expected,
                   bind_describe(s->L, idx));
    }
    return false;
}

static bool is_plain_integer(lua_State *L, int idx) {
    int is;
    if (lua_type(L, idx) != LUA_TNUMBER) {
        return false;
    }
    lua_tointegerx(L, idx, &is);
    return is;
}

/* A number, or a one-element CPU tensor of real numbers standing for its value. */
static bool to_number(Parser *s, int idx, Arg *a) {
    lua_State *L = s->L;
    if (lua_isinteger(L, idx)) {
        *a = arg_int(lua_tointeger(L, idx));
        return true;
    }
    if (lua_type(L, idx) == LUA_TNUMBER) {
        *a = arg_float(lua_tonumber(L, idx));
        return true;
    }
    const Tensor *t =
        lua_type(L, idx) == LUA_TUSERDATA ? bind_to_tensor(L, idx, s->op->public_name) : NULL;
    if (!t || t->numel != 1 || t->batching || t->device.kind != DEVICE_CPU ||
        dtype_is_complex(t->dtype)) {
        return false;
    }
    /* Another form may take it as the tensor that it is, with its gradient. */
    bool plain = s->param->type == PARAM_NUMBER || s->param->type == PARAM_SCALAR;
    if (s->quiet && plain && (t->dim > 0 || t->node)) {
        return false;
    }
    *a = dtype_is_float(t->dtype) ? arg_float(element_get_float(tensor_data(t), t->dtype))
                                  : arg_int(element_get_int(tensor_data(t), t->dtype));
    return true;
}

static bool to_integer(Parser *s, int idx, int64_t *out) {
    Arg a;
    if (!to_number(s, idx, &a)) {
        return false;
    }
    int is = 1;
    if (a.kind == ARG_FLOAT) {
        lua_pushnumber(s->L, a.f);
        a.i = lua_tointegerx(s->L, -1, &is);
        lua_pop(s->L, 1);
    }
    *out = a.i;
    return is;
}

static int64_t from_one_based(int64_t v) { return v > 0 ? v - 1 : v == 0 ? POSITION_ZERO : v; }

static bool read_integer(Parser *s, int idx, Arg *a) {
    int64_t v;
    bool is_dim = s->param->type == PARAM_DIM || s->param->type == PARAM_NEWDIM;
    /* Where forms are tried, a tensor is a tensor: x:max(y) with a 0-dim y names no dim. */
    if ((s->quiet && is_dim && lua_type(s->L, idx) == LUA_TUSERDATA) || !to_integer(s, idx, &v)) {
        return mismatch(s, "an integer", idx);
    }
    bool one_based = s->param->type != PARAM_INT;
    *a = arg_int(one_based ? from_one_based(v) : v);
    return true;
}

/* The length of the list at idx. A table's border may be anything; what is given to the engine must
 * be countable by an int. */
static int list_length(Parser *s, int idx) {
    enum { MOST = 1 << 24 };
    lua_Unsigned n = lua_rawlen(s->L, idx);
    if (n > MOST) {
        bind_error(s->L, "%s: %s has %llu entries, at most %d are possible", s->op->public_name,
                   s->param->name, (unsigned long long)n, MOST);
    }
    return (int)n;
}

/* A userdata left on the stack. */
static void *allocate(Parser *s, size_t bytes) {
    luaL_checkstack(s->L, 4, NULL);
    s->p->allocated = true;
    return lua_newuserdatauv(s->L, bytes, 0);
}

/* Room for n numbers: in the parsed block, or in a userdata. */
static int64_t *room_for_ints(Parser *s, int n) {
    if (s->p->n_ints + n <= PARSED_INTS) {
        int64_t *at = s->p->ints + s->p->n_ints;
        s->p->n_ints += n;
        return at;
    }
    return allocate(s, (size_t)n * sizeof(int64_t));
}

static bool read_int_item(Parser *s, int idx, int64_t *v) {
    if (!to_integer(s, idx, v)) {
        return mismatch(s, "a list of integers", idx);
    }
    if (s->param->type == PARAM_DIMS) {
        *v = from_one_based(*v);
    }
    return true;
}

/* A table of integers, or a single one. */
static bool read_ints(Parser *s, int idx, Arg *a) {
    lua_State *L = s->L;
    if (!lua_istable(L, idx)) {
        int64_t *v = room_for_ints(s, 1);
        *a = arg_ints((Ints){v, 1});
        return read_int_item(s, idx, v);
    }
    idx = lua_absindex(L, idx);
    int n = list_length(s, idx);
    int64_t *v = room_for_ints(s, n);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, idx, i + 1);
        bool ok = read_int_item(s, -1, &v[i]);
        lua_pop(L, 1);
        if (!ok) {
            return false;
        }
    }
    *a = arg_ints((Ints){v, n});
    return true;
}

static bool read_float_item(Parser *s, int idx, double *v) {
    Arg a;
    if (!to_number(s, idx, &a)) {
        return mismatch(s, "a list of numbers", idx);
    }
    *v = arg_number(a);
    return true;
}

/* A complex number: a one-element CPU tensor. */
static bool to_complex(Parser *s, int idx, Arg *a) {
    const Tensor *t = bind_peek_tensor(s->L, idx);
    if (!t || t->numel != 1 || t->batching || t->device.kind != DEVICE_CPU ||
        !dtype_is_complex(t->dtype) || (s->quiet && (t->dim > 0 || t->node))) {
        return false;
    }
    Complex128 z = element_get_complex(tensor_data(t), t->dtype);
    double *parts = allocate(s, 2 * sizeof *parts);
    parts[0] = z.re;
    parts[1] = z.im;
    *a = arg_complex(parts);
    return true;
}

/* A table of numbers, or a single one. */
static bool read_floats(Parser *s, int idx, Arg *a) {
    lua_State *L = s->L;
    bool list = lua_istable(L, idx);
    idx = lua_absindex(L, idx);
    int n = list ? list_length(s, idx) : 1;
    double *v = allocate(s, (size_t)n * sizeof *v);
    *a = arg_floats((Floats){v, n});
    if (!list) {
        return read_float_item(s, idx, v);
    }
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, idx, i + 1);
        bool ok = read_float_item(s, -1, &v[i]);
        lua_pop(L, 1);
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* Consecutive numbers from *pos on: zeros(2, 3). */
static bool read_variadic(Parser *s, int *pos, int last, Arg *a) {
    int n = 0;
    while (*pos + n <= last && is_plain_integer(s->L, *pos + n)) {
        n++;
    }
    int64_t *v = room_for_ints(s, n);
    for (int i = 0; i < n; i++) {
        if (!read_int_item(s, *pos + i, &v[i])) {
            return false;
        }
    }
    *a = arg_ints((Ints){v, n});
    *pos += n;
    return true;
}

static bool read_tensor(Parser *s, int idx, Arg *a) {
    lua_State *L = s->L;
    Tensor *t =
        lua_type(L, idx) == LUA_TUSERDATA ? bind_to_tensor(L, idx, s->op->public_name) : NULL;
    if (t) {
        *a = arg_tensor(t);
        return true;
    }
    bool takes_number = s->param->type == PARAM_TENSOR && !s->param->written;
    if (takes_number && lua_type(L, idx) == LUA_TNUMBER) {
        s->p->has_numbers = true; /* bind_wrap_numbers makes it a tensor */
        return to_number(s, idx, a);
    }
    if (lua_istable(L, idx)) {
        return mismatch(s, "a tensor (make one with tocha.tensor)", idx);
    }
    return mismatch(s, takes_number ? "a tensor or a number" : "a tensor", idx);
}

static bool read_tensors(Parser *s, int idx, Arg *a) {
    lua_State *L = s->L;
    if (!lua_istable(L, idx)) {
        return mismatch(s, "a table of tensors", idx);
    }
    idx = lua_absindex(L, idx);
    int n = list_length(s, idx);
    Tensor **v = s->p->tensors + s->p->n_tensors;
    if (s->p->n_tensors + n <= PARSED_TENSORS) {
        s->p->n_tensors += n;
    } else {
        v = allocate(s, (size_t)n * sizeof *v);
    }
    if (s->p->n_lists == PARSED_LISTS) {
        return mismatch(s, "no further table of tensors", idx);
    }
    s->p->list[s->p->n_lists].at = idx;
    s->p->list[s->p->n_lists++].arg = a;
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, idx, i + 1);
        bool missing = s->param->type == PARAM_INDICES && !lua_toboolean(L, -1);
        v[i] = missing || lua_type(L, -1) != LUA_TUSERDATA
                   ? NULL
                   : bind_to_tensor(L, -1, s->op->public_name);
        if (!v[i] && !missing) {
            return mismatch(s, "a table of tensors", -1);
        }
        lua_pop(L, 1);
    }
    *a = arg_tensors((TensorList){v, n});
    return true;
}

/* Strings are kept for good; the longest are the equations of einsum. */
enum { STRING_MAX = 200 };

static bool read_string(Parser *s, int idx, Arg *a) {
    if (lua_type(s->L, idx) != LUA_TSTRING) {
        return mismatch(s, "a string", idx);
    }
    const char *text = lua_tostring(s->L, idx);
    if (strlen(text) > STRING_MAX) {
        return mismatch(s, "a string of at most 200 characters", idx);
    }
    *a = arg_string(intern(text));
    return a->s ? true : mismatch(s, "a string (out of memory)", idx);
}

static bool read_dtype(Parser *s, int idx, Arg *a) {
    int dtype = lua_type(s->L, idx) == LUA_TSTRING ? dtype_parse(lua_tostring(s->L, idx)) : DT_NONE;
    if (dtype == DT_NONE) {
        return mismatch(s, "a dtype such as \"float32\" or \"int64\"", idx);
    }
    *a = arg_int(dtype);
    return true;
}

static bool read_device(Parser *s, int idx, Arg *a) {
    Device d;
    if (lua_type(s->L, idx) != LUA_TSTRING || !device_parse(lua_tostring(s->L, idx), &d)) {
        error_clear();
        return mismatch(s, "\"cpu\", \"cuda\" or \"cuda:N\"", idx);
    }
    *a = arg_device(d);
    return true;
}

static bool read_generator(Parser *s, int idx, Arg *a) {
    Generator *g;
    if (!bind_peek_generator(s->L, idx, &g)) {
        return mismatch(s, "a generator (make one with tocha.Generator())", idx);
    }
    *a = arg_generator(g);
    return true;
}

static bool read_value(Parser *s, int idx, Arg *a) {
    switch (s->param->type) {
    case PARAM_TENSOR:
    case PARAM_INDEX:
    case PARAM_MASK: return read_tensor(s, idx, a);
    case PARAM_TENSORS:
    case PARAM_INDICES: return read_tensors(s, idx, a);
    case PARAM_INTS:
    case PARAM_SHAPE:
    case PARAM_DIMS: return read_ints(s, idx, a);
    case PARAM_FLOATS: return read_floats(s, idx, a);
    case PARAM_INT:
    case PARAM_DIM:
    case PARAM_NEWDIM:
    case PARAM_POS: return read_integer(s, idx, a);
    case PARAM_NUMBER: return to_number(s, idx, a) ? true : mismatch(s, "a number", idx);
    case PARAM_SCALAR:
        return to_number(s, idx, a) || to_complex(s, idx, a) ? true : mismatch(s, "a number", idx);
    case PARAM_FLOAT:
        if (!to_number(s, idx, a)) {
            return mismatch(s, "a number", idx);
        }
        *a = arg_float(arg_number(*a));
        return true;
    case PARAM_BOOL:
        *a = arg_bool(lua_toboolean(s->L, idx));
        return lua_isboolean(s->L, idx) ? true : mismatch(s, "true or false", idx);
    case PARAM_STRING: return read_string(s, idx, a);
    case PARAM_DTYPE: return read_dtype(s, idx, a);
    case PARAM_GENERATOR: return read_generator(s, idx, a);
    default: return read_device(s, idx, a);
    }
}

/* A string that is no dtype may be meant for a later parameter, as in x:to("cuda"). */
static bool leave_to_next(Parser *s, int idx) {
    return s->param->type == PARAM_DTYPE && s->param->optional &&
           lua_type(s->L, idx) == LUA_TSTRING && dtype_parse(lua_tostring(s->L, idx)) == DT_NONE;
}

/* A trailing {} for a parameter that takes no list is a table of no options. Where forms are tried
 * another of them may take it for a list; the caller leaves it out if none does. */
static bool is_no_options(Parser *s, int idx) {
    if (s->quiet) {
        return false;
    }
    switch (s->param->type) {
    case PARAM_TENSORS:
    case PARAM_INDICES:
    case PARAM_INTS:
    case PARAM_SHAPE:
    case PARAM_FLOATS:
    case PARAM_DIMS: return false;
    default:
        if (!lua_istable(s->L, idx)) {
            return false;
        }
        lua_pushnil(s->L);
        bool empty = !lua_next(s->L, idx);
        lua_pop(s->L, empty ? 0 : 2);
        return empty;
    }
}

static bool read_positional(Parser *s, int last) {
    int pos = 1;
    for (int i = 0; i < s->op->n_params; i++) {
        Arg *a = &s->p->arg[i];
        s->param = &s->op->params[i];
        *a = arg_none();
        if (pos > last) {
            continue;
        }
        if (s->param->variadic && is_plain_integer(s->L, pos)) {
            if (!read_variadic(s, &pos, last, a)) {
                return false;
            }
            continue;
        }
        if (lua_isnil(s->L, pos)) {
            pos++;
            continue;
        }
        if (leave_to_next(s, pos) && i + 1 < s->op->n_params) {
            continue;
        }
        if (pos == last && s->param->optional && is_no_options(s, pos)) {
            pos++;
            continue;
        }
        if (!read_value(s, pos++, a)) {
            return false;
        }
    }
    if (pos <= last) {
        return s->quiet ? false
                        : bind_error(s->L, "%s: too many arguments; %s(%s)", s->op->public_name,
                                     s->op->public_name, s->op->sig);
    }
    return true;
}

/* The first key of the table that names no parameter. */
static const char *find_unknown(Parser *s, int table) {
    lua_State *L = s->L;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        bool known = lua_type(L, -1) != LUA_TSTRING;
        for (int i = 0; !known && i < s->op->n_params; i++) {
            known = strcmp(s->op->params[i].name, lua_tostring(L, -1)) == 0;
        }
        if (!known) {
            return lua_tostring(L, -1);
        }
    }
    return "";
}

static bool fail_unknown(Parser *s, int table) {
    const char *name = find_unknown(s, table);
    luaL_Buffer b;
    luaL_buffinit(s->L, &b);
    for (int i = 0; i < s->op->n_params; i++) {
        luaL_addstring(&b, i ? ", " : "");
        luaL_addstring(&b, s->op->params[i].name);
    }
    luaL_pushresult(&b);
    return bind_error(s->L, "%s: unknown option \"%s\"; known: %s", s->op->public_name, name,
                      lua_tostring(s->L, -1));
}

/* count: how many named entries the table has. What reading leaves on the stack stays there until
 * the call returns. */
static bool read_options(Parser *s, int table, int count) {
    lua_State *L = s->L;
    luaL_checkstack(L, 4 * MAX_ARGS, NULL);
    s->p->allocated = true;
    for (int i = 0; i < s->op->n_params && count; i++) {
        s->param = &s->op->params[i];
        lua_pushstring(L, s->param->name);
        if (lua_rawget(L, table) == LUA_TNIL) {
            lua_pop(L, 1);
            continue;
        }
        count--;
        if (s->p->arg[i].kind != ARG_NONE) {
            return s->quiet
                       ? false
                       : bind_error(L, "%s: %s is given twice", s->op->public_name, s->param->name);
        }
        if (!read_value(s, lua_gettop(L), &s->p->arg[i])) {
            return false;
        }
    }
    return count == 0 || (!s->quiet && fail_unknown(s, table));
}

/* How many named entries a trailing table of options has; 0 for anything else. */
static int count_options(lua_State *L, int idx) {
    int count = 0;
    if (!lua_istable(L, idx)) {
        return 0;
    }
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_pop(L, 1);
        count += lua_type(L, -1) == LUA_TSTRING;
    }
    return count;
}

/* The common call, such as a + b or x:relu(): tensors, or a number for one, and nothing else.
 * False: read it the long way, which also finds the words for what is wrong. */
static bool read_plain(lua_State *L, const Op *op, int last, Parsed *p) {
    if (!(op->flags & OPF_PLAIN) || last != op->tensor_params) {
        return false;
    }
    for (int i = 0; i < last; i++) {
        const Param *param = &op->params[i];
        Tensor *t = bind_peek_tensor(L, i + 1);
        if (param->type != PARAM_TENSOR) {
            return false;
        }
        if (t) {
            p->arg[i] = arg_tensor(t);
        } else if (i > 0 && !param->written && lua_type(L, i + 1) == LUA_TNUMBER) {
            p->arg[i] = lua_isinteger(L, i + 1) ? arg_int(lua_tointeger(L, i + 1))
                                                : arg_float(lua_tonumber(L, i + 1));
            p->has_numbers = true;
        } else {
            return false;
        }
    }
    for (int i = last; i < op->n_params; i++) {
        if (!op->params[i].optional) {
            return false;
        }
        p->arg[i] = arg_none();
    }
    return true;
}

bool bind_parse(lua_State *L, const Op *op, int last, Parsed *p, bool quiet) {
    p->n_ints = p->n_tensors = p->n_lists = 0;
    p->has_numbers = p->allocated = false;
    if (read_plain(L, op, last, p)) {
        return true;
    }
    p->has_numbers = false;
    int top = lua_gettop(L);
    Parser s = {.L = L, .op = op, .p = p, .quiet = quiet};
    int options = last ? count_options(L, last) : 0;
    bool only_options = options && lua_rawlen(L, last) == 0;
    bool ok = read_positional(&s, only_options ? last - 1 : last) &&
              (!options || read_options(&s, last, options));
    if (!ok) {
        lua_settop(L, top);
        return false;
    }
    for (int i = 0; i < op->n_params; i++) {
        if (p->arg[i].kind == ARG_NONE && !op->params[i].optional) {
            lua_settop(L, top);
            return quiet ? false
                         : bind_error(L, "%s: %s is missing; %s(%s)", op->public_name,
                                      op->params[i].name, op->public_name, op->sig);
        }
    }
    return true;
}

static void recheck_list(lua_State *L, const Op *op, int list, TensorList had) {
    for (int i = 0; i < had.n; i++) {
        lua_rawgeti(L, list, i + 1);
        if (had.v[i] && bind_peek_tensor(L, -1) != had.v[i]) {
            bind_error(L, "%s: a finalizer has changed the table of tensors", op->public_name);
        }
        lua_pop(L, 1);
    }
}

void bind_recheck(lua_State *L, const Op *op, int last, int first, const Parsed *p) {
    for (int i = 1, top = lua_gettop(L); i <= top; i = i == last ? first : i + 1) {
        if (i <= last || i >= first) {
            bind_to_tensor(L, i, op->public_name);
        }
    }
    for (int i = 0; i < p->n_lists; i++) {
        const Arg *list = p->list[i].arg;
        if (list->kind == ARG_TENSORS) {
            recheck_list(L, op, p->list[i].at, (TensorList){list->ts, list->count});
        }
    }
}

bool bind_wrap_numbers(const Op *op, Parsed *p) {
    for (int i = 0; i < op->n_params; i++) {
        Arg *a = &p->arg[i];
        if (op->params[i].type == PARAM_TENSOR && (a->kind == ARG_INT || a->kind == ARG_FLOAT)) {
            Tensor *t = a->kind == ARG_INT ? tensor_number_int(a->i) : tensor_number(a->f);
            if (!t) {
                return false;
            }
            *a = arg_tensor(t);
        }
    }
    return true;
}
