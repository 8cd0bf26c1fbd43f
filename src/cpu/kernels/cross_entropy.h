#ifndef TOCHA_KERNEL_CROSS_ENTROPY_H
#define TOCHA_KERNEL_CROSS_ENTROPY_H
/* Rows of logits on their way to cross entropy and back, over contiguous elements of the compute
 * type. Logarithms of sums are kept as double: those of large logits would lose the digits that the
 * loss is made of. */
#include <stdint.h>

/* A row's target: class, from 0 on, and the share of the label itself; even: the share that each
 * class gets times its weight. */
typedef struct CrossEntropyRow {
    const void *x, *weight; /* n of each; weight NULL: all 1 */
    int64_t n, class;
    double own, even, all; /* all: the sum of all shares */
    double lse;
} CrossEntropyRow;

/* By [double]. */
typedef struct CrossEntropyTable {
    /* The logarithm of the sum of e^x. */
    double (*lse[2])(const void *x, int64_t n);
    double (*loss[2])(const CrossEntropyRow *r);
    /* out = g times the gradient of the loss. */
    void (*back[2])(const CrossEntropyRow *r, double g, void *out);
} CrossEntropyTable;
#endif
