/* Kernels of convolutions; see cpu/conv_kernels.h. */
#include "cpu/conv_kernels.h"

#include <string.h>

#include "cpu/kernels/isa_name.h"
#include "cpu/kernels/tile.h"

/* Taps of a tile of the weights' gradient: each needs a pointer of its own. */
#ifdef __AVX512F__
    #define TAPS     8
    #define ALL_TAPS ROWS_1_TO_6 ROWS(7) ROWS(8)
#else
    #define TAPS     6
    #define ALL_TAPS ROWS_1_TO_6
#endif

#define T       float
#define INDEX   int32_t
#define NAME(x) f32_##x
#include "cpu/kernels/turn_body.inc.c"

#include "cpu/kernels/conv_body.inc.c"

#include "cpu/kernels/conv_rows.inc.c"
#undef T
#undef INDEX
#undef NAME

#define T       double
#define INDEX   int64_t
#define NAME(x) f64_##x
#include "cpu/kernels/turn_body.inc.c"

#include "cpu/kernels/conv_body.inc.c"

#include "cpu/kernels/conv_rows.inc.c"

#define TABLE(prefix, type)                                                                      \
    {                                                                                            \
        .size = sizeof(type), .nr = 2 * VECTOR_BYTES / sizeof(type), .prepare = prefix##prepare, \
        .restore = prefix##restore, .direct = prefix##direct, .columns = prefix##columns,        \
        .weights = prefix##weights, .collect = prefix##collect, .scatter = prefix##scatter,      \
        .plane = prefix##plane, .plane_scatter = prefix##plane_scatter,                          \
        .plane_weights = prefix##plane_weights                                                   \
    }
const ConvKernels ISA_NAME(conv_float) = TABLE(f32_, float);
const ConvKernels ISA_NAME(conv_double) = TABLE(f64_, double);
