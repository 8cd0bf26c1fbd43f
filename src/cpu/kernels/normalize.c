#include "cpu/kernels/normalize.h"

#include <math.h>
#include <string.h>

#include "cpu/kernels/isa_name.h"
#include "cpu/kernels/vector.h"

#define T           float
#define V           VectorF32
#define V_UNALIGNED VectorF32_unaligned
#define NAME(x)     x##_f32
#include "block_sum.inc.c"
#include "normalize_type.inc.c"
#undef T
#undef V
#undef V_UNALIGNED
#undef NAME

#define T           double
#define V           VectorF64
#define V_UNALIGNED VectorF64_unaligned
#define NAME(x)     x##_f64
#include "block_sum.inc.c"
#include "normalize_type.inc.c"

extern const NormTable ISA_NAME(norm_table);
const NormTable ISA_NAME(norm_table) = {{forward_f32, forward_f64},
                                        {forward_across_f32, forward_across_f64},
                                        {backward_f32, backward_f64},
                                        {backward_across_f32, backward_across_f64},
                                        {fold_f32, fold_f64}};
