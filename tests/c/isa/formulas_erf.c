#include "formulas_unary.h"
#include "tensor/formulas/erf.h"

UNARY_LOOPS(erf)
UNARY_LOOPS(erfc)
UNARY_LOOPS(normcdf)
UNARY_LOOPS(gelu)

extern const UnaryLoops ISA_NAME(erf_loops)[];
const UnaryLoops ISA_NAME(erf_loops)[] = {
    {erf_f32_loop, erf_f64_loop},
    {erfc_f32_loop, erfc_f64_loop},
    {normcdf_f32_loop, normcdf_f64_loop},
    {gelu_f32_loop, gelu_f64_loop},
};
