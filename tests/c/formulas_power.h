#ifndef TOCHA_TEST_FORMULAS_POWER_H
#define TOCHA_TEST_FORMULAS_POWER_H

#include "formulas_unary.h"

typedef struct PowerLoops {
    void (*f32)(const float *restrict x, const float *restrict y, float *restrict out, size_t n);
    void (*f64)(const double *restrict x, const double *restrict y, double *restrict out, size_t n);
} PowerLoops;

#endif
