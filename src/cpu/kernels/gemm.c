/* Register-tile kernels of the matrix product; see cpu/gemm.h. */
#include "cpu/gemm.h"

#include <string.h>

#include "cpu/kernels/isa_name.h"
#include "cpu/kernels/tile.h"

#define T       float
#define INDEX   int32_t
#define NAME(x) f32_##x
#include "cpu/kernels/turn_body.inc.c"

#include "cpu/kernels/gemm_body.inc.c"

#include "cpu/kernels/gemv_body.inc.c"
#undef T
#undef INDEX
#undef NAME

#define T       double
#define INDEX   int64_t
#define NAME(x) f64_##x
#include "cpu/kernels/turn_body.inc.c"

#include "cpu/kernels/gemm_body.inc.c"

#include "cpu/kernels/gemv_body.inc.c"

#define TABLE(prefix, type)                                                                \
    {                                                                                      \
        MR, 2 * VECTOR_BYTES / sizeof(type), sizeof(type), prefix##pack_a, prefix##pack_b, \
            prefix##block, prefix##gemv, prefix##small                                     \
    }
const GemmKernels ISA_NAME(gemm_float) = TABLE(f32_, float);
const GemmKernels ISA_NAME(gemm_double) = TABLE(f64_, double);
