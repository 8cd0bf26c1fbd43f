/* x[i], x[{i, {first, last, step}, {}, mask, positions}], and the same on the left of "=". */
#include <string.h>

#include "vm_bindings/bind.h"

typedef enum { ITEM_ALL, ITEM_REST, ITEM_SELECT, ITEM_RANGE, ITEM_TENSOR } ItemKind;

typedef struct Item {
    ItemKind kind;
    int64_t first, last, step; /* 0-based or negative; ITEM_SELECT uses first */
    Tensor *tensor;
} Item;

typedef struct Selection {
    Tensor *input;
    Item item[2 * MAX_DIMS];
    int n;
    Arg value; /* for assignment: a tensor or a number */
} Selection;

static int64_t check_position(lua_State *L, int idx, const char *what) {
    lua_Integer v = bind_check_integer(L, idx, "index", what);
    return v > 0 ? v - 1 : v == 0 ? POSITION_ZERO : v;
}

static int64_t range_part(lua_State *L, int idx, int part, int64_t fallback, bool position) {
    int64_t v = fallback;
    if (lua_rawgeti(L, idx, part) != LUA_TNIL) {
        v = position ? check_position(L, -1, "a range")
                     : bind_check_integer(L, -1, "index", "a step");
    }
    lua_pop(L, 1);
    return v;
}

/* {} is all, {i} the range from i to i, {first, last} and {first, last, step} ranges. */
static Item read_range(lua_State *L, int idx) {
    lua_Integer n = (lua_Integer)lua_rawlen(L, idx);
    if (n > 3 || n < 0) {
        bind_error(L,
                   "index: a range is {first, last, step}, got %lld entries; to pick positions use "
                   "tocha.tensor{...}",
                   (long long)n);
    }
    if (n == 0) {
        return (Item){.kind = ITEM_ALL};
    }
    int64_t first = range_part(L, idx, 1, 0, true);
    return (Item){.kind = ITEM_RANGE,
                  .first = first,
                  .last = range_part(L, idx, 2, first, true),
                  .step = range_part(L, idx, 3, 1, false)};
}

static Item read_item(lua_State *L, int idx) {
    if (lua_type(L, idx) == LUA_TNUMBER) {
        return (Item){.kind = ITEM_SELECT, .first = check_position(L, idx, "a position")};
    }
    if (lua_istable(L, idx)) {
        return read_range(L, lua_absindex(L, idx));
    }
    if (lua_type(L, idx) == LUA_TSTRING && strcmp(lua_tostring(L, idx), "...") == 0) {
        return (Item){.kind = ITEM_REST};
    }
    Tensor *t = lua_type(L, idx) == LUA_TUSERDATA ? bind_to_tensor(L, idx, "index") : NULL;
    if (!t) {
        bind_error(L,
                   "index: expected an integer, a range, a mask or a tensor of positions, got %s",
                   bind_describe(L, idx));
    }
    return (Item){.kind = ITEM_TENSOR, .tensor = t};
}

/* The dims of the input that an item stands for. */
static int dims_of(const Item *item) {
    if (item->kind == ITEM_REST) {
        return 0;
    }
    bool mask = item->kind == ITEM_TENSOR && item->tensor->dtype == DT_BOOL;
    return mask ? item->tensor->dim : 1;
}

static void check_dims(lua_State *L, const Selection *s) {
    int dims = 0, rests = 0;
    for (int i = 0; i < s->n; i++) {
        dims += dims_of(&s->item[i]);
        rests += s->item[i].kind == ITEM_REST;
    }
    if (dims > s->input->dim) {
        bind_error(L, "index: %d indices for a tensor of %d dim%s (%s)", dims, s->input->dim,
                   s->input->dim == 1 ? "" : "s", shape_text(tensor_shape(s->input)));
    }
    if (rests > 1) {
        bind_error(L, "index: \"...\" may stand once");
    }
}

/* Reads the key at stack entry 2. */
static void read_selection(lua_State *L, Selection *s) {
    s->input = lua_check_tensor(L, 1, "index");
    s->n = 0;
    if (!lua_istable(L, 2)) {
        s->item[s->n++] = read_item(L, 2);
    } else {
        lua_Integer n = (lua_Integer)lua_rawlen(L, 2);
        if (n > 2 * MAX_DIMS || n < 0) {
            bind_error(L, "index: %lld indices for a tensor of %d dims", (long long)n,
                       s->input->dim);
        }
        for (lua_Integer i = 1; i <= n; i++) {
            lua_rawgeti(L, 2, i);
            s->item[s->n++] = read_item(L, -1);
            lua_pop(L, 1); /* the key's table keeps a tensor alive */
        }
    }
    check_dims(L, s);
}

