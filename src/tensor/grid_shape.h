#ifndef TOCHA_GRID_SHAPE_H
#define TOCHA_GRID_SHAPE_H
/* What grid_sampler computes, for its shape rule and its kernels alike. */
#include "tensor/backend.h"
#include "tensor/ints.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { GRID_LINEAR, GRID_NEAREST, GRID_CUBIC } GridMode;
typedef enum { GRID_ZEROS, GRID_BORDER, GRID_REFLECTION } GridPadding;
enum { GRID_DIMS = 3 };

typedef struct GridShape {
    int dims; /* of an image: 2 or 3 */
    GridMode mode;
    GridPadding padding;
    bool align_corners;
    int64_t n, c, points;    /* points of the grid in each image */
    int64_t size[GRID_DIMS]; /* x, y, z */
    int order[GRID_DIMS];    /* of the derivative by each */
} GridShape;

/* From the arguments from mode on, at position at, and the shapes of the input and the grid. false:
 * they do not fit, error recorded. */
bool grid_shape(const Op *op, const Arg *arg, int at, Ints input, Ints grid, GridShape *g);

#ifdef __cplusplus
}
#endif
#endif
