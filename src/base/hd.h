#ifndef TOCHA_BASE_HD_H
#define TOCHA_BASE_HD_H

/* TOCHA_HD qualifies a small function that kernels for the CPU and for CUDA share. It is always
 * inlined, so that a loop over it vectorises. */
#if defined(__CUDACC__)
    #define TOCHA_HD static __host__ __device__ __forceinline__
#else
    #define TOCHA_HD static inline __attribute__((always_inline, unused))
#endif

/* The same for a large function, which is called: many use it, and no loop over it vectorises. */
#if defined(__CUDACC__)
    #define TOCHA_HD_CALL static __host__ __device__ __noinline__ __attribute__((unused))
#else
    #define TOCHA_HD_CALL static __attribute__((noinline, unused))
#endif

#endif