typedef struct Picked {
    Tensor *view;
    Tensor *index[3 * MAX_DIMS]; /* for index and index_put: NULL for a whole dim of view */
    int n;                       /* entries of index in use; 0: view alone is the result */
} Picked;

/* Puts a tensor that stands for dims of the view from dim on behind what the list has for the first
 * covered dims; returns how many dims it covers then. */
static int add_index(Picked *p, int covered, int dim, const Item *item) {
    while (covered < dim) {
        p->index[p->n++] = NULL;
        covered++;
    }
    p->index[p->n++] = item->tensor;
    return covered + dims_of(item);
}

/* Takes the views; tensors are left for index and index_put. */
static bool pick(const Selection *s, Picked *p) {
    int used = 0, dim = 0, covered = 0;
    for (int i = 0; i < s->n; i++) {
        used += dims_of(&s->item[i]);
    }
    *p = (Picked){.view = s->input};
    for (int i = 0; i < s->n && p->view; i++) {
        const Item *item = &s->item[i];
        switch (item->kind) {
        case ITEM_ALL: dim++; break;
        case ITEM_REST: dim += s->input->dim - used; break;
        case ITEM_SELECT: p->view = t_select(p->view, dim, item->first); break;
        case ITEM_RANGE:
            p->view = t_slice(p->view, dim++, item->first, item->last, item->step);
            break;
        case ITEM_TENSOR:
            covered = add_index(p, covered, dim, item);
            dim += dims_of(item);
            break;
        }
    }
    return p->view != NULL;
}

static Tensor *get(const Selection *s) {
    Picked p;
    if (!pick(s, &p)) {
        return NULL;
    }
    if (p.n) {
        return t_index(p.view, (TensorList){p.index, p.n});
    }
    if (p.view != s->input) {
        return p.view;
    }
    return s->input->dim ? t_slice(p.view, 0, 0, -1, 1) : t_view(p.view, (Ints){NULL, 0});
}

/* Errors of the ops that an index is made of are told as those of "index". */
static bool run_get(void *ctx, Tensor **out) {
    out[0] = get(ctx);
    if (!out[0]) {
        op_name_error("index");
    }
    return out[0] != NULL;
}

static bool set(Selection *s) {
    Picked p;
    if (!pick(s, &p)) {
        return false;
    }
    Tensor *value = s->value.kind == ARG_TENSOR ? s->value.t : NULL;
    if (p.n == 0) {
        return value ? t_copy_(p.view, value, false) != NULL : t_fill_(p.view, s->value) != NULL;
    }
    if (!value) {
        value =
            s->value.kind == ARG_INT ? tensor_number_int(s->value.i) : tensor_number(s->value.f);
    }
    return value && t_index_put_(p.view, (TensorList){p.index, p.n}, value, false) != NULL;
}

static bool run_set(void *ctx, Tensor **out) {
    (void)out;
    bool ok = set(ctx);
    if (!ok) {
        op_name_error("index");
    }
    return ok;
}

int bind_index_get(lua_State *L) {
    Selection s;
    lua_settop(L, 2);
    Box *box = bind_push_box(L);
    read_selection(L, &s);
    bind_run(L, run_get, &s, &box, 1);
    return 1;
}

int bind_index_set(lua_State *L) {
    Selection s;
    lua_settop(L, 3);
    read_selection(L, &s);
    Tensor *value = lua_type(L, 3) == LUA_TUSERDATA ? bind_to_tensor(L, 3, "index") : NULL;
    if (value) {
        s.value = arg_tensor(value);
    } else if (lua_isinteger(L, 3)) {
        s.value = arg_int(lua_tointeger(L, 3));
    } else if (lua_type(L, 3) == LUA_TNUMBER) {
        s.value = arg_float(lua_tonumber(L, 3));
    } else if (lua_isboolean(L, 3)) {
        s.value = arg_int(lua_toboolean(L, 3));
    } else {
        return bind_error(L, "index: a tensor or a number can be assigned, got %s",
                          bind_describe(L, 3));
    }
    bind_run(L, run_set, &s, NULL, 0);
    return 0;
}
