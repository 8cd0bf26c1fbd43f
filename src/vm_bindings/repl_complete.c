/* Completion: names, fields, methods, and file names inside strings. Fields are looked up without
 * calling anything: raw tables, __index tables, and the table __methods of a metatable. */
#include "vm_bindings/repl.h"

#include <dirent.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_CHAIN = 16, MAX_TOKENS = 64, MAX_VISITED = 100000, MAX_CANDIDATES = 5000 };

/* What is asked: the tokens before the word, and the word. */
typedef struct Query {
    Token tokens[MAX_TOKENS]; /* the last ones */
    int count;
    Token word; /* may be empty */
    Candidates *out;
    bool methods;
} Query;

static void add(Candidates *c, const char *s, size_t n) {
    if (c->count == MAX_CANDIDATES) {
        return;
    }
    if (c->count == c->capacity) {
        size_t wanted = c->capacity ? c->capacity * 2 : 32;
        char **grown = realloc(c->names, wanted * sizeof *grown);
        if (!grown) {
            return;
        }
        c->names = grown;
        c->capacity = wanted;
    }
    char *copy = strndup(s, n);
    if (copy) {
        c->names[c->count++] = copy;
    }
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_and_deduplicate(Candidates *c) {
    if (c->count < 2) {
        return;
    }
    qsort(c->names, c->count, sizeof *c->names, compare_names);
    size_t kept = 1;
    for (size_t i = 1; i < c->count; i++) {
        if (strcmp(c->names[i], c->names[kept - 1]) == 0) {
            free(c->names[i]);
        } else {
            c->names[kept++] = c->names[i];
        }
    }
    c->count = kept;
}

void complete_free(Candidates *c) {
    for (size_t i = 0; i < c->count; i++) {
        free(c->names[i]);
    }
    free(c->names);
    *c = (Candidates){0};
}

/* ---- File names. */

static void add_entry(const char *directory, size_t directory_length, const char *name,
                      Candidates *out) {
    Text path = {0};
    struct stat info;
    text_add(&path, directory, directory_length);
    text_puts(&path, name);
    if (!path.failed) {
        if (stat(path.data, &info) == 0 && S_ISDIR(info.st_mode)) {
            text_puts(&path, "/");
        }
        add(out, path.data, path.length);
    }
    text_free(&path);
}

static void find_files(const char *prefix, size_t n, Candidates *out) {
    size_t split = n;
    while (split > 0 && prefix[split - 1] != '/') {
        split--;
    }
    char *directory = split > 0 ? strndup(prefix, split) : strdup(".");
    DIR *dir = directory ? opendir(directory) : NULL;
    free(directory);
    if (!dir) {
        return;
    }
    const char *start = prefix + split;
    size_t length = n - split;
    const struct dirent *entry;
    while ((entry = readdir(dir))) {
        const char *name = entry->d_name;
        bool dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
        bool hidden = name[0] == '.' && length == 0;
        if (!dots && !hidden && strncmp(name, start, length) == 0) {
            add_entry(prefix, split, name, out);
        }
    }
    closedir(dir);
}

/* ---- Names. */

/* Offers the string key at the top if it continues the word. Names that begin with _ are internal
 * by convention: they come only when the word begins so too. */
static void offer(lua_State *L, Query *q, int value) {
    size_t n;
    const char *s = lua_tolstring(L, -1, &n);
    const Token *word = &q->word;
    bool wanted = n >= word->length && memcmp(s, word->start, word->length) == 0 &&
                  (s[0] != '_' || word->length > 0);
    if (wanted && (!q->methods || lua_isfunction(L, value))) {
        add(q->out, s, n);
        q->out->suffix = lua_isfunction(L, value) ? '(' : 0;
    }
}

static void offer_text(lua_State *L, Query *q, const char *s) {
    lua_pushnil(L);
    lua_pushstring(L, s);
    offer(L, q, lua_gettop(L) - 1);
    lua_pop(L, 2);
}

static void offer_fields(lua_State *L, Query *q, int table) {
    int visited = 0;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_insert(L, -2);
        size_t n = 0;
        const char *s = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &n) : NULL;
        if (s && scan_is_name(s, n)) {
            offer(L, q, lua_gettop(L) - 1);
        }
        lua_remove(L, -2);
        if (++visited == MAX_VISITED) {
            lua_pop(L, 1);
            return;
        }
    }
}

