#ifndef TOCHA_CPU_GRID_KERNELS_H
#define TOCHA_CPU_GRID_KERNELS_H
/* What an instruction set offers for looking images up at places: some points at a time, whose
 * corners and weights serve all channels. */
#include "tensor/grid_shape.h"

enum { GRID_CHUNK = 64, GRID_CORNERS = 16 };

/* n points, one coordinate tuple behind the other from grid on; channels planes, plane elements
 * apart in the image and out elements apart in the result or its gradient. */
typedef struct GridRun {
    const GridShape *shape;
    const void *grid;
    int64_t n, channels, plane, out;
} GridRun;

typedef struct GridKernels {
    void (*sample)(const GridRun *r, const void *image, void *result);
    /* Adds to image what its elements were taken for. */
    void (*scatter)(const GridRun *r, const void *grad, void *image);
    /* The gradient by the coordinates, summed over the channels. */
    void (*by_place)(const GridRun *r, const void *grad, const void *image, void *grid_grad);
} GridKernels;
#endif
