#include "formulas_unary.h"
#include "tensor/formulas/trig.h"

#define T             float
#define NAME(f)       f##_f32_loop
#define FORMULA(f, k) f_##f##_##k##_f32
#define ABS(x)        f_abs_f32(x)
#include "formulas_trig_loops.inc.c"
#undef T
#undef NAME
#undef FORMULA
#undef ABS

#define T             double
#define NAME(f)       f##_f64_loop
#define FORMULA(f, k) f_##f##_##k##_f64
#define ABS(x)        f_abs_f64(x)
#include "formulas_trig_loops.inc.c"

#define f_sin_all_f32 f_sin_outside_f32
#define f_sin_all_f64 f_sin_outside_f64
#define f_cos_all_f32 f_cos_f32
#define f_cos_all_f64 f_cos_f64
UNARY_LOOPS(sin_all)
UNARY_LOOPS(cos_all)
UNARY_LOOPS(tan)

extern const UnaryLoops ISA_NAME(trig_loops)[];
const UnaryLoops ISA_NAME(trig_loops)[] = {
    {sin_f32_loop, sin_f64_loop},         {cos_f32_loop, cos_f64_loop},
    {sin_all_f32_loop, sin_all_f64_loop}, {cos_all_f32_loop, cos_all_f64_loop},
    {tan_f32_loop, tan_f64_loop},
};
