#ifndef TOCHA_HOSTGPU_H
#define TOCHA_HOSTGPU_H
/* The CUDA kernel language for a host C++ compiler: a .cu file compiled with -DTOCHA_HOSTGPU and
 * linked with the other files of this folder, in place of CUDA's runtime and libraries, runs on the
 * CPU. Types and enums come from the toolkit's own headers, so that host code needs no change.
 *
 * One CUDA thread is one fiber. The threads of a block run one at a time, each up to its next
 * barrier or warp operation, in the order of HOSTGPU_ORDER (forward, reverse, random:SEED); blocks
 * run one after the other. Barriers and warp operations check who takes part, and a block that can
 * not go on is explained and fails its launch. Fresh memory is filled with NaNs. HOSTGPU_LAZY=1
 * runs a stream's work only when something waits for it. */
#include <cuda_runtime_api.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <vector_functions.h>
#include <vector_types.h>

#include <functional>

#undef __global__
#undef __device__
#undef __host__
#undef __shared__
#undef __constant__
#undef __grid_constant__
#undef __forceinline__
#undef __launch_bounds__
#undef __noinline__
#define __global__
#define __device__
#define __host__
#define __shared__   static
#define __constant__ static
#define __grid_constant__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __noinline__ __attribute__((noinline))

namespace hostgpu {

/* A place in a kernel's source: which barrier or warp operation a thread stands at. */
struct Site {
    const char *file;
    int line;
};

struct Thread {
    uint3 index, block;
    dim3 block_size, grid_size;
    int linear; /* within the block */
};
extern Thread *current;

enum Vote { VOTE_COUNT, VOTE_AND, VOTE_OR };
enum WarpOp { SHUFFLE_INDEX, SHUFFLE_UP, SHUFFLE_DOWN, SHUFFLE_XOR, BALLOT, SYNC, MATCH };

void barrier(const Site *site);
int barrier_vote(const Site *site, bool value, Vote vote);
uint64_t warp(const Site *site, unsigned mask, WarpOp op, uint64_t value, int argument, int width);
void *dynamic_shared();
/* What a thread did before its fence is done for those that fence later. */
void fence();
/* In random order other threads may run here. */
void may_yield();
cudaError_t launch(const char *name, dim3 grid, dim3 block, size_t shared, cudaStream_t stream,
                   const void *kernel, std::function<void()> body);
/* Queues host code on a stream, as the stand-ins for libraries do. */
cudaError_t enqueue(cudaStream_t stream, std::function<void()> work);

template <class T> uint64_t pack(T value) {
    static_assert(sizeof(T) <= sizeof(uint64_t), "too wide for a warp operation");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    return bits;
}

template <class T> T unpack(uint64_t bits) {
    T value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

template <class T>
T shuffle(const Site *site, WarpOp op, unsigned mask, T value, int argument, int width = 32) {
    return unpack<T>(warp(site, mask, op, pack(value), argument, width));
}

template <int bytes> struct Word;
template <> struct Word<4> { typedef uint32_t type; };
template <> struct Word<8> { typedef uint64_t type; };

/* Atomically replaces *p by f(*p); returns what it was. */
template <class T, class F> T modify(T *p, F f) {
    typedef typename Word<sizeof(T)>::type W;
    may_yield();
    W *word = (W *)p, before = __atomic_load_n(word, __ATOMIC_RELAXED), after;
    do {
        after = (W)pack(f(unpack<T>(before)));
    } while (!__atomic_compare_exchange_n(word, &before, after, false, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return unpack<T>(before);
}

/* A parameter whose type is not deduced from the argument. */
template <class T> struct Same { typedef T type; };

} // namespace hostgpu

#define threadIdx (hostgpu::current->index)
#define blockIdx  (hostgpu::current->block)
#define blockDim  (hostgpu::current->block_size)
#define gridDim   (hostgpu::current->grid_size)
#define warpSize  32

#define HOSTGPU_SITE                                            \
    ([]() -> const hostgpu::Site * {                            \
        static const hostgpu::Site site = {__FILE__, __LINE__}; \
        return &site;                                           \
    }())
#define __syncthreads()        hostgpu::barrier(HOSTGPU_SITE)
#define __syncthreads_count(v) hostgpu::barrier_vote(HOSTGPU_SITE, (v) != 0, hostgpu::VOTE_COUNT)
#define __syncthreads_and(v)   hostgpu::barrier_vote(HOSTGPU_SITE, (v) != 0, hostgpu::VOTE_AND)
#define __syncthreads_or(v)    hostgpu::barrier_vote(HOSTGPU_SITE, (v) != 0, hostgpu::VOTE_OR)
#define __shfl_sync(m, ...)    hostgpu::shuffle(HOSTGPU_SITE, hostgpu::SHUFFLE_INDEX, m, __VA_ARGS__)
#define __shfl_up_sync(m, ...) hostgpu::shuffle(HOSTGPU_SITE, hostgpu::SHUFFLE_UP, m, __VA_ARGS__)
#define __shfl_down_sync(m, ...) \
    hostgpu::shuffle(HOSTGPU_SITE, hostgpu::SHUFFLE_DOWN, m, __VA_ARGS__)
#define __shfl_xor_sync(m, ...) hostgpu::shuffle(HOSTGPU_SITE, hostgpu::SHUFFLE_XOR, m, __VA_ARGS__)
#define __ballot_sync(m, p) \
    ((unsigned)hostgpu::warp(HOSTGPU_SITE, m, hostgpu::BALLOT, (p) != 0, 0, 32))
#define __any_sync(m, p) (__ballot_sync(m, p) != 0)
#define __all_sync(m, p) (__ballot_sync(m, !(p)) == 0)
#define __match_any_sync(m, v) \
    ((unsigned)hostgpu::warp(HOSTGPU_SITE, m, hostgpu::MATCH, hostgpu::pack(v), 0, 32))
#define __syncwarp()   ((void)hostgpu::warp(HOSTGPU_SITE, 0xffffffffu, hostgpu::SYNC, 0, 0, 32))
#define __activemask() (1u << (hostgpu::current->linear & 31)) /* all that CUDA promises */

static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
static inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
static inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline unsigned __brev(unsigned x) {
    unsigned r = 0;
    for (int i = 0; i < 32; i++) {
        r |= (x >> i & 1u) << (31 - i);
    }
    return r;
}
static inline unsigned __umulhi(unsigned a, unsigned b) {
    return (unsigned)(((uint64_t)a * b) >> 32);
}
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)(((unsigned __int128)a * b) >> 64);
}
static inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
static inline double rsqrt(double x) { return 1.0 / sqrt(x); }
static inline void __threadfence() { hostgpu::fence(); }
static inline void __threadfence_block() { hostgpu::fence(); }
static inline void __threadfence_system() { hostgpu::fence(); }
template <class T> static inline T __ldg(const T *p) { return *p; }

template <class T> T atomicAdd(T *p, typename hostgpu::Same<T>::type v) {
    return hostgpu::modify(p, [=](T old) { return (T)(old + v); });
}
template <class T> T atomicMax(T *p, typename hostgpu::Same<T>::type v) {
    return hostgpu::modify(p, [=](T old) { return old > v ? old : v; });
}
template <class T> T atomicMin(T *p, typename hostgpu::Same<T>::type v) {
    return hostgpu::modify(p, [=](T old) { return old < v ? old : v; });
}
template <class T> T atomicOr(T *p, typename hostgpu::Same<T>::type v) {
    return hostgpu::modify(p, [=](T old) { return (T)(old | v); });
}
template <class T> T atomicAnd(T *p, typename hostgpu::Same<T>::type v) {
    return hostgpu::modify(p, [=](T old) { return (T)(old & v); });
}
template <class T> T atomicExch(T *p, typename hostgpu::Same<T>::type v) {
    return hostgpu::modify(p, [=](T) { return v; });
}
template <class T>
T atomicCAS(T *p, typename hostgpu::Same<T>::type expected, typename hostgpu::Same<T>::type v) {
    return hostgpu::modify(p, [=](T old) { return old == expected ? v : old; });
}

#endif
