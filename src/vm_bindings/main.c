/* bin/tocha: runs scripts, or opens the prompt. It finds the library beside itself, in a build tree
 * and in an installed one: <prefix>/lib/?.so and <prefix>/share/tocha/lua. */
#include "vm_bindings/repl.h"

#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_INTERRUPTED = 130 };

static const char usage[] =
    "usage: tocha [OPTIONS] [SCRIPT [ARGS...]]\n"
    "       tocha doctor    say what is found here: CPU, BLAS, GPUs\n"
    "\n"
    "Without arguments: the prompt, or standard input as a script where it is no terminal.\n"
    "\n"
    "  -e CODE      run a piece of Lua; tocha, nn, optim, data and train are there as globals\n"
    "  -l MODULE    require a module into a global of that name (-l NAME=MODULE: another name)\n"
    "  -i           open the prompt after the script\n"
    "  -            standard input as the script\n"
    "  --           end of the options\n"
    "  --version    print the version\n"
    "  --help       print this\n"
    "\n"
    "Scripts get their arguments in `arg` and `...`, and require what they use.\n"
    "Environment: TOCHA_HISTORY (the prompt's history file, empty for none), NO_COLOR,\n"
    "LUA_PATH, LUA_CPATH.\n";

typedef struct Options {
    int argc;
    char **argv;
    int script; /* index of the script, or argc */
    bool prompt, code, version, help;
} Options;

/* Whether argument i is an option with a value; *value is it, *next the index behind it. */
static bool has_value(const Options *o, int i, const char **value, int *next) {
    const char *option = o->argv[i];
    if (strncmp(option, "-e", 2) != 0 && strncmp(option, "-l", 2) != 0) {
        return false;
    }
    bool joined = option[2] != '\0';
    *value = joined ? option + 2 : i + 1 < o->argc ? o->argv[i + 1] : NULL;
    *next = joined ? i + 1 : i + 2;
    return true;
}

/* Returns false after saying what is wrong. */
static bool read_options(Options *o) {
    int i = 1, next;
    const char *value;
    while (i < o->argc && o->argv[i][0] == '-' && o->argv[i][1] != '\0') {
        const char *option = o->argv[i];
        next = i + 1;
        if (strcmp(option, "--") == 0) {
            i++;
            break;
        }
        if (strcmp(option, "--version") == 0 || strcmp(option, "-v") == 0) {
            o->version = true;
        } else if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0) {
            o->help = true;
        } else if (strcmp(option, "-i") == 0) {
            o->prompt = true;
        } else if (!has_value(o, i, &value, &next)) {
            fprintf(stderr, "tocha: unknown option %s; tocha --help lists the options\n", option);
            return false;
        } else if (!value) {
            fprintf(stderr, "tocha: %s needs a value; tocha --help lists the options\n", option);
            return false;
        } else {
            o->code = o->code || option[1] == 'e';
        }
        i = next;
    }
    o->script = i;
    return true;
}

/* ---- Setting up Lua. */

/* Pushes the folder above the one that this program lies in. */
static void push_prefix(lua_State *L) {
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n < 0) {
        luaL_error(L, "cannot find the program's own place: /proc/self/exe: %s", strerror(errno));
    }
    path[n] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(path, '/');
        if (slash) {
            *slash = '\0';
        }
    }
    if (strpbrk(path, ";?")) {
        luaL_error(L, "%s: Lua cannot search a folder with ';' or '?' in its name", path);
    }
    lua_pushstring(L, path);
}

/* Our places come first, so that a data.lua of the user does not hide the library's. */
static void set_paths(lua_State *L) {
    push_prefix(L);
    const char *prefix = lua_tostring(L, -1);
    lua_getglobal(L, LUA_LOADLIBNAME);
    int package = lua_gettop(L);
    lua_getfield(L, package, "path");
    lua_pushfstring(L, "%s/share/tocha/lua/?.lua;%s/share/tocha/lua/?/init.lua;%s", prefix, prefix,
                    lua_tostring(L, -1));
    lua_setfield(L, package, "path");
    lua_getfield(L, package, "cpath");
    lua_pushfstring(L, "%s/lib/?.so;%s", prefix, lua_tostring(L, -1));
    lua_setfield(L, package, "cpath");
    lua_settop(L, package - 2);
}

/* The table arg: the script is arg[0], or the program where there is none. */
static void set_arg(lua_State *L, const Options *o) {
    int zero = o->script < o->argc ? o->script : 0;
    lua_createtable(L, o->argc - zero, zero + 1);
    for (int i = 0; i < o->argc; i++) {
        lua_pushstring(L, o->argv[i]);
        lua_rawseti(L, -2, i - zero);
    }
    lua_setglobal(L, "arg");
}

static int setup(lua_State *L) {
    const Options *o = lua_touserdata(L, 1);
    luaL_checkversion(L);
    lua_gc(L, LUA_GCSTOP);
    luaL_openlibs(L);
    set_paths(L);
    set_arg(L, o);
    lua_pushcfunction(L, interrupt_setup);
    lua_call(L, 0, 0);
    lua_gc(L, LUA_GCRESTART);
    return 0;
}

/* ---- Running. */

