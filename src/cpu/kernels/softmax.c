#include "cpu/kernels/softmax.h"

#include <math.h>
#include <string.h>

#include "cpu/kernels/isa_name.h"
#include "cpu/kernels/load.h"
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
#define LOG         f_log_f32
#define LOAD        load_f32
#define STORE       store_f32
#define NAME(x)     max_##x##_f32
#include "block_pick.inc.c"
#undef NAME
#define NAME(x) x##_f32
#include "block_sum.inc.c"
#include "softmax_type.inc.c"
#undef T
#undef V
#undef V_UNALIGNED
#undef BITS
#undef EXP
#undef LOG
#undef LOAD
#undef STORE
#undef NAME

#define T           double
#define V           VectorF64
#define V_UNALIGNED VectorF64_unaligned
#define BITS        VectorF64_bits
#define EXP         f_exp_f64
#define LOG         f_log_f64
#define LOAD        load_f64
#define STORE       store_f64
#define NAME(x)     max_##x##_f64
#include "block_pick.inc.c"
#undef NAME
#define NAME(x) x##_f64
#include "block_sum.inc.c"
#include "softmax_type.inc.c"

extern const SoftmaxTable ISA_NAME(softmax_table);
const SoftmaxTable ISA_NAME(softmax_table) = {
    {{{forward_along_f32, forward_along_f64}, {forward_across_f32, forward_across_f64}},
     {{backward_along_f32, backward_along_f64}, {backward_across_f32, backward_across_f64}}}};
