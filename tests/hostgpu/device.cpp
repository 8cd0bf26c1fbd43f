/* Devices and errors. HOSTGPU_DEVICES: how many devices there are, which share one memory. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime.h"

namespace hostgpu {

cudaError_t last_error, sticky_error;

cudaError_t fail(cudaError_t error) {
    last_error = error;
    return error;
}

static thread_local int device;

static int device_count() {
    static const int count = [] {
        const char *text = getenv("HOSTGPU_DEVICES");
        return text ? atoi(text) : 1;
    }();
    return count;
}

} // namespace hostgpu

using namespace hostgpu;

extern "C" {

cudaError_t cudaGetDeviceCount(int *n) {
    *n = device_count();
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int d) {
    if (d < 0 || d >= device_count()) {
        return fail(cudaErrorInvalidDevice);
    }
    device = d;
    return cudaSuccess;
}

cudaError_t cudaGetDevice(int *d) {
    *d = device;
    return cudaSuccess;
}

static int generation() {
    const char *setting = getenv("HOSTGPU_GENERATION");
    return setting ? atoi(setting) : 9;
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int) {
    switch (attribute) {
    case cudaDevAttrMultiProcessorCount: *value = 4; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = 227 << 10; break;
    case cudaDevAttrComputeCapabilityMajor: *value = generation(); break;
    case cudaDevAttrComputeCapabilityMinor: *value = 0; break;
    default: return fail(cudaErrorInvalidValue);
    }
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *p, int d) {
    size_t available;
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "the CPU in the place of GPU %d", d);
    p->major = generation();
    p->multiProcessorCount = 4;
    return cudaMemGetInfo(&available, &p->totalGlobalMem);
}

cudaError_t cudaGetLastError(void) {
    Guard guard(lock);
    cudaError_t error = sticky_error ? sticky_error : last_error;
    last_error = cudaSuccess;
    return error;
}

const char *cudaGetErrorName(cudaError_t error) { return error ? "cudaError" : "cudaSuccess"; }

const char *cudaGetErrorString(cudaError_t error) {
    switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidConfiguration: return "invalid configuration argument";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorInvalidResourceHandle: return "invalid resource handle";
    case cudaErrorStreamCaptureUnsupported:
        return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated:
        return "operation failed due to a previous error during capture";
    case cudaErrorLaunchFailure: return "unspecified launch failure";
    default: return "unknown error";
    }
}

} // extern "C"
