#include "formulas_unary.h"
#include "tensor/formulas/explog.h"

UNARY_LOOPS(exp)
UNARY_LOOPS(exp2)
UNARY_LOOPS(expm1)
UNARY_LOOPS(log)
UNARY_LOOPS(log1p)
UNARY_LOOPS(log2)
UNARY_LOOPS(log10)

extern const UnaryLoops ISA_NAME(explog_loops)[];
const UnaryLoops ISA_NAME(explog_loops)[] = {
    {exp_f32_loop, exp_f64_loop},     {exp2_f32_loop, exp2_f64_loop},
    {expm1_f32_loop, expm1_f64_loop}, {log_f32_loop, log_f64_loop},
    {log1p_f32_loop, log1p_f64_loop}, {log2_f32_loop, log2_f64_loop},
    {log10_f32_loop, log10_f64_loop},
};
