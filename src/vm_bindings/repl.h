#ifndef TOCHA_REPL_H
#define TOCHA_REPL_H
/* The parts of bin/tocha. It is a host program: it knows Lua's C interface and a line editor, and
 * nothing of the engine, which it loads as any Lua program does. */
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* ---- repl_text.c: growing text; owned by the caller, who frees it. When memory runs out `failed`
 * is set, and everything added later is dropped. `data` is NULL or ends with a zero. */
typedef struct Text {
    char *data;
    size_t length, capacity;
    bool failed;
} Text;

void text_add(Text *t, const char *s, size_t n);
void text_puts(Text *t, const char *s);
void text_spaces(Text *t, size_t n);
void text_cut(Text *t, size_t length);
void text_free(Text *t);

/* ---- repl_scan.c: Lua's tokens. */
typedef enum TokenKind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_NUMBER,
    TOKEN_STRING,
    TOKEN_COMMENT,
    TOKEN_SYMBOL
} TokenKind;

typedef struct Token {
    TokenKind kind;
    bool open; /* a string or comment that the text ends in */
    const char *start;
    size_t length;
} Token;

/* The next token in [*at, end), *at moves behind it. Spaces are skipped, comments are tokens. */
Token scan_token(const char **at, const char *end);
bool scan_is(const Token *t, const char *text);
bool scan_is_keyword(const char *s, size_t n);
/* The i-th keyword, or NULL behind the last. */
const char *scan_keyword(int i);
/* Whether s can be written as a name in Lua source. */
bool scan_is_name(const char *s, size_t n);

/* ---- repl_interrupt.c: Ctrl-C. */
typedef enum InterruptMode { INTERRUPT_SCRIPT, INTERRUPT_PROMPT } InterruptMode;

/* Lua function without arguments: makes coroutines and the engine interruptible. */
int interrupt_setup(lua_State *L);
/* Installs the signal handler; call once, from the thread that runs Lua. */
void interrupt_install(void);
/* Between begin and end a Ctrl-C raises the error "interrupted" in what L runs. */
void interrupt_begin(lua_State *L, InterruptMode mode);
/* Returns whether Ctrl-C came since interrupt_begin. */
bool interrupt_end(lua_State *L);
/* Whether Ctrl-C came outside begin and end since the last call. */
bool interrupt_take_idle(void);

/* ---- repl_error.c: errors as the user reads them. */
/* Message handler: turns any error value into a text with a traceback. */
int error_handler(lua_State *L);
/* Writes the error at the top to standard error and pops it; prefix may be "". */
void error_report(lua_State *L, const char *prefix);
/* lua_pcall with error_handler for a function and its arguments at the top. */
int error_call(lua_State *L, int nargs, int nresults);
/* Whether the error at the top is an interrupt. */
bool error_is_interrupt(lua_State *L);

/* ---- repl_print.c: values as the user reads them. */
/* Adds the value at index; may raise memory errors, so call it protected. */
void print_value(lua_State *L, int index, Text *out);

/* ---- repl_session.c: what the prompt's lines see. */
/* Lua function without arguments: pushes nothing, creates the session. Needs the globals. */
int session_open(lua_State *L);
/* Whether the value is the function exit, so that the word alone leaves the prompt too. */
bool session_is_exit(lua_State *L, int index);
/* Pushes the session table, the _ENV of the prompt's lines. */
void session_push(lua_State *L);
/* Copies a valid chunk into out with its outermost locals turned into variables of the session,
 * and declares these until session_settle. */
void session_rewrite(lua_State *L, const char *text, size_t length, Text *out);
void session_settle(lua_State *L);
/* Lua function without arguments: the libraries become globals, loaded at their first use. */
int session_globals_open(lua_State *L);
/* Lua function without arguments: takes back what session_globals_open did. */
int session_globals_close(lua_State *L);
/* The i-th such name, or NULL behind the last. */
const char *session_global(int i);

/* ---- repl_complete.c: completion. */
typedef struct Candidates {
    char **names; /* full replacements for the text from `from` on; owned */
    size_t count, capacity;
    size_t from;
    char suffix; /* to be added when there is only one candidate, or 0 */
} Candidates;

/* What the n bytes before the cursor may be continued with. Never raises an error. */
void complete_find(lua_State *L, const char *text, size_t n, Candidates *out);
void complete_free(Candidates *c);

/* ---- repl_edit.c: the line editor and its history. */
typedef enum EditEnd { EDIT_LINE, EDIT_DROPPED, EDIT_EOF } EditEnd;

void edit_open(lua_State *L);
/* Reads a line; *line is the caller's to free, and set for EDIT_LINE only. */
EditEnd edit_line(const char *prompt, char **line);
/* Adds a whole input, of one line or several, to the history and its file. */
void edit_remember(const char *text);

/* ---- repl.c */
/* The prompt, until the user leaves. Returns false where it could not be opened. */
bool repl_run(lua_State *L);

#endif
