#ifndef TOCHA_GPU_ATTENTION_GRAPH_H
#define TOCHA_GPU_ATTENTION_GRAPH_H
/* Attention as a graph of cuDNN; apart from attention_dnn.c, so that tests/gpu/plans.c can offer it
 * to cuDNN where no GPU is. */
#include "gpu/dnn.h"

/* A call of attend without a bias. */
void attention_graph(DnnGraph *g, const KernelCall *c);

/* Device memory that the gradients go through. */
typedef struct AttentionScratch {
    float *delta; /* (B, H, L) */
    float *sums;  /* (B, H, L, E), where the gradient of query may be summed up in any order; NULL:
                   * in one order, for which cuDNN keeps a matrix like that of the scores */
} AttentionScratch;

/* A call of attend_backward without a bias and a gradient of lse. */
void attention_backward_graph(DnnGraph *g, const KernelCall *c, const AttentionScratch *scratch);

#endif
