#ifndef TOCHA_CONV_SHAPE_H
#define TOCHA_CONV_SHAPE_H
/* The sizes of a convolution or pooling, for its shape rule and its kernels alike. */
#include "tensor/backend.h"
#include "tensor/ints.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct Call Call;

enum { IMAGE_DIMS = 3 };

/* Depth, height and width; images of fewer dims lack the first ones, which are 1 then. Pooling has
 * o == c and groups == c. */
typedef struct ConvShape {
    int dims; /* of an image */
    int64_t n, c, o, groups;
    int64_t in[IMAGE_DIMS], out[IMAGE_DIMS];
    int64_t kernel[IMAGE_DIMS], stride[IMAGE_DIMS], padding[IMAGE_DIMS], dilation[IMAGE_DIMS];
    bool batched; /* tensors have a dim n; without it, n is 1 */
} ConvShape;

/* Of images of so many dims: "(n, c, h, w)", and "height" for an axis of a ConvShape. */
const char *image_layout(int dims, bool batched);
const char *image_axis(int dims, int axis);
/* "kh, kw", the sizes of a kernel. */
const char *kernel_layout(int dims);
/* n and c and the sizes of the image. Error unless there are as many dims as there should be. */
bool image_shape(const Op *op, Ints input, int dims, ConvShape *s);
/* Argument at of the call: a number, or one for each dim of the image, into the last entries of
 * out; the first ones are left as they are. */
bool image_ints(const Op *op, const Arg *arg, int at, int dims, int64_t least, int64_t *out);
/* The sizes of a tensor that holds images of the sizes size with so many channels; all has room
 * for MAX_DIMS. */
Ints image_sizes(const ConvShape *s, int64_t channels, const int64_t *size, int64_t *all);
/* false: the image is too large to be worked with, error recorded. */
bool image_volume(const Op *op, const int64_t *size);

/* From the arguments of a convolution or one of its gradients (stride is argument 3) and the shapes
 * of the convolution's input and weight. false: they do not fit, error recorded. */
bool conv_shape(const Op *op, const Arg *arg, Ints input, Ints weight, ConvShape *s);
/* s->out from the rest. false: windows do not fit, error recorded. */
bool conv_shape_out(const Op *op, ConvShape *s, bool ceil_mode);
/* The sizes that argument at gives, checked as those of a tensor. */
bool size_argument(const Call *c, int at, Ints *size);
/* Whether argument 0, a gradient, has the sizes of the result of channels channels. */
bool grad_fits(const Call *c, const ConvShape *s, int64_t channels);

/* Where a pooling's arguments stand; -1: it has none. kernel_size has a number for each dim of the
 * image. */
typedef struct PoolArgs {
    int kernel, stride, padding, dilation, ceil_mode;
} PoolArgs;
bool pool_shape(const Op *op, const Arg *arg, PoolArgs at, Ints input, ConvShape *s);
PoolArgs max_pool_args(void);
PoolArgs avg_pool_args(bool backward);

#ifdef __cplusplus
}
#endif
#endif