/* Pushes a metatable's field if it is a table; else pushes nothing. */
static bool push_meta(lua_State *L, int index, const char *field) {
    if (!lua_getmetatable(L, index)) {
        return false;
    }
    lua_pushstring(L, field);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    if (lua_istable(L, -1)) {
        return true;
    }
    lua_pop(L, 1);
    return false;
}

/* Offers all fields of the value at the top, the inherited ones too; pops it. */
static void offer_value(lua_State *L, Query *q, int depth) {
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    int value = lua_gettop(L);
    if (lua_istable(L, value)) {
        offer_fields(L, q, value);
    }
    if (depth < MAX_CHAIN) {
        if (push_meta(L, value, "__index")) {
            offer_value(L, q, depth + 1);
        }
        if (push_meta(L, value, "__methods")) {
            offer_value(L, q, MAX_CHAIN);
        }
    }
    lua_settop(L, value - 1);
}

/* Replaces the value at the top by its field, whose key lies below it; nil where there is none. */
static void get_field(lua_State *L, int depth) {
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    int value = lua_gettop(L), key = value - 1;
    static const char *const ways[] = {"__index", "__methods"};
    lua_pushnil(L);
    if (lua_istable(L, value)) {
        lua_pushvalue(L, key);
        lua_rawget(L, value);
        lua_replace(L, value + 1);
    }
    for (int i = 0; i < 2 && depth < MAX_CHAIN && lua_isnil(L, value + 1); i++) {
        if (push_meta(L, value, ways[i])) {
            lua_pushvalue(L, key);
            lua_insert(L, -2);
            get_field(L, depth + 1);
            lua_replace(L, value + 1);
            lua_settop(L, value + 1);
        }
    }
    lua_replace(L, value);
}

/* Pushes the variable of that name; a library that is not loaded yet is loaded. */
static void push_variable(lua_State *L, const Token *name) {
    lua_pushlstring(L, name->start, name->length);
    session_push(L);
    get_field(L, 0);
    if (lua_isnil(L, -1)) {
        const char *library;
        for (int i = 0; (library = session_global(i)); i++) {
            if (scan_is(name, library)) {
                lua_getglobal(L, library);
                lua_replace(L, -2);
            }
        }
    }
    lua_remove(L, -2);
}

/* Where the chain of names, fields and literal indices that ends before tokens[end] starts, or -1.
 */
static int chain_start(const Query *q, int end) {
    int i = end;
    for (;;) {
        if (i >= 3 && scan_is(&q->tokens[i - 1], "]") && scan_is(&q->tokens[i - 3], "[")) {
            i -= 3;
            continue;
        }
        if (i < 1 || q->tokens[i - 1].kind != TOKEN_NAME) {
            return -1;
        }
        i--;
        if (i < 1 || !(scan_is(&q->tokens[i - 1], ".") || scan_is(&q->tokens[i - 1], ":"))) {
            return i;
        }
        i--;
    }
}

/* Pushes the value of a literal number or plain string, nil for others. */
static void push_literal(lua_State *L, const Token *t) {
    if (t->kind == TOKEN_STRING && !t->open && t->length >= 2 && t->start[0] != '[' &&
        !memchr(t->start, '\\', t->length)) {
        lua_pushlstring(L, t->start + 1, t->length - 2);
        return;
    }
    char number[64];
    snprintf(number, sizeof number, "%.*s", (int)t->length, t->start);
    if (t->kind != TOKEN_NUMBER || lua_stringtonumber(L, number) != t->length + 1) {
        lua_pushnil(L);
    }
}

