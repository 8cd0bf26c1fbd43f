/* Handles, and the plans of the graphs that have run so far. */
#include "gpu/dnn.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "gpu/dnn_disk.h"
#include "gpu/dnn_library.h"
#include "gpu/graph.h"

/* One lock around cuDNN and all that is below: a handle knows one stream at a time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cudnnHandle_t handles[GPU_DEVICES];

int dnn_modes(void) {
    return (gpu_setting(SETTING_CUDNN) ? 0 : DNN_OFF) |
           (gpu_setting(SETTING_CUDNN_TF32) ? DNN_TF32 : 0) |
           (gpu_setting(SETTING_CUDNN_DETERMINISTIC) ? 0 : DNN_NONDETERMINISTIC) |
           (gpu_setting(SETTING_CUDNN_BENCHMARK) ? DNN_BENCHMARK : 0);
}

/* cuDNN's recurrent networks multiply on several streams with one handle of cuBLAS, which takes the
 * workspace that is free, of two sizes, and with it another kernel. With one size the same call
 * gives the same bits. It is read when a handle is made. */
static void fix_workspaces(void) {
    static bool done;
    if (!done && gpu_setting(SETTING_CUDNN_DETERMINISTIC)) {
        setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:2", 0);
    }
    done = true;
}

cudnnHandle_t dnn_enter(Device d) {
    pthread_mutex_lock(&lock);
    fix_workspaces();
    cudnnHandle_t *handle = &handles[d.index];
    if (dnn_library_open() && (*handle || dnn_ok(DNN(cudnnCreate)(handle), "cudnnCreate")) &&
        dnn_ok(DNN(cudnnSetStream)(*handle, gpu_stream(d)), "cudnnSetStream")) {
        return *handle;
    }
    dnn_leave();
    return NULL;
}

size_t dnn_version(void) {
    pthread_mutex_lock(&lock);
    size_t version = dnn_library_open() ? DNN(cudnnGetVersion)() : 0;
    dnn_leave();
    return version;
}

void dnn_leave(void) { pthread_mutex_unlock(&lock); }

/* A graph with its plan. Its device and the modes that decided on it belong to the key. */
typedef struct Entry {
    struct Entry *next; /* of the same slot */
    uint64_t hash, used;
    Device device;
    int modes, words;
    bool refused;      /* no engine takes it */
    bool asked, known; /* the disk has been asked for a plan; it has the one in use */
    bool untimed;      /* the plan is still to be compared with others */
    int from;          /* engines before this one have been found not to do */
    DnnPlan plan;      /* empty where there is none yet */
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

/* The workspace may be released as soon as the work is on its way. */
static DnnResult execute(const DnnPlan *p, cudnnHandle_t handle, Device d, const DnnGraph *g) {
    size_t bytes = (size_t)p->workspace;
    void *workspace = bytes ? gpu_alloc(d, bytes) : NULL;
    if (bytes && !workspace) {
        return DNN_FAILED;
    }
    cudnnStatus_t status = dnn_plan_execute(p, handle, g, workspace);
    if (workspace) {
        gpu_release(d, workspace, bytes);
    }
    if (dnn_unsupported(status)) {
        return DNN_UNSUPPORTED;
    }
    return dnn_ok(status, "running a graph") ? DNN_DONE : DNN_FAILED;
}

/* A plan from an earlier session. */
static bool recall(Entry *e, const DnnTarget *t, const DnnKey *key) {
    size_t bytes;
    char *text = e->asked ? NULL : dnn_disk_load(key, &bytes);
    e->asked = true;
    e->known = text && dnn_plan_from_text(&e->plan, t, text, bytes);
    free(text);
    return e->known;
}

static void keep(Entry *e, const DnnKey *key) {
    size_t bytes;
    char *text = e->known ? NULL : dnn_plan_text(&e->plan, &bytes);
    if (text) {
        dnn_disk_store(key, text, bytes);
    }
    free(text);
    e->known = true;
}

/* Between two events, in milliseconds; false where the plan does not run. */
static bool time_between(const DnnPlan *p, cudnnHandle_t handle, Device d, const DnnGraph *g,
                         cudaEvent_t from, cudaEvent_t to, float *ms) {
    enum { TIMES = 3 };
    bool ok =
        execute(p, handle, d, g) == DNN_DONE && cudaEventRecord(from, gpu_stream(d)) == cudaSuccess;
    for (int i = 0; ok && i < TIMES; i++) {
        ok = execute(p, handle, d, g) == DNN_DONE;
    }
    return ok && cudaEventRecord(to, gpu_stream(d)) == cudaSuccess &&
           cudaEventSynchronize(to) == cudaSuccess &&
           cudaEventElapsedTime(ms, from, to) == cudaSuccess;
}

static bool time_plan(const DnnPlan *p, cudnnHandle_t handle, Device d, const DnnGraph *g,
                      float *ms) {
    cudaEvent_t from, to;
    if (cudaEventCreateWithFlags(&from, cudaEventDefault) != cudaSuccess) {
        return false;
    }
    bool ok = cudaEventCreateWithFlags(&to, cudaEventDefault) == cudaSuccess;
    if (ok) {
        ok = time_between(p, handle, d, g, from, to, ms);
        cudaEventDestroy(to);
    }
    cudaEventDestroy(from);
    return ok;
}

/* Puts the fastest of the plan that there is and some that follow it in its place. Results are
 * written anew each time. */
static void choose_fastest(Entry *e, const DnnTarget *t, const DnnGraph *g) {
    enum { TRIED = 8 };
    float least, ms;
    bool timed = time_plan(&e->plan, t->handle, e->device, g, &least);
    int from = e->plan.engine + 1;
    for (int i = 1; i < TRIED; i++) {
        DnnPlan p;
        if (dnn_plan_make(&p, t, g, e->modes, from) != DNN_DONE) {
            break;
        }
        from = p.engine + 1;
        bool better = time_plan(&p, t->handle, e->device, g, &ms) && (!timed || ms < least);
        if (better) {
            DnnPlan other = e->plan;
            e->plan = p;
            p = other;
            least = ms;
            timed = true;
        }
        dnn_plan_free(&p);
    }
    error_clear(); /* of plans that failed, if one is left that did not */
}

static DnnResult prepare(Entry *e, const DnnTarget *t, const DnnKey *key, const DnnGraph *g) {
    if (e->refused) {
        return DNN_UNSUPPORTED;
    }
    if (!e->plan.plan && !recall(e, t, key)) {
        DnnResult result = dnn_plan_make(&e->plan, t, g, e->modes, e->from);
        e->refused = result == DNN_UNSUPPORTED;
        if (result != DNN_DONE) {
            return result;
        }
        e->untimed = e->modes & DNN_BENCHMARK;
    }
    if (e->untimed && !gpu_records(e->device)) { /* else it would be recorded, not run */
        choose_fastest(e, t, g);
        e->untimed = false;
    }
    return DNN_DONE;
}

/* An engine may find out as late as now that it does not do: then it is the next one's turn. */
static DnnResult run(Entry *e, cudnnHandle_t handle, const DnnGraph *g) {
    DnnTarget target = {.handle = handle};
    DnnKey key = {e->device, e->modes, e->word, e->words};
    while (true) {
        DnnResult result = prepare(e, &target, &key, g);
        if (result != DNN_DONE) {
            return result;
        }
        result = execute(&e->plan, handle, e->device, g);
        if (result == DNN_DONE && !e->untimed) {
            keep(e, &key);
        }
        if (result != DNN_UNSUPPORTED) {
            return result;
        }
        e->from = e->plan.engine + 1;
        e->known = false;
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
