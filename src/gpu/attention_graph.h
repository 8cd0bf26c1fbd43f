#ifndef TOCHA_GPU_ATTENTION_GRAPH_H
#define TOCHA_GPU_ATTENTION_GRAPH_H
/* Attention as a graph of cuDNN; apart from attention_dnn.c, so that tests/gpu/plans.c can offer it
 * to cuDNN where no GPU is. */
#include "gpu/dnn.h"

/* A call of attend without a bias. */
void attention_graph(DnnGraph *g, const KernelCall *c);

#endif
