#ifndef TOCHA_GPU_CONV_H
#define TOCHA_GPU_CONV_H
/* What the two ways of convolution share. */
#include "gpu/conv_graph.h"
#include "gpu/conv_layout.h"

enum { CONV_DIMS = 2 + IMAGE_DIMS };

/* A tensor of a convolution with all five dims: (n, c, d, h, w), or a weight's (o, c / groups, kd,
 * kh, kw). Dims that the tensor lacks have size 1. */
typedef struct ConvVolume {
    View view; /* shape and stride are those below */
    int64_t shape[CONV_DIMS], stride[CONV_DIMS];
} ConvVolume;

/* y = x * w + bias, or the gradient of x or w. */
typedef struct ConvCall {
    const KernelCall *call;
    DnnConv kind;
    ConvShape s;
    ConvVolume x, w, y;
    const View *bias; /* NULL: there is none */
    bool relu;        /* of what y would be */
} ConvCall;

/* Strides without gaps, in the order of the dims or with dim 1 as the innermost. */
void conv_strides(const int64_t *shape, bool channels_last, int64_t *stride);
/* v, which the call owns, at other memory without gaps; dtype and strides as given. */
View conv_view_at(const ConvVolume *v, void *data, int dtype, const int64_t *stride);
/* The bias, broadcast to y. */
View conv_bias_view(const ConvCall *p, int64_t *stride);

/* By columns and matrix products, in float32 or float64: for what cuDNN does not do. */
bool conv_by_products(const ConvCall *p);

#endif
