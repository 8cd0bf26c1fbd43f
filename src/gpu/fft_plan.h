#ifndef TOCHA_GPU_FFT_PLAN_H
#define TOCHA_GPU_FFT_PLAN_H
/* Fourier transforms of lines by cuFFT. */
#include "gpu/gpu.h"

typedef enum { FFT_COMPLEX, FFT_FROM_REAL, FFT_TO_REAL } FftKind;

/* Where the lines of one side stand: strides in elements of that side. */
typedef struct FftSide {
    int64_t step, line;
} FftSide;

/* lines transforms of n numbers, in `wide` double precision; n counts the real numbers where a side
 * is real. */
typedef struct FftShape {
    FftKind kind;
    bool wide;
    int64_t n, lines;
    FftSide in, out;
} FftShape;

/* Runs them on the call's stream. in may be out where both sides stand alike; FFT_TO_REAL
 * overwrites in; a real side must be aligned as complex numbers are. */
bool gpu_fft_run(const KernelCall *c, const FftShape *s, void *in, void *out, bool inverse);

#ifdef __cplusplus
extern "C" {
#endif

/* Multiplies n floats, or with wide doubles, by scale. */
bool gpu_fft_scale(const KernelCall *c, void *data, bool wide, int64_t n, double scale);

#ifdef __cplusplus
}
#endif
#endif
