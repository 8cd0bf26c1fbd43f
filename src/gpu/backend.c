/* The module's table and entry, and what the engine lends it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "gpu/gpu.h"
#include "gpu/graph.h"
#include "gpu/rnn_network.h"
#include "tensor/op.h"

static const BackendHost *host;
static bool sync_always; /* TOCHA_GPU_SYNC=1: asynchronous errors are raised by the op at fault */

void error_record(ErrorKind kind, const char *fmt, ...) {
    char text[ERROR_MESSAGE_MAX + 1];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    host->error((int)kind, text);
}

int64_t gpu_setting(int which) { return host->setting(which); }

void error_clear(void) { host->clear_error(); }

void *mem_alloc(size_t bytes) { return host->alloc(bytes); }

void *mem_zalloc(size_t bytes) {
    void *p = mem_alloc(bytes);
    return p ? memset(p, 0, bytes) : NULL;
}

void mem_free(void *p, size_t bytes) { host->release(p, bytes); }

bool mem_refused(size_t bytes) { return host->refused(bytes); }

#define FAMILY(x) gpu_##x##_rows,
#define COMPLEX(x)
static const KernelRow *const families[] = {
#include "gpu/families.def"
    NULL};
#undef FAMILY
#undef COMPLEX
#define FAMILY(x)
#define COMPLEX(x) gpu_##x##_rows,
static const KernelRow *const complex_families[] = {
#include "gpu/families.def"
    NULL};
#undef FAMILY
#undef COMPLEX

enum { MAX_ROWS = 2048, MAX_COMPLEX_ROWS = 256 };

/* All families' rows in one list of so many at most, which ends at op == NULL; how many, or -1
 * after an error. */
static int join_rows(const KernelRow *const *list, KernelRow *rows, int most) {
    int n = 0;
    for (; *list; list++) {
        for (const KernelRow *row = *list; row->op; row++) {
            if (n == most - 1) {
                fail("the CUDA backend has more kernels than its list holds");
                return -1;
            }
            rows[n++] = *row;
        }
    }
    rows[n] = (KernelRow){NULL, NULL};
    return n;
}

static KernelRow complex_rows[MAX_COMPLEX_ROWS]; /* by name */
static int n_complex_rows;

static int by_name(const void *a, const void *b) {
    return strcmp(((const KernelRow *)a)->op, ((const KernelRow *)b)->op);
}

/* The kernel for a call with complex tensors; kernel itself where that is for all dtypes. */
static KernelFn *complex_kernel(const KernelCall *c, KernelFn *kernel) {
    KernelRow key = {c->op->name, NULL}; /* name is what the user called, maybe composed of it */
    const KernelRow *row =
        bsearch(&key, complex_rows, (size_t)n_complex_rows, sizeof *complex_rows, by_name);
    return row ? row->run : kernel;
}

static bool is_complex_call(const KernelCall *c) {
    return (c->n_in > 0 && c->in[0].dtype != DT_NONE && dtype_is_complex(c->in[0].dtype)) ||
           (c->n_out > 0 && dtype_is_complex(c->out[0].dtype));
}

static bool run(KernelFn *kernel, const KernelCall *c) {
    gpu_counters_asked();
    kernel = is_complex_call(c) ? complex_kernel(c, kernel) : kernel;
    if (!gpu_enter(c->device) || !kernel(c)) {
        return false;
    }
    bool records = gpu_records(c->device);
    if (records && c->random && c->out[0].numel > 0 && !gpu_counters_asked()) {
        return fail("%s: a graph cannot record this: every replay would draw the same numbers",
                    c->name);
    }
    cudaError_t error = cudaGetLastError();
    if (error != cudaSuccess) {
        return fail("%s: the kernel could not be started: %s", c->name, cudaGetErrorString(error));
    }
    return !sync_always || records || gpu_finish(c->device, c->name);
}

static bool device_info(Device d, DeviceInfo *info) {
    struct cudaDeviceProp p;
    if (!gpu_ok(cudaGetDeviceProperties(&p, d.index), "get_device_properties")) {
        return false;
    }
    *info = (DeviceInfo){.major = p.major,
                         .minor = p.minor,
                         .processors = p.multiProcessorCount,
                         .memory = p.totalGlobalMem};
    snprintf(info->name, sizeof info->name, "%s", p.name);
    return true;
}

BackendOpen tocha_backend_open __attribute__((visibility("default")));
const Backend *tocha_backend_open(const BackendHost *lent) {
    static KernelRow rows[MAX_ROWS];
    static const Backend backend = {.abi = BACKEND_ABI,
                                    .size = sizeof backend,
                                    .name = "cuda",
                                    .alloc = gpu_alloc,
                                    .release = gpu_release,
                                    .copy = gpu_copy,
                                    .copy_early = gpu_copy_early,
                                    .run = run,
                                    .synchronize = gpu_synchronize,
                                    .device_count = gpu_device_count,
                                    .device_info = device_info,
                                    .memory_stats = gpu_memory_stats,
                                    .memory_trim = gpu_memory_trim,
                                    .memory_reset_peak = gpu_memory_reset_peak,
                                    .memory_limit = gpu_memory_limit,
                                    .pinned_alloc = gpu_pinned_alloc,
                                    .pinned_release = gpu_pinned_release,
                                    .streams = &gpu_streams,
                                    .graphs = &gpu_graphs,
                                    .rnn_takes = rnn_network_takes,
                                    .kernels = rows};
    if (lent->abi != BACKEND_ABI || lent->size != sizeof *lent) {
        return NULL;
    }
    host = lent;
    const char *sync = getenv("TOCHA_GPU_SYNC");
    sync_always = sync && strcmp(sync, "1") == 0;
    if (gpu_device_count() == 0) {
        fail("the CUDA runtime finds no device that it can use");
        return NULL;
    }
    n_complex_rows = join_rows(complex_families, complex_rows, MAX_COMPLEX_ROWS);
    if (n_complex_rows < 0 || join_rows(families, rows, MAX_ROWS) < 0) {
        return NULL;
    }
    qsort(complex_rows, (size_t)n_complex_rows, sizeof *complex_rows, by_name);
    return &backend;
}
