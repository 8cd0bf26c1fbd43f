#ifndef TOCHA_CONV_SHAPE_H
#define TOCHA_CONV_SHAPE_H
/* The sizes of a convolution or pooling, for its shape rule and its kernels alike. */
#include "tensor/op.h"

/* In each pair the vertical number comes first. Pooling has o == c and groups == c. */
typedef struct ConvShape {
    int64_t n, c, o, groups;
    int64_t in[2], out[2]; /* height and width */
    int64_t kernel[2], stride[2], padding[2], dilation[2];
    bool batched; /* tensors have a dim n; without it, n is 1 */
} ConvShape;

/* From the arguments of conv2d, conv2d_input_grad or conv2d_weight_grad (stride is argument 3) and
 * the shapes of conv2d's input and weight. false: they do not fit, error recorded. */
bool conv_shape(const Op *op, const Arg *arg, Ints input, Ints weight, ConvShape *s);

/* Where a pooling's arguments stand; -1: it has none. */
typedef struct PoolArgs {
    int kernel, stride, padding, dilation, ceil_mode;
} PoolArgs;
bool pool_shape(const Op *op, const Arg *arg, PoolArgs at, Ints input, ConvShape *s);
PoolArgs max_pool_args(void);
PoolArgs avg_pool_args(bool backward);
#endif
