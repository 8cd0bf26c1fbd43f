#ifndef TOCHA_GPU_MATMUL_H
#define TOCHA_GPU_MATMUL_H
#include "gpu/gpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/* out (..., m, n), without gaps, = alpha * a (..., m, k) b (..., k, n) + beta * out for integers
 * and bools, wrapping around; a and b have all of out's dims and any strides. */
bool gpu_int_product(const KernelCall *c, const View *a, const View *b, const View *out,
                     int64_t alpha, int64_t beta);

/* out = gelu of in, by the formula with tanh; floats of one dtype and shape. */
bool gpu_gelu_tanh(const KernelCall *c, const View *out, const View *in);

#ifdef __cplusplus
}
#endif
#endif
