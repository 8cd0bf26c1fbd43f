#ifndef TOCHA_FORMULA_HYPOT_H
#define TOCHA_FORMULA_HYPOT_H

/* sqrt(a^2 + b^2). */

#include "tensor/formulas/formula.h"

/* A float's square has all its bits in a double; doubles are moved out of reach of overflow. */
TOCHA_HD float f_hypot_f32(float a, float b) {
    double x = (double)a, y = (double)b;
    float r = (float)f_sqrt_f64(f_fma_f64(x, x, y * y));
    return (f_abs_f32(a) > FLT_MAX) | (f_abs_f32(b) > FLT_MAX) ? INFINITY : r;
}
TOCHA_HD double f_hypot_f64(double a, double b) {
    double x = f_abs_f64(a), y = f_abs_f64(b);
    double most = x > y ? x : y;
    double scale = most > 0x1p500 ? 0x1p-600 : most < 0x1p-500 ? 0x1p600 : 1.0;
    double back = most > 0x1p500 ? 0x1p600 : most < 0x1p-500 ? 0x1p-600 : 1.0;
    double u = x * scale, v = y * scale;
    double r = f_sqrt_f64(f_fma_f64(u, u, v * v)) * back;
    return (x > DBL_MAX) | (y > DBL_MAX) ? (double)INFINITY : r;
}

#endif
