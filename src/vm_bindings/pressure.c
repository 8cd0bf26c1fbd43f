#include "vm_bindings/pressure.h"

#include "base/memory.h"
#include "tensor/op.h"

enum { YOUNG_BYTES = 1 << 20 };

typedef struct Pressure {
    Device device; /* of the last tensor */
    size_t young;  /* bytes since the last collection */
    size_t base;   /* live bytes when a collection last left the least */
    size_t growth; /* over base: what calls for a full collection */
} Pressure;

static THREAD_LOCAL Pressure kinds[N_DEVICE_KINDS];
THREAD_LOCAL bool pressure_due;

void pressure_open(lua_State *L) { lua_gc(L, LUA_GCGEN, 0, 0); }

/* Whether the engine holds more than Lua was told of, as a graph does for what is inside a loss. */
static bool hides_growth(const Pressure *p) {
    return p->device.kind == DEVICE_CPU && mem_live() > p->base + p->growth;
}

void pressure_add(const Tensor *t) {
    Pressure *p = &kinds[t->device.kind];
    p->young += sizeof *t + sizeof(Storage);
    if (!atomic_load_explicit(&t->storage->told, memory_order_relaxed)) {
        atomic_store_explicit(&t->storage->told, true, memory_order_relaxed);
        p->young += t->storage->bytes;
    }
    p->device = t->device;
    pressure_due = pressure_due || p->young >= YOUNG_BYTES || hides_growth(p);
}

static size_t live_bytes(Device d) {
    DeviceMemory m;
    if (d.kind == DEVICE_CPU) {
        return mem_live();
    }
    return backend_of(d)->memory_stats(d, &m) ? m.live : 0;
}

/* What a full collection has to promise: it walks all of Lua's heap, in about the time that it
 * takes to fill so many times its size with numbers. */
static size_t growth_worth_it(lua_State *L) {
    size_t heap = (size_t)lua_gc(L, LUA_GCCOUNT) << 10;
    return 8 * (heap > 1 << 20 ? heap : 1 << 20);
}

/* Whether live memory has grown by enough, which may be garbage that was old before it died. */
static bool has_grown(lua_State *L, Pressure *p) {
    size_t least = growth_worth_it(L);
    p->growth = p->growth > least ? p->growth : least;
    return p->young && live_bytes(p->device) > p->base + p->growth;
}

static void collect_young(lua_State *L) {
    lua_gc(L, LUA_GCSTEP, 0);
    for (int kind = 0; kind < N_DEVICE_KINDS; kind++) {
        Pressure *p = &kinds[kind];
        size_t live = p->young ? live_bytes(p->device) : p->base;
        p->base = live < p->base ? live : p->base;
        p->young = 0;
    }
}

/* What growth may become where little of the last was garbage: a loop that makes and drops as much
 * in every turn needs no full collections. */
static size_t at_most_twice(lua_State *L, const Pressure *p) {
    size_t most = 4 * growth_worth_it(L);
    most = p->base / 2 > most ? p->base / 2 : most;
    return 2 * p->growth < most ? 2 * p->growth : most;
}

static void collect_full(lua_State *L) {
    size_t before[N_DEVICE_KINDS];
    for (int kind = 0; kind < N_DEVICE_KINDS; kind++) {
        before[kind] = kinds[kind].young ? live_bytes(kinds[kind].device) : 0;
    }
    lua_gc(L, LUA_GCCOLLECT);
    for (int kind = 0; kind < N_DEVICE_KINDS; kind++) {
        Pressure *p = &kinds[kind];
        if (!p->young) {
            continue;
        }
        p->base = live_bytes(p->device);
        bool in_vain = before[kind] < p->base + p->growth / 4;
        p->growth = in_vain ? at_most_twice(L, p) : p->growth / 2;
        p->young = 0;
    }
}

void pressure_relieve(lua_State *L) {
    pressure_due = false;
    bool all = false;
    for (int kind = 0; kind < N_DEVICE_KINDS; kind++) {
        all = all || has_grown(L, &kinds[kind]);
    }
    if (all) {
        collect_full(L);
    } else {
        collect_young(L);
    }
}

void pressure_collect_all(lua_State *L) {
    pressure_due = false;
    collect_full(L);
}
