#ifndef TOCHA_GPU_PACK_CUH
#define TOCHA_GPU_PACK_CUH
/* Neighbouring elements that a thread moves at once: 16 bytes, the most that one access can. */
#include "gpu/kernel.cuh"

template <class T> struct alignas(16) Pack {
    enum { N = 16 / (int)sizeof(T) };
    T v[N];
};

/* Whether packs may be moved whole where runs of that many elements begin at p, which may be NULL.
 */
template <class T> bool packs_fit(const void *p, int64_t run) {
    return (uintptr_t)p % sizeof(Pack<T>) == 0 && run % (int)Pack<T>::N == 0;
}

/* The first count elements at from; zeros behind them. whole: from is aligned, and count all or 0.
 */
template <class T>
__device__ __forceinline__ void pack_load(const T *from, int count, bool whole,
                                          Math<T> (&x)[Pack<T>::N]) {
    if (whole && count > 0) {
        Pack<T> pack = *(const Pack<T> *)from;
        for (int e = 0; e < Pack<T>::N; e++) {
            x[e] = load(pack.v[e]);
        }
        return;
    }
    for (int e = 0; e < Pack<T>::N; e++) {
        x[e] = e < count ? load(from[e]) : (Math<T>)0;
    }
}

template <class T>
__device__ __forceinline__ void pack_store(T *to, int count, bool whole,
                                           const Math<T> (&x)[Pack<T>::N]) {
    if (whole && count > 0) {
        Pack<T> pack;
        for (int e = 0; e < Pack<T>::N; e++) {
            pack.v[e] = Element<T>::store(x[e]);
        }
        *(Pack<T> *)to = pack;
        return;
    }
    for (int e = 0; e < Pack<T>::N; e++) {
        if (e < count) {
            to[e] = Element<T>::store(x[e]);
        }
    }
}

/* How many of the elements of the pack at place belong to the n of a run. */
template <class T> __device__ __forceinline__ int pack_count(int64_t place, int64_t n) {
    int64_t left = n - place;
    return left <= 0 ? 0 : left < Pack<T>::N ? (int)left : (int)Pack<T>::N;
}

#endif
