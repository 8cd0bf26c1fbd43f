#include "gpu/graph.h"

#include "base/memory.h"

typedef struct GpuGraph {
    cudaStream_t stream; /* its own: memory taken on it is nobody else's */
    cudaStream_t before; /* where the thread's work went */
    cudaGraphExec_t exec;
    cudaEvent_t done;   /* of the last replay */
    uint64_t *counters; /* device memory: seed and first counter of a replay */
    size_t nodes;
} GpuGraph;

/* What the thread records. No initial-exec model (base/tls.h): the module is loaded late. */
static _Thread_local struct {
    GpuGraph *graph;
    Device device;
    bool asked;
} now;

bool gpu_records(Device d) { return now.graph && now.device.index == d.index; }

bool gpu_may_wait(Device d) {
    return !gpu_records(d) || fail("a graph cannot record this: it waits for the device, to read a "
                                   "value or to learn a size, or copies from "
                                   "host memory");
}

const uint64_t *gpu_recorded_counters(Device d) {
    now.asked = true;
    return gpu_records(d) ? now.graph->counters : NULL;
}

bool gpu_counters_asked(void) {
    bool asked = now.asked;
    now.asked = false;
    return asked;
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
        if (g->counters) {
            gpu_release(d, g->counters, 2 * sizeof *g->counters);
        }
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
    g->counters = (uint64_t *)gpu_alloc(d, 2 * sizeof *g->counters);
    return g->counters &&
           gpu_ok(cudaStreamCreateWithFlags(&g->stream, cudaStreamNonBlocking), "graph") &&
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
    cudaGetLastError();
    return gpu_ok(error, "graph");
}

/* Replays follow one another, whatever streams they are given to: they use the same memory. */
static bool graph_replay(Device d, void *graph, uint64_t seed, uint64_t offset) {
    GpuGraph *g = (GpuGraph *)graph;
    cudaStream_t stream;
    return gpu_enter(d) && gpu_may_wait(d) && (stream = gpu_stream(d), true) &&
           gpu_ok(cudaStreamWaitEvent(stream, g->done, 0), "graph") &&
           gpu_write_counters(stream, g->counters, seed, offset) &&
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
                                  .graph_replay = graph_replay,
                                  .graph_size = graph_size,
                                  .graph_owns = graph_owns,
                                  .graph_free = graph_free};
