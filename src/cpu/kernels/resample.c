/* Kernels of resampling; see cpu/resample_kernels.h. */
#include "cpu/resample_kernels.h"

#include <string.h>

#include "cpu/kernels/isa_name.h"

#define T       float
#define NAME(x) f32_##x
#include "cpu/kernels/resample_body.inc.c"
#undef T
#undef NAME

#define T       double
#define NAME(x) f64_##x
#include "cpu/kernels/resample_body.inc.c"

const ResampleKernels ISA_NAME(resample_float) = {f32_forward, f32_backward};
const ResampleKernels ISA_NAME(resample_double) = {f64_forward, f64_backward};
