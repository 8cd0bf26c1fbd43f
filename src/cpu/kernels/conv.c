/* Kernels of convolutions; see cpu/conv_kernels.h. */
#include "cpu/conv_kernels.h"

#include <string.h>

#include "cpu/kernels/isa_name.h"
#include "cpu/kernels/tile.h"

/* Taps of a tile of the weights' gradient: each needs a pointer of its own, and sums of one vector
 * of output channels or of two. */
enum { TAPS_OF_VECTOR = 8 };
#ifdef __AVX512F__
    #define TAPS     8
    #define ALL_TAPS ROWS_1_TO_6 ROWS(7) ROWS(8)
#else
    #define TAPS     6
    #define ALL_TAPS ROWS_1_TO_6
#endif

/* What direct() works on at a time. */
enum { TAPS_OF_BLOCK = 160, TILES_AT_ONCE = 8 };

/* Windows of single planes: taps whose sums are kept in registers, and the most that are copied to
 * where they are quick to reach. */
enum { TAPS_AT_ONCE = 9, TAPS_OF_PLANE = 49 };

typedef struct TapRange {
    const int64_t *tap;
    int64_t count;
    bool fresh; /* the first of its sums */
} TapRange;

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
        .spread = prefix##spread, .spread_store = prefix##spread_store, .plane = prefix##plane,  \
        .plane_scatter = prefix##plane_scatter, .plane_weights = prefix##plane_weights           \
    }
const ConvKernels ISA_NAME(conv_float) = TABLE(f32_, float);
const ConvKernels ISA_NAME(conv_double) = TABLE(f64_, double);
