#include "tensor/capture.h"

#include <string.h>

#include "base/memory.h"

struct Capture {
    Device device;
    const BackendGraphs *graphs;
    void *graph;
    uint64_t counters; /* of the default generator, taken by a replay */
    Storage **kept;    /* owned; a table by address */
    int n, size;
};

enum { FIRST_SIZE = 256 };

Capture *capture_begin(Device device) {
    const Backend *b = backend_of(device);
    if (!b) {
        return NULL;
    }
    if (!b->graphs) {
        return fail_null("graph: %s records no graphs", device_text(device));
    }
    if (modes.capture) {
        return fail_null("graph: a graph is being recorded already");
    }
    Capture *c = mem_zalloc(sizeof *c);
    if (!c) {
        return NULL;
    }
    c->device = device;
    c->graphs = b->graphs;
    c->graph = c->graphs->graph_begin(device);
    if (!c->graph) {
        mem_free(c, sizeof *c);
        return NULL;
    }
    return c;
}

bool capture_end(Capture *c) { return c->graphs->graph_end(c->device, c->graph); }

bool capture_numbers(Capture *c, GraphNumbers what) {
    return c->graphs->graph_numbers(c->device, c->graph, what);
}

bool capture_replay(Capture *c) {
    uint64_t seed = 0, offset = 0;
    if (c->counters) {
        generator_take(NULL, c->counters, &seed, &offset);
    }
    return c->graphs->graph_replay(c->device, c->graph, seed, offset);
}

int64_t capture_size(const Capture *c) { return c->graphs->graph_size(c->device, c->graph); }

void capture_pause(Capture *c, bool pause) { c->graphs->graph_pause(c->device, c->graph, pause); }

Device capture_device(const Capture *c) { return c->device; }

void capture_free(Capture *c) {
    c->graphs->graph_free(c->device, c->graph);
    for (int i = 0; i < c->size; i++) {
        storage_release(c->kept[i]);
    }
    mem_free(c->kept, (size_t)c->size * sizeof(Storage *));
    mem_free(c, sizeof *c);
}

static Storage **place_of(Storage **table, int size, const Storage *s) {
    size_t at = (size_t)((uint64_t)(uintptr_t)s * 0x9E3779B97F4A7C15ull >> 32);
    Storage **place;
    do {
        place = &table[at++ & (size_t)(size - 1)];
    } while (*place && *place != s);
    return place;
}

static bool reserve(Capture *c) {
    if (2 * c->n < c->size) {
        return true;
    }
    int size = c->size ? 2 * c->size : FIRST_SIZE;
    Storage **larger = mem_zalloc((size_t)size * sizeof(Storage *));
    if (!larger) {
        return false;
    }
    for (int i = 0; i < c->size; i++) {
        if (c->kept[i]) {
            *place_of(larger, size, c->kept[i]) = c->kept[i];
        }
    }
    mem_free(c->kept, (size_t)c->size * sizeof(Storage *));
    c->kept = larger;
    c->size = size;
    return true;
}

static bool keep(Capture *c, Storage *s) {
    if (!reserve(c)) {
        return false;
    }
    Storage **place = place_of(c->kept, c->size, s);
    if (!*place) {
        atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
        *place = s;
        c->n++;
    }
    return true;
}

bool capture_note(const Call *call) {
    Capture *c = modes.capture;
    for (int i = 0; i < call->n_in; i++) {
        Storage *s = call->in[i] ? call->in[i]->storage : NULL;
        bool foreign = s && s->data && device_equal(s->device, c->device) &&
                       !c->graphs->graph_owns(c->device, c->graph, s->data);
        if (foreign && !keep(c, s)) {
            return false;
        }
    }
    return true;
}

bool capture_take(Generator *g, uint64_t n, uint64_t *offset) {
    if (g) {
        return fail("a graph records random numbers of the default generator alone");
    }
    *offset = modes.capture->counters;
    modes.capture->counters += n;
    return true;
}
