#ifndef TOCHA_KERNEL_NORMALIZE_H
#define TOCHA_KERNEL_NORMALIZE_H
/* The loops of standardize and its gradients, over contiguous elements of the compute type. */
#include <stdbool.h>
#include <stdint.h>

/* The elements that a loop looks at together, and the columns of one that goes across. */
enum { NORM_BLOCK = 1024, NORM_TILE = 64 };

/* Rows that are normalised each alone. Row r starts at element (r / period) * outer + r % period *
 * inner and has segments runs of span elements, step apart. */
typedef struct NormRun {
    const void *x, *grad, *weight, *bias; /* grad: of the output; weight and bias may be NULL */
    void *out;                            /* the result or the gradient of x */
    void *mean, *rstd;                    /* by row; written forward and read backward */
    int64_t segments, span, step, period, outer, inner;
    bool each;           /* every element of a row has a weight of its own, else every segment */
    int64_t weight_row;  /* weights on from r to r + 1, modulo period */
    int64_t weight_step; /* from segment to segment */
    bool center;
    double eps;
} NormRun;

typedef void NormForward(const NormRun *r, int64_t first, int64_t end);
/* Adds what weight and bias get: each: element i of the rows to sums[i]; else writes segment k of
 * row r to sums[r * segments + k]. */
typedef void NormBackward(const NormRun *r, int64_t first, int64_t end, void *weight_sums,
                          void *bias_sums);
/* to[i] = the sum over p of from[p * part_step + i * step]. */
typedef void NormFold(const void *from, int64_t parts, int64_t part_step, int64_t step, int64_t n,
                      void *to);

/* By [double]. across: for rows of single elements that stand beside one another, span 1. */
typedef struct NormTable {
    NormForward *forward[2], *forward_across[2];
    NormBackward *backward[2], *backward_across[2];
    NormFold *fold[2];
} NormTable;
#endif
