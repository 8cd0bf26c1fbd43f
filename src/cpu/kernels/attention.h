#ifndef TOCHA_KERNEL_ATTENTION_H
#define TOCHA_KERNEL_ATTENTION_H
/* What attention does to a tile of scores between its products. A tile is (keys, width): width
 * queries beside one another, as many as a panel of the packed product has columns (gemm.h). */
#include <stdbool.h>
#include <stdint.h>

/* What a query knows of the keys before: the largest score and the sum of e^(score - largest). */
typedef struct AttentionState {
    void *max, *sum, *factor; /* width of each; factor: by which earlier results shrink */
} AttentionState;

/* bias of key k and query c: bias[c * query_step + k * key_step]; NULL: none.
 * causal: query c sees key k of the tile only if k <= c + ahead. */
typedef struct AttentionMask {
    const void *bias;
    int64_t query_step, key_step, ahead;
    bool causal;
} AttentionMask;

typedef struct AttentionKernels {
    /* Adds the mask to a tile of scores whose first queries columns count. */
    void (*mask)(void *tile, int64_t keys, int64_t queries, const AttentionMask *m);
    void (*start)(const AttentionState *s);
    /* Scores become e^(score - largest so far). */
    void (*weigh)(void *tile, int64_t keys, const AttentionState *s);
    /* result is (n, width): each column times its factor. */
    void (*shrink)(void *result, int64_t n, const AttentionState *s);
    /* out (queries, n) and lse (queries) from result (n, width). */
    void (*finish)(const void *result, int64_t n, int64_t queries, const AttentionState *s,
                   void *out, void *lse);
    /* delta (queries): what is subtracted from the gradients of weights, the sums of grad * output,
     * both (queries, n), less lse_grad, which may be NULL. */
    void (*subtrahend)(const void *grad, const void *output, const void *lse_grad, int64_t n,
                       int64_t queries, void *delta);
    /* Scores become weights e^(score - lse), and the gradients of weights those of scores. */
    void (*back)(void *tile, void *grad, int64_t keys, int64_t queries, const void *lse,
                 const void *delta);
    /* out (queries, n) += from (n, width), turned. */
    void (*add_turned)(const void *from, int64_t n, int64_t queries, void *out);
} AttentionKernels;

/* By [double]. */
typedef struct AttentionTable {
    AttentionKernels of[2];
} AttentionTable;
#endif
