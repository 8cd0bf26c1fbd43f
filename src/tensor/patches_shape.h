#ifndef TOCHA_PATCHES_SHAPE_H
#define TOCHA_PATCHES_SHAPE_H
/* The sizes of im2col and col2im, for their shape rules and kernels alike. */
#include "tensor/conv_shape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* From the arguments from kernel_size on, at position at, and the shape of the images. */
bool patches_shape(const Op *op, const Arg *arg, int at, Ints input, ConvShape *s);
/* From col2im's arguments and the shape of its columns. */
bool col2im_shape(const Op *op, const Arg *arg, Ints columns, ConvShape *s);

#ifdef __cplusplus
}
#endif
#endif
