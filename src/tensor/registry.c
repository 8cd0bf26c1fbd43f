/* The backends and their kernels, by device kind. */
#include <string.h>

#include "tensor/op.h"

#include "ops_gen.inc"

static const Backend *backends[N_DEVICE_KINDS];
static KernelFn *kernels[N_DEVICE_KINDS][N_OPS];

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
    backends[device_kind] = b;
    return true;
}

const Backend *backend_of(Device d) {
    if (!backends[d.kind]) {
        fail("device %s is not available: this build of Tocha computes on the CPU only",
             device_text(d));
        return NULL;
    }
    return backends[d.kind];
}
