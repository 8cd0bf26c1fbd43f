/* Register-tile kernels of the matrix product; see cpu/gemm.h. */
#include "cpu/gemm.h"

#include <string.h>

#include "cpu/kernels/isa_name.h"
#include "cpu/kernels/vector.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

#define ROWS_1_TO_6 ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6)
/* MR rows of two vectors, two vectors of b and one element of a fill the registers. */
#ifdef __AVX512F__
    #define MR 14
    #define ALL_ROWS \
        ROWS_1_TO_6 ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12) ROWS(13) ROWS(14)
#else
    #define MR       6
    #define ALL_ROWS ROWS_1_TO_6
#endif

#define T       float
#define INDEX   int32_t
#define NAME(x) f32_##x
#include "cpu/kernels/gemm_body.inc.c"
#include "cpu/kernels/gemv_body.inc.c"
#undef T
#undef INDEX
#undef NAME

#define T       double
#define INDEX   int64_t
#define NAME(x) f64_##x
#include "cpu/kernels/gemm_body.inc.c"
#include "cpu/kernels/gemv_body.inc.c"

#define TABLE(prefix, type)                                                                \
    {                                                                                      \
        MR, 2 * VECTOR_BYTES / sizeof(type), sizeof(type), prefix##pack_a, prefix##pack_b, \
            prefix##block, prefix##gemv, prefix##small                                     \
    }
const GemmKernels ISA_NAME(gemm_float) = TABLE(f32_, float);
const GemmKernels ISA_NAME(gemm_double) = TABLE(f64_, double);
