#ifndef TOCHA_GPU_AXES_CUH
#define TOCHA_GPU_AXES_CUH
/* The dims that a kernel walks over besides the one it is about (tensor/axes.h). */
#include "gpu/kernel.cuh"
#include "tensor/axes.h"

struct Axes {
    int n;
    Axis axis[MAX_DIMS]; /* innermost first */
};

/* All the dims of a view, which is operand 0; places count in row-major order. */
static inline Axes axes_of(const View *v) {
    Axes axes = Axes();
    for (int d = v->dim - 1; d >= 0; d--) {
        axes.axis[axes.n++] = Axis{v->shape[d], {v->stride[d], 0, 0}};
    }
    axes.n = axes_merge(axes.axis, axes.n);
    return axes;
}

/* Adds to at, one entry an operand, where place i of the axes lies. */
static __device__ __forceinline__ void locate(const Axes &a, int64_t i, int64_t *at) {
    for (int d = 0; d < a.n; d++) {
        int64_t place = d + 1 < a.n ? i % a.axis[d].size : i;
        i = d + 1 < a.n ? i / a.axis[d].size : 0;
        for (int k = 0; k < AXIS_OPERANDS; k++) {
            at[k] += place * a.axis[d].step[k];
        }
    }
}

#endif
