#include "vm_bindings/json_lua.h"

#include <lauxlib.h>
#include <math.h>

#include "base/error.h"

enum { MAX_DEPTH = 400, STACK_SLOTS = 6 };

static json_t *encode(lua_State *L, int index, int depth);

static json_t *encode_list(lua_State *L, int index, size_t n, int depth) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (size_t i = 1; ok && i <= n; i++) {
        lua_rawgeti(L, index, (lua_Integer)i);
        json_t *item = encode(L, lua_gettop(L), depth);
        ok = item && json_array_append_new(list, item) == 0;
        lua_pop(L, 1);
    }
    if (!ok) {
        json_decref(list);
        return fail_null("out of memory");
    }
    return list;
}

static json_t *encode_object(lua_State *L, int index, int depth) {
    json_t *object = json_object();
    if (!object) {
        return fail_null("out of memory");
    }
    lua_pushnil(L);
    while (lua_next(L, index)) {
        size_t n;
        int top = lua_gettop(L);
        bool named = lua_type(L, -2) == LUA_TSTRING;
        const char *key = named ? lua_tolstring(L, -2, &n) : NULL;
        json_t *value = named ? encode(L, top, depth) : NULL;
        if (!value || json_object_setn_new(object, key, n, value) != 0) {
            lua_settop(L, top - 2);
            json_decref(object);
            return fail_null("keys must be strings of valid UTF-8");
        }
        lua_settop(L, top - 1);
    }
    return object;
}

static json_t *encode_number(lua_State *L, int index) {
    if (lua_isinteger(L, index)) {
        return json_integer(lua_tointeger(L, index));
    }
    double f = lua_tonumber(L, index);
    return isfinite(f) ? json_real(f) : fail_null("nan and inf have no notation in JSON");
}

static json_t *encode_string(lua_State *L, int index) {
    size_t n;
    const char *s = lua_tolstring(L, index, &n);
    json_t *text = json_stringn(s, n);
    return text ? text : fail_null("strings must be valid UTF-8");
}

static json_t *encode(lua_State *L, int index, int depth) {
    if (depth > MAX_DEPTH || !lua_checkstack(L, STACK_SLOTS)) {
        return fail_null("tables are nested too deeply");
    }
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN: return json_boolean(lua_toboolean(L, index));
    case LUA_TNUMBER: return encode_number(L, index);
    case LUA_TSTRING: return encode_string(L, index);
    case LUA_TTABLE: {
        size_t n = lua_rawlen(L, index);
        return n > 0 ? encode_list(L, index, n, depth + 1) : encode_object(L, index, depth + 1);
    }
    default: return fail_null("a %s has no notation in JSON", luaL_typename(L, index));
    }
}

json_t *json_from_lua(lua_State *L, int index) { return encode(L, lua_absindex(L, index), 0); }

static bool decode(lua_State *L, json_t *value, int depth);

static bool decode_list(lua_State *L, json_t *list, int depth) {
    size_t n = json_array_size(list);
    lua_createtable(L, n < 1000 ? (int)n : 1000, 0);
    for (size_t i = 0; i < n; i++) {
        if (!decode(L, json_array_get(list, i), depth)) {
            return false;
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return true;
}

static bool decode_object(lua_State *L, json_t *object, int depth) {
    lua_newtable(L);
    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
        lua_pushlstring(L, json_object_iter_key(i), json_object_iter_key_len(i));
        if (!decode(L, json_object_iter_value(i), depth)) {
            return false;
        }
        lua_rawset(L, -3);
    }
    return true;
}

static bool decode(lua_State *L, json_t *value, int depth) {
    if (depth > MAX_DEPTH || !lua_checkstack(L, STACK_SLOTS)) {
        return fail("values are nested too deeply");
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT: return decode_object(L, value, depth + 1);
    case JSON_ARRAY: return decode_list(L, value, depth + 1);
    case JSON_STRING:
        lua_pushlstring(L, json_string_value(value), json_string_length(value));
        return true;
    case JSON_INTEGER: lua_pushinteger(L, json_integer_value(value)); return true;
    case JSON_REAL: lua_pushnumber(L, json_real_value(value)); return true;
    case JSON_TRUE:
    case JSON_FALSE: lua_pushboolean(L, json_is_true(value)); return true;
    case JSON_NULL: return fail("null has no counterpart");
    }
    return fail("unknown kind of value");
}

bool json_to_lua(lua_State *L, json_t *value) {
    int top = lua_gettop(L);
    bool ok = decode(L, value, 0);
    if (!ok) {
        lua_settop(L, top);
    }
    return ok;
}

static int release(lua_State *L) {
    json_t **slot = lua_touserdata(L, 1);
    json_decref(*slot);
    *slot = NULL;
    return 0;
}

json_t **json_hold(lua_State *L) {
    json_t **slot = lua_newuserdatauv(L, sizeof *slot, 0);
    *slot = NULL;
    if (luaL_newmetatable(L, "tocha.json")) {
        lua_pushcfunction(L, release);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return slot;
}
