/* What the prompt's lines see: the session's variables first, then the globals.
 *
 * Every line is a chunk of its own, so a local of it would be gone on the next line. The outermost
 * locals of a chunk are therefore turned into variables of the session: a table that is the _ENV of
 * the prompt's chunks and falls back to the globals. They outlive the line and shadow globals, yet
 * other modules do not see them (`local type = 3` breaks no library). */
#include "vm_bindings/repl.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

static const char session_key, declared_key, loaded_key;
static const char *const libraries[] = {"tocha", "nn", "optim", "data", "train"};
enum { LIBRARIES = sizeof libraries / sizeof *libraries };

void session_push(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &session_key); }

/* Leaves as the end of input does: the state is closed, so files are flushed. */
static int leave(lua_State *L) {
    int code = lua_isboolean(L, 1) ? !lua_toboolean(L, 1) : (int)luaL_optinteger(L, 1, 0);
    lua_close(L);
    exit(code);
}

bool session_is_exit(lua_State *L, int index) { return lua_tocfunction(L, index) == leave; }

int session_open(lua_State *L) {
    lua_newtable(L);
    lua_pushcfunction(L, leave);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "exit");
    lua_setfield(L, -2, "quit");
    lua_createtable(L, 0, 2);
    lua_pushglobaltable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &session_key);
    return 0;
}

/* __newindex while a chunk with declarations runs: the declared names become the session's. */
static int assign(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &declared_key);
    lua_pushvalue(L, 2);
    bool declared = lua_rawget(L, -2) != LUA_TNIL;
    lua_settop(L, 3);
    if (declared) {
        lua_rawset(L, 1);
    } else {
        lua_pushglobaltable(L);
        lua_replace(L, 1);
        lua_settable(L, 1);
    }
    return 0;
}

/* Declares the names of the table at the top, and pops it. A table as __newindex is faster than a
 * function, so the function is there only while it is needed. */
static void declare(lua_State *L) {
    lua_rawsetp(L, LUA_REGISTRYINDEX, &declared_key);
    session_push(L);
    lua_getmetatable(L, -1);
    lua_pushcfunction(L, assign);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 2);
}

void session_settle(lua_State *L) {
    session_push(L);
    lua_getmetatable(L, -1);
    lua_pushliteral(L, "__newindex");
    lua_pushglobaltable(L);
    lua_rawset(L, -3);
    lua_pop(L, 2);
}

/* ---- Turning locals into variables of the session. */

typedef struct Rewriter {
    lua_State *L;
    const char *at, *end;
    const char *copied; /* up to where the text is in out */
    Text *out;
    int names; /* stack index: the set of declared names */
    int count;
} Rewriter;

static Token next_token(Rewriter *r) {
    Token t;
    do {
        t = scan_token(&r->at, r->end);
    } while (t.kind == TOKEN_COMMENT);
    return t;
}

static Token peek_token(const Rewriter *r) {
    Rewriter copy = *r;
    return next_token(&copy);
}

static void copy_to(Rewriter *r, const char *to) {
    text_add(r->out, r->copied, (size_t)(to - r->copied));
    r->copied = to;
}

/* Replaces a token by as many characters, so that places in error messages stay right. */
static void blank(Rewriter *r, const Token *t, const char *by) {
    copy_to(r, t->start);
    text_puts(r->out, by);
    text_spaces(r->out, t->length - strlen(by));
    r->copied = t->start + t->length;
}

static void add_name(Rewriter *r, const Token *t) {
    lua_pushlstring(r->L, t->start, t->length);
    lua_pushboolean(r->L, 1);
    lua_rawset(r->L, r->names);
    r->count++;
}

/* Whether the list of names behind `local` holds a variable to be closed: that one stays local, as
 * it is to be closed at the end of the line. */
static bool closes(Rewriter r) {
    for (;;) {
        next_token(&r);
        Token t = peek_token(&r);
        if (scan_is(&t, "<")) {
            next_token(&r);
            t = next_token(&r);
            if (scan_is(&t, "close")) {
                return true;
            }
            next_token(&r);
            t = peek_token(&r);
        }
        if (!scan_is(&t, ",")) {
            return false;
        }
        next_token(&r);
    }
}

/* `local a <const>, b` becomes `;     a        , b = nil`. The semicolon keeps the statement apart
 * from the one before it. */
