/* One C function binds every operator: its row is an upvalue. */
#include <stdio.h>
#include <string.h>

#include "vm_bindings/bind.h"

typedef struct OpRun {
    const Op *op;
    Parsed *parsed;
    bool inplace;
} OpRun;

static bool run_parsed(const OpRun *r, Tensor **out) {
    const Arg *arg = r->parsed->arg;
    return r->inplace ? op_call_inplace(r->op, arg) : op_call(r->op, arg, out);
}

static bool run_with_numbers(OpRun *r, Tensor **out) {
    if (!r->parsed->has_numbers) {
        return run_parsed(r, out);
    }
    /* A second attempt starts from the same arguments. */
    Arg given[MAX_ARGS];
    memcpy(given, r->parsed->arg, r->op->n_params * sizeof *given);
    bool ok = bind_wrap_numbers(r->op, r->parsed) && run_parsed(r, out);
    memcpy(r->parsed->arg, given, r->op->n_params * sizeof *given);
    return ok;
}

static bool run_op(void *ctx, Tensor **out) {
    OpRun *r = ctx;
    char name[64];
    if (run_with_numbers(r, out)) {
        return true;
    }
    snprintf(name, sizeof name, "%s%s", r->op->public_name, r->inplace ? "_" : "");
    return bind_name_failure(name);
}

/* A C function has room for at least LUA_MINSTACK values besides its arguments. The metatable is
 * the function's second upvalue: small ops would notice a look into the registry. */
static void push_boxes(lua_State *L, Box **box, int n) {
    _Static_assert(MAX_OUTS + 4 <= LUA_MINSTACK, "boxes fit on the stack");
    bind_before_boxes(L);
    for (int k = 0; k < n; k++) {
        box[k] = lua_newuserdatauv(L, sizeof *box[k], 0);
        *box[k] = (Box){.magic = &box_magic};
        lua_pushvalue(L, lua_upvalueindex(2));
        lua_setmetatable(L, -2);
    }
}

/* Upvalues: the row, the tensors' metatable. The results' boxes stand right behind the arguments.
 */
static int call_op(lua_State *L) {
    Parsed parsed;
    OpRun r = {.op = lua_touserdata(L, lua_upvalueindex(1)), .parsed = &parsed};
    Box *box[MAX_OUTS];
    int last = lua_gettop(L), n = r.op->n_outs;
    push_boxes(L, box, n);
    bind_parse(L, r.op, last, &parsed, false);
    if (parsed.allocated) {
        bind_recheck(L, r.op, last, last + n + 1, &parsed);
    }
    bind_run(L, run_op, &r, box, n);
    lua_settop(L, last + n);
    return n;
}

static int call_op_inplace(lua_State *L) {
    Parsed parsed;
    OpRun r = {.op = lua_touserdata(L, lua_upvalueindex(1)), .parsed = &parsed, .inplace = true};
    if (!lua_isnone(L, 1)) {
        lua_check_tensor(L, 1, r.op->public_name);
    }
    int last = lua_gettop(L);
    bind_parse(L, r.op, last, &parsed, false);
    if (parsed.allocated) {
        bind_recheck(L, r.op, last, last + 1, &parsed);
    }
    bind_run(L, run_op, &r, NULL, 0);
    lua_settop(L, 1);
    return 1;
}

static bool same_name(const Op *a, const Op *b) {
    return strcmp(a->public_name, b->public_name) == 0;
}

/* A set of rows with one public name: from first on, those with all of the flags. */
typedef struct Forms {
    const Op *first;
    uint32_t flags;
} Forms;

/* The form behind op (NULL: the first); NULL: there is none. */
static const Op *next_form(const Forms *f, const Op *op) {
    for (op = op ? op + 1 : f->first; op < op_table + N_OPS && same_name(f->first, op); op++) {
        if ((op->flags & f->flags) == f->flags) {
            return op;
        }
    }
    return NULL;
}

/* The first form that takes the arguments; NULL: none does. */
static const Op *find_form(lua_State *L, const Forms *f, Parsed *parsed) {
    const Op *op = next_form(f, NULL);
    while (op && !bind_parse(L, op, lua_gettop(L), parsed, true)) {
        op = next_form(f, op);
    }
    return op;
}

static bool is_empty_table(lua_State *L, int idx) {
    if (!lua_istable(L, idx)) {
        return false;
    }
    lua_pushnil(L);
    bool empty = !lua_next(L, idx);
    lua_pop(L, empty ? 0 : 2);
    return empty;
}

/* As find_form, with a trailing {} taken for no options if nothing else fits. */
static const Op *choose_form(lua_State *L, const Forms *f, Parsed *parsed) {
    const Op *op = find_form(L, f, parsed);
    int top = lua_gettop(L);
    if (!op && top > 0 && is_empty_table(L, top)) {
        lua_settop(L, top - 1);
        op = find_form(L, f, parsed);
    }
    return op;
}

