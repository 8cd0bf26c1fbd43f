/* The prompt: reads a chunk, runs it, prints what it returns. Lua code is called with no host
 * function below it, and everything that can raise an error runs protected, so that an error, of
 * memory too, comes back to the loop. */
#include "vm_bindings/repl.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_NAME "=prompt"
/* A variable to be closed forbids a tail call, which would hide the line from tracebacks and from
 * error positions. */
#define EXPRESSION "local tocha__line <close> = nil; return "

/* The input so far, and the form in which Lua gets it. */
typedef struct Chunk {
    Text input, form;
    enum { COMPILED, INCOMPLETE, INVALID } result;
} Chunk;

/* Whether the syntax error at the top only says that the chunk is not finished. */
static bool is_incomplete(lua_State *L) {
    size_t n;
    const char *message = lua_tolstring(L, -1, &n);
    const char *mark = "<eof>";
    size_t length = strlen(mark);
    return n >= length && strcmp(message + n - length, mark) == 0;
}

/* Pushes a function and returns true, or pushes the syntax error. */
static bool load_text(lua_State *L, const Text *text) {
    if (text->failed) {
        luaL_error(L, "not enough memory");
    }
    int status = luaL_loadbufferx(L, text->data, text->length, CHUNK_NAME, "t");
    if (status != LUA_OK && status != LUA_ERRSYNTAX) {
        lua_error(L);
    }
    return status == LUA_OK;
}

/* Takes a Chunk, sets its result, and returns a function or a syntax error. The input is tried as
 * an expression first. */
static int compile(lua_State *L) {
    Chunk *chunk = lua_touserdata(L, 1);
    text_cut(&chunk->form, 0);
    text_puts(&chunk->form, EXPRESSION);
    text_add(&chunk->form, chunk->input.data, chunk->input.length);
    if (!load_text(L, &chunk->form)) {
        bool open_expression = is_incomplete(L);
        if (!load_text(L, &chunk->input)) {
            chunk->result = open_expression || is_incomplete(L) ? INCOMPLETE : INVALID;
            return 1;
        }
        text_cut(&chunk->form, 0);
        session_rewrite(L, chunk->input.data, chunk->input.length, &chunk->form);
        if (!load_text(L, &chunk->form)) {
            lua_error(L);
        }
    }
    chunk->result = COMPILED;
    session_push(L);
    lua_setupvalue(L, -2, 1);
    return 1;
}

/* Arguments: a Text to be filled, and the results. Prints to the text, sets `_`. */
static int print_results(lua_State *L) {
    Text *out = lua_touserdata(L, 1);
    int n = lua_gettop(L);
    luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
    session_push(L);
    lua_pushliteral(L, "_");
    lua_pushvalue(L, 2);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    for (int i = 2; i <= n; i++) {
        print_value(L, i, out);
        text_add(out, "\n", 1);
    }
    if (out->failed) {
        return luaL_error(L, "not enough memory");
    }
    return 0;
}

/* Prints the n results at the top, none if all are nil, and pops them. */
static void show_results(lua_State *L, int n) {
    bool any = false;
    for (int i = 1; i <= n; i++) {
        any = any || !lua_isnil(L, -i);
    }
    if (!any) {
        lua_pop(L, n);
        return;
    }
    Text out = {0};
    int first = lua_gettop(L) - n + 1;
    if (!lua_checkstack(L, 4)) {
        lua_settop(L, first - 1);
        fputs("too many results to print\n", stderr);
        return;
    }
    lua_pushcfunction(L, print_results);
    lua_insert(L, first);
    lua_pushlightuserdata(L, &out);
    lua_insert(L, first + 1);
    interrupt_begin(L, INTERRUPT_PROMPT);
    int status = lua_pcall(L, n + 1, 0, 0);
    interrupt_end(L);
    if (status == LUA_OK) {
        fwrite(out.data, 1, out.length, stdout);
        fflush(stdout);
    } else {
        error_report(L, "");
    }
    text_free(&out);
}

/* Runs the function at the top and prints its results. Returns false when the user leaves. */
static bool run(lua_State *L) {
    int base = lua_gettop(L) - 1;
    interrupt_begin(L, INTERRUPT_PROMPT);
    int status = error_call(L, 0, LUA_MULTRET);
    bool pressed = interrupt_end(L);
    session_settle(L);
    bool leaves = status == LUA_OK && lua_gettop(L) == base + 1 && session_is_exit(L, -1);
    if (status == LUA_OK && !leaves) {
        show_results(L, lua_gettop(L) - base);
    } else if (!leaves) {
        /* The terminal has echoed ^C. */
        error_report(L, pressed && isatty(STDIN_FILENO) ? "\n" : "");
    }
    lua_settop(L, base);
    return !leaves;
}

