#ifndef TOCHA_GPU_GROUP_CUH
#define TOCHA_GPU_GROUP_CUH
/* Groups of neighbouring threads that work on one thing together. */
#include "gpu/kernel.cuh"

enum { LANES = 32, MOST_WARPS = 32 };

/* A group's threads, a power of two up to the block's, share out to it what they have: own.join(o)
 * adds another's, own.each(f) is f of every number in it. All of the group get the result, the same
 * bits. */
template <class A> __device__ A join_lanes(A own, int width) {
    for (int d = width / 2; d > 0; d /= 2) {
        own.join(own.each([=](auto x) { return __shfl_down_sync(0xffffffffu, x, d, width); }));
    }
    return own.each([=](auto x) { return __shfl_sync(0xffffffffu, x, 0, width); });
}

/* The same for groups of several warps too; all threads of the block take part. shared has
 * MOST_WARPS entries. */
template <class A> __device__ A join_group(A own, int width, A *shared) {
    own = join_lanes(own, width < LANES ? width : (int)LANES);
    if (width <= LANES) {
        return own;
    }
    int warp = (int)threadIdx.x / LANES, lane = (int)threadIdx.x % LANES, warps = width / LANES;
    int first = warp / warps * warps;
    __syncthreads(); /* what an earlier call left has been read */
    if (lane == 0) {
        shared[warp] = own;
    }
    __syncthreads();
    return join_lanes(shared[first + lane % warps], warps);
}

/* The smallest power of two from least on that is n or more; most at most. */
static inline int group_width(int64_t n, int least, int most) {
    int width = least;
    while (width < most && width < n) {
        width *= 2;
    }
    return width;
}

/* Blocks for so many things, several a block, each of which may take more. */
static inline dim3 blocks_for(const KernelCall *c, int64_t things, int64_t a_block, int most) {
    int64_t blocks = divide_up(things, a_block), limit = (int64_t)gpu_processors(c->device) * most;
    return dim3((unsigned)(blocks < limit ? blocks : limit));
}

#endif
