#ifndef TOCHA_BACKEND_H
#define TOCHA_BACKEND_H
/* The whole contract between the engine and a device; compiled as C and as C++. */
#include "tensor/dtype.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { BACKEND_ABI = 6, MAX_DIMS = 8, MAX_ARGS = 16, MAX_OUTS = 6 };
enum { DEVICE_CPU, DEVICE_CUDA, N_DEVICE_KINDS };

typedef struct Tensor Tensor;
typedef struct Op Op;
typedef struct Generator Generator;

typedef struct Device {
    int8_t kind, index;
} Device;

/* One argument of an operator call, as its signature has it. ARG_NONE: optional and not given. */
typedef enum {
    ARG_NONE,
    ARG_TENSOR,
    ARG_TENSORS, /* ts, count; elements may be NULL where the signature says Tensor?s */
    ARG_INT,     /* int, dim, index, dtype, device */
    ARG_FLOAT,
    ARG_BOOL,
    ARG_STRING, /* lives as long as the process: interned or a literal */
    ARG_INTS,   /* ints, dims, shape; count */
    ARG_FLOATS,
    ARG_COMPLEX,  /* floats: the real and the imaginary part; count 2 */
    ARG_GENERATOR /* lives as long as the call */
} ArgKind;

typedef struct Arg {
    int32_t kind, count;
    union {
        Tensor *t;
        Tensor *const *ts;
        int64_t i;
        double f;
        bool b;
        const char *s;
        const int64_t *ints;
        const double *floats;
        Generator *generator;
    };
} Arg;

/* A tensor as a kernel sees it: strides count elements, data points at element (0, ..., 0).
 * An optional tensor that was not given has dtype DT_NONE and data NULL. */
typedef struct View {
    void *data;
    const int64_t *shape, *stride;
    int64_t numel;
    int32_t dim, dtype;
} View;

/* What a kernel is given. Shapes, dtypes and devices have been checked; outputs are allocated.
 * arg holds the arguments by their position in the signature (dims normalised to 0-based);
 * in holds the tensor arguments flattened, lists expanded, in the same order. */
typedef struct KernelCall {
    const Op *op;
    const char *name;
    int32_t id, n_in, n_out;
    const View *in;
    const View *out;
    const Arg *arg;
    uint32_t on_host; /* bit i: in[i] has no dims and is in host memory, though the call runs on a
                       * device; rows of the classes BINARY and COMPARE only */
    bool random;
    uint64_t seed, offset; /* random ops: numel counters of Philox from offset belong to the call */
    Device device;
} KernelCall;

/* Returns false after recording an error with host->fail (CPU: fail()). */
typedef bool KernelFn(const KernelCall *c);

typedef struct KernelRow {
    const char *op;
    KernelFn *run;
} KernelRow;

/* What memory of a device is used for; bytes. */
typedef struct DeviceMemory {
    uint64_t live, peak;    /* in blocks handed out; the most since the start or a reset */
    uint64_t cached;        /* held for the next blocks */
    uint64_t largest_free;  /* the largest block that could be handed out of the cache */
    uint64_t limit;         /* live and cached together never exceed it; 0: none */
    uint64_t allocs, frees; /* blocks handed out and taken back so far */
    uint64_t device_allocs; /* how often the device itself was asked */
    uint64_t device_free, device_total; /* as the device counts, all processes together */
} DeviceMemory;

typedef struct DeviceInfo {
    char name[256];
    int major, minor; /* compute capability */
    int processors;   /* streaming multiprocessors */
    uint64_t memory;  /* bytes */
} DeviceInfo;

/* Streams are queues of work of one device, events are places in them; both are opaque and owned
 * by the caller. Each thread has a current stream a device, on which its kernels run. */
typedef struct BackendStreams {
    void *(*stream_new)(Device device, bool high_priority);
    void (*stream_free)(Device device, void *stream);
    void *(*stream_current)(Device device);
    /* NULL: the device's own */
    void (*stream_use)(Device device, void *stream);
    bool (*stream_synchronize)(Device device, void *stream);
    /* done: whether all work given to the stream so far is finished */
    bool (*stream_query)(Device device, void *stream, bool *done);
    /* The memory at data is in use by the stream, and is not handed out again before that ends. */
    bool (*stream_uses)(Device device, void *stream, void *data);
    void *(*event_new)(Device device, bool timing);
    void (*event_free)(Device device, void *event);
    bool (*event_record)(Device device, void *event, void *stream);
    /* Work given to the stream later starts when the event has been reached. */
    bool (*event_wait)(Device device, void *event, void *stream);
    bool (*event_synchronize)(Device device, void *event);
    bool (*event_query)(Device device, void *event, bool *done);
    bool (*event_elapsed)(Device device, void *from, void *to, double *milliseconds);
} BackendStreams;

/* Graphs: what the calling thread gives to a device, recorded to be run again on the same memory.
 * While one is recorded memory comes from a pool of its own, and calls that wait are errors. */
