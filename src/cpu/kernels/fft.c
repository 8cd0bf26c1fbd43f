/* The loops of Fourier transforms; see fft.h. */
#include "cpu/kernels/fft.h"

#include <string.h>

#include "cpu/kernels/isa_name.h"
#include "cpu/kernels/tile.h"

#define T       float
#define INDEX   int32_t
#define NAME(x) f32_##x
#include "cpu/kernels/turn_body.inc.c"

#include "cpu/kernels/fft_radix.inc.c"

#include "cpu/kernels/fft_body.inc.c"
#undef T
#undef INDEX
#undef NAME

#define T       double
#define INDEX   int64_t
#define NAME(x) f64_##x
#include "cpu/kernels/turn_body.inc.c"

#include "cpu/kernels/fft_radix.inc.c"

#include "cpu/kernels/fft_body.inc.c"

#define TABLE(prefix, type)                                                                  \
    {                                                                                        \
        VECTOR_BYTES / sizeof(type), sizeof(type), prefix##load, prefix##store, prefix##run, \
            prefix##load_split, prefix##join, prefix##twist, prefix##split_real,             \
            prefix##merge_real                                                               \
    }
extern const FftKernels ISA_NAME(fft_float), ISA_NAME(fft_double);
const FftKernels ISA_NAME(fft_float) = TABLE(f32_, float);
const FftKernels ISA_NAME(fft_double) = TABLE(f64_, double);
