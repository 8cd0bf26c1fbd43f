/* Ctrl-C at moments that no key press can be timed for: it comes from inside an allocation. */
#include "vm_bindings/repl_interrupt.c"

#include "base_check.h"

/* The signal is sent when at least so many bytes are asked for; 0: never. */
static size_t trigger;

static void *allocate(void *ctx, void *p, size_t old, size_t size) {
    (void)ctx, (void)old;
    if (trigger && size >= trigger) {
        trigger = 0;
        raise(SIGINT);
    }
    if (size == 0) {
        free(p);
        return NULL;
    }
    return realloc(p, size);
}

static int arm(lua_State *L) {
    trigger = (size_t)luaL_checkinteger(L, 1);
    return 0;
}

/* Whether code, which calls arm, is interrupted. */
static bool interrupts(const char *code) {
    lua_State *L = lua_newstate(allocate, NULL);
    luaL_openlibs(L);
    lua_register(L, "arm", arm);
    lua_pushcfunction(L, interrupt_setup);
    lua_call(L, 0, 0);
    CHECK(luaL_loadstring(L, code) == LUA_OK, "%s", lua_tostring(L, -1));
    interrupt_begin(L, INTERRUPT_PROMPT);
    int status = lua_pcall(L, 0, 0, 0);
    bool pressed = interrupt_end(L);
    CHECK(pressed && trigger == 0, "no signal was sent");
    CHECK(status != LUA_OK, "nothing was interrupted");
    lua_getglobal(L, "ended");
    CHECK(lua_isnil(L, -1), "the loop ran to its end");
    lua_pop(L, 1);
    CHECK(strstr(lua_tostring(L, -1), "interrupted"), "%s", lua_tostring(L, -1));
    lua_close(L);
    return true;
}

#define LOOP " for i = 1, 500000000 do end ended = true "

/* The main stack has the room for all arguments, so it is the coroutine's that grows. */
static bool before_a_coroutine(void) {
    return interrupts("collectgarbage('stop') "
                      "local many = {} for i = 1, 200000 do many[i] = i end "
                      "select('#', table.unpack(many)) "
                      "local f = coroutine.wrap(function()" LOOP "end) "
                      "arm(3200000) f(table.unpack(many))");
}

static bool in_a_function(void) {
    return interrupts("arm(9000000) local s = string.rep('x', 9000000)" LOOP);
}

int main(void) {
    interrupt_install();
    const Case cases[] = {{"Ctrl-C just before a coroutine is entered", before_a_coroutine},
                          {"Ctrl-C in a function of Lua's own", in_a_function}};
    return RUN_CASES(cases);
}
