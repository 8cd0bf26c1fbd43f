#ifndef TOCHA_GPU_BLOCK_CUH
#define TOCHA_GPU_BLOCK_CUH
/* What the THREADS threads of a block find out together. All of them take part. */
#include "gpu/kernel.cuh"

enum { WARPS = THREADS / 32 };
const unsigned WHOLE_WARP = 0xffffffffu;

/* The value of the lane that stands step below; lanes without one get something else. */
template <class A> __device__ __forceinline__ A shuffle_up(const A &a, unsigned step) {
    static_assert(sizeof(A) % sizeof(unsigned long long) == 0, "goes by words");
    unsigned long long word[sizeof(A) / sizeof(unsigned long long)];
    memcpy(word, &a, sizeof a);
    for (size_t i = 0; i < sizeof word / sizeof *word; i++) {
        word[i] = __shfl_up_sync(WHOLE_WARP, word[i], step);
    }
    A other;
    memcpy(&other, word, sizeof other);
    return other;
}

/* A thread's own joined behind those of the threads before it; A::start() has no effect, and
 * a.join(b) joins b behind a. warps: shared memory for WARPS of them. */
template <class A> __device__ A scan_before(const A &own, A *warps, A *total) {
    int lane = (int)threadIdx.x % 32, warp = (int)threadIdx.x / 32;
    A upto = own;
    for (int step = 1; step < 32; step *= 2) {
        A before = shuffle_up(upto, (unsigned)step);
        if (lane >= step) {
            before.join(upto);
            upto = before;
        }
    }
    if (lane == 31) {
        warps[warp] = upto;
    }
    __syncthreads();
    A before = A::start(), all = before;
    for (int k = 0; k < WARPS; k++) {
        all.join(warps[k]);
        if (k < warp) {
            before = all;
        }
    }
    *total = all;
    A neighbour = shuffle_up(upto, 1);
    if (lane > 0) {
        before.join(neighbour);
    }
    __syncthreads();
    return before;
}

/* How many there are. */
struct Count {
    int64_t n;
    static __device__ __forceinline__ Count start() { return Count{0}; }
    __device__ __forceinline__ void join(const Count &later) { n += later.n; }
};

#endif
