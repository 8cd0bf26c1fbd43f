#ifndef TOCHA_GPU_KEPT_CUH
#define TOCHA_GPU_KEPT_CUH
/* Rows of elements that a group of threads keeps in registers, to read them once. */
#include "gpu/group.cuh"
#include "gpu/pack.cuh"

/* A thread's share of a run of elements that a group has: packs that stand a group's packs apart.
 */
template <class T> struct Kept {
    enum { COUNT = sizeof(T) == 8 ? 8 : 16, PACKS = COUNT / Pack<T>::N };
    Math<T> x[PACKS][Pack<T>::N];
};

/* The elements that a group of so many threads has at once. */
template <class T> __host__ __device__ __forceinline__ int64_t kept_by(int width) {
    return (int64_t)width * Kept<T>::COUNT;
}

/* Where pack j of a group's thread self begins, behind base elements of the run. */
template <class T>
__device__ __forceinline__ int64_t pack_at(int64_t base, int self, int width, int j) {
    return base + ((int64_t)j * width + self) * Pack<T>::N;
}

template <class T>
__device__ __forceinline__ void kept_load(const T *run, int64_t n, int64_t base, int self,
                                          int width, bool whole, Kept<T> *s) {
#pragma unroll
    for (int j = 0; j < Kept<T>::PACKS; j++) {
        int64_t at = pack_at<T>(base, self, width, j);
        pack_load(run + at, pack_count<T>(at, n), whole, s->x[j]);
    }
}

#endif
