/* The backends and their kernels, by device kind. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "tensor/backend_load.h"
#include "tensor/op.h"

#include "ops_gen.inc"

static const Backend *_Atomic backends[N_DEVICE_KINDS];
static KernelFn *kernels[N_DEVICE_KINDS][N_OPS];
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
static char cuda_missing[512]; /* why there is no CUDA backend, once that was found out */

const Op *op_find(const char *name) {
    int low = 0, high = N_OPS;
    while (low < high) {
        int middle = (low + high) / 2;
        const Op *op = &op_table[op_by_name[middle]];
        int order = strcmp(name, op->name);
        if (order == 0) {
            return op;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

KernelFn *op_kernel(const Op *op, int device_kind) { return kernels[device_kind][op->id]; }

bool backend_register(int device_kind, const Backend *b) {
    if (b->abi != BACKEND_ABI || b->size != sizeof *b) {
        return fail("backend %s was built for another version of Tocha", b->name);
    }
    for (const KernelRow *k = b->kernels; k->op; k++) {
        const Op *op = op_find(k->op);
        if (!op) {
            return fail("backend %s has a kernel for an unknown op \"%s\"", b->name, k->op);
        }
        kernels[device_kind][op->id] = k->run;
    }
    atomic_store_explicit(&backends[device_kind], b, memory_order_release);
    return true;
}

/* Loads the CUDA backend unless that was tried before. */
static const Backend *load_cuda(void) {
    pthread_mutex_lock(&loading);
    const Backend *b = atomic_load_explicit(&backends[DEVICE_CUDA], memory_order_acquire);
    if (!b && !cuda_missing[0]) {
        b = backend_load(cuda_missing, sizeof cuda_missing);
        if (b && !backend_register(DEVICE_CUDA, b)) {
            strncpy(cuda_missing, error_message(), sizeof cuda_missing - 1);
            error_clear();
            b = NULL;
        }
    }
    pthread_mutex_unlock(&loading);
    return b;
}

const Backend *backend_find(int device_kind, const char **why) {
    const Backend *b = atomic_load_explicit(&backends[device_kind], memory_order_acquire);
    if (!b && device_kind == DEVICE_CUDA) {
        b = load_cuda();
    }
    *why = b ? NULL : cuda_missing;
    return b;
}

static const Backend *find_for(Device d) {
    const char *why;
    const Backend *b = backend_find(d.kind, &why);
    if (!b) {
        fail("device %s is not available: %s", device_text(d), why);
        return NULL;
    }
    int count = b->device_count ? b->device_count() : 1;
    if (d.index >= count) {
        fail("device %s is not available: the last of %d is cuda:%d", device_text(d), count,
             count - 1);
        return NULL;
    }
    return b;
}

const Backend *backend_of(Device d) {
    if (d.kind == DEVICE_CPU) {
        return atomic_load_explicit(&backends[DEVICE_CPU], memory_order_relaxed);
    }
    return find_for(d);
}
