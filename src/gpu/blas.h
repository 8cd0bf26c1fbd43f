#ifndef TOCHA_GPU_BLAS_H
#define TOCHA_GPU_BLAS_H
/* Matrix products by cuBLAS. */
#include "gpu/matrices.h"

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
    double alpha_im, beta_im; /* imaginary parts, for complex products */
    /* Of gpu_blas_single alone: what beta multiplies in the place of c, rows so far apart, and n
     * elements that are added to each row; NULL: none. */
    const void *added;
    int64_t added_row;
    const void *bias;
    /* NULL, or (m, n) without gaps, which becomes the result; c becomes gelu of that, by the
     * formula with tanh. */
    void *before_gelu;
} GpuProduct;

/* One product (count == 1) of float16, bfloat16 or float32, without conjugates; halves are summed
 * in float32. bias lies on 16 bytes. *known: whether cuBLASLt has a way to compute one of this
 * shape and layout; if not, nothing has been done and the result is true. */
bool gpu_blas_single(Device d, const GpuProduct *p, bool *known);
bool gpu_blas_product(Device d, const GpuProduct *p);

/* x becomes the solution of a x = x for triangular matrices a, of which the other triangle is not
 * read, nor with unit the diagonal, which counts as ones. */
bool gpu_blas_triangular(Scratch *s, const Stack *a, const Stack *x, bool upper, bool unit);
/* LU factors of many square matrices at once; pivots NULL: without swaps. */
bool gpu_blas_factor(Scratch *s, const Stack *a, int *pivots, int *info);

#ifdef __cplusplus
}
#endif
#endif
