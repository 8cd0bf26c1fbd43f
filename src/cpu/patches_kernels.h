#ifndef TOCHA_CPU_PATCHES_KERNELS_H
#define TOCHA_CPU_PATCHES_KERNELS_H
/* What an instruction set offers for taking planes apart into patches. */
#include <stdint.h>

/* Sizes of height and width. */
typedef struct PatchesMap {
    int64_t in[2], out[2], kernel[2], stride[2], padding[2], dilation[2];
} PatchesMap;

typedef struct PatchesKernels {
    /* columns (kh, kw, oh, ow) from a plane, zeros where its padding is met. */
    void (*take)(const PatchesMap *m, const void *plane, void *columns);
    /* The transposed map, added to plane. */
    void (*add)(const PatchesMap *m, const void *columns, void *plane);
} PatchesKernels;
#endif
