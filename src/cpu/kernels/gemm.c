/* Register-tile kernels of the matrix product; see cpu/gemm.h. */
#include "cpu/gemm.h"

#include <string.h>

#include "cpu/kernels/isa_name.h"
#include "cpu/kernels/tile.h"

#define E                     T
#define UNITS(k)              (k)
#define SUM                   T
#define SUM_V                 V
#define STORE                 NAME(tile_store)
#define MULTIPLY(acc, x, row) ((acc) + (x) * (row))
#define ON_CPU

#define T       float
#define INDEX   int32_t
#define NAME(x) f32_##x
#include "cpu/kernels/turn_body.inc.c"

#include "cpu/kernels/gemm_pack.inc.c"

#include "cpu/kernels/gemm_store.inc.c"

#include "cpu/kernels/gemm_tile.inc.c"

#include "cpu/kernels/gemv_body.inc.c"
#undef T
#undef INDEX
#undef NAME

#define T       double
#define INDEX   int64_t
#define NAME(x) f64_##x
#include "cpu/kernels/turn_body.inc.c"

#include "cpu/kernels/gemm_pack.inc.c"

#include "cpu/kernels/gemm_store.inc.c"

#include "cpu/kernels/gemm_tile.inc.c"

#include "cpu/kernels/gemv_body.inc.c"
#undef T
#undef INDEX
#undef NAME

#define TABLE(prefix, type)                                                                      \
    {                                                                                            \
        .mr = MR, .nr = 2 * VECTOR_BYTES / sizeof(type), .size = sizeof(type),                   \
        .sum_size = sizeof(type), .unit = 1, .pack_a = prefix##pack_a, .pack_b = prefix##pack_b, \
        .block = prefix##block, .gemv = prefix##gemv, .small = prefix##small                     \
    }
const GemmKernels ISA_NAME(gemm_float) = TABLE(f32_, float);
const GemmKernels ISA_NAME(gemm_double) = TABLE(f64_, double);

#ifdef __AVX512F__
    #include <immintrin.h>

    #undef E
    #undef UNITS
    #undef SUM
    #undef SUM_V
    #undef STORE
    #undef MULTIPLY
    #undef ON_CPU
    #define E        uint16_t
    #define UNITS(k) (((k) + 1) / 2)
    #define SUM      float
    #define SUM_V    f32_V
    #define STORE    f32_tile_store
    #define MULTIPLY(acc, x, row) \
        (f32_V) _mm512_dpbf16_ps((__m512)(acc), (__m512bh)(row), (__m512bh)(x))
    #define ON_CPU __attribute__((target("avx512bf16")))

    #define T       uint32_t
    #define INDEX   int32_t
    #define NAME(x) pair_##x
    #include "cpu/kernels/turn_body.inc.c"

    #include "cpu/kernels/gemm_pairs.inc.c"

    #include "cpu/kernels/gemm_tile.inc.c"

static const GemmKernels pair_kernels = {.mr = MR,
                                         .nr = NR,
                                         .size = sizeof(uint16_t),
                                         .sum_size = sizeof(float),
                                         .unit = 2,
                                         .pack_a = pair_pack_a,
                                         .pack_b = pair_pack_b,
                                         .block = pair_block};

const GemmKernels *ISA_NAME(gemm_bfloat16)(void) {
    return __builtin_cpu_supports("avx512bf16") ? &pair_kernels : NULL;
}
#else
const GemmKernels *ISA_NAME(gemm_bfloat16)(void) { return NULL; }
#endif
