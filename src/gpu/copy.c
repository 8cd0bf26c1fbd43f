/* Copies between host and devices, and pinned host memory. */
#include <stdatomic.h>

#include "base/memory.h"
#include "gpu/gpu.h"
#include "gpu/graph.h"

static bool is_device(Device d) { return d.kind == DEVICE_CUDA; }

static bool copy_on(Device d, void *dst, const void *src, size_t bytes, enum cudaMemcpyKind kind) {
    return gpu_enter(d) && gpu_ok(cudaMemcpyAsync(dst, src, bytes, kind, gpu_stream(d)), "copying");
}

/* True if the host memory at p is pinned, so that a copy from it is still under way when the call
 * that starts it returns. */
static bool is_pinned(const void *p) {
    struct cudaPointerAttributes a;
    if (cudaPointerGetAttributes(&a, p) != cudaSuccess) {
        cudaGetLastError();
        return false;
    }
    return a.type == cudaMemoryTypeHost;
}

/* Work on stream waits for what has been given to other so far. */
static bool follow(cudaStream_t stream, Device other_device, cudaStream_t other) {
    cudaEvent_t event;
    if (!gpu_enter(other_device) ||
        !gpu_ok(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "copying")) {
        return false;
    }
    bool ok = gpu_ok(cudaEventRecord(event, other), "copying") &&
              gpu_ok(cudaStreamWaitEvent(stream, event, 0), "copying");
    cudaEventDestroy(event);
    return ok;
}

/* The copy runs on the source's stream; the destination's waits for it. */
static bool copy_between(Device to, void *dst, Device from, const void *src, size_t bytes) {
    if (!gpu_may_wait(to) || !gpu_may_wait(from) || !gpu_enter(to) || !gpu_enter(from)) {
        return false;
    }
    cudaStream_t reading = gpu_stream(from), writing = gpu_stream(to);
    return follow(reading, to, writing) && gpu_enter(from) &&
           gpu_ok(cudaMemcpyPeerAsync(dst, to.index, src, from.index, bytes, reading),
                  "copying between devices") &&
           follow(writing, from, reading);
}

bool gpu_copy(Device to, void *dst, Device from, const void *src, size_t bytes) {
    if (bytes == 0) {
        return true;
    }
    if (is_device(to) && is_device(from)) {
        return to.index == from.index ? copy_on(to, dst, src, bytes, cudaMemcpyDeviceToDevice)
                                      : copy_between(to, dst, from, src, bytes);
    }
    if (!gpu_may_wait(is_device(to) ? to : from)) {
        return false;
    }
    if (is_device(to)) {
        return copy_on(to, dst, src, bytes, cudaMemcpyHostToDevice) &&
               (!is_pinned(src) || gpu_wait_stream(to));
    }
    return copy_on(from, dst, src, bytes, cudaMemcpyDeviceToHost) && gpu_wait_stream(from);
}

/* Devices that may still read pinned memory. */
static atomic_bool reads_pinned[GPU_DEVICES];

bool gpu_copy_early(Device to, void *dst, Device from, const void *src, size_t bytes) {
    if (bytes == 0 || !is_device(to) || is_device(from) || !is_pinned(src)) {
        return gpu_copy(to, dst, from, src, bytes);
    }
    if (!gpu_may_wait(to)) { /* a recorded copy would read the memory at each replay */
        return false;
    }
    atomic_store(&reads_pinned[to.index], true);
    return copy_on(to, dst, src, bytes, cudaMemcpyHostToDevice);
}

/* Waits for all devices that may read pinned memory. */
static void finish_reading(void) {
    for (int i = 0; i < GPU_DEVICES; i++) {
        if (atomic_exchange(&reads_pinned[i], false)) {
            Device d = {DEVICE_CUDA, (int8_t)i};
            if (!gpu_enter(d) || !gpu_ok(cudaDeviceSynchronize(), "copying")) {
                error_clear(); /* whoever uses the device next is told */
            }
        }
    }
}

void *gpu_pinned_alloc(size_t bytes) {
    void *p;
    cudaError_t error = cudaHostAlloc(&p, bytes ? bytes : 1, cudaHostAllocPortable);
    if (error == cudaSuccess) {
        return p;
    }
    cudaGetLastError();
    fail_kind(ERR_MEMORY, "out of memory: %zu bytes of pinned host memory are not to be had: %s",
              bytes, cudaGetErrorString(error));
    return NULL;
}

void gpu_pinned_release(void *p, size_t bytes) {
    (void)bytes;
    finish_reading();
    cudaFreeHost(p);
}
