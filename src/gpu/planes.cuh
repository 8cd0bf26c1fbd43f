#ifndef TOCHA_GPU_PLANES_CUH
#define TOCHA_GPU_PLANES_CUH
/* Images as planes of one size, one behind the other. Axes are depth, height and width. */
#include "gpu/divide.cuh"
#include "tensor/conv_shape.h"

struct Planes {
    int64_t size[IMAGE_DIMS], elements; /* of a plane */
    Size by[IMAGE_DIMS];
};

static inline Planes planes_of(const int64_t *size, int64_t planes) {
    Planes p = Planes();
    p.elements = 1;
    for (int i = 0; i < IMAGE_DIMS; i++) {
        p.size[i] = size[i];
        p.elements *= size[i];
    }
    for (int i = 0; i < IMAGE_DIMS; i++) {
        p.by[i] = size_of(size[i], p.elements * planes);
    }
    return p;
}

/* The plane that an element of all planes is in; at: where in it. */
static __device__ __forceinline__ int64_t locate(const Planes &p, int64_t element, int64_t *at) {
    at[2] = element;
    at[1] = divide(p.by[2], &at[2]);
    at[0] = divide(p.by[1], &at[1]);
    return divide(p.by[0], &at[0]);
}

#endif
