#ifndef TOCHA_KERNEL_SOFTMAX_H
#define TOCHA_KERNEL_SOFTMAX_H
/* The loops of softmax, log_softmax and their gradients. */
#include <stdbool.h>
#include <stdint.h>

enum { SOFTMAX_TILE = 256, SOFTMAX_BLOCK = 4096 };

/* Columns of size elements each, to which softmax applies one by one; steps count elements, step[]
 * within a column and col_step[] from one to the next. Operands: the result, then input (forward)
 * or gradient and output (backward). At most SOFTMAX_TILE columns. */
typedef struct SoftmaxRun {
    void *out;
    const void *x, *y;
    int64_t size, cols, step[3], col_step[3];
    int dtype;
    bool log;
} SoftmaxRun;

typedef void SoftmaxLoop(const SoftmaxRun *r);

/* By [backward][across][double]; across: the inner loop goes from column to column. */
typedef struct SoftmaxTable {
    SoftmaxLoop *loop[2][2][2];
} SoftmaxTable;
#endif
