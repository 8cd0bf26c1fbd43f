#include "formulas_unary.h"
#include "tensor/formulas/special.h"

UNARY_LOOPS(erfinv)
UNARY_LOOPS(i0)
UNARY_LOOPS(special_i1)
UNARY_LOOPS(sinc)

extern const UnaryLoops ISA_NAME(special_loops)[];
const UnaryLoops ISA_NAME(special_loops)[] = {
    {erfinv_f32_loop, erfinv_f64_loop},
    {i0_f32_loop, i0_f64_loop},
    {special_i1_f32_loop, special_i1_f64_loop},
    {sinc_f32_loop, sinc_f64_loop},
};
