/* What concerns the session as a whole: threads, memory, configuration. */
#include <time.h>

#include "base/blas.h"
#include "base/interrupt.h"
#include "base/isa.h"
#include "base/memory.h"
#include "base/threads.h"
#include "vm_bindings/bind.h"

static void set_integer(lua_State *L, const char *key, uint64_t v) {
    lua_pushinteger(L, (lua_Integer)v);
    lua_setfield(L, -2, key);
}

static int memory_stats(lua_State *L) {
    MemStats s;
    mem_stats(&s);
    lua_newtable(L);
    set_integer(L, "live", s.live);
    set_integer(L, "peak", s.peak);
    set_integer(L, "cached", s.cached);
    set_integer(L, "limit", s.limit);
    set_integer(L, "allocs", s.allocs);
    set_integer(L, "frees", s.frees);
    set_integer(L, "system_allocs", s.system_allocs);
    set_integer(L, "tensors", (uint64_t)tensor_live_count());
    return 1;
}

static int reset_peak_memory_stats(lua_State *L) {
    (void)L;
    mem_reset_peak();
    return 0;
}

static int empty_cache(lua_State *L) {
    (void)L;
    mem_trim(0);
    return 0;
}

/* For tests: _fail_after(n, count): the nth allocation from now on (0: the next) and the count - 1
 * (0) behind it fail; negative: none does. Returns how many failures of the setting before had not
 * come yet. */
static int fail_after(lua_State *L) {
    lua_Integer n = bind_check_integer(L, 1, "_fail_after", "n");
    lua_Integer count =
        lua_isnoneornil(L, 2) ? 1 : bind_check_integer(L, 2, "_fail_after", "the count");
    lua_pushinteger(L, mem_fail_span(n, count));
    return 1;
}

static int get_num_threads(lua_State *L) {
    lua_pushinteger(L, threads_get());
    return 1;
}

static int set_num_threads(lua_State *L) {
    lua_Integer n = bind_check_integer(L, 1, "set_num_threads", "the number");
    if (n < 1 || n > 1024 || !threads_set((int)n)) {
        error_clear();
        return bind_error(L, "set_num_threads: the number must be in [1, 1024], got %lld",
                          (long long)n);
    }
    return 0;
}

static int get_default_dtype(lua_State *L) {
    lua_pushstring(L, dtype_name(dtype_default()));
    return 1;
}

static int set_default_dtype(lua_State *L) {
    int dtype = lua_type(L, 1) == LUA_TSTRING ? dtype_parse(lua_tostring(L, 1)) : DT_NONE;
    if (dtype == DT_NONE || !dtype_is_float(dtype)) {
        return bind_error(L, "set_default_dtype: expected %s, got %s", dtype_set_text(DTSET_FLOAT),
                          bind_describe(L, 1));
    }
    dtype_set_default(dtype);
    return 0;
}

static void set_string(lua_State *L, const char *key, const char *value) {
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

static int config(lua_State *L) {
    const BlasInfo *info = blas_info();
    lua_newtable(L);
    set_string(L, "version", TOCHA_VERSION);
    set_string(L, "blas", info ? info->library : error_message());
    set_string(L, "blas_core", info ? info->core : NULL);
    set_string(L, "blas_config", info ? info->config : NULL);
    set_string(L, "isa", isa_name(isa_current()));
    set_integer(L, "threads", (uint64_t)threads_get());
    error_clear(); /* a missing BLAS is told under its name */
    return 1;
}

/* clock(): seconds of a clock that only goes forward, from some fixed moment. */
static int wall_clock(lua_State *L) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    lua_pushnumber(L, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
    return 1;
}

static const luaL_Reg functions[] = {{"memory_stats", memory_stats},
                                     {"reset_peak_memory_stats", reset_peak_memory_stats},
                                     {"empty_cache", empty_cache},
                                     {"_fail_after", fail_after},
                                     {"get_num_threads", get_num_threads},
                                     {"set_num_threads", set_num_threads},
                                     {"get_default_dtype", get_default_dtype},
                                     {"set_default_dtype", set_default_dtype},
                                     {"config", config},
                                     {"clock", wall_clock},
                                     {NULL, NULL}};

void bind_session(lua_State *L) {
    luaL_setfuncs(L, functions, 0);
    lua_pushlightuserdata(L, (void *)&interrupt_flag);
    lua_setfield(L, -2, "_interrupt_flag");
}
