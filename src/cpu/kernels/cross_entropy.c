#include "cpu/kernels/cross_entropy.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "cpu/kernels/isa_name.h"
#include "cpu/kernels/vector.h"
#include "tensor/formulas/explog.h"

#define NAN_OF(v)     ((v) != (v))
#define VECTOR_NAN(v) ((v) != (v))
#define OVER          >

#define T           float
#define V           VectorF32
#define V_UNALIGNED VectorF32_unaligned
#define BITS        VectorF32_bits
#define EXP         f_exp_f32
#define NAME(x)     max_##x##_f32
#include "block_pick.inc.c"
#undef NAME
#define NAME(x) x##_f32
#include "block_sum.inc.c"
#include "cross_entropy_type.inc.c"
#undef T
#undef V
#undef V_UNALIGNED
#undef BITS
#undef EXP
#undef NAME

#define T           double
#define V           VectorF64
#define V_UNALIGNED VectorF64_unaligned
#define BITS        VectorF64_bits
#define EXP         f_exp_f64
#define NAME(x)     max_##x##_f64
#include "block_pick.inc.c"
#undef NAME
#define NAME(x) x##_f64
#include "block_sum.inc.c"
#include "cross_entropy_type.inc.c"

extern const CrossEntropyTable ISA_NAME(cross_entropy_table);
const CrossEntropyTable ISA_NAME(cross_entropy_table) = {
    {lse_f32, lse_f64}, {loss_f32, loss_f64}, {back_f32, back_f64}};
