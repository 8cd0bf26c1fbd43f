#include "vm_bindings/pressure.h"

#include "base/memory.h"
#include "tensor/op.h"

enum { YOUNG_BYTES = 1 << 20 };

typedef struct Pressure {
    Device device; /* of the last tensor */
    size_t young;  /* bytes since the last collection */
    size_t base;   /* live bytes when a collection last left the least */
} Pressure;

static THREAD_LOCAL Pressure kinds[N_DEVICE_KINDS];
static THREAD_LOCAL bool due;

void pressure_open(lua_State *L) { lua_gc(L, LUA_GCGEN, 0, 0); }

void pressure_add(const Tensor *t) {
    Pressure *p = &kinds[t->device.kind];
    p->young += sizeof *t + sizeof(Storage);
    if (!atomic_load_explicit(&t->storage->told, memory_order_relaxed)) {
        atomic_store_explicit(&t->storage->told, true, memory_order_relaxed);
        p->young += t->storage->bytes;
    }
    p->device = t->device;
    due = due || p->young >= YOUNG_BYTES;
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

/* Whether live memory has grown by as much, which may be garbage that was old before it died. */
static bool has_grown(lua_State *L, const Pressure *p) {
    return p->young && live_bytes(p->device) > p->base + growth_worth_it(L);
}

static void collect(lua_State *L, bool all) {
    if (all) {
        lua_gc(L, LUA_GCCOLLECT);
    } else {
        lua_gc(L, LUA_GCSTEP, 0);
    }
    for (int kind = 0; kind < N_DEVICE_KINDS; kind++) {
        Pressure *p = &kinds[kind];
        size_t live = p->young ? live_bytes(p->device) : p->base;
        p->base = all || live < p->base ? live : p->base;
        p->young = 0;
    }
}

void pressure_relieve(lua_State *L) {
    if (!due) {
        return;
    }
    due = false;
    bool all = false;
    for (int kind = 0; kind < N_DEVICE_KINDS; kind++) {
        all = all || has_grown(L, &kinds[kind]);
    }
    collect(L, all);
}

void pressure_collect_all(lua_State *L) {
    due = false;
    collect(L, true);
}
