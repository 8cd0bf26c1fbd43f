/* Ctrl-C. The signal handler sets a hook, which raises an error at the next instruction, and the
 * engine's flag, which ends a long operation.
 *
 * A hook belongs to one coroutine, and Lua does not tell a signal handler which one runs. So the
 * functions that enter a coroutine are replaced by ones that keep the chain of those entered. */
#include "vm_bindings/repl.h"

#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A coroutine (or the main one) that was entered and not yet left; lives in the frame that entered
 * it. */
typedef struct Run {
    lua_State *thread;
    struct Run *outer;
} Run;

static _Atomic(Run *) innermost; /* NULL while no Lua code is to be interrupted */
static Run base;
static atomic_bool pending;    /* Ctrl-C came, and no error was raised for it */
static atomic_bool persistent; /* raise again wherever the error is caught */
static atomic_int presses;
static atomic_bool idle_press;
static _Atomic(atomic_int *) engine_flag;
static InterruptMode mode;
static pthread_t lua_thread;
static timer_t nudge; /* sends SIGINT again to lua_thread, see start_nudge */
static bool can_nudge;

static void raise_interrupted(lua_State *L) {
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    lua_Debug at;
    for (int level = 0; lua_getstack(L, level, &at); level++) {
        lua_getinfo(L, "Sl", &at);
        if (at.currentline > 0) {
            lua_pushfstring(L, "%s:%d: interrupted", at.short_src, at.currentline);
            lua_error(L);
        }
    }
    lua_pushliteral(L, "interrupted");
    lua_error(L);
}

static void set_hook(lua_State *L);

/* A press that comes meanwhile sets the hook again, so it is removed before anything is looked at.
 */
static void on_hook(lua_State *L, lua_Debug *at) {
    (void)at;
    lua_sethook(L, NULL, 0, 0);
    bool due = atomic_exchange(&pending, false);
    bool again = atomic_load(&persistent);
    atomic_int *flag = atomic_load(&engine_flag);
    if (due && flag && atomic_exchange(flag, 0) == 0) {
        due = false; /* the engine took it, and its error is on the way */
    }
    if (again) {
        set_hook(L);
    }
    if (due || again) {
        raise_interrupted(L);
    }
}

/* Returns are no event: the error would name the function that is left. */
static void set_hook(lua_State *L) { lua_sethook(L, on_hook, LUA_MASKCALL | LUA_MASKCOUNT, 1); }

/* Whether this press is the second within a second, or the last one had no effect. */
static bool impatient(void) {
    static struct timespec last;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    bool soon = presses > 1 && now.tv_sec - last.tv_sec <= 1;
    last = now;
    return soon || atomic_load(&pending);
}

static void hook_runs(void) {
    for (Run *run = atomic_load(&innermost); run; run = run->outer) {
        set_hook(run->thread);
    }
}

static void interrupt_runs(void) {
    atomic_fetch_add(&presses, 1);
    if (mode == INTERRUPT_SCRIPT && impatient()) {
        signal(SIGINT, SIG_DFL);
        raise(SIGINT);
        return;
    }
    if (presses > 1) {
        atomic_store(&persistent, true);
    }
    atomic_store(&pending, true);
    atomic_int *flag = atomic_load(&engine_flag);
    if (flag) {
        atomic_store(flag, 1);
    }
    hook_runs();
}

/* A press that comes between the call of a blocking function and its system call does not end the
 * latter, and one that comes just before a coroutine is entered does not hook it. So the signal
 * comes again every few milliseconds for as long as the press has had no effect. */
static void start_nudge(void) {
    const struct itimerspec soon = {.it_value = {.tv_nsec = 20 * 1000 * 1000}};
    if (can_nudge) {
        timer_settime(nudge, 0, &soon, NULL);
    }
}

static void on_sigint(int sig, siginfo_t *info, void *context) {
    (void)context;
    int saved = errno;
    if (info->si_code == SI_TIMER) {
        if (atomic_load(&pending)) {
            hook_runs();
            start_nudge();
        }
    } else if (!pthread_equal(pthread_self(), lua_thread)) {
        pthread_kill(lua_thread, sig); /* a hook may be set by its own thread only */
    } else if (atomic_load(&innermost)) {
        interrupt_runs();
        start_nudge();
    } else {
        atomic_store(&idle_press, true);
    }
    errno = saved;
}

/* No SA_RESTART: a blocking io.read() ends at Ctrl-C too. */
void interrupt_install(void) {
    lua_thread = pthread_self();
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGINT};
    event._sigev_un._tid = gettid();
    can_nudge = timer_create(CLOCK_MONOTONIC, &event, &nudge) == 0;
    struct sigaction action = {.sa_sigaction = on_sigint, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}

