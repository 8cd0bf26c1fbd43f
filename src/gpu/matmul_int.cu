/* Products of integer matrices, which cuBLAS does not have: a thread for each element. */
#include "gpu/kernel.cuh"
#include "gpu/matmul.h"

namespace {

struct Matrices {
    const void *a, *b;
    void *out;
    int64_t m, n, k, count, numel;
    int dim; /* of the batch */
    int64_t shape[MAX_DIMS], a_batch[MAX_DIMS], b_batch[MAX_DIMS];
    int64_t a_row, a_column, b_row, b_column;
    uint64_t alpha, beta;
};

template <class T, bool truth> __global__ void product_kernel(Matrices p) {
    for (int64_t i = first_of(); i < p.numel; i += step_of()) {
        int64_t column = i % p.n, row = i / p.n % p.m, batch = i / p.n / p.m;
        int64_t at = row * p.a_row, bt = column * p.b_column;
        for (int d = p.dim - 1; d >= 0; d--) {
            int64_t place = batch % p.shape[d];
            batch /= p.shape[d];
            at += place * p.a_batch[d];
            bt += place * p.b_batch[d];
        }
        uint64_t sum = 0;
        for (int64_t k = 0; k < p.k; k++) {
            sum += (uint64_t)((const T *)p.a)[at + k * p.a_column] *
                   (uint64_t)((const T *)p.b)[bt + k * p.b_row];
        }
        T *out = (T *)p.out + i;
        sum = p.alpha * sum + (p.beta ? p.beta * (uint64_t)*out : 0);
        *out = truth ? (T)(sum != 0) : (T)sum;
    }
}

} // namespace

bool gpu_int_product(const KernelCall *c, const View *a, const View *b, const View *out,
                     int64_t alpha, int64_t beta) {
    int dim = out->dim;
    Matrices p = Matrices();
    p.a = a->data;
    p.b = b->data;
    p.out = out->data;
    p.m = out->shape[dim - 2];
    p.n = out->shape[dim - 1];
    p.k = a->shape[dim - 1];
    p.numel = out->numel;
    p.dim = dim - 2;
    for (int d = 0; d < p.dim; d++) {
        p.shape[d] = out->shape[d];
        p.a_batch[d] = a->stride[d];
        p.b_batch[d] = b->stride[d];
    }
    p.a_row = a->stride[dim - 2];
    p.a_column = a->stride[dim - 1];
    p.b_row = b->stride[dim - 2];
    p.b_column = b->stride[dim - 1];
    p.alpha = (uint64_t)alpha;
    p.beta = (uint64_t)beta;
    if (out->dtype == DT_BOOL) {
        launch(launch_over(c, p.numel), product_kernel<uint8_t, true>, p);
        return true;
    }
    return for_int(out->dtype, [&](auto zero) {
        launch(launch_over(c, p.numel), product_kernel<decltype(zero), false>, p);
        return true;
    });
}
