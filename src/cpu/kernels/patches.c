/* Kernels of patches; see cpu/patches_kernels.h. */
#include "cpu/patches_kernels.h"

#include <stdbool.h>

#include "cpu/kernels/isa_name.h"

#define T       float
#define NAME(x) f32_##x
#include "cpu/kernels/patches_body.inc.c"
#undef T
#undef NAME

#define T       double
#define NAME(x) f64_##x
#include "cpu/kernels/patches_body.inc.c"

const PatchesKernels ISA_NAME(patches_float) = {f32_take, f32_add};
const PatchesKernels ISA_NAME(patches_double) = {f64_take, f64_add};
