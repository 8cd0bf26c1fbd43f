#ifndef TOCHA_CPU_PRODUCT_H
#define TOCHA_CPU_PRODUCT_H
/* Matrix products of any dtype, on top of cpu/gemm.h. */
#include "cpu/gemm.h"
#include "tensor/backend.h"

/* batch->out.alpha and beta serve floats, the integers here integer dtypes. */
typedef struct Product {
    int dtype;
    GemmBatch batch;
    int64_t alpha, beta;
} Product;

/* Half types are computed in float. false: error recorded. */
bool product_run(const Product *p);
#endif
