#include "formulas_unary.h"
#include "tensor/formulas/inverse.h"

UNARY_LOOPS(asin)
UNARY_LOOPS(acos)
UNARY_LOOPS(atan)
UNARY_LOOPS(asinh)
UNARY_LOOPS(acosh)
UNARY_LOOPS(atanh)

extern const UnaryLoops ISA_NAME(inverse_loops)[];
const UnaryLoops ISA_NAME(inverse_loops)[] = {
    {asin_f32_loop, asin_f64_loop},   {acos_f32_loop, acos_f64_loop},
    {atan_f32_loop, atan_f64_loop},   {asinh_f32_loop, asinh_f64_loop},
    {acosh_f32_loop, acosh_f64_loop}, {atanh_f32_loop, atanh_f64_loop},
};
