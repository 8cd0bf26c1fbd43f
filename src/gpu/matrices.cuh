#ifndef TOCHA_GPU_MATRICES_CUH
#define TOCHA_GPU_MATRICES_CUH
/* Batches of matrices as kernels see them. Numbers are read and written by their dtype, and
 * computed with as complex128: next to a factorisation that costs nothing. */
#include "gpu/kinds.cuh"
#include "gpu/matrices.h"

/* A stack as a kernel gets it: number(i, r, j) is element (r, j) of matrix i. */
struct StackView {
    void *data;
    int dtype;
    int64_t rows, columns, count, lead, step;
    __device__ __forceinline__ int64_t at(int64_t i, int64_t r, int64_t j) const {
        return i * step + j * lead + r;
    }
    __device__ __forceinline__ Complex128 get(int64_t at) const {
        switch (dtype) {
        case DT_FLOAT32: return f_make_c128(((const float *)data)[at], 0);
        case DT_FLOAT64: return f_make_c128(((const double *)data)[at], 0);
        default: return ComplexIn::get(data, at, dtype);
        }
    }
    __device__ __forceinline__ void set(int64_t at, Complex128 z) const {
        if (dtype == DT_COMPLEX64 || dtype == DT_COMPLEX128) {
            put(data, at, dtype, z);
        } else {
            put(data, at, dtype, z.re);
        }
    }
    __device__ __forceinline__ int64_t numel() const { return rows * columns * count; }
};

/* The place of the i-th element, column by column. */
struct MatrixPlace {
    int64_t matrix, row, column;
    __device__ __forceinline__ MatrixPlace(const StackView &a, int64_t i)
        : matrix(i / a.rows / a.columns), row(i % a.rows), column(i / a.rows % a.columns) {}
};

static StackView numbers(const Stack *a) {
    return StackView{a->data, a->dtype, a->rows, a->columns, a->count, a->lead, a->step};
}

static __device__ __forceinline__ bool is_finite(Complex128 z) {
    return isfinite(z.re) && isfinite(z.im);
}
static __device__ __forceinline__ double length(Complex128 z) { return hypot(z.re, z.im); }

static inline int64_t numel(const Stack *a) { return a->rows * a->columns * a->count; }

/* Launches with so many threads for each of n things. */
static Launch launch_for_each(const KernelCall *c, int64_t n, unsigned threads) {
    int64_t most = (int64_t)gpu_processors(c->device) * 64;
    return launch_of(c, dim3((unsigned)(n < most ? n : most)), dim3(threads));
}

#endif
