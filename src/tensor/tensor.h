#ifndef TOCHA_TENSOR_H
#define TOCHA_TENSOR_H
/* Tensors, storages and scopes.
 *
 * Ownership: every tensor that a function of the engine returns belongs to the innermost scope of
 * the thread, which releases it when it closes; tensor_retain() keeps one beyond that. NULL means
 * that the first error of the thread has been recorded (base/error.h). */
#include <stdatomic.h>

#include "base/tls.h"
#include "base/where.h"
#include "tensor/backend.h"
#include "tensor/ints.h"

typedef struct Node Node;

/* A block of memory on one device, shared by the tensors that view it. version counts in-place
 * writes and last_write says where the latest was written (invariant 5). */
typedef struct Storage {
    atomic_int refs;
    atomic_uint version;
    void *data;
    size_t bytes;
    Device device;
    bool inline_data; /* data stands right behind this struct, in the same block */
    atomic_bool told; /* the collector of the language around has been told of the bytes */
    Where last_write;
    void (*release)(struct Storage *s); /* foreign memory's owner; NULL for the backend's own */
    void *owner;
} Storage;

enum {
    TENSOR_NUMBER = 1,    /* a Lua number wrapped for one call: yields to other operands' dtype */
    TENSOR_UNTRACKED = 2, /* a view of a tensor in the graph that was made without recording */
    TENSOR_INFERENCE = 4, /* made in inference mode: never part of a graph */
    TENSOR_BATCHED = 8    /* has batching */
};

struct Tensor {
    atomic_int refs;
    uint8_t dtype, dim, flags;
    Device device;
    int32_t out;           /* which output of node this is */
    uint32_t node_version; /* views: the storage's version that node describes */
    Node *node;            /* place in the graph (owned); NULL: needs no gradient */
    Tensor *base;          /* the tensor whose storage this differentiable view shares (owned) */
    Storage *storage;
    struct Batching *batching; /* under vmap: all samples (owned); NULL: an ordinary tensor */
    int64_t numel, offset;     /* offset in elements */
    int64_t shape[MAX_DIMS], stride[MAX_DIMS];
};

#define INTS(...)                           \
    ((Ints){(const int64_t[]){__VA_ARGS__}, \
            (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))})
#define NO_INTS ((Ints){NULL, -1})
static inline Ints ints_one(const int64_t *v) { return (Ints){v, 1}; }

typedef struct Floats {
    const double *v;
    int n;
} Floats;
#define NO_FLOATS ((Floats){NULL, -1})

typedef struct TensorList {
    Tensor *const *v;
    int n;
} TensorList;

static inline void *tensor_data(const Tensor *t) {
    return (char *)t->storage->data + t->offset * (int64_t)dtype_size(t->dtype);
}
static inline Ints tensor_shape(const Tensor *t) { return (Ints){t->shape, t->dim}; }
static inline View tensor_view(const Tensor *t) {
    return (View){tensor_data(t), t->shape, t->stride, t->numel, t->dim, t->dtype};
}
static inline bool tensor_is_number(const Tensor *t) { return t->flags & TENSOR_NUMBER; }

/* A new tensor of the innermost scope, its memory not initialised; stride NULL: contiguous. */
Tensor *tensor_new(int dtype, Device device, Ints shape, const int64_t *stride);
/* A tensor of the same storage with another geometry; not recorded on the tape. */
Tensor *tensor_alias(const Tensor *t, Ints shape, const int64_t *stride, int64_t offset);
/* The same for a storage of which no tensor may be left. */
Tensor *tensor_of_storage(Storage *s, int dtype, Ints shape, const int64_t *stride, int64_t offset);
/* A 0-dim CPU tensor holding the number, flagged TENSOR_NUMBER; int64, float64 or complex128. */
Tensor *tensor_number_int(int64_t i);
Tensor *tensor_number(double f);
Tensor *tensor_number_complex(Complex128 z);
/* A tensor over memory that somebody else owns; owner is released through release(storage). */
Tensor *tensor_foreign(int dtype, Ints shape, void *data, size_t bytes, void (*release)(Storage *),
                       void *owner);

static inline Tensor *tensor_retain(Tensor *t) {
    if (t) {
        atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    }
    return t;
}
void tensor_release(Tensor *t);
void storage_release(Storage *s);

bool tensor_is_contiguous(const Tensor *t);
/* True if no two elements share memory (an expanded tensor is not). */
bool tensor_is_nonoverlapping(const Tensor *t);
/* True if elements fill one block without gaps in some order of the dims. */
bool tensor_is_dense(const Tensor *t);
bool tensor_same_shape(const Tensor *a, const Tensor *b);
/* Product of the sizes; -1 where it or the byte size would overflow. */
int64_t shape_numel(Ints shape);
void shape_contiguous_strides(Ints shape, int64_t *stride);
/* Strides are products of sizes. Where elements follow them they are bounded by the memory; others,
 * in empty tensors or of dims of size 1, could overflow, and are bounded by this. */
#define STRIDE_MOST (INT64_C(1) << 48)
int64_t stride_times(int64_t stride, int64_t by);
/* "2x3" ("scalar" for 0-dim), as error texts print a shape; as text_buffer(). */
const char *shape_text(Ints shape);
/* Broadcast of a and b into out (MAX_DIMS); returns the dims, or -1 where they do not fit. */
int shape_broadcast(Ints a, Ints b, int64_t *out);
const char *device_text(Device d);
/* "cpu", "cuda", "cuda:1"; false with an error recorded. */
bool device_parse(const char *text, Device *device);
/* The CUDA device that "cuda" without a number means, in CUDA's own numbering. */
extern THREAD_LOCAL int8_t device_current_index;
static inline bool device_equal(Device a, Device b) {
    return a.kind == b.kind && a.index == b.index;
}

/* Reads or writes one element as a number: the slow way, for items and fills of a few. CPU only. Of
 * a complex element get_float and get_int see the real part; set_complex is for complex dtypes. */
double element_get_float(const void *p, int dtype);
int64_t element_get_int(const void *p, int dtype);
void element_set_float(void *p, int dtype, double f);
void element_set_int(void *p, int dtype, int64_t i);
Complex128 element_get_complex(const void *p, int dtype);
void element_set_complex(void *p, int dtype, Complex128 z);

/* Scopes nest; each returns a mark that its close takes. keep (may be NULL) moves to the scope
 * around. scope_take() takes the scope's reference to t over to the caller. */
int scope_open(void);
Tensor *scope_close(int mark, Tensor *keep);
/* As scope_close for several; entries may be NULL. */
void scope_close_many(int mark, Tensor **keep, int n);
bool scope_add(Tensor *t); /* hands the caller's reference to the scope; on failure releases it */
Tensor *scope_take(Tensor *t);
/* Live tensors and storages of the process, for leak tests. */
int64_t tensor_live_count(void);
#endif