/* Takes the name of a variable (as a pointer, which needs no memory) and returns its text. */
static int prompt_text(lua_State *L) {
    session_push(L);
    lua_getfield(L, -1, lua_touserdata(L, 1));
    if (!lua_isnil(L, -1)) {
        luaL_tolstring(L, -1, NULL);
    }
    return 1;
}

static EditEnd read_line(lua_State *L, bool first, char **line) {
    int top = lua_gettop(L);
    lua_pushcfunction(L, prompt_text);
    lua_pushlightuserdata(L, first ? "_PROMPT" : "_PROMPT2");
    bool custom = lua_pcall(L, 1, 1, 0) == LUA_OK && lua_isstring(L, -1);
    const char *plain = first ? "> " : ">> ";
    EditEnd end = edit_line(custom ? lua_tostring(L, -1) : plain, line);
    lua_settop(L, top);
    return end;
}

static bool is_blank(const char *s) { return s[strspn(s, " \t\r\n")] == '\0'; }

/* Compiles the input; the function or the message is then at the top of the stack. */
static void compile_input(lua_State *L, Chunk *chunk) {
    chunk->result = INVALID;
    lua_pushcfunction(L, compile);
    lua_pushlightuserdata(L, chunk);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        chunk->result = INVALID;
    }
}

/* Reads lines until they are a chunk or an error, and leaves that on the stack. Returns how the
 * last line ended; nothing is on the stack for EDIT_DROPPED. At the end of input an unfinished
 * chunk is an error. */
static EditEnd read_chunk(lua_State *L, Chunk *chunk) {
    int top = lua_gettop(L);
    EditEnd end;
    char *line;
    while ((end = read_line(L, chunk->input.length == 0, &line)) == EDIT_LINE) {
        if (chunk->input.length > 0) {
            text_add(&chunk->input, "\n", 1);
        } else if (is_blank(line)) {
            free(line);
            continue;
        }
        text_puts(&chunk->input, line);
        free(line);
        lua_settop(L, top);
        compile_input(L, chunk);
        if (chunk->result != INCOMPLETE) {
            break;
        }
    }
    if (end == EDIT_DROPPED) {
        lua_settop(L, top);
    }
    return end;
}

/* Reads and runs one chunk. Returns false when the user leaves. */
static bool step(lua_State *L) {
    Chunk chunk = {0};
    int top = lua_gettop(L);
    EditEnd end = read_chunk(L, &chunk);
    bool stay = end != EDIT_EOF || chunk.input.length > 0;
    if (end == EDIT_EOF) {
        fputc('\n', stdout);
    }
    if (chunk.input.length > 0 && end != EDIT_DROPPED) {
        edit_remember(chunk.input.data);
        if (chunk.result == COMPILED) {
            stay = run(L) && stay;
        } else {
            error_report(L, "");
        }
    }
    text_free(&chunk.input);
    text_free(&chunk.form);
    lua_settop(L, top);
    return stay;
}

static int open_prompt(lua_State *L) {
    lua_pushcfunction(L, session_open);
    lua_call(L, 0, 0);
    lua_pushcfunction(L, session_globals_open);
    lua_call(L, 0, 0);
    return 0;
}

/* Loads the library while the user reads the greeting. */
static int load_library(lua_State *L) {
    lua_getglobal(L, "tocha");
    return 0;
}

/* Says in one line why the library is not there; what is left is a plain Lua prompt. */
static void go_without_library(lua_State *L) {
    const char *why = lua_tostring(L, -1);
    why = why ? why : "";
    size_t length = strcspn(why, "\n");
    size_t shown = length > 0 && why[length - 1] == ':' ? length - 1 : length;
    fprintf(stderr, "tocha: the library is not available (%.*s", (int)shown, why);
    if (shown < length && strncmp(why, "error loading", 13) == 0) {
        const char *reason = why + length + strspn(why + length, "\n\t");
        fprintf(stderr, ": %.*s", (int)strcspn(reason, "\n"), reason);
    }
    fputs("): this is a plain Lua prompt\n", stderr);
    lua_pop(L, 1);
    lua_pushcfunction(L, session_globals_close);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
        error_report(L, "tocha: ");
    }
}

bool repl_run(lua_State *L) {
    bool terminal = isatty(STDIN_FILENO);
    puts("Tocha " TOCHA_VERSION ", " LUA_RELEASE);
    fflush(stdout);
    lua_pushcfunction(L, open_prompt);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
        error_report(L, "tocha: ");
        return false;
    }
    interrupt_begin(L, INTERRUPT_PROMPT);
    lua_pushcfunction(L, load_library);
    int status = lua_pcall(L, 0, 0, 0);
    interrupt_end(L);
    if (status != LUA_OK) {
        go_without_library(L);
    }
    if (terminal) {
        edit_open(L);
    }
    while (step(L)) {
    }
    return true;
}
