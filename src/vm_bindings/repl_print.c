/* Values as the user reads them: tables are spelled out, everything else says itself. */
#include "vm_bindings/repl.h"

#include <lauxlib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    MAX_DEPTH = 5,
    MAX_ITEMS = 50,     /* shown of a table's list, and of its other fields */
    MAX_SORTED = 10000, /* fields read for sorting; more are only counted */
    MAX_STRING = 200,   /* bytes shown of a string inside a table */
    MAX_LENGTH = 8000,  /* bytes after which inner tables are only hinted at */
    INDENT = 2
};

typedef struct Printer {
    lua_State *L;
    Text *out;
    int seen; /* stack index: the tables that are being printed */
    int depth;
    size_t width;
    size_t line; /* where the current line starts in out */
} Printer;

typedef struct Key {
    lua_Integer position; /* in the table of keys */
    int rank;             /* numbers, strings, others */
    lua_Number number;
    const char *string;
} Key;

/* What a table holds: the list 1..n, then the other fields in a fixed order. */
typedef struct Items {
    lua_Integer n;
    size_t fields, read;
    int names; /* stack index: a table of keys */
    Key *keys;
} Items;

static bool write_item(Printer *p, int index, size_t indent, bool flat);

static bool fits(const Printer *p) { return p->out->length - p->line <= p->width; }

static void break_line(Printer *p, size_t indent) {
    text_add(p->out, "\n", 1);
    p->line = p->out->length;
    text_spaces(p->out, indent);
}

static int tostring_step(lua_State *L) {
    luaL_tolstring(L, 1, NULL);
    return 1;
}

/* Pushes tostring(value); an error in __tostring becomes part of the text. */
static void push_text(lua_State *L, int index) {
    index = lua_absindex(L, index);
    lua_pushcfunction(L, tostring_step);
    lua_pushvalue(L, index);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        const char *type = luaL_typename(L, index);
        if (lua_type(L, -1) == LUA_TSTRING) {
            lua_pushfstring(L, "<%s: error in __tostring: %s>", type, lua_tostring(L, -1));
        } else {
            lua_pushfstring(L, "<%s: error in __tostring>", type);
        }
        lua_remove(L, -2);
    }
}

static bool is_spelled_out(lua_State *L, int index) {
    if (lua_type(L, index) != LUA_TTABLE) {
        return false;
    }
    if (luaL_getmetafield(L, index, "__tostring") == LUA_TNIL) {
        return true;
    }
    lua_pop(L, 1);
    return false;
}

static void write_quoted(Printer *p, const char *s, size_t n) {
    size_t shown = n > MAX_STRING ? MAX_STRING : n;
    while (shown > 0 && shown < n && ((unsigned char)s[shown] & 0xC0) == 0x80) {
        shown--; /* not inside a UTF-8 character */
    }
    text_puts(p->out, "\"");
    for (size_t i = 0; i < shown; i++) {
        char escape[8];
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\') {
            snprintf(escape, sizeof escape, "\\%c", c);
        } else if (c == '\n') {
            snprintf(escape, sizeof escape, "\\n");
        } else if (c < 32 || c == 127) {
            snprintf(escape, sizeof escape, "\\%03d", c);
        } else {
            snprintf(escape, sizeof escape, "%c", c);
        }
        text_puts(p->out, escape);
    }
    text_puts(p->out, "\"");
    if (shown < n) {
        char rest[48];
        snprintf(rest, sizeof rest, "... (%zu bytes)", n);
        text_puts(p->out, rest);
    }
}

static int rank_of(lua_State *L, int index) {
    int type = lua_type(L, index);
    return type == LUA_TNUMBER ? 0 : type == LUA_TSTRING ? 1 : 2;
}

static int compare_keys(const void *a, const void *b) {
    const Key *x = a, *y = b;
    if (x->rank != y->rank) {
        return x->rank - y->rank;
    }
    if (x->rank == 0) {
        return (x->number > y->number) - (x->number < y->number);
    }
    if (x->rank == 1) {
        return strcmp(x->string, y->string);
    }
    return (x->position > y->position) - (x->position < y->position);
}

