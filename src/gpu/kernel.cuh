#ifndef TOCHA_GPU_KERNEL_CUH
#define TOCHA_GPU_KERNEL_CUH
/* What every .cu file includes: the kernel language (nvcc's own, or tests/hostgpu, which runs the
 * same source on the CPU), launches, and the types of elements. docs/gpu.md tells how a kernel is
 * added. */
#ifdef TOCHA_HOSTGPU
    #include "hostgpu.h"
    #define TOCHA_DYNAMIC_SHARED(T, name) T *name = static_cast<T *>(hostgpu::dynamic_shared())
#else
    #include <cuda_runtime.h>
    #define TOCHA_DYNAMIC_SHARED(T, name)                             \
        extern __shared__ __align__(16) unsigned char tocha_shared[]; \
        T *name = reinterpret_cast<T *>(tocha_shared)
#endif

#include "gpu/gpu.h"
#include "gpu/graph.h"
#include "tensor/formulas/half.h"

struct Launch {
    const char *name; /* of the op, for what goes wrong */
    dim3 grid, block;
    size_t shared; /* bytes of dynamic shared memory */
    cudaStream_t stream;
};

/* A launch on the stream of a call. grid: at most 2^31 - 1 blocks along x, 65535 along y and z. */
static inline Launch launch_of(const KernelCall *c, dim3 grid, dim3 block, size_t shared = 0) {
    return Launch{c->name, grid, block, shared, gpu_stream(c->device)};
}

/* The arguments are copied now; the kernel runs when the stream comes to it. A launch that the
 * device refuses is reported behind the kernel function (backend.c). */
template <class... P, class... A> void launch(const Launch &l, void (*kernel)(P...), A... args) {
#ifdef TOCHA_HOSTGPU
    hostgpu::launch(l.name, l.grid, l.block, l.shared, l.stream, (const void *)kernel,
                    [=]() { kernel(args...); });
#else
    kernel<<<l.grid, l.block, l.shared, l.stream>>>(args...);
#endif
}

/* Blocks, rows or the like that hold n things, so many each. */
static inline int64_t divide_up(int64_t n, int64_t by) { return (n + by - 1) / by; }

enum { THREADS = 256 };

/* A launch of threads that share n elements between them with first_of() and step_of(); n > 0. */
static inline Launch launch_over(const KernelCall *c, int64_t n) {
    int64_t most = (int64_t)gpu_processors(c->device) * 16, blocks = divide_up(n, THREADS);
    return launch_of(c, dim3((unsigned)(blocks < most ? blocks : most)), dim3(THREADS));
}

/* Where a random op's numbers come from: counters of Philox. In a graph they are new at each
 * replay, and stand on the device. */
struct Counters {
    uint64_t seed, offset;
    const uint64_t *recorded;
    __device__ uint64_t key() const { return recorded ? recorded[0] : seed; }
    __device__ uint64_t at(uint64_t i) const { return offset + (recorded ? recorded[1] : 0) + i; }
};

static inline Counters counters_of(const KernelCall *c) {
    return Counters{c->seed, c->offset, gpu_recorded_counters(c->device)};
}

static inline Arg whole(int64_t i) {
    Arg a = Arg();
    a.kind = ARG_INT;
    a.i = i;
    return a;
}

/* for (int64_t i = first_of(); i < n; i += step_of()): a thread's elements of n. */
static __device__ __forceinline__ int64_t first_of() {
    return blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
}
static __device__ __forceinline__ int64_t step_of() { return gridDim.x * (int64_t)blockDim.x; }

/* The half types, as they stand in memory. */
struct f16 {
    uint16_t bits;
};
struct bf16 {
    uint16_t bits;
};

/* Elements as they stand in memory, and as they are computed with: halves as float. */
template <class T> struct Element {
    typedef T math;
    static __device__ __forceinline__ T load(T x) { return x; }
    static __device__ __forceinline__ T store(T x) { return x; }
};
template <> struct Element<f16> {
    typedef float math;
    static __device__ __forceinline__ float load(f16 x) { return f_from_f16(x.bits); }
    static __device__ __forceinline__ f16 store(float x) { return f16{f_to_f16(x)}; }
};
template <> struct Element<bf16> {
    typedef float math;
    static __device__ __forceinline__ float load(bf16 x) { return f_from_bf16(x.bits); }
    static __device__ __forceinline__ bf16 store(float x) { return bf16{f_to_bf16(x)}; }
};