static void rewrite_names(Rewriter *r) {
    for (;;) {
        Token t = next_token(r);
        add_name(r, &t);
        t = peek_token(r);
        if (scan_is(&t, "<")) {
            for (int i = 0; i < 3; i++) {
                t = next_token(r);
                blank(r, &t, "");
            }
            t = peek_token(r);
        }
        if (!scan_is(&t, ",")) {
            if (!scan_is(&t, "=")) {
                copy_to(r, r->at);
                text_puts(r->out, " = nil");
            }
            return;
        }
        next_token(r);
    }
}

static void rewrite_local(Rewriter *r, const Token *local) {
    Token t = peek_token(r);
    if (scan_is(&t, "function")) {
        Rewriter ahead = *r;
        next_token(&ahead);
        t = next_token(&ahead);
        blank(r, local, ";");
        add_name(r, &t);
    } else if (!closes(*r)) {
        blank(r, local, ";");
        rewrite_names(r);
    }
}

static int nesting(const Token *t) {
    static const char *const opening[] = {"function", "do", "repeat", "if", "(", "{", "[", NULL};
    static const char *const closing[] = {"end", "until", ")", "}", "]", NULL};
    if (t->kind == TOKEN_NAME || t->kind == TOKEN_SYMBOL) {
        for (int i = 0; opening[i]; i++) {
            if (scan_is(t, opening[i])) return 1;
        }
        for (int i = 0; closing[i]; i++) {
            if (scan_is(t, closing[i])) return -1;
        }
    }
    return 0;
}

void session_rewrite(lua_State *L, const char *text, size_t length, Text *out) {
    lua_newtable(L);
    Rewriter r = {.L = L, .at = text, .end = text + length, .copied = text, .out = out};
    r.names = lua_gettop(L);
    int depth = 0;
    for (Token t = next_token(&r); t.kind != TOKEN_END; t = next_token(&r)) {
        if (depth == 0 && t.kind == TOKEN_NAME && scan_is(&t, "local")) {
            rewrite_local(&r, &t);
        } else {
            depth += nesting(&t);
        }
    }
    copy_to(&r, r.end);
    if (r.count > 0) {
        declare(L);
    } else {
        lua_pop(L, 1);
    }
}

/* ---- The libraries as globals. */

const char *session_global(int i) {
    return i < LIBRARIES ? libraries[i] : i == LIBRARIES ? "help" : NULL;
}

static bool is_library(const char *name) {
    for (int i = 0; i < LIBRARIES; i++) {
        if (strcmp(libraries[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void push_required(lua_State *L, const char *name) {
    lua_getglobal(L, "require");
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
}

/* __index of the globals. The upvalue is the __index that was there before, or nil. */
static int find_global(lua_State *L) {
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    bool help = strcmp(name, "help") == 0;
    if (help || is_library(name)) {
        push_required(L, help ? "tocha" : name);
        if (help) {
            lua_getfield(L, -1, "help");
        }
        lua_pushvalue(L, 2);
        lua_pushvalue(L, -2);
        lua_rawset(L, 1);
        lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
        lua_pushvalue(L, 2);
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
        lua_pop(L, 1);
        return 1;
    }
    if (lua_isfunction(L, lua_upvalueindex(1))) {
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_insert(L, 1);
        lua_call(L, 2, 1);
        return 1;
    }
    if (lua_isnil(L, lua_upvalueindex(1))) {
        return 0;
    }
    lua_gettable(L, lua_upvalueindex(1));
    return 1;
}

int session_globals_open(lua_State *L) {
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &loaded_key);
    lua_pushglobaltable(L);
    if (!lua_getmetatable(L, -1)) {
        lua_createtable(L, 0, 1);
        lua_pushvalue(L, -1);
        lua_setmetatable(L, -3);
    }
    lua_pushliteral(L, "__index");
    lua_pushliteral(L, "__index");
    lua_rawget(L, -3);
    lua_pushcclosure(L, find_global, 1);
    lua_rawset(L, -3);
    return 0;
}

int session_globals_close(lua_State *L) {
    lua_pushglobaltable(L);
    int globals = lua_gettop(L);
    if (luaL_getmetafield(L, globals, "__index") == LUA_TNIL ||
        lua_tocfunction(L, -1) != find_global) {
        return 0;
    }
    lua_pushnil(L);
    lua_setmetatable(L, globals);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, globals);
    }
    return 0;
}
