/* Device memory and copies. */
#include <stdio.h>
#include <stdlib.h>

#include <map>
#include <memory>
#include <vector>

#include "runtime.h"

namespace hostgpu {

typedef std::map<const void *, size_t> Regions;
static Regions device_regions, pinned_regions;
static size_t used;

enum { ALIGN = 256 };

static size_t whole(size_t n) { return (n + ALIGN - 1) / ALIGN * ALIGN; }

/* HOSTGPU_MEMORY: how many bytes the device has. */
static size_t capacity() {
    static const size_t bytes = [] {
        const char *text = getenv("HOSTGPU_MEMORY");
        return text ? (size_t)strtoull(text, nullptr, 10) : (size_t)16 << 30;
    }();
    return bytes;
}

static bool lies_in(const Regions &regions, const void *p, size_t n) {
    auto after = regions.upper_bound(p);
    if (after == regions.begin()) {
        return false;
    }
    --after;
    return (const char *)p + n <= (const char *)after->first + after->second;
}

static cudaError_t check(const void *dst, const void *src, size_t n, cudaMemcpyKind kind) {
    bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    if (kind != cudaMemcpyDefault && (lies_in(device_regions, dst, n) != to_device ||
                                      lies_in(device_regions, src, n) != from_device)) {
        fprintf(stderr, "hostgpu: a copy of kind %d does not fit its pointers\n", (int)kind);
        return fail(cudaErrorInvalidValue);
    }
    return cudaSuccess;
}

bool on_device(const void *p, size_t n) {
    Guard guard(lock);
    return lies_in(device_regions, p, n);
}

} // namespace hostgpu

using namespace hostgpu;

extern "C" {

cudaError_t cudaMalloc(void **p, size_t n) {
    Guard guard(lock);
    *p = nullptr;
    if (n > capacity() || used > capacity() - n) {
        return fail(cudaErrorMemoryAllocation);
    }
    *p = aligned_alloc(ALIGN, whole(n));
    if (!*p) {
        return fail(cudaErrorMemoryAllocation);
    }
    memset(*p, 0xFF, n);
    HOSTGPU_POISON((char *)*p + n, whole(n) - n);
    device_regions[*p] = n;
    used += n;
    return cudaSuccess;
}

cudaError_t cudaFree(void *p) {
    Guard guard(lock);
    if (!p) {
        return cudaSuccess;
    }
    drain_all();
    auto region = device_regions.find(p);
    if (region == device_regions.end()) {
        return fail(cudaErrorInvalidValue);
    }
    HOSTGPU_UNPOISON(p, whole(region->second));
    used -= region->second;
    device_regions.erase(region);
    free(p);
    return cudaSuccess;
}

cudaError_t cudaHostAlloc(void **p, size_t n, unsigned) {
    Guard guard(lock);
    *p = malloc(n);
    if (!*p) {
        return fail(cudaErrorMemoryAllocation);
    }
    pinned_regions[*p] = n;
    return cudaSuccess;
}

cudaError_t cudaFreeHost(void *p) {
    Guard guard(lock);
    drain_all();
    pinned_regions.erase(p);
    free(p);
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *available, size_t *total) {
    Guard guard(lock);
    *total = capacity();
    *available = capacity() - used;
    return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes *a, const void *p) {
    Guard guard(lock);
    memset(a, 0, sizeof *a);
    a->type = lies_in(device_regions, p, 1)   ? cudaMemoryTypeDevice
              : lies_in(pinned_regions, p, 1) ? cudaMemoryTypeHost
                                              : cudaMemoryTypeUnregistered;
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t n, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    Guard guard(lock);
    cudaError_t error = check(dst, src, n, kind);
    if (error) {
        return error;
    }
    bool pageable = (kind == cudaMemcpyHostToDevice && !lies_in(pinned_regions, src, n)) ||
                    (kind == cudaMemcpyDeviceToHost && !lies_in(pinned_regions, dst, n));
    if (pageable && (error = break_capture(stream))) {
        return error;
    }
    if (kind == cudaMemcpyHostToDevice && !lies_in(pinned_regions, src, n)) {
        /* Pageable memory is staged at the call. */
        auto staged = std::make_shared<std::vector<char>>((const char *)src, (const char *)src + n);
        return enqueue(stream, [=]() { memcpy(dst, staged->data(), n); });
    }
    enqueue(stream, [=]() { memcpy(dst, src, n); });
    if (kind == cudaMemcpyDeviceToHost && !lies_in(pinned_regions, dst, n)) {
        return cudaStreamSynchronize(stream);
    }
    return cudaSuccess;
}

cudaError_t cudaMemcpyPeerAsync(void *dst, int, const void *src, int, size_t n,
                                cudaStream_t stream) {
    return cudaMemcpyAsync(dst, src, n, cudaMemcpyDeviceToDevice, stream);
}

cudaError_t cudaMemsetAsync(void *p, int value, size_t n, cudaStream_t stream) {
    return enqueue(stream, [=]() { memset(p, value, n); });
}

cudaError_t cudaMemset(void *p, int value, size_t n) {
    Guard guard(lock);
    drain_all();
    memset(p, value, n);
    return cudaSuccess;
}

} // extern "C"
