#include "formulas_unary.h"
#include "tensor/formulas/trig.h"

/* As kernels use them: the branch-free form first, then what lies outside its range. */
#define TRIG_LOOP(name, type, T)                                                               \
    static void name##_##type##_loop(const T *restrict x, T *restrict y, size_t n) {           \
        size_t outside = 0;                                                                    \
        for (size_t i = 0; i < n; i++) outside += f_abs_##type(x[i]) > (T)F_TRIG_INSIDE;       \
        for (size_t i = 0; i < n; i++) y[i] = f_##name##_inside_##type(x[i]);                  \
        for (size_t i = 0; outside > 0 && i < n; i++)                                          \
            if (f_abs_##type(x[i]) > (T)F_TRIG_INSIDE) y[i] = f_##name##_outside_##type(x[i]); \
    }

TRIG_LOOP(sin, f32, float)
TRIG_LOOP(cos, f32, float)
TRIG_LOOP(sin, f64, double)
TRIG_LOOP(cos, f64, double)

#define f_sin_all_f32 f_sin_outside_f32
#define f_sin_all_f64 f_sin_outside_f64
#define f_cos_all_f32 f_cos_f32
#define f_cos_all_f64 f_cos_f64
UNARY_LOOPS(sin_all)
UNARY_LOOPS(cos_all)

extern const UnaryLoops ISA_NAME(trig_loops)[];
const UnaryLoops ISA_NAME(trig_loops)[] = {
    {sin_f32_loop, sin_f64_loop},
    {cos_f32_loop, cos_f64_loop},
    {sin_all_f32_loop, sin_all_f64_loop},
    {cos_all_f32_loop, cos_all_f64_loop},
};