static int fail_forms(lua_State *L, const Forms *f) {
    const char *mark = f->flags & OPF_INPLACE ? "_" : "";
    int top = lua_gettop(L);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (int i = 1; i <= top; i++) {
        luaL_addstring(&b, i > 1 ? ", " : "");
        bind_describe(L, i);
        luaL_addvalue(&b);
    }
    luaL_addstring(&b, "); forms: ");
    for (const Op *op = next_form(f, NULL), *first = op; op; op = next_form(f, op)) {
        lua_pushfstring(L, "%s%s%s(%s)", op == first ? "" : ", ", op->public_name, mark, op->sig);
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
    return bind_error(L, "%s%s: no form takes (%s", f->first->public_name, mark,
                      lua_tostring(L, -1));
}

/* Rows with one public name stand together; the first that takes the arguments is called. */
static int call_overloaded(lua_State *L) {
    Forms forms = {.first = lua_touserdata(L, lua_upvalueindex(1))};
    Parsed parsed;
    OpRun r = {.op = choose_form(L, &forms, &parsed), .parsed = &parsed};
    if (!r.op) {
        return fail_forms(L, &forms);
    }
    Box *box[MAX_OUTS];
    int read = lua_gettop(L);
    push_boxes(L, box, r.op->n_outs);
    bind_recheck(L, r.op, read, lua_gettop(L) + 1, &parsed);
    bind_run(L, run_op, &r, box, r.op->n_outs);
    return r.op->n_outs;
}

/* The same for those with an in-place form. */
static int call_overloaded_inplace(lua_State *L) {
    Forms forms = {.first = lua_touserdata(L, lua_upvalueindex(1)), .flags = OPF_INPLACE};
    Parsed parsed;
    if (!lua_isnone(L, 1)) {
        lua_check_tensor(L, 1, forms.first->public_name);
    }
    OpRun r = {.op = choose_form(L, &forms, &parsed), .parsed = &parsed, .inplace = true};
    if (!r.op) {
        return fail_forms(L, &forms);
    }
    int read = lua_gettop(L);
    bind_recheck(L, r.op, read, read + 1, &parsed);
    bind_run(L, run_op, &r, NULL, 0);
    lua_settop(L, 1);
    return 1;
}

/* Unary metamethods are called with the operand twice. */
static int call_unary(lua_State *L) {
    lua_settop(L, 1);
    return call_op(L);
}

static void push_closure(lua_State *L, const Op *op, lua_CFunction f) {
    lua_pushlightuserdata(L, (void *)op);
    bind_push_metatable(L);
    lua_pushcclosure(L, f, 2);
}

static const struct {
    const char *event, *op;
    lua_CFunction call;
} operators[] = {{"__add", "add", call_op},
                 {"__sub", "sub", call_op},
                 {"__mul", "mul", call_op},
                 {"__div", "div", call_op},
                 {"__idiv", "floor_divide", call_op},
                 {"__mod", "remainder", call_op},
                 {"__pow", "pow", call_op},
                 {"__unm", "neg", call_unary},
                 {"__band", "bitwise_and", call_op},
                 {"__bor", "bitwise_or", call_op},
                 {"__bxor", "bitwise_xor", call_op},
                 {"__bnot", "bitwise_not", call_unary},
                 {"__shl", "bitwise_left_shift", call_op},
                 {"__shr", "bitwise_right_shift", call_op}};

static void add_operators(lua_State *L) {
    lua_getfield(L, -1, "metatable");
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        push_closure(L, op_find(operators[i].op), operators[i].call);
        lua_setfield(L, -2, operators[i].event);
    }
    lua_pop(L, 1);
}

static bool is_method(const Op *op) { return op->n_params && op->params[0].type <= PARAM_MASK; }

/* Pops a closure into core and, for methods, into their table: core, methods and the closure are
 * the top of the stack. */
static void add_both(lua_State *L, const char *name, bool method) {
    if (method) {
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, name);
    }
    lua_setfield(L, -3, name);
}

/* The function of the forms, and that of their in-place forms. */
static void add_forms(lua_State *L, const Op *first) {
    Forms all = {.first = first}, written = {.first = first, .flags = OPF_INPLACE};
    bool method = is_method(first);
    push_closure(L, first, next_form(&all, first) ? call_overloaded : call_op);
    add_both(L, first->public_name, method);
    const Op *op = next_form(&written, NULL);
    if (op) {
        char name[64];
        snprintf(name, sizeof name, "%s_", op->public_name);
        push_closure(L, op, next_form(&written, op) ? call_overloaded_inplace : call_op_inplace);
        add_both(L, name, true);
    }
}

void bind_ops(lua_State *L) {
    bind_push_methods(L);
    for (const Op *op = op_table; op < op_table + N_OPS; op++) {
        if (op == op_table || !same_name(op, op - 1)) {
            add_forms(L, op);
        }
    }
    lua_pop(L, 1);
    add_operators(L);
}
