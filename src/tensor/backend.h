#ifndef TOCHA_BACKEND_H
#define TOCHA_BACKEND_H
/* The whole contract between the engine and a device; compiled as C and as C++. */
#include "tensor/dtype.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { BACKEND_ABI = 1, MAX_DIMS = 8, MAX_ARGS = 16, MAX_OUTS = 6 };
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
    uint64_t seed, offset; /* random ops: numel counters of Philox from offset belong to the call */
    Device device;
} KernelCall;

/* Returns false after recording an error with host->fail (CPU: fail()). */
typedef bool KernelFn(const KernelCall *c);

typedef struct KernelRow {
    const char *op;
    KernelFn *run;
} KernelRow;

typedef struct Backend {
    uint32_t abi, size;
    const char *name;
    /* required: NULL on failure, after recording an error of kind ERR_MEMORY */
    void *(*alloc)(Device device, size_t bytes);
    /* required: the same size as asked */
    void (*release)(Device device, void *p, size_t bytes);
    /* required: copies between host and device or on the device; contiguous bytes */
    bool (*copy)(Device dst_device, void *dst, Device src_device, const void *src, size_t bytes);
    /* optional: waits until the device has finished; raises what went wrong meanwhile */
    bool (*synchronize)(Device device);
    /* required: ends at op == NULL */
    const KernelRow *kernels;
} Backend;

#ifdef __cplusplus
}
#endif
#endif
