#include "formulas_unary.h"
#include "tensor/formulas/hyper.h"

UNARY_LOOPS(tanh)
UNARY_LOOPS(sigmoid)
UNARY_LOOPS(softplus)
UNARY_LOOPS(logsigmoid)
UNARY_LOOPS(sinh)
UNARY_LOOPS(cosh)

extern const UnaryLoops ISA_NAME(hyper_loops)[];
const UnaryLoops ISA_NAME(hyper_loops)[] = {
    {tanh_f32_loop, tanh_f64_loop},         {sigmoid_f32_loop, sigmoid_f64_loop},
    {softplus_f32_loop, softplus_f64_loop}, {logsigmoid_f32_loop, logsigmoid_f64_loop},
    {sinh_f32_loop, sinh_f64_loop},         {cosh_f32_loop, cosh_f64_loop},
};
