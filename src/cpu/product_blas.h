#ifndef TOCHA_CPU_PRODUCT_BLAS_H
#define TOCHA_CPU_PRODUCT_BLAS_H
/* Large products of float and double matrices through OpenBLAS, whose kernels are tuned for more
 * kinds of processor than ours; small and lean ones, where it loses, go through cpu/gemm.h. */
#include "cpu/gemm.h"

/* Whether the product is one for OpenBLAS: large in every direction, in layouts that it reads. */
bool product_blas_takes(const GemmBatch *batch);
/* Runs on the pool, in panels of rows that depend on the sizes alone, so that the bits do not
 * depend on the threads. false: no OpenBLAS, or interrupted; an error is recorded. */
bool product_blas_run(const GemmBatch *batch, size_t element_size);
#endif
