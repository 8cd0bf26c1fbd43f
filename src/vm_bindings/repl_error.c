/* Errors as the user reads them: the message, and a traceback that ends at the user's code. Chunks
 * are called without a host function below them, so no frame of the host is there to be cut. */
#include "vm_bindings/repl.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRACEBACK   "\nstack traceback:"
#define INTERRUPTED "interrupted"

/* Arguments: the error value and a Text. */
static int describe(lua_State *L) {
    Text *out = lua_touserdata(L, 2);
    print_value(L, 1, out);
    return 0;
}

/* Pushes a text for an error value that is not a string. */
static void push_description(lua_State *L, int index) {
    Text text = {0};
    lua_pushcfunction(L, describe);
    lua_pushvalue(L, index);
    lua_pushlightuserdata(L, &text);
    int status = lua_pcall(L, 2, 0, 0);
    if (status == LUA_OK && !text.failed && text.length > 0) {
        lua_pushlstring(L, text.data, text.length);
    } else {
        lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, index));
    }
    text_free(&text);
}

/* Whether the function is error or assert, which say nothing about the place. */
static bool is_raiser(lua_State *L, lua_Debug *at) {
    if (at->what[0] != 'C') {
        return false;
    }
    int top = lua_gettop(L);
    lua_getinfo(L, "f", at);
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pushliteral(L, "error");
    lua_rawget(L, top + 2);
    lua_pushliteral(L, "assert");
    lua_rawget(L, top + 2);
    bool found = lua_rawequal(L, top + 1, -1) || lua_rawequal(L, top + 1, -2);
    lua_settop(L, top);
    return found;
}

/* Whether the message begins with the place where this frame is. */
static bool is_blamed(const lua_Debug *at, const char *message) {
    char place[LUA_IDSIZE + 32];
    int n = snprintf(place, sizeof place, "%s:%d:", at->short_src, at->currentline);
    return at->currentline > 0 && strncmp(message, place, (size_t)n) == 0;
}

static bool is_library(const lua_Debug *at) {
    return at->what[0] == 'C' || strstr(at->source, "/share/tocha/lua/");
}

/* The level at which the traceback starts: the frame that the message names, where only C functions
 * and the library are above it, or one function that blames its caller. Else the frame that raised
 * the error. */
static int first_level(lua_State *L, const char *message) {
    lua_Debug at;
    int first = 1;
    bool may_blame = false;
    for (int level = 1; lua_getstack(L, level, &at); level++) {
        lua_getinfo(L, "Sl", &at);
        if (is_blamed(&at, message)) {
            return level;
        }
        if (level == 1 && is_raiser(L, &at)) {
            first = 2;
            may_blame = true;
        } else if (!is_library(&at) && !may_blame) {
            return first;
        } else {
            may_blame = may_blame && is_library(&at);
        }
    }
    return first;
}

/* A line typed at the prompt has nothing to trace: the message names it. */
static bool says_nothing(const char *traceback) {
    const char *entry = strstr(traceback, "\n\t");
    return !entry || (strncmp(entry + 2, "prompt:", 7) == 0 && strstr(entry, "in main chunk") &&
                      !strchr(entry + 1, '\n'));
}

int error_handler(lua_State *L) {
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    if (lua_type(L, 1) != LUA_TSTRING) {
        push_description(L, 1);
        lua_replace(L, 1);
    }
    luaL_traceback(L, L, NULL, first_level(L, lua_tostring(L, 1)));
    luaL_gsub(L, lua_tostring(L, -1), "\n\t[C]: in ?", "");
    lua_remove(L, -2);
    if (says_nothing(lua_tostring(L, -1))) {
        lua_pop(L, 1);
        return 1;
    }
    lua_pushliteral(L, "\n");
    lua_insert(L, -2);
    lua_concat(L, 3);
    return 1;
}

static bool has_colour(void) {
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return !(no && *no) && term && *term && strcmp(term, "dumb") != 0 && isatty(STDERR_FILENO);
}

void error_report(lua_State *L, const char *prefix) {
    size_t length = 0;
    const char *message = lua_tolstring(L, -1, &length);
    if (!message) {
        message = "(error object is not a string)";
        length = strlen(message);
    }
    const char *red = "", *dim = "", *off = "";
    if (has_colour()) {
        red = "\033[31m";
        dim = "\033[2m";
        off = "\033[0m";
    }
    const char *trace = strstr(message, TRACEBACK);
    size_t head = trace ? (size_t)(trace - message) : length;
    fflush(stdout);
    fprintf(stderr, "%s%s", red, prefix);
    fwrite(message, 1, head, stderr);
    fputs(off, stderr);
    if (trace) {
        fprintf(stderr, "%s%s%s", dim, trace, off);
    }
    fputc('\n', stderr);
    fflush(stderr);
    lua_pop(L, 1);
}

int error_call(lua_State *L, int nargs, int nresults) {
    int handler = lua_gettop(L) - nargs;
    lua_pushcfunction(L, error_handler);
    lua_insert(L, handler);
    int status = lua_pcall(L, nargs, nresults, handler);
    lua_remove(L, handler);
    return status;
}

bool error_is_interrupt(lua_State *L) {
    const char *message = lua_tostring(L, -1);
    if (!message) {
        return false;
    }
    const char *end = strchr(message, '\n');
    size_t length = end ? (size_t)(end - message) : strlen(message);
    size_t word = strlen(INTERRUPTED);
    return length >= word && memcmp(message + length - word, INTERRUPTED, word) == 0;
}