/* Pushes what the chain in tokens[start..end) is, nil where it leads nowhere. */
static void push_chain(lua_State *L, const Query *q, int start, int end) {
    push_variable(L, &q->tokens[start]);
    for (int i = start + 1; i < end;) {
        const Token *key = &q->tokens[i + 1];
        if (scan_is(&q->tokens[i], "[")) {
            push_literal(L, key);
            i += 3;
        } else {
            lua_pushlstring(L, key->start, key->length);
            i += 2;
        }
        lua_insert(L, -2);
        if (lua_isnil(L, -2)) {
            lua_settop(L, -2);
        } else {
            get_field(L, 0);
            lua_remove(L, -2);
        }
    }
}

static int find_names(lua_State *L) {
    Query *q = lua_touserdata(L, 1);
    const Token *last = q->count > 0 ? &q->tokens[q->count - 1] : NULL;
    if (last && (scan_is(last, ".") || scan_is(last, ":"))) {
        q->methods = scan_is(last, ":");
        int start = chain_start(q, q->count - 1);
        if (start >= 0) {
            push_chain(L, q, start, q->count - 1);
            offer_value(L, q, 0);
        }
        return 0;
    }
    session_push(L);
    offer_value(L, q, 0);
    const char *name;
    for (int i = 0; (name = scan_keyword(i)); i++) {
        offer_text(L, q, name);
    }
    for (int i = 0; (name = session_global(i)); i++) {
        lua_pushglobaltable(L);
        bool there = luaL_getmetafield(L, -1, "__index") != LUA_TNIL;
        if (there) {
            offer_text(L, q, name);
        }
        lua_settop(L, 1);
    }
    return 0;
}

/* Reads the tokens. Returns false inside a comment, where nothing is completed. */
static bool read_tokens(const char *text, size_t n, Query *q) {
    const char *at = text, *end = text + n;
    for (Token t = scan_token(&at, end); t.kind != TOKEN_END; t = scan_token(&at, end)) {
        if (t.kind == TOKEN_COMMENT) {
            if (t.open) {
                return false;
            }
            continue;
        }
        if (q->count == MAX_TOKENS) {
            memmove(q->tokens, q->tokens + 1, (MAX_TOKENS - 1) * sizeof(Token));
            q->count--;
        }
        q->tokens[q->count++] = t;
    }
    q->word = (Token){.kind = TOKEN_NAME, .start = end};
    const Token *last = q->count > 0 ? &q->tokens[q->count - 1] : NULL;
    if (last && last->start + last->length == end) {
        if (last->kind == TOKEN_NUMBER) {
            return false;
        }
        if (last->kind == TOKEN_NAME) {
            q->word = *last;
            q->count--;
        }
    }
    return true;
}

void complete_find(lua_State *L, const char *text, size_t n, Candidates *out) {
    Query q = {.out = out};
    *out = (Candidates){0};
    if (!read_tokens(text, n, &q)) {
        return;
    }
    const Token *last = q.count > 0 ? &q.tokens[q.count - 1] : NULL;
    if (last && last->kind == TOKEN_STRING && last->open) {
        if (last->start[0] != '[') {
            const char *start = last->start + 1;
            out->from = (size_t)(start - text);
            find_files(start, n - out->from, out);
            bool directory = out->count == 1 && out->names[0][strlen(out->names[0]) - 1] == '/';
            out->suffix = directory ? 0 : last->start[0];
        }
    } else {
        out->from = (size_t)(q.word.start - text);
        int top = lua_gettop(L);
        lua_pushcfunction(L, find_names);
        lua_pushlightuserdata(L, &q);
        lua_pcall(L, 1, 0, 0);
        lua_settop(L, top);
    }
    sort_and_deduplicate(out);
}
