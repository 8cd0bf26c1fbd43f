#ifndef TOCHA_KERNEL_VECTOR_H
#define TOCHA_KERNEL_VECTOR_H
/* The widest vectors of the instruction set that a kernel is compiled for. */
#include <stdint.h>

#if defined(__AVX512F__)
    #define VECTOR_BYTES 64
#elif defined(__AVX2__)
    #define VECTOR_BYTES 32
#else
    #define VECTOR_BYTES 16
#endif

/* A loop keeps this much in registers whatever the instruction set, so that sums have the same
 * bits on all of them. */
enum { LANE_BYTES = 256, LANE_VECTORS = LANE_BYTES / VECTOR_BYTES, SUM_TURNS = 16 };

#define VECTOR_TYPES(name, type, bits)                                                \
    typedef type name __attribute__((vector_size(VECTOR_BYTES)));                     \
    typedef type name##_unaligned                                                     \
        __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(type)), may_alias)); \
    typedef bits name##_bits __attribute__((vector_size(VECTOR_BYTES)));

VECTOR_TYPES(VectorF32, float, int32_t)
VECTOR_TYPES(VectorF64, double, int64_t)
VECTOR_TYPES(VectorI64, int64_t, int64_t)
#endif
