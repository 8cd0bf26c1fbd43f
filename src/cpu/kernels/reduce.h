#ifndef TOCHA_KERNEL_REDUCE_H
#define TOCHA_KERNEL_REDUCE_H
/* The loops of reductions. They join elements into accumulators, which ordinary code (cpu/reduce.c)
 * starts, joins and stores. */
#include <stdint.h>

/* A number in the type that elements are accumulated in: double for floats, int64 for the rest.
 * Products of complex numbers take two, the parts. */
typedef union Number {
    double f;
    int64_t i;
} Number;

typedef enum {
    REDUCE_SUM,
    REDUCE_NANSUM,
    REDUCE_SQUARES,
    REDUCE_PROD,
    REDUCE_MAX,
    REDUCE_MIN,
    REDUCE_ALL,
    REDUCE_ANY,
    REDUCE_ARGMAX,
    REDUCE_ARGMIN,
    N_REDUCE_KINDS
} ReduceKind;

/* What elements are loaded as; floats are added up as floats for a block, then as doubles. */
typedef enum { COMPUTE_F32, COMPUTE_F64, COMPUTE_I64, COMPUTE_COMPLEX, N_COMPUTES } Compute;

/* Most columns of one run, and most elements that are loaded at a time. */
enum { REDUCE_TILE = 256, REDUCE_BLOCK = 4096 };

/* A matrix of elements whose columns are reduced: steps count elements. Accumulator of column c is
 * a[c] (all, any: 0 or 1), and for sums of floats b[c], what rounding dropped from a[c]; for
 * argmax and argmin b[c] is the position of a[c], and -1 in all columns before the first run. Row
 * r has position position + r. */
typedef struct ReduceRun {
    const void *x;
    int64_t rows, row_step, cols, col_step, position;
    int dtype;
    Number *a, *b;
} ReduceRun;

typedef void ReduceLoop(const ReduceRun *r);

/* along: rows are the inner loop, any number of columns; across: columns are. */
typedef struct ReduceTable {
    ReduceLoop *along[N_REDUCE_KINDS][N_COMPUTES];
    ReduceLoop *across[N_REDUCE_KINDS][N_COMPUTES];
} ReduceTable;
#endif
