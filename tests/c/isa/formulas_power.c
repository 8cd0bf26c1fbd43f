#include "formulas_power.h"
#include "tensor/formulas/power.h"

static void pow_f32_loop(const float *restrict x, const float *restrict y, float *restrict out,
                         size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = f_pow_f32(x[i], y[i]);
}

static void pow_f64_loop(const double *restrict x, const double *restrict y, double *restrict out,
                         size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = f_pow_f64(x[i], y[i]);
}

extern const PowerLoops ISA_NAME(power_loops)[];
const PowerLoops ISA_NAME(power_loops)[] = {{pow_f32_loop, pow_f64_loop}};
