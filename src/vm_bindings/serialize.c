/* Tensors as bytes and as files; lua/tocha/save.lua builds save() and load() of it. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/tape.h"
#include "base/error.h"
#include "vm_bindings/hold.h"
#include "vm_bindings/json_lua.h"
#include "vm_bindings/safetensors.h"

/* Borrows from or creates in the open scope: the elements on the CPU, in row-major order. */
static Tensor *plain(Tensor *t) {
    Tensor *detached = tensor_detach(t);
    Tensor *here = detached ? t_to(detached, DT_NONE, (Device){DEVICE_CPU, 0}, false, false) : NULL;
    return here ? t_contiguous(here) : NULL;
}

typedef struct PlainRun {
    Tensor *tensor, **entry;
} PlainRun;

static bool run_plain(void *ctx) {
    PlainRun *r = ctx;
    Tensor *p = plain(r->tensor);
    *r->entry = tensor_retain(p);
    return p != NULL;
}

/* x:_to_string(): the elements as bytes, little-endian, row-major. */
static int l_to_string(lua_State *L) {
    Tensor **entry = hold_tensors(L, 1);
    PlainRun run = {bind_check_values(L, 1, "_to_string"), entry};
    if (!hold_run(L, run_plain, &run)) {
        return hold_failure(L);
    }
    Tensor *p = *entry;
    lua_pushlstring(L, tensor_data(p), (size_t)p->numel * dtype_size(p->dtype));
    *entry = NULL;
    tensor_release(p);
    return 1;
}

/* Reads the list of sizes at index; raises an error where it is none. */
static Ints check_shape(lua_State *L, int index, int64_t *shape) {
    luaL_checktype(L, index, LUA_TTABLE);
    lua_Unsigned dim = lua_rawlen(L, index);
    luaL_argcheck(L, dim <= MAX_DIMS, index, "has too many sizes");
    for (lua_Unsigned i = 0; i < dim; i++) {
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        shape[i] = luaL_checkinteger(L, -1);
        luaL_argcheck(L, shape[i] >= 0, index, "must hold sizes from 0");
        lua_pop(L, 1);
    }
    return (Ints){shape, (int)dim};
}

typedef struct BytesRun {
    const char *bytes;
    size_t length;
    int dtype;
    Ints shape;
    Tensor **entry;
} BytesRun;

static bool run_from_bytes(void *ctx) {
    BytesRun *r = ctx;
    int64_t numel = shape_numel(r->shape);
    size_t size = dtype_size(r->dtype);
    if (numel < 0 || (uint64_t)numel != r->length / size || r->length % size != 0) {
        return fail("%zu bytes do not make shape %s of %s", r->length, shape_text(r->shape),
                    dtype_name(r->dtype));
    }
    for (size_t i = 0; r->dtype == DT_BOOL && i < r->length; i++) {
        if ((unsigned char)r->bytes[i] > 1) {
            return fail("byte %zu of a bool tensor is neither 0 nor 1", i + 1);
        }
    }
    Tensor *t = tensor_new(r->dtype, (Device){DEVICE_CPU, 0}, r->shape, NULL);
    if (!t) {
        return false;
    }
    memcpy(tensor_data(t), r->bytes, r->length);
    *r->entry = scope_take(t);
    return true;
}

/* _from_string(bytes, dtype, shape): the tensor of such bytes; or nil and what is wrong. */
static int l_from_string(lua_State *L) {
    int64_t sizes[MAX_DIMS];
    BytesRun run = {NULL};
    run.bytes = luaL_checklstring(L, 1, &run.length);
    run.dtype = dtype_parse(luaL_checkstring(L, 2));
    luaL_argcheck(L, run.dtype != DT_NONE, 2, "must be a dtype");
    run.shape = check_shape(L, 3, sizes);
    run.entry = hold_tensors(L, 1);
    if (!hold_run(L, run_from_bytes, &run)) {
        return hold_failure(L);
    }
    hold_push(L, run.entry);
    return 1;
}

/* Raises an error unless names and tensors are lists of the same length n with such entries. */
static size_t check_lists(lua_State *L, int names, int tensors) {
    luaL_checktype(L, names, LUA_TTABLE);
    luaL_checktype(L, tensors, LUA_TTABLE);
    size_t n = lua_rawlen(L, names);
    luaL_argcheck(L, lua_rawlen(L, tensors) == n, tensors, "must be as long as the names");
    for (size_t i = 1; i <= n; i++) {
        luaL_argcheck(L, lua_rawgeti(L, names, (lua_Integer)i) == LUA_TSTRING, names,
                      "must hold strings");
        lua_rawgeti(L, tensors, (lua_Integer)i);
        bind_check_values(L, -1, "save");
        lua_pop(L, 2);
    }
    return n;
}

