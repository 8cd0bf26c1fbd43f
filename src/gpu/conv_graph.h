#ifndef TOCHA_GPU_CONV_GRAPH_H
#define TOCHA_GPU_CONV_GRAPH_H
/* Convolutions as graphs of cuDNN; apart from conv.c, so that tests/gpu/plans.c can offer them to
 * cuDNN where no GPU is. */
#include "gpu/dnn.h"
#include "tensor/conv_shape.h"

/* Tensors without gaps: images x (n, c, sizes) and y (n, o, sizes), weight w (o, c / groups,
 * sizes), where channels_last all three have the channel dim as their innermost. kind says which of
 * them is the result. */
typedef struct ConvGraph {
    DnnConv kind;
    int dtype;
    bool channels_last;
    bool biased; /* y = x * w + bias (o), rounded once */
    bool relu;   /* of that, before it is rounded */
    const void *x, *w, *y, *bias;
} ConvGraph;

/* Whether the engines that modes allow want channels last: tensor cores do. */
bool conv_channels_last(int dtype, int modes);
/* Whether the engines for a dtype take relu along: those of tensor cores, but for one channel a
 * group. */
bool conv_takes_relu(int dtype, int modes, const ConvShape *s);
/* n samples of s. */
void conv_graph(DnnGraph *g, const ConvGraph *c, const ConvShape *s, int64_t n);

#endif
