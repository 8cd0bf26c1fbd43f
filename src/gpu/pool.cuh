#ifndef TOCHA_GPU_POOL_CUH
#define TOCHA_GPU_POOL_CUH
/* What the kernels of pooling share: windows over the planes of images. */
#include "gpu/dense.h"
#include "gpu/planes.cuh"

static __device__ __forceinline__ bool is_nan(float x) { return x != x; }
static __device__ __forceinline__ bool is_nan(double x) { return x != x; }
template <class T> __device__ __forceinline__ bool is_nan(T) { return false; }

/* The largest element of a window, the first of equals, a nan where there is one; and its place in
 * the plane. step: from tap to tap. */
template <class T>
__device__ __forceinline__ T largest(const T *plane, const Planes &p, const int64_t *first,
                                     const int64_t *end, const int64_t *step, int64_t *place) {
    *place = (first[0] * p.size[1] + first[1]) * p.size[2] + first[2];
    T best = plane[*place];
    for (int64_t z = first[0]; z < end[0]; z += step[0]) {
        for (int64_t y = first[1]; y < end[1]; y += step[1]) {
            int64_t row = (z * p.size[1] + y) * p.size[2];
            for (int64_t x = first[2]; x < end[2]; x += step[2]) {
                T v = plane[row + x];
                if (load(v) > load(best) || is_nan(load(v))) {
                    best = v;
                    *place = row + x;
                }
            }
        }
    }
    return best;
}

#endif
