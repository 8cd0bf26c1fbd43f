#ifndef TOCHA_JSON_LUA_H
#define TOCHA_JSON_LUA_H
/* JSON values and Lua values. A list is a table with 1..n, an object one with string keys; an
 * empty table becomes an object. */
#include <jansson.h>
#include <lua.h>
#include <stdbool.h>

/* The value at index as JSON, the caller's to json_decref(). NULL with an error recorded where it
 * holds what JSON cannot (functions, nan, invalid UTF-8, tables nested too deeply). Raises no Lua
 * error. */
json_t *json_from_lua(lua_State *L, int index);
/* Pushes a value; false, with an error recorded and nothing pushed, where it is nested too deeply.
 * Raises an error where Lua has no memory. */
bool json_to_lua(lua_State *L, json_t *value);
/* Pushes a userdata that holds NULL or a value, which the collector lets go. */
json_t **json_hold(lua_State *L);

#endif
