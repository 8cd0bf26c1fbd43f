#ifndef TOCHA_CPU_RESAMPLE_KERNELS_H
#define TOCHA_CPU_RESAMPLE_KERNELS_H
/* What an instruction set offers for resampling: maps of planes that take each axis by itself. */
#include <stdbool.h>
#include <stdint.h>

/* Output o of an axis is the sum over t < count[o] of weight[at] times input index[at], where at is
 * first[o] + t * step. */
typedef struct ResampleAxis {
    int64_t in, out;
    int64_t taps; /* of each output; 0: runs of neighbours of different lengths, step is 1 */
    int64_t step; /* out for taps of a fixed number, so that loops over o find neighbours */
    bool same;    /* each output is the input of its number */
    int64_t *first;
    int32_t *count, *index;
    void *weight;
} ResampleAxis;

typedef struct ResampleKernels {
    /* Rows [r0, r1) of a plane's result, counted through its slices; work holds a row of the
     * input. */
    void (*forward)(const ResampleAxis *axis, const void *plane, int64_t r0, int64_t r1, void *out,
                    void *work);
    /* The transposed map, added to plane. */
    void (*backward)(const ResampleAxis *axis, const void *grad, void *plane, void *work);
} ResampleKernels;
#endif
