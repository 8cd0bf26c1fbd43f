/* Random generators: tocha.Generator, and the default one's functions. */
#include "vm_bindings/bind.h"

static const char generator_magic = 0, metatable_key = 0;

typedef struct GeneratorBox {
    const void *magic; /* NULL once freed */
    Generator *g;      /* NULL: the default one */
    Device device;
} GeneratorBox;

static GeneratorBox *to_box(lua_State *L, int idx) {
    GeneratorBox *box = lua_touserdata(L, idx);
    bool is = lua_type(L, idx) == LUA_TUSERDATA && lua_rawlen(L, idx) >= sizeof *box &&
              box->magic == &generator_magic;
    return is ? box : NULL;
}

bool bind_peek_generator(lua_State *L, int idx, Generator **g) {
    const GeneratorBox *box = to_box(L, idx);
    *g = box ? box->g : NULL;
    return box != NULL;
}

static GeneratorBox *check_box(lua_State *L, const char *who) {
    GeneratorBox *box = to_box(L, 1);
    if (!box) {
        bind_error(L, "%s: expected a generator, got %s", who, bind_describe(L, 1));
    }
    return box;
}

static GeneratorBox *push_box(lua_State *L) {
    GeneratorBox *box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (GeneratorBox){0};
    lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key);
    lua_setmetatable(L, -2);
    return box;
}

/* Generator(device): the device is remembered only, as streams are the same on all. */
static int new_generator(lua_State *L) {
    Device device = {DEVICE_CPU, 0};
    if (!lua_isnoneornil(L, 1) &&
        (lua_type(L, 1) != LUA_TSTRING || !device_parse(lua_tostring(L, 1), &device))) {
        error_clear();
        return bind_error(L, "Generator: device must be \"cpu\", \"cuda\" or \"cuda:N\", got %s",
                          bind_describe(L, 1));
    }
    GeneratorBox *box = push_box(L);
    bind_enter(L);
    box->g = generator_new();
    if (!box->g) {
        return bind_name_failure("Generator"), bind_raise(L);
    }
    box->magic = &generator_magic;
    box->device = device;
    return 1;
}

static int collect(lua_State *L) {
    GeneratorBox *box = to_box(L, 1);
    if (box && box->g) {
        box->magic = NULL;
        generator_free(box->g);
    }
    return 0;
}

static void push_state(lua_State *L, Generator *g) {
    uint64_t seed, offset;
    generator_state(g, &seed, &offset);
    lua_createtable(L, 2, 0);
    lua_pushinteger(L, (lua_Integer)seed);
    lua_rawseti(L, -2, 1);
    lua_pushinteger(L, (lua_Integer)offset);
    lua_rawseti(L, -2, 2);
}

static void read_state(lua_State *L, int idx, const char *who, Generator *g) {
    if (!lua_istable(L, idx)) {
        bind_error(L, "%s: expected a state as got before, a list of two integers, got %s", who,
                   bind_describe(L, idx));
    }
    lua_rawgeti(L, idx, 1);
    lua_rawgeti(L, idx, 2);
    uint64_t seed = (uint64_t)bind_check_integer(L, -2, who, "the first entry");
    generator_set_state(g, seed, (uint64_t)bind_check_integer(L, -1, who, "the second entry"));
}

static int g_manual_seed(lua_State *L) {
    Generator *g = check_box(L, "manual_seed")->g;
    generator_seed(g, (uint64_t)bind_check_integer(L, 2, "manual_seed", "the seed"));
    lua_settop(L, 1);
    return 1;
}

static int g_seed(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)generator_seed_anew(check_box(L, "seed")->g));
    return 1;
}

static int g_initial_seed(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)generator_initial_seed(check_box(L, "initial_seed")->g));
    return 1;
}

static int g_get_state(lua_State *L) {
    push_state(L, check_box(L, "get_state")->g);
    return 1;
}

static int g_set_state(lua_State *L) {
    read_state(L, 2, "set_state", check_box(L, "set_state")->g);
    lua_settop(L, 1);
    return 1;
}

static int g_device(lua_State *L) {
    lua_pushstring(L, device_text(check_box(L, "device")->device));
    return 1;
}

static int g_tostring(lua_State *L) {
    const GeneratorBox *box = to_box(L, 1);
    lua_pushfstring(L, "Generator(%s)", box ? device_text(box->device) : "freed");
    return 1;
}

static int manual_seed(lua_State *L) {
    generator_seed(NULL, (uint64_t)bind_check_integer(L, 1, "manual_seed", "the seed"));
    lua_rawgetp(L, LUA_REGISTRYINDEX, &generator_magic);
    return 1;
}

static int seed_anew(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)generator_seed_anew(NULL));
    return 1;
}

static int initial_seed(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)generator_initial_seed(NULL));
    return 1;
}

static int get_rng_state(lua_State *L) {
    push_state(L, NULL);
    return 1;
}

static int set_rng_state(lua_State *L) {
    read_state(L, 1, "set_rng_state", NULL);
    return 0;
}

static const luaL_Reg methods[] = {{"manual_seed", g_manual_seed},
                                   {"seed", g_seed},
                                   {"initial_seed", g_initial_seed},
                                   {"get_state", g_get_state},
                                   {"set_state", g_set_state},
                                   {"device", g_device},
                                   {NULL, NULL}};

static const luaL_Reg events[] = {{"__gc", collect}, {"__tostring", g_tostring}, {NULL, NULL}};

static const luaL_Reg functions[] = {{"Generator", new_generator},
                                     {"manual_seed", manual_seed},
                                     {"seed", seed_anew},
                                     {"initial_seed", initial_seed},
                                     {"get_rng_state", get_rng_state},
                                     {"set_rng_state", set_rng_state},
                                     {NULL, NULL}};

void bind_generator(lua_State *L) {
    luaL_setfuncs(L, functions, 0);
    luaL_newlib(L, events);
    lua_pushstring(L, "Generator");
    lua_setfield(L, -2, "__name");
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &metatable_key);
    GeneratorBox *standard = push_box(L);
    standard->magic = &generator_magic;
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &generator_magic);
    lua_setfield(L, -2, "default_generator");
}
