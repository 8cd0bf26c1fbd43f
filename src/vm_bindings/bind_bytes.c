/* Raw bytes: tocha.frombuffer and x:tobytes(). */
#include <string.h>

#include "autograd/tape.h"
#include "vm_bindings/bind.h"

static const char *const who = "frombuffer";

typedef struct Bytes {
    const char *from;
    int64_t count;
    int dtype;
    bool requires_grad;
} Bytes;

static bool run_from(void *ctx, Tensor **out) {
    const Bytes *b = ctx;
    Tensor *t = tensor_new(b->dtype, (Device){DEVICE_CPU, 0}, ints_one(&b->count), NULL);
    if (!t) {
        return bind_name_failure(who);
    }
    char *data = tensor_data(t);
    memcpy(data, b->from, (size_t)b->count * dtype_size(b->dtype));
    for (int64_t i = 0; b->dtype == DT_BOOL && i < b->count; i++) {
        data[i] = data[i] != 0;
    }
    out[0] = t;
    return !b->requires_grad || tensor_set_requires_grad(t, true);
}

/* The option of that name as an integer from least on, or fallback; what is left on the stack stays
 * there. */
static int64_t read_count(lua_State *L, const char *name, int64_t fallback) {
    if (lua_getfield(L, 2, name) == LUA_TNIL) {
        return fallback;
    }
    return bind_check_integer(L, -1, who, name);
}

static int read_dtype(lua_State *L) {
    if (lua_getfield(L, 2, "dtype") == LUA_TNIL) {
        return dtype_default();
    }
    int dtype = lua_type(L, -1) == LUA_TSTRING ? dtype_parse(lua_tostring(L, -1)) : DT_NONE;
    if (dtype == DT_NONE) {
        bind_error(L, "%s: dtype must be a dtype such as \"float32\", got %s", who,
                   bind_describe(L, -1));
    }
    return dtype;
}

static void check_options(lua_State *L) {
    static const char *const known[] = {"dtype", "count", "offset", "requires_grad"};
    if (!lua_istable(L, 2)) {
        bind_error(L, "%s: options must be a table such as {dtype = \"uint8\"}, got %s", who,
                   bind_describe(L, 2));
    }
    lua_pushnil(L);
    while (lua_next(L, 2)) {
        lua_pop(L, 1);
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known && lua_type(L, -1) == LUA_TSTRING;
             i++) {
            found |= strcmp(known[i], lua_tostring(L, -1)) == 0;
        }
        if (!found) {
            bind_error(L, "%s: unknown option %s; known: dtype, count, offset, requires_grad", who,
                       bind_describe(L, -1));
        }
    }
}

/* frombuffer(bytes, {dtype, count = -1, offset = 0, requires_grad}): a vector of count elements, or
 * of all there are, that stand in a string from offset bytes on, in this machine's byte order. */
static int from_buffer(lua_State *L) {
    if (lua_type(L, 1) != LUA_TSTRING) {
        return bind_error(L, "%s: bytes must be a string, got %s", who, bind_describe(L, 1));
    }
    lua_settop(L, 2);
    if (lua_isnil(L, 2)) {
        lua_newtable(L);
        lua_replace(L, 2);
    }
    check_options(L);
    Box *box = bind_push_box(L);
    size_t bytes;
    Bytes b = {.from = lua_tolstring(L, 1, &bytes), .dtype = read_dtype(L)};
    int64_t size = (int64_t)dtype_size(b.dtype), offset = read_count(L, "offset", 0);
    b.count = read_count(L, "count", -1);
    b.requires_grad = lua_getfield(L, 2, "requires_grad") != LUA_TNIL && lua_toboolean(L, -1);
    if (offset < 0 || (uint64_t)offset > bytes || b.count < -1) {
        return bind_error(L,
                          "%s: offset must be in [0, %lld], the number of bytes, and count at "
                          "least 0 (or -1 for all), got %lld and %lld",
                          who, (long long)bytes, (long long)offset, (long long)b.count);
    }
    int64_t left = (int64_t)bytes - offset;
    if (b.count == -1 ? left % size != 0 : b.count > left / size) {
        return bind_error(
            L, "%s: the %lld bytes from offset %lld on do not hold %s %s of %lld bytes", who,
            (long long)left, (long long)offset, b.count == -1 ? "whole" : "so many",
            dtype_name(b.dtype), (long long)size);
    }
    b.count = b.count == -1 ? left / size : b.count;
    b.from += offset;
    bind_run(L, run_from, &b, &box, 1);
    lua_pushvalue(L, 3);
    return 1;
}

static bool run_plain(void *ctx, Tensor **out) {
    Tensor *t = tensor_detach(ctx);
    if (t && t->device.kind != DEVICE_CPU) {
        t = t_move(t, (Device){DEVICE_CPU, 0});
    }
    out[0] = t_contiguous(t);
    return out[0] || bind_name_failure("tobytes");
}

/* x:tobytes(): the elements in row-major order as a string, as frombuffer reads it. */
static int to_bytes(lua_State *L) {
    lua_check_tensor(L, 1, "tobytes");
    Box *box = bind_push_box(L);
    bind_run(L, run_plain, lua_check_tensor(L, 1, "tobytes"), &box, 1);
    lua_pushlstring(L, tensor_data(box->t), (size_t)box->t->numel * dtype_size(box->t->dtype));
    return 1;
}

static const luaL_Reg functions[] = {{"frombuffer", from_buffer}, {NULL, NULL}};
static const luaL_Reg methods[] = {{"tobytes", to_bytes}, {NULL, NULL}};

void bind_bytes(lua_State *L) {
    luaL_setfuncs(L, functions, 0);
    bind_methods(L, methods);
}
