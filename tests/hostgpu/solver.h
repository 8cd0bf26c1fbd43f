#ifndef TOCHA_HOSTGPU_SOLVER_H
#define TOCHA_HOSTGPU_SOLVER_H
/* What the stand-ins of cuSOLVER share. */
#include <cusolverDn.h>

#include <algorithm>
#include <vector>

#include "lapack.h"
#include "runtime.h"

namespace hostgpu {

struct Solver {
    cudaStream_t stream;
};

static inline size_t bytes_of(cudaDataType type) {
    switch (type) {
    case CUDA_R_32F: return 4;
    case CUDA_R_64F:
    case CUDA_C_32F: return 8;
    default: return 16;
    }
}

static inline bool is_real(cudaDataType type) { return type == CUDA_R_32F || type == CUDA_R_64F; }
static inline cudaDataType real_of(cudaDataType type) {
    return type == CUDA_R_32F || type == CUDA_C_32F ? CUDA_R_32F : CUDA_R_64F;
}

/* Whether a matrix, or a vector, lies in device memory. */
static inline bool is_matrix(const void *p, int64_t rows, int64_t columns, int64_t lead,
                             size_t element) {
    return rows >= 1 && columns >= 1 && lead >= rows &&
           on_device(p, (size_t)((columns - 1) * lead + rows) * element);
}

static inline bool is_vector(const void *p, int64_t n, size_t element) {
    return on_device(p, (size_t)n * element);
}

/* What a function of so many rows and columns asks for. */
static inline size_t device_need(int64_t m, int64_t n) { return (size_t)(64 * (m + n)); }
enum { HOST_NEED = 48 };

/* Both work areas, spoiled. */
static inline bool has_work(void *device, size_t device_bytes, void *host, size_t host_bytes,
                            int64_t m, int64_t n) {
    if (device_bytes < device_need(m, n) || !on_device(device, device_bytes) ||
        host_bytes < HOST_NEED || !host || on_device(host, host_bytes)) {
        return false;
    }
    memset(host, 0xFF, host_bytes);
    return true;
}

static inline void ask_for(size_t *device, size_t *host, int64_t m, int64_t n) {
    *device = device_need(m, n);
    *host = HOST_NEED;
}

/* Calls f with a number of a type. */
template <class F> void by_type(cudaDataType type, F f) {
    switch (type) {
    case CUDA_R_32F: f(float()); break;
    case CUDA_R_64F: f(double()); break;
    case CUDA_C_32F: f(std::complex<float>()); break;
    default: f(std::complex<double>());
    }
}

static inline cusolverStatus_t queue(cusolverDnHandle_t handle, std::function<void()> work) {
    return enqueue(((Solver *)handle)->stream, work) ? CUSOLVER_STATUS_EXECUTION_FAILED
                                                     : CUSOLVER_STATUS_SUCCESS;
}

static const cusolverStatus_t BAD = CUSOLVER_STATUS_INVALID_VALUE;

/* Gaussian elimination without swaps. */
template <class T> int eliminate(int m, int n, T *a, int lead) {
    int info = 0;
    for (int64_t k = 0; k < m && k < n; k++) {
        T pivot = a[k * lead + k];
        info = info == 0 && pivot == T(0) ? (int)k + 1 : info;
        for (int64_t r = k + 1; r < m; r++) {
            a[k * lead + r] /= pivot;
            for (int64_t j = k + 1; j < n; j++) {
                a[j * lead + r] -= a[k * lead + r] * a[j * lead + k];
            }
        }
    }
    return info;
}

/* pivots NULL: without swaps. */
template <class T> int factor_lu(int m, int n, T *a, int lead, int *pivots) {
    int info = 0;
    if (!pivots) {
        return eliminate(m, n, a, lead);
    }
    lapack<T>("getrf", &m, &n, a, &lead, pivots, &info);
    return info;
}

} // namespace hostgpu

#endif