/* Pushes two values that keep the result alive: the table of keys and the sorted keys' memory. */
static Items collect(lua_State *L, int table) {
    Items items = {.n = (lua_Integer)lua_rawlen(L, table)};
    lua_newtable(L);
    items.names = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        bool listed =
            lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1 && lua_tointeger(L, -1) <= items.n;
        if (!listed && items.fields++ < MAX_SORTED) {
            lua_pushvalue(L, -1);
            lua_rawseti(L, items.names, (lua_Integer)++items.read);
        }
    }
    items.keys = lua_newuserdatauv(L, (items.read + 1) * sizeof(Key), 0);
    for (size_t i = 0; i < items.read; i++) {
        lua_rawgeti(L, items.names, (lua_Integer)i + 1);
        Key *key = &items.keys[i];
        *key = (Key){.position = (lua_Integer)i + 1, .rank = rank_of(L, -1)};
        key->number = key->rank == 0 ? lua_tonumber(L, -1) : 0;
        key->string = key->rank == 1 ? lua_tostring(L, -1) : NULL;
        lua_pop(L, 1);
    }
    qsort(items.keys, items.read, sizeof(Key), compare_keys);
    return items;
}

static void write_key(Printer *p, int index) {
    lua_State *L = p->L;
    size_t n = 0;
    const char *s = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &n) : NULL;
    if (s && scan_is_name(s, n)) {
        text_add(p->out, s, n);
    } else {
        text_puts(p->out, "[");
        if (s) {
            write_quoted(p, s, n);
        } else {
            push_text(L, index);
            text_puts(p->out, lua_tostring(L, -1));
            lua_pop(L, 1);
        }
        text_puts(p->out, "]");
    }
    text_puts(p->out, " = ");
}

/* Pushes and writes the i-th sorted field. */
static bool write_field(Printer *p, int table, const Items *items, size_t i, size_t indent,
                        bool flat) {
    lua_State *L = p->L;
    lua_rawgeti(L, items->names, items->keys[i].position);
    write_key(p, lua_gettop(L));
    lua_rawget(L, table);
    bool ok = write_item(p, lua_gettop(L), indent, flat);
    lua_pop(L, 1);
    return ok;
}

/* On one line; false where that is too long, with part of it written. */
static bool write_flat(Printer *p, int table, const Items *items) {
    lua_State *L = p->L;
    if (items->n > MAX_ITEMS || items->fields > MAX_ITEMS) {
        return false;
    }
    bool ok = true;
    text_puts(p->out, "{");
    for (lua_Integer i = 1; ok && i <= items->n; i++) {
        text_puts(p->out, i > 1 ? ", " : "");
        lua_rawgeti(L, table, i);
        ok = write_item(p, lua_gettop(L), 0, true);
        lua_pop(L, 1);
    }
    for (size_t i = 0; ok && i < items->read; i++) {
        text_puts(p->out, i > 0 || items->n > 0 ? ", " : "");
        ok = write_field(p, table, items, i, 0, true);
    }
    text_puts(p->out, "}");
    return ok && fits(p);
}

static void write_more(Printer *p, size_t count, size_t indent) {
    char text[64];
    snprintf(text, sizeof text, "... %zu more", count);
    break_line(p, indent);
    text_puts(p->out, text);
}

static bool is_short(lua_State *L, int index) {
    int type = lua_type(L, index);
    return type == LUA_TNUMBER || type == LUA_TBOOLEAN || type == LUA_TNIL ||
           (type == LUA_TSTRING && lua_rawlen(L, index) <= 20);
}

/* The list part over several lines; short items share lines. */
static void write_list(Printer *p, int table, const Items *items, size_t indent) {
    lua_State *L = p->L;
    lua_Integer shown = items->n > MAX_ITEMS ? MAX_ITEMS : items->n;
    bool joined = false;
    for (lua_Integer i = 1; i <= shown; i++) {
        lua_rawgeti(L, table, i);
        bool small = is_short(L, -1);
        size_t before = p->out->length;
        if (joined && small) {
            text_add(p->out, " ", 1);
            write_item(p, lua_gettop(L), indent, true);
        }
        if (!joined || !small || p->out->length + 1 - p->line > p->width) {
            text_cut(p->out, before);
            break_line(p, indent);
            write_item(p, lua_gettop(L), indent, false);
        }
        text_puts(p->out, ",");
        joined = small;
        lua_pop(L, 1);
    }
    if (items->n > shown) {
        write_more(p, (size_t)(items->n - shown), indent);
    }
}

