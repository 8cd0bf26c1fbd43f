#include "gpu/graph.h"

#include <string.h>

#include "base/memory.h"

/* Words that a replay writes to the device. */
typedef struct Page {
    struct Page *next;
    uint64_t *device;
    int used;
    GpuWords host;
} Page;

enum { COUNTERS = 2 }; /* seed and first counter are the first page's first */

/* The numbers of one launch of an optimiser's step, and what they belong to. */
typedef struct Numbers {
    struct Numbers *next;
    Page *page;
    int at, n_data;
    const void *kernel;
    const void *data[];
} Numbers;

static size_t numbers_size(int n_data) { return sizeof(Numbers) + (size_t)n_data * sizeof(void *); }

typedef struct GpuGraph {
    cudaStream_t stream; /* its own: memory taken on it is nobody else's */
    cudaStream_t before; /* where the thread's work went */
    cudaGraphExec_t exec;
    cudaEvent_t done; /* of the last replay, and before the first of what was there before */
    Page *pages, *last_page;
    Numbers *numbers, *last_numbers;
    Numbers *stale; /* the first that the replay to come has not been given yet */
    size_t nodes;
} GpuGraph;

/* What the thread records. No initial-exec model (base/tls.h): the module is loaded late. */
static _Thread_local struct {
    GpuGraph *graph;
    Device device;
    bool asked;
    GpuGraph *steps; /* whose steps' numbers are recorded or renewed */
    Device steps_device;
    GraphNumbers numbers;
} now;

bool gpu_records(Device d) { return now.graph && now.device.index == d.index; }

bool gpu_may_wait(Device d) {
    return !gpu_records(d) || fail("a graph cannot record this: it waits for the device, to read a "
                                   "value or to learn a size, or copies from "
                                   "host memory");
}

const uint64_t *gpu_recorded_counters(Device d) {
    now.asked = true;
    return gpu_records(d) ? now.graph->pages->device : NULL;
}

bool gpu_counters_asked(void) {
    bool asked = now.asked;
    now.asked = false;
    return asked;
}

/* A page more; NULL after an error. */
static Page *page_new(Device d, GpuGraph *g) {
    Page *p = (Page *)mem_zalloc(sizeof *p);
    if (!p) {
        return NULL;
    }
    p->device = (uint64_t *)gpu_alloc(d, sizeof p->host);
    if (!p->device) {
        mem_free(p, sizeof *p);
        return NULL;
    }
    *(g->last_page ? &g->last_page->next : &g->pages) = p;
    g->last_page = p;
    return p;
}

static void pages_free(Device d, GpuGraph *g) {
    for (Page *p = g->pages, *next; p; p = next) {
        next = p->next;
        gpu_release(d, p->device, sizeof p->host);
        mem_free(p, sizeof *p);
    }
    for (Numbers *n = g->numbers, *next; n; n = next) {
        next = n->next;
        mem_free(n, numbers_size(n->n_data));
    }
}

bool gpu_numbers_change(Device d) { return now.steps && now.steps_device.index == d.index; }

/* Room for the numbers of one more launch; NULL after an error. */
static Numbers *numbers_new(const StepLaunch *l, GpuGraph *g) {
    int words = (int)((l->bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t));
    Page *page = g->last_page;
    if (page->used + words > GPU_WORDS && !(page = page_new(l->device, g))) {
        return NULL;
    }
    Numbers *n = (Numbers *)mem_zalloc(numbers_size(l->n_data));
    if (!n) {
        return NULL;
    }
    n->page = page;
    n->at = page->used;
    n->kernel = l->kernel;
    n->n_data = l->n_data;
    memcpy(n->data, l->data, (size_t)l->n_data * sizeof *l->data);
    page->used += words;
    *(g->last_numbers ? &g->last_numbers->next : &g->numbers) = n;
    g->last_numbers = n;
    return n;
}

/* The launch that is to be renewed next; NULL after an error: it is not this one. */
static Numbers *numbers_next(const StepLaunch *l, GpuGraph *g) {
    Numbers *n = g->stale;
    if (!n || n->kernel != l->kernel || n->n_data != l->n_data ||
        memcmp(n->data, l->data, (size_t)l->n_data * sizeof *l->data) != 0) {
        fail("the graph has recorded another kind of step than the optimizer takes now, or one on "
             "other tensors; record a new one after momentum, amsgrad or the state have changed");
        return NULL;
    }
    g->stale = n->next;
    return n;
}

bool gpu_step_numbers(const StepLaunch *l, const void **recorded, bool *launches) {
    *recorded = NULL;
    *launches = true;
    if (!gpu_numbers_change(l->device)) {
        return true;
    }
    *launches = now.numbers == NUMBERS_RECORDED;
    Numbers *n = *launches ? numbers_new(l, now.steps) : numbers_next(l, now.steps);
    if (!n) {
        return false;
    }
    memcpy(n->page->host.word + n->at, l->numbers, l->bytes);
    *recorded = n->page->device + n->at;
    return true;
}

