#ifndef TOCHA_CPU_POOL_KERNELS_H
#define TOCHA_CPU_POOL_KERNELS_H
/* What an instruction set offers for pooling planes of one element type. */
#include <stdbool.h>
#include <stdint.h>

/* The sizes of a pooling: of depth, height and width; see tensor/conv_shape.h. */
typedef struct PoolMap {
    int64_t in[3], out[3], kernel[3], stride[3], padding[3], dilation[3];
    bool count_padding; /* of an average: what the padding adds counts */
    double divisor;     /* of an average: 0, or what to divide by in any case */
} PoolMap;

/* Windows of any kind: window o of an axis has the positions [start[o], end[o]), at least one. */
typedef struct PoolWindows {
    int64_t in[3], out[3];
    const int64_t *start[3], *end[3];
} PoolWindows;

/* A plane is the image of one channel, of one to three dims. */
typedef struct PoolKernels {
    /* The largest of each window of a plane and its place in it, from 1. */
    void (*max)(const PoolMap *m, const void *plane, void *values, int64_t *places);
    void (*max_windows)(const PoolWindows *w, const void *plane, void *values, int64_t *places);
    /* plane starts as zeros; the n grads are added at places. Returns the first of the n whose
     * place is outside the plane's size elements, or -1. */
    int64_t (*max_backward)(const void *grad, const int64_t *places, int64_t n, void *plane,
                            int64_t size);
    void (*average)(const PoolMap *m, const void *plane, void *out);
    /* plane starts as zeros. */
    void (*average_backward)(const PoolMap *m, const void *grad, void *plane);
} PoolKernels;

/* What planes of that dtype are computed in: all integers as int64, half types as float. */
int pool_dtype(int dtype);
/* For such a dtype. */
const PoolKernels *pool_kernels(int dtype);
#endif
