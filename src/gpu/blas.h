#ifndef TOCHA_GPU_BLAS_H
#define TOCHA_GPU_BLAS_H
/* Matrix products by cuBLAS. */
#include "gpu/gpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/* count products of row-major matrices: c (m, n) = alpha * op(a) (m, k) * op(b) (k, n) + beta * c.
 * Each matrix begins `batch` elements behind the one before it, and each row (of a transposed
 * matrix: column) `row` elements behind its neighbour. */
typedef struct GpuMatrix {
    void *data;
    bool transposed, conjugated; /* conjugated: and transposed */
    int64_t row, batch;
} GpuMatrix;

typedef struct GpuProduct {
    int dtype; /* a float or complex */
    int64_t m, n, k, count;
    GpuMatrix a, b, c;
    double alpha, beta;
} GpuProduct;

bool gpu_blas_product(Device d, const GpuProduct *p);

#ifdef __cplusplus
}
#endif
#endif
