#ifndef TOCHA_CPU_GRID_KERNELS_H
#define TOCHA_CPU_GRID_KERNELS_H
/* What an instruction set offers for looking images up at places: some points at a time, whose
 * corners and weights serve all channels. */
#include "tensor/grid_shape.h"

enum { GRID_CHUNK = 64, GRID_CORNERS = 16 };
/* For each axis the corners of a chunk, twice what it takes, and sums; the gradients: offsets and
 * doubles. */
enum { GRID_WORK = (3 * (GRID_CORNERS + 2 * 4 + 1) + 1) * GRID_CHUNK * 12 };

/* n points, one coordinate tuple behind the other from grid on; channels planes, plane elements
 * apart in the image and out elements apart in the result or its gradient. */
typedef struct GridRun {
    const GridShape *shape;
    const void *grid;
    int64_t n, channels, plane, out;
} GridRun;

/* work has GRID_WORK bytes, aligned as memory of its own is. */
typedef struct GridKernels {
    void (*sample)(const GridRun *r, const void *image, void *result, void *work);
    /* Adds to image what its elements were taken for. */
    void (*scatter)(const GridRun *r, const void *grad, void *image, void *work);
    /* The gradient by the coordinates, summed over the channels. */
    void (*by_place)(const GridRun *r, const void *grad, const void *image, void *grid_grad,
                     void *work);
} GridKernels;
#endif
