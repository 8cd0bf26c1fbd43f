#ifndef TOCHA_RESAMPLE_SHAPE_H
#define TOCHA_RESAMPLE_SHAPE_H
/* What resample computes, for its shape rule and its kernels alike. */
#include "tensor/conv_shape.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    RESAMPLE_NEAREST,
    RESAMPLE_NEAREST_EXACT,
    RESAMPLE_LINEAR,
    RESAMPLE_CUBIC,
    RESAMPLE_AREA
} ResampleMode;

typedef struct ResampleShape {
    ConvShape s; /* n, c, in and out */
    ResampleMode mode;
    bool align_corners, antialias;
    double scale[IMAGE_DIMS]; /* 0, or how much larger the result was asked to be */
} ResampleShape;

/* From the arguments behind the sizes, which start with mode at position at. input is
 * (n, c, sizes), output the sizes wanted. false: they do not fit, error recorded. */
bool resample_shape(const Op *op, const Arg *arg, int at, Ints input, Ints output,
                    ResampleShape *r);

#ifdef __cplusplus
}
#endif
#endif