static bool graph_numbers(Device d, void *graph, GraphNumbers what) {
    GpuGraph *g = (GpuGraph *)graph;
    now.steps = NULL;
    now.numbers = what;
    if (what == NUMBERS_RENEWED) {
        /* Renewing may write into what the last replay uses. */
        if (!gpu_enter(d) || !gpu_may_wait(d) ||
            !gpu_ok(cudaStreamWaitEvent(gpu_stream(d), g->done, 0), "graph")) {
            return false;
        }
        g->stale = g->numbers;
    }
    now.steps = what == NUMBERS_FIXED ? NULL : g;
    now.steps_device = d;
    return true;
}

static void graph_free(Device d, void *graph) {
    GpuGraph *g = (GpuGraph *)graph;
    if (gpu_enter(d)) {
        if (g->exec) {
            cudaEventSynchronize(g->done);
            cudaGraphExecDestroy(g->exec);
        }
        if (g->done) {
            cudaEventDestroy(g->done);
        }
        pages_free(d, g);
        if (g->stream) {
            gpu_memory_retire(d, g->stream);
            cudaStreamDestroy(g->stream);
        }
        cudaGetLastError();
    }
    mem_free(g, sizeof *g);
}

static bool prepare(Device d, GpuGraph *g) {
    g->before = gpu_stream(d);
    Page *first = page_new(d, g);
    if (!first) {
        return false;
    }
    first->used = COUNTERS;
    return gpu_ok(cudaStreamCreateWithFlags(&g->stream, cudaStreamNonBlocking), "graph") &&
           gpu_ok(cudaEventCreateWithFlags(&g->done, cudaEventDisableTiming), "graph") &&
           gpu_memory_reserve(d, g->stream) &&
           gpu_ok(cudaStreamBeginCapture(g->stream, cudaStreamCaptureModeRelaxed), "graph");
}

static void *graph_begin(Device d) {
    GpuGraph *g = gpu_enter(d) ? (GpuGraph *)mem_zalloc(sizeof *g) : NULL;
    if (!g) {
        return NULL;
    }
    if (!prepare(d, g)) {
        graph_free(d, g);
        return NULL;
    }
    now.graph = g;
    now.device = d;
    gpu_stream_use(d, g->stream);
    return g;
}

static void graph_pause(Device d, void *graph, bool pause) {
    GpuGraph *g = (GpuGraph *)graph;
    now.graph = pause ? NULL : g;
    gpu_stream_use(d, pause ? g->before : g->stream);
}

static bool graph_end(Device d, void *graph) {
    GpuGraph *g = (GpuGraph *)graph;
    cudaGraph_t recorded = NULL;
    now.graph = NULL;
    gpu_stream_use(d, g->before);
    if (!gpu_enter(d)) {
        return false;
    }
    cudaError_t error = cudaStreamEndCapture(g->stream, &recorded);
    if (error == cudaSuccess) {
        error = cudaGraphGetNodes(recorded, NULL, &g->nodes);
    }
    if (error == cudaSuccess) {
        error = cudaGraphInstantiate(&g->exec, recorded, 0);
    }
    if (recorded) {
        cudaGraphDestroy(recorded);
    }
    if (error == cudaSuccess) { /* replays on any stream come behind what was given before */
        error = cudaEventRecord(g->done, g->before);
    }
    cudaGetLastError();
    return gpu_ok(error, "graph");
}

static bool write_pages(const GpuGraph *g, cudaStream_t stream) {
    bool ok = true;
    for (const Page *p = g->pages; ok && p; p = p->next) {
        ok = gpu_write_words(stream, p->device, &p->host, p->used);
    }
    return ok;
}

/* Replays follow one another, whatever streams they are given to: they use the same memory. */
static bool graph_replay(Device d, void *graph, uint64_t seed, uint64_t offset) {
    GpuGraph *g = (GpuGraph *)graph;
    cudaStream_t stream;
    if (!gpu_enter(d) || !gpu_may_wait(d)) {
        return false;
    }
    if (g->stale) {
        return fail("graph: not all of the recorded steps were given new numbers");
    }
    g->pages->host.word[0] = seed;
    g->pages->host.word[1] = offset;
    stream = gpu_stream(d);
    return gpu_ok(cudaStreamWaitEvent(stream, g->done, 0), "graph") && write_pages(g, stream) &&
           gpu_ok(cudaGraphLaunch(g->exec, stream), "graph") &&
           gpu_ok(cudaEventRecord(g->done, stream), "graph");
}

static int64_t graph_size(Device d, void *graph) {
    (void)d;
    return (int64_t)((const GpuGraph *)graph)->nodes;
}

static bool graph_owns(Device d, void *graph, void *data) {
    return gpu_memory_is_of(d, data, ((const GpuGraph *)graph)->stream);
}

const BackendGraphs gpu_graphs = {.graph_begin = graph_begin,
                                  .graph_end = graph_end,
                                  .graph_pause = graph_pause,
                                  .graph_numbers = graph_numbers,
                                  .graph_replay = graph_replay,
                                  .graph_size = graph_size,
                                  .graph_owns = graph_owns,
                                  .graph_free = graph_free};
