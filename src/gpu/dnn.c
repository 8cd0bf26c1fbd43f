/* Handles, and the plans of the graphs that have run so far. */
#include "gpu/dnn.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "gpu/dnn_library.h"
#include "gpu/dnn_plan.h"

/* One lock around cuDNN and all that is below: a handle knows one stream at a time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cudnnHandle_t handles[GPU_DEVICES];

static atomic_int allowed;

int dnn_modes(void) { return atomic_load(&allowed); }
void dnn_set_modes(int modes) { atomic_store(&allowed, modes); }

cudnnHandle_t dnn_enter(Device d) {
    pthread_mutex_lock(&lock);
    cudnnHandle_t *handle = &handles[d.index];
    if (dnn_library_open() && (*handle || dnn_ok(DNN(cudnnCreate)(handle), "cudnnCreate")) &&
        dnn_ok(DNN(cudnnSetStream)(*handle, gpu_stream(d)), "cudnnSetStream")) {
        return *handle;
    }
    dnn_leave();
    return NULL;
}

void dnn_leave(void) { pthread_mutex_unlock(&lock); }

/* A graph with its plan. Its device and the modes that decided on it belong to the key. */
typedef struct Entry {
    struct Entry *next; /* of the same slot */
    uint64_t hash, used;
    Device device;
    int modes, words;
    bool refused; /* no engine takes it */
    int from;     /* engines before this one have been found not to do */
    DnnPlan plan; /* empty where there is none yet */
    int64_t word[];
} Entry;

enum { SLOTS = 1024, MOST_PLANS = 2048 };
static Entry *slots[SLOTS];
static int entries;
static uint64_t uses;

static uint64_t hash_of(Device d, int modes, const DnnGraph *g) {
    uint64_t h = (uint64_t)modes * GPU_DEVICES + (uint64_t)d.index;
    for (int i = 0; i < g->words; i++) {
        h = (h ^ (uint64_t)g->word[i]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 32;
    }
    return h;
}

static size_t entry_bytes(int words) { return sizeof(Entry) + (size_t)words * sizeof(int64_t); }

static Entry *find(uint64_t hash, Device d, int modes, const DnnGraph *g) {
    Entry *e = slots[hash % SLOTS];
    while (e && !(e->hash == hash && e->device.index == d.index && e->modes == modes &&
                  e->words == g->words &&
                  memcmp(e->word, g->word, (size_t)g->words * sizeof *g->word) == 0)) {
        e = e->next;
    }
    return e;
}

static void forget(Entry **place) {
    Entry *e = *place;
    *place = e->next;
    dnn_plan_free(&e->plan);
    mem_free(e, entry_bytes(e->words));
    entries--;
}

/* Makes room by the plan whose last use is longest ago. */
static void forget_oldest(void) {
    Entry **oldest = NULL;
    for (int i = 0; i < SLOTS; i++) {
        for (Entry **place = &slots[i]; *place; place = &(*place)->next) {
            if (!oldest || (*place)->used < (*oldest)->used) {
                oldest = place;
            }
        }
    }
    forget(oldest);
}

/* The graph's entry, made where there is none; NULL with an error. */
static Entry *entry_of(Device d, int modes, const DnnGraph *g) {
    uint64_t hash = hash_of(d, modes, g);
    Entry *e = find(hash, d, modes, g);
    if (!e) {
        if (entries == MOST_PLANS) {
            forget_oldest();
        }
        e = mem_zalloc(entry_bytes(g->words));
        if (!e) {
            return NULL;
        }
        *e = (Entry){.hash = hash, .device = d, .modes = modes, .words = g->words};
        memcpy(e->word, g->word, (size_t)g->words * sizeof *g->word);
        e->next = slots[hash % SLOTS];
        slots[hash % SLOTS] = e;
        entries++;
    }
    e->used = ++uses;
    return e;
}

static DnnResult prepare(Entry *e, cudnnHandle_t handle, const DnnGraph *g) {
    if (e->plan.plan || e->refused) {
        return e->refused ? DNN_UNSUPPORTED : DNN_DONE;
    }
    DnnTarget target = {.handle = handle};
    DnnResult result = dnn_plan_make(&e->plan, &target, g, e->modes, e->from);
    e->refused = result == DNN_UNSUPPORTED;
    return result;
}

/* The workspace may be released as soon as the work is on its way. */
static DnnResult execute(const Entry *e, cudnnHandle_t handle, const DnnGraph *g) {
    Device d = e->device;
    size_t bytes = (size_t)e->plan.workspace;
    void *workspace = bytes ? gpu_alloc(d, bytes) : NULL;
    if (bytes && !workspace) {
        return DNN_FAILED;
    }
    cudnnStatus_t status = dnn_plan_execute(&e->plan, handle, g, workspace);
    if (workspace) {
        gpu_release(d, workspace, bytes);
    }
    if (dnn_unsupported(status)) {
        return DNN_UNSUPPORTED;
    }
    return dnn_ok(status, "running a graph") ? DNN_DONE : DNN_FAILED;
}

/* An engine may find out as late as now that it does not do: then it is the next one's turn. */
static DnnResult run(Entry *e, cudnnHandle_t handle, const DnnGraph *g) {
    while (true) {
        DnnResult result = prepare(e, handle, g);
        if (result != DNN_DONE) {
            return result;
        }
        result = execute(e, handle, g);
        if (result != DNN_UNSUPPORTED) {
            return result;
        }
        e->from = e->plan.engine + 1;
        dnn_plan_free(&e->plan);
    }
}

DnnResult dnn_run(const KernelCall *c, const DnnGraph *g) {
    if (g->full) {
        fail("the graph for cuDNN is too large");
        return DNN_FAILED;
    }
    cudnnHandle_t handle = dnn_enter(c->device);
    if (!handle) {
        return DNN_FAILED;
    }
    Entry *e = entry_of(c->device, dnn_modes(), g);
    DnnResult result = e ? run(e, handle, g) : DNN_FAILED;
    dnn_leave();
    return result;
}
