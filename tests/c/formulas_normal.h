#ifndef TOCHA_TEST_FORMULAS_NORMAL_H
#define TOCHA_TEST_FORMULAS_NORMAL_H

#include <stddef.h>
#include <stdint.h>

/* Pair i of bits gives numbers 2 i and 2 i + 1. */
typedef struct NormalLoops {
    void (*f32)(const uint32_t *restrict bits, float *restrict out, size_t pairs);
    void (*f64)(const uint64_t *restrict bits, double *restrict out, size_t pairs);
} NormalLoops;

#endif