typedef enum {
    NUMBERS_FIXED,    /* they go with the call, and are the same in every replay */
    NUMBERS_RECORDED, /* calls are recorded that read them from the device's memory */
    NUMBERS_RENEWED   /* the same calls again, in the same order, give them for the next replay
                         and do nothing else */
} GraphNumbers;

typedef struct BackendGraphs {
    /* NULL after an error. The owner ends it whatever happens on the way, and frees it. */
    void *(*graph_begin)(Device device);
    /* false: nothing can be replayed */
    bool (*graph_end)(Device device, void *graph);
    /* While it is paused the thread's work and memory are those of its current stream again. */
    void (*graph_pause)(Device device, void *graph, bool pause);
    /* What the numbers of the thread's optimiser steps are to the graph from now on. */
    bool (*graph_numbers)(Device device, void *graph, GraphNumbers what);
    /* On the thread's current stream; random ops draw from these counters on. */
    bool (*graph_replay)(Device device, void *graph, uint64_t seed, uint64_t offset);
    int64_t (*graph_size)(Device device, void *graph);
    /* Whether a block of memory is of the graph's pool. */
    bool (*graph_owns)(Device device, void *graph, void *data);
    void (*graph_free)(Device device, void *graph);
} BackendGraphs;

/* A recurrent network of several layers and directions over sequences of one length. */
typedef struct RnnNetwork {
    int64_t steps, batch, input, hidden, layers;
    int32_t dtype, mode; /* RnnMode */
    bool bidirectional;
    bool train; /* it is to be differentiated */
    bool back;  /* it was computed, and its gradients are to be */
} RnnNetwork;

typedef struct Backend {
    uint32_t abi, size;
    const char *name;
    /* required: NULL on failure, after recording an error of kind ERR_MEMORY */
    void *(*alloc)(Device device, size_t bytes);
    /* required: the same size as asked */
    void (*release)(Device device, void *p, size_t bytes);
    /* required: copies between host and device or on the device; contiguous bytes. The source may
     * be freed or written as soon as it returns; a copy to the host has arrived by then. */
    bool (*copy)(Device dst_device, void *dst, Device src_device, const void *src, size_t bytes);
    /* optional: copy, but what stands in pinned memory may still be read when it returns;
     * pinned_release waits for that */
    bool (*copy_early)(Device dst_device, void *dst, Device src_device, const void *src,
                       size_t bytes);
    /* optional: runs one of its kernels and reports what that or an earlier one did wrong, as far
     * as it is known; NULL: the engine calls the kernel itself */
    bool (*run)(KernelFn *kernel, const KernelCall *c);
    /* optional: waits until the device has finished; raises what went wrong meanwhile */
    bool (*synchronize)(Device device);
    /* optional: how many devices there are; NULL: one */
    int (*device_count)(void);
    /* optional */
    bool (*device_info)(Device device, DeviceInfo *info);
    /* optional: what memory is used for; gives cached memory back until at most keep bytes are
     * cached; starts the peak anew; sets the limit, 0 for none */
    bool (*memory_stats)(Device device, DeviceMemory *stats);
    bool (*memory_trim)(Device device, size_t keep);
    void (*memory_reset_peak)(Device device);
    bool (*memory_limit)(Device device, size_t bytes);
    /* optional: host memory that the device reaches without a copy in between */
    void *(*pinned_alloc)(size_t bytes);
    void (*pinned_release)(void *p, size_t bytes);
    /* optional */
    const BackendStreams *streams;
    const BackendGraphs *graphs;
    /* optional: whether rnn_network takes this one now, and the bytes that it keeps for the way
     * back; false with an error where it could not find out */
    bool (*rnn_takes)(Device device, const RnnNetwork *n, int64_t *kept);
    /* required: ends at op == NULL */
    const KernelRow *kernels;
} Backend;

/* What the process has chosen (tensor/settings.h); true or false. */
typedef enum {
    SETTING_CUDNN, /* cuDNN is used */
    SETTING_CUDNN_TF32,
    SETTING_CUDNN_DETERMINISTIC,
    SETTING_CUDNN_BENCHMARK,
    SETTING_MATMUL_TF32, /* products of float32 may round their factors to TF32 */
    N_SETTINGS
} Setting;

/* What the engine gives a module that it loads. */
typedef struct BackendHost {
    uint32_t abi, size;
    void (*error)(int kind, const char *text); /* error_record() */
    void (*clear_error)(void);                 /* error_clear() */
    void *(*alloc)(size_t bytes);              /* mem_alloc() */
    void (*release)(void *p, size_t bytes);    /* mem_free() */
    bool (*refused)(size_t bytes);             /* mem_refused() */
    int64_t (*setting)(int which);             /* setting_get() */
} BackendHost;

/* The one function that a module exports, under this name; NULL after recording an error. */
typedef const Backend *BackendOpen(const BackendHost *host);
#define BACKEND_OPEN "tocha_backend_open"

#ifdef __cplusplus
}
#endif
#endif
