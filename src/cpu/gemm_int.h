#ifndef TOCHA_CPU_GEMM_INT_H
#define TOCHA_CPU_GEMM_INT_H
/* Products of integer matrices. They wrap around, so signed types count as unsigned ones. */
#include <stdint.h>

/* One row of c = alpha * a b + beta * add: c (n) without gaps, a (k), b (k, n), add (n) or NULL. */
typedef struct IntRow {
    int64_t n, k;
    const void *a, *b, *add;
    void *c;
    int64_t a_step, b_rs, b_cs, add_step;
    int64_t alpha, beta;
} IntRow;

typedef struct IntKernels {
    void (*row_1)(const IntRow *r);
    void (*row_2)(const IntRow *r);
    void (*row_4)(const IntRow *r);
    void (*row_8)(const IntRow *r);
} IntKernels;
#endif