bool interrupt_end(lua_State *L) {
    atomic_store(&innermost, NULL);
    atomic_store(&pending, false);
    atomic_store(&persistent, false);
    atomic_int *flag = atomic_load(&engine_flag);
    if (flag) {
        atomic_store(flag, 0);
    }
    if (lua_gethook(L) == on_hook) {
        lua_sethook(L, NULL, 0, 0);
    }
    return atomic_exchange(&presses, 0) > 0;
}

bool interrupt_take_idle(void) { return atomic_exchange(&idle_press, false); }

void interrupt_begin(lua_State *L, InterruptMode wanted) {
    mode = wanted;
    base = (Run){.thread = L};
    atomic_store(&innermost, &base);
    if (interrupt_take_idle()) {
        raise(SIGINT); /* it came between the line editor and here */
    }
}

/* Outside begin and end the chain stays empty, so that Ctrl-C finds nothing to hook. */
static void enter(Run *run, lua_State *co) {
    run->thread = co;
    run->outer = atomic_load(&innermost);
    if (run->outer) {
        atomic_store(&innermost, run);
    }
}

static void leave(const Run *run) {
    if (atomic_load(&innermost)) {
        atomic_store(&innermost, run->outer);
    }
}

static int fail_resume(lua_State *L, const char *message) {
    lua_pushstring(L, message);
    return -1;
}

/* Moves nargs values to co and runs it. Returns the number of values it gave, now on L, or -1 with
 * the error value on L. */
static int resume(lua_State *L, lua_State *co, int nargs) {
    if (!lua_checkstack(co, nargs)) {
        return fail_resume(L, "too many arguments to resume");
    }
    lua_xmove(L, co, nargs);
    Run run;
    int given = 0;
    enter(&run, co);
    int status = lua_resume(co, L, nargs, &given);
    leave(&run);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, given + 1)) {
        lua_pop(co, given);
        return fail_resume(L, "too many results to resume");
    }
    lua_xmove(co, L, given);
    return given;
}

static lua_State *check_coroutine(lua_State *L) {
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co, 1, "thread");
    return co;
}

static int coroutine_resume(lua_State *L) {
    int given = resume(L, check_coroutine(L), lua_gettop(L) - 1);
    lua_pushboolean(L, given >= 0);
    lua_insert(L, given >= 0 ? -given - 1 : -2);
    return given >= 0 ? given + 1 : 2;
}

/* Closes the variables of a coroutine that failed; pushes the error, which they may have changed.
 */
static int close_failed(lua_State *L, lua_State *co) {
    Run run;
    enter(&run, co);
    int status = lua_resetthread(co);
    leave(&run);
    lua_xmove(co, L, 1);
    return status;
}

static int call_wrapped(lua_State *L) {
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    int given = resume(L, co, lua_gettop(L));
    if (given >= 0) {
        return given;
    }
    int status = lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD) {
        status = close_failed(L, co);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int coroutine_wrap(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, call_wrapped, 1);
    return 1;
}

/* The upvalue is Lua's own coroutine.close. */
static int coroutine_close(lua_State *L) {
    lua_State *co = check_coroutine(L);
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    Run run;
    enter(&run, co);
    int status = lua_pcall(L, 1, LUA_MULTRET, 0);
    leave(&run);
    return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

/* __newindex of package.loaded until the engine is there: notes the engine's flag. */
static int module_loaded(lua_State *L) {
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(name, "tocha.core") == 0) {
        if (lua_istable(L, 3)) {
            lua_pushliteral(L, "_interrupt_flag");
            lua_rawget(L, 3);
            atomic_store(&engine_flag, (atomic_int *)lua_touserdata(L, -1));
            lua_pop(L, 1);
        }
        lua_pushnil(L);
        lua_setmetatable(L, 1);
    }
    lua_rawset(L, 1);
    return 0;
}

/* lua_close may come while coroutines are entered (os.exit with close); what it frees must not be
 * hooked. */
static int state_closes(lua_State *L) {
    (void)L;
    atomic_store(&innermost, NULL);
    atomic_store(&engine_flag, NULL);
    return 0;
}

int interrupt_setup(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"resume", coroutine_resume}, {"wrap", coroutine_wrap}, {NULL, NULL}};
    lua_newuserdatauv(L, 0, 0);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, state_closes);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &innermost);

    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, LUA_COLIBNAME);
    luaL_setfuncs(L, functions, 0);
    lua_getfield(L, -1, "close");
    lua_pushcclosure(L, coroutine_close, 1);
    lua_setfield(L, -2, "close");
    lua_pop(L, 1);

    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, module_loaded);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
    return 0;
}
