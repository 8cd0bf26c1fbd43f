#ifndef TOCHA_CPU_FFT_PLAN_H
#define TOCHA_CPU_FFT_PLAN_H
/* Plans of Fourier transforms: what depends on the length and the type of the parts alone. */
#include <stddef.h>

#include "cpu/kernels/fft.h"

/* FFT_PANEL: a product of small factors that fits a core's cache. FFT_LONG: a larger one, as
 * columns and rows of a matrix. FFT_CHIRP: any other length, as a convolution of a power of 2. */
typedef enum { FFT_PANEL, FFT_LONG, FFT_CHIRP } FftKind;

enum { FFT_MOST_BLOCKS = 4 * FFT_MOST_FACTORS };

typedef struct FftPlan {
    int64_t n;
    const FftKernels *k;
    FftKind kind;
    /* FFT_PANEL: many lines as the lanes of a panel, and one line as split lanes of inner.n. */
    FftPanel batch, inner;
    int64_t split;
    const void *twist, *split_roots;
    /* FFT_LONG: n = columns.n * rows.n. e^(-2 pi i k / n) is coarse[k >> fine_bits] times fine[the
     * rest], pairs of doubles; lane: for each row k and each lane l that to the k l, as vectors. */
    FftPanel columns, rows;
    const double *coarse, *fine;
    int fine_bits;
    const void *lane;
    /* FFT_CHIRP: x[j] times chirp[j] is convolved with the conjugate chirp, whose transform is
     * kernel, of length convolution->n. */
    struct FftPlan *convolution;
    const void *chirp, *kernel;

    const void *turn; /* pairs e^(-2 pi i k / 2n) for k up to n / 2, for 2n real numbers */

    int refs; /* the cache's own */
    int n_blocks;
    size_t bytes;
    void *block[FFT_MOST_BLOCKS];
    size_t block_bytes[FFT_MOST_BLOCKS];
} FftPlan;

/* The plan for n > 0 complex numbers with parts of part bytes (4 or 8); given back after use. NULL:
 * out of memory, error recorded. */
FftPlan *fft_plan_get(int64_t n, size_t part);
void fft_plan_give(FftPlan *p);
/* Whether lines of n are better taken as lanes of a panel than one by one. */
bool fft_suits_batch(const FftPlan *p);
#endif