/* Stand for several types that are computed with as one: which it is, is looked up where an element
 * is loaded or stored, so that one kernel serves them all (gpu/walk.cuh). */
struct AnyFloat {}; /* float16, bfloat16 and float32, as float */
struct AnyInt {};   /* bool and the integers, as int64 */
template <> struct Element<AnyFloat> { typedef float math; };
template <> struct Element<AnyInt> { typedef int64_t math; };

/* pick(dtype, f) calls f with a value of the type in memory that T stands for. */
template <class T> struct Stored {
    template <class F> static __device__ __forceinline__ void pick(int, F f) { f(T()); }
};
template <> struct Stored<AnyFloat> {
    template <class F> static __device__ __forceinline__ void pick(int dtype, F f) {
        switch (dtype) {
        case DT_FLOAT16: f(f16()); break;
        case DT_BFLOAT16: f(bf16()); break;
        default: f(float());
        }
    }
};
template <> struct Stored<AnyInt> {
    template <class F> static __device__ __forceinline__ void pick(int dtype, F f) {
        switch (dtype) {
        case DT_INT8: f(int8_t()); break;
        case DT_INT16: f(int16_t()); break;
        case DT_INT32: f(int32_t()); break;
        case DT_INT64: f(int64_t()); break;
        default: f(uint8_t());
        }
    }
};

template <class T> using Math = typename Element<T>::math;

template <class T> __device__ __forceinline__ Math<T> load(T x) { return Element<T>::load(x); }

/* Calls f with a value of the type of a dtype's elements, which decides nothing but the type. What
 * a function does not know is an error, which op_call puts the op's name in front of. */
static inline bool no_kernel(int dtype) {
    return fail("there is no cuda kernel for %s", dtype_name(dtype));
}

template <class F> bool for_float(int dtype, F f) {
    switch (dtype) {
    case DT_FLOAT16: return f(f16());
    case DT_BFLOAT16: return f(bf16());
    case DT_FLOAT32: return f(float());
    case DT_FLOAT64: return f(double());
    default: return no_kernel(dtype);
    }
}

/* bool comes as uint8_t. */
template <class F> bool for_int(int dtype, F f) {
    switch (dtype) {
    case DT_BOOL:
    case DT_UINT8: return f(uint8_t());
    case DT_INT8: return f(int8_t());
    case DT_INT16: return f(int16_t());
    case DT_INT32: return f(int32_t());
    case DT_INT64: return f(int64_t());
    default: return no_kernel(dtype);
    }
}

/* As for_int where signed and unsigned bytes are alike: sums that wrap around, bits, equality. */
template <class F> bool for_wrapping_int(int dtype, F f) {
    return for_int(dtype == DT_INT8 ? (int)DT_UINT8 : dtype, f);
}

template <class F> bool for_real(int dtype, F f) {
    return dtype_is_float(dtype) ? for_float(dtype, f) : for_int(dtype, f);
}

/* By what is computed with: AnyFloat, double and AnyInt. */
template <class F> bool for_any_float(int dtype, F f) {
    if (!dtype_is_float(dtype)) {
        return no_kernel(dtype);
    }
    return dtype == DT_FLOAT64 ? f(double()) : f(AnyFloat());
}

template <class F> bool for_any_int(int dtype, F f) {
    return dtype_is_inexact(dtype) ? no_kernel(dtype) : f(AnyInt());
}

template <class F> bool for_any(int dtype, F f) {
    return dtype_is_inexact(dtype) ? for_any_float(dtype, f) : f(AnyInt());
}

/* An element of 16 bytes that is only moved. */
struct alignas(16) Bits128 {
    uint64_t half[2];
};

/* For what only moves elements: an unsigned integer of their size. */
template <class F> bool for_width(int dtype, F f) {
    switch (dtype_size(dtype)) {
    case 1: return f(uint8_t());
    case 2: return f(uint16_t());
    case 4: return f(uint32_t());
    case 8: return f(uint64_t());
    case 16: return f(Bits128());
    default: return no_kernel(dtype);
    }
}

#endif