/* What to load: a piece of code, or a file (NULL: standard input). */
typedef struct Source {
    const char *code, *file;
    const Options *options; /* the arguments that a script gets, or NULL */
} Source;

/* Takes a Source; returns the function and its arguments. */
static int load_source(lua_State *L) {
    const Source *source = lua_touserdata(L, 1);
    int status = source->code
                     ? luaL_loadbuffer(L, source->code, strlen(source->code), "=(command line)")
                     : luaL_loadfile(L, source->file);
    if (status != LUA_OK) {
        lua_error(L);
    }
    const Options *o = source->options;
    int nargs = o && o->script < o->argc ? o->argc - o->script - 1 : 0;
    luaL_checkstack(L, nargs + LUA_MINSTACK, "too many arguments to script");
    for (int i = 0; i < nargs; i++) {
        lua_pushstring(L, o->argv[o->script + 1 + i]);
    }
    return nargs + 1;
}

/* Takes the value of -l. */
static int require_module(lua_State *L) {
    const char *value = lua_touserdata(L, 1);
    const char *equals = strchr(value, '=');
    lua_getglobal(L, "require");
    lua_pushstring(L, equals ? equals + 1 : value);
    lua_call(L, 1, 1);
    lua_pushlstring(L, value, equals ? (size_t)(equals - value) : strlen(value));
    lua_insert(L, -2);
    lua_pushglobaltable(L);
    lua_insert(L, -3);
    lua_settable(L, -3);
    return 0;
}

/* Calls the function and the arguments at the top; returns the exit status after reporting. */
static int run(lua_State *L, int nargs) {
    interrupt_begin(L, INTERRUPT_SCRIPT);
    int status = error_call(L, nargs, 0);
    bool pressed = interrupt_end(L);
    if (status == LUA_OK) {
        return EXIT_SUCCESS;
    }
    int code = pressed && error_is_interrupt(L) ? EXIT_INTERRUPTED : EXIT_FAILURE;
    error_report(L, "tocha: ");
    return code;
}

static int run_source(lua_State *L, Source source) {
    int top = lua_gettop(L);
    lua_pushcfunction(L, load_source);
    lua_pushlightuserdata(L, &source);
    if (lua_pcall(L, 1, LUA_MULTRET, 0) != LUA_OK) {
        error_report(L, "tocha: ");
        return EXIT_FAILURE;
    }
    return run(L, lua_gettop(L) - top - 1);
}

/* Calls a host function that takes a pointer. */
static int run_host(lua_State *L, lua_CFunction f, const void *argument) {
    lua_pushcfunction(L, f);
    lua_pushlightuserdata(L, (void *)argument);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        error_report(L, "tocha: ");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

/* The options -e and -l, in their order; the first that fails ends it. */
static int run_options(lua_State *L, const Options *o) {
    int code = o->code ? run_host(L, session_globals_open, NULL) : EXIT_SUCCESS;
    int next;
    for (int i = 1; i < o->script && code == EXIT_SUCCESS; i = next) {
        const char *value;
        next = i + 1;
        if (!has_value(o, i, &value, &next)) {
            continue;
        }
        if (o->argv[i][1] == 'e') {
            code = run_source(L, (Source){.code = value});
        } else {
            lua_pushcfunction(L, require_module);
            lua_pushlightuserdata(L, (void *)value);
            code = run(L, 1);
        }
    }
    if (o->code && code == EXIT_SUCCESS) {
        code = run_host(L, session_globals_close, NULL);
    }
    return code;
}

/* "tocha doctor", unless there is a script of that name. */
static bool asks_doctor(const Options *o) {
    return o->script == 1 && o->argc == 2 && strcmp(o->argv[1], "doctor") == 0 &&
           access("doctor", F_OK) != 0;
}

static int run_all(lua_State *L, const Options *o) {
    bool script = o->script < o->argc;
    if (asks_doctor(o)) {
        return run_source(L, (Source){.code = "print(require('tocha.doctor').report())"});
    }
    int code = run_options(L, o);
    if (code == EXIT_SUCCESS && (script || !(o->code || o->prompt || isatty(STDIN_FILENO)))) {
        const char *file = script ? o->argv[o->script] : "-";
        file = strcmp(file, "-") == 0 ? NULL : file;
        code = run_source(L, (Source){.file = file, .options = o});
    }
    bool bare = !script && !o->code && isatty(STDIN_FILENO);
    if (o->prompt || (bare && code == EXIT_SUCCESS)) {
        code = repl_run(L) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    return code;
}

int main(int argc, char **argv) {
    Options o = {.argc = argc, .argv = argv};
    if (!read_options(&o)) {
        return EXIT_FAILURE;
    }
    if (o.help || o.version) {
        fputs(o.help ? usage : "Tocha " TOCHA_VERSION " (" LUA_RELEASE ")\n", stdout);
        return EXIT_SUCCESS;
    }
    lua_State *L = luaL_newstate();
    if (!L) {
        fputs("tocha: not enough memory to start\n", stderr);
        return EXIT_FAILURE;
    }
    interrupt_install();
    int code = run_host(L, setup, &o);
    if (code == EXIT_SUCCESS) {
        code = run_all(L, &o);
    }
    lua_close(L);
    return code;
}
