#ifndef TOCHA_GPU_FAULT_CUH
#define TOCHA_GPU_FAULT_CUH
/* How kernels report what is wrong with their data: the first fault is kept, and raised by the next
 * call that waits for the device. The kernel goes on, and must not read or write out of bounds. */
#include "gpu/kernel.cuh"

/* noinline: it is never called in a program that is right. */
static __device__ __noinline__ void fault_report(const GpuFaultSite &s, int kind, int64_t value,
                                                 int64_t size, int64_t place) {
    if (atomicCAS(s.taken, 0, 1) != 0) {
        return;
    }
    GpuFault *r = s.record;
    r->kind = kind;
    r->op = s.op;
    r->param = s.param;
    r->value = value;
    r->size = size;
    r->place = place;
    r->dim = s.dim;
    for (int d = 0; d < s.dim; d++) {
        r->shape[d] = s.shape[d];
    }
    __threadfence_system();
    *(volatile int *)&r->set = 1;
}

/* The 0-based offset of a position along a dim of that size, which counts from 1 and, with
 * from_end, from the end below 0. place: the position's own, in row-major order. A wrong one is
 * reported, and -1 returned. */
static __device__ __forceinline__ int64_t checked_offset(const GpuFaultSite &s, int64_t position,
                                                         int64_t size, int64_t place,
                                                         bool from_end) {
    if (position >= 1 && position <= size) {
        return position - 1;
    }
    if (from_end && position < 0 && position >= -size) {
        return position + size;
    }
    fault_report(s, from_end ? FAULT_INDEX_END : FAULT_INDEX, position, size, place);
    return -1;
}

#endif