static void write_block(Printer *p, int table, const Items *items, size_t indent) {
    text_puts(p->out, "{");
    write_list(p, table, items, indent + INDENT);
    size_t shown = items->read > MAX_ITEMS ? MAX_ITEMS : items->read;
    for (size_t i = 0; i < shown; i++) {
        break_line(p, indent + INDENT);
        write_field(p, table, items, i, indent + INDENT, false);
        text_puts(p->out, ",");
    }
    if (items->fields > shown) {
        write_more(p, items->fields - shown, indent + INDENT);
    }
    break_line(p, indent);
    text_puts(p->out, "}");
}

static bool write_table(Printer *p, int table, size_t indent, bool flat) {
    lua_State *L = p->L;
    int top = lua_gettop(L);
    lua_pushvalue(L, table);
    if (lua_rawget(L, p->seen) != LUA_TNIL) {
        text_puts(p->out, "<cycle>");
        lua_settop(L, top);
        return fits(p);
    }
    Items items = collect(L, table);
    bool empty = items.n == 0 && items.fields == 0;
    if (!empty && (p->depth >= MAX_DEPTH || p->out->length > MAX_LENGTH)) {
        text_puts(p->out, "{...}");
        lua_settop(L, top);
        return fits(p);
    }
    lua_pushvalue(L, table);
    lua_pushboolean(L, 1);
    lua_rawset(L, p->seen);
    p->depth++;
    size_t start = p->out->length;
    bool ok = write_flat(p, table, &items);
    if (!ok && !flat) {
        text_cut(p->out, start);
        write_block(p, table, &items, indent);
        ok = true;
    }
    p->depth--;
    lua_pushvalue(L, table);
    lua_pushnil(L);
    lua_rawset(L, p->seen);
    lua_settop(L, top);
    return ok;
}

/* Lines after the first are indented like the item. */
static bool write_lines(Printer *p, const char *s, size_t n, size_t indent) {
    const char *end = s + n, *next;
    while ((next = memchr(s, '\n', (size_t)(end - s)))) {
        text_add(p->out, s, (size_t)(next - s));
        break_line(p, indent);
        s = next + 1;
    }
    text_add(p->out, s, (size_t)(end - s));
    return fits(p);
}

/* An item of a table. Returns false where it does not fit on the line and flat asks for that. */
static bool write_item(Printer *p, int index, size_t indent, bool flat) {
    lua_State *L = p->L;
    luaL_checkstack(L, LUA_MINSTACK, "table is nested too deeply to print");
    if (is_spelled_out(L, index)) {
        return write_table(p, index, indent, flat);
    }
    size_t n;
    if (lua_type(L, index) == LUA_TSTRING) {
        const char *s = lua_tolstring(L, index, &n);
        write_quoted(p, s, n);
        return fits(p);
    }
    if (lua_type(L, index) == LUA_TFUNCTION) {
        text_puts(p->out, "function"); /* addresses would only hide the names */
        return fits(p);
    }
    push_text(L, index);
    const char *s = lua_tolstring(L, -1, &n);
    bool ok = !flat || !memchr(s, '\n', n);
    ok = ok && write_lines(p, s, n, indent);
    lua_pop(L, 1);
    return ok || !flat;
}

static size_t terminal_width(void) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) {
        return size.ws_col;
    }
    return 80;
}

void print_value(lua_State *L, int index, Text *out) {
    index = lua_absindex(L, index);
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    if (is_spelled_out(L, index)) {
        lua_newtable(L);
        Printer p = {.L = L, .out = out, .seen = lua_gettop(L), .width = terminal_width()};
        p.line = out->length;
        write_table(&p, index, 0, false);
    } else {
        size_t n;
        push_text(L, index);
        const char *s = lua_tolstring(L, -1, &n);
        text_add(out, s, n);
    }
    lua_pop(L, 1);
}