/* Fills text and entry from the checked lists at names and tensors, copying where needed. */
static bool make_plain(lua_State *L, int names, int tensors, const char **text, Tensor **entry,
                       size_t n) {
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, names, (lua_Integer)i + 1);
        text[i] = lua_tostring(L, -1); /* the list of names keeps it */
        lua_rawgeti(L, tensors, (lua_Integer)i + 1);
        PlainRun run = {bind_check_values(L, -1, "save"), &entry[i]};
        if (!hold_run(L, run_plain, &run)) {
            return false;
        }
        lua_pop(L, 2);
    }
    return true;
}

static void release_entries(Tensor **entry, size_t n) {
    for (size_t i = 0; i < n; i++) {
        tensor_release(entry[i]);
        entry[i] = NULL;
    }
}

/* _save(path, names, tensors, metadata): writes the file; true, or nil and what is wrong. */
static int l_save(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    size_t n = check_lists(L, 2, 3);
    luaL_checktype(L, 4, LUA_TTABLE);
    const char **text = lua_newuserdatauv(L, (n + 1) * sizeof *text, 0);
    Tensor **entry = hold_tensors(L, n);
    json_t **metadata = json_hold(L);
    *metadata = json_from_lua(L, 4);
    if (!*metadata || !make_plain(L, 2, 3, text, entry, n)) {
        return hold_failure(L);
    }
    bool ok = safe_write(path, text, entry, n, json_object_size(*metadata) ? *metadata : NULL);
    release_entries(entry, n);
    if (!ok) {
        return hold_failure(L);
    }
    lua_pushboolean(L, 1);
    return 1;
}

static int close_file(lua_State *L) {
    safe_close(lua_touserdata(L, 1));
    return 0;
}

static SafeFile *hold_file(lua_State *L) {
    SafeFile *f = lua_newuserdatauv(L, sizeof *f, 0);
    *f = (SafeFile){.fd = -1};
    if (luaL_newmetatable(L, "tocha.safetensors")) {
        lua_pushcfunction(L, close_file);
        lua_setfield(L, -2, "__gc");
        lua_pushcfunction(L, close_file);
        lua_setfield(L, -2, "__close");
    }
    lua_setmetatable(L, -2);
    return f;
}

typedef struct ReadRun {
    SafeFile *file;
    size_t next;
    Tensor **entry;
} ReadRun;

/* Holds each tensor before it is filled, so that a second attempt goes on where the first failed.
 */
static bool run_read(void *ctx) {
    ReadRun *r = ctx;
    for (; r->next < r->file->n; r->next++) {
        Tensor *t = safe_allocate(r->file, r->next);
        if (!t) {
            return false;
        }
        r->entry[r->next] = scope_take(t);
        if (!safe_read(r->file, r->next, t)) {
            return false;
        }
    }
    return true;
}

/* _load(path): the tensors by name and the metadata, both tables; or nil and what is wrong. */
static int l_load(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    SafeFile *f = hold_file(L);
    lua_toclose(L, -1);
    if (!safe_open(f, path)) {
        return hold_failure(L);
    }
    Tensor **entry = hold_tensors(L, f->n);
    ReadRun run = {f, 0, entry};
    if (!hold_run(L, run_read, &run)) {
        return hold_failure(L);
    }
    lua_newtable(L);
    for (size_t i = 0; i < f->n; i++) {
        lua_pushlstring(L, f->entry[i].name, f->entry[i].name_length);
        hold_push(L, &entry[i]);
        lua_rawset(L, -3);
    }
    lua_newtable(L);
    const char *key;
    json_t *value;
    json_object_foreach(f->metadata, key, value) {
        lua_pushlstring(L, json_string_value(value), json_string_length(value));
        lua_setfield(L, -2, key);
    }
    return 2;
}

/* _json_encode(value): its JSON text; or nil and what is wrong. */
static int l_json_encode(lua_State *L) {
    luaL_checkany(L, 1);
    json_t **held = json_hold(L);
    json_t **text = json_hold(L);
    *held = json_from_lua(L, 1);
    char *dumped = *held ? json_dumps(*held, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS |
                                                 JSON_REAL_PRECISION(17))
                         : NULL;
    *text = dumped ? json_string(dumped) : NULL;
    free(dumped);
    if (!*text) {
        return *held ? (fail("out of memory"), hold_failure(L)) : hold_failure(L);
    }
    lua_pushlstring(L, json_string_value(*text), json_string_length(*text));
    return 1;
}

/* _json_decode(text): the value; or nil and what is wrong. */
static int l_json_decode(lua_State *L) {
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    json_t **held = json_hold(L);
    json_error_t error;
    *held = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!*held) {
        fail("not valid JSON: %s", error.text);
        return hold_failure(L);
    }
    return json_to_lua(L, *held) ? 1 : hold_failure(L);
}

void bind_serialize(lua_State *L) {
    static const luaL_Reg methods[] = {{"_to_string", l_to_string}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"_from_string", l_from_string},
                                         {"_save", l_save},
                                         {"_load", l_load},
                                         {"_json_encode", l_json_encode},
                                         {"_json_decode", l_json_decode},
                                         {NULL, NULL}};
    bind_methods(L, methods);
    luaL_setfuncs(L, functions, 0);
}
