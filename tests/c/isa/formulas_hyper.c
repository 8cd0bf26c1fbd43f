#include "formulas_unary.h"
#include "tensor/formulas/hyper.h"

UNARY_LOOPS(tanh)
UNARY_LOOPS(sigmoid)
UNARY_LOOPS(softplus)
UNARY_LOOPS(logsigmoid)

extern const UnaryLoops ISA_NAME(hyper_loops)[];
const UnaryLoops ISA_NAME(hyper_loops)[] = {
    {tanh_f32_loop, tanh_f64_loop},
    {sigmoid_f32_loop, sigmoid_f64_loop},
    {softplus_f32_loop, softplus_f64_loop},
    {logsigmoid_f32_loop, logsigmoid_f64_loop},
};
