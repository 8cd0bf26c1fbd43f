/* The functions of cuBLAS that the backend uses, as NVIDIA documents them, in plain loops. */
#include <cublas_v2.h>
#include <stdlib.h>

#include <algorithm>

#include "blas.h"
#include "library.h"
#include "solver.h"
#include "tensor/formulas/half.h"

namespace hostgpu {

struct Handle {
    cudaStream_t stream;
};

Number blas_get(const void *p, int64_t i, cudaDataType type) {
    switch (type) {
    case CUDA_C_32F: return ((const std::complex<float> *)p)[i];
    case CUDA_C_64F: return ((const Number *)p)[i];
    case CUDA_R_32F: return ((const float *)p)[i];
    case CUDA_R_64F: return ((const double *)p)[i];
    case CUDA_R_16F: return f_from_f16(((const uint16_t *)p)[i]);
    case CUDA_R_16BF: return f_from_bf16(((const uint16_t *)p)[i]);
    default: abort();
    }
}

void blas_set(void *p, int64_t i, cudaDataType type, Number v) {
    switch (type) {
    case CUDA_R_32F: ((float *)p)[i] = (float)v.real(); break;
    case CUDA_R_64F: ((double *)p)[i] = v.real(); break;
    case CUDA_R_16F: ((uint16_t *)p)[i] = f_to_f16((float)v.real()); break;
    case CUDA_R_16BF: ((uint16_t *)p)[i] = f_to_bf16((float)v.real()); break;
    case CUDA_C_32F: ((std::complex<float> *)p)[i] = std::complex<float>(v); break;
    case CUDA_C_64F: ((Number *)p)[i] = v; break;
    default: abort();
    }
}

/* An operand of a product; matrices are stored column by column, `lead` elements apart. */
struct Operand {
    const void *data;
    cudaDataType type;
    int64_t lead, batch;
    cublasOperation_t operation;
    Number at(int64_t b, int64_t row, int64_t column) const {
        bool turned = operation != CUBLAS_OP_N;
        int64_t r = turned ? column : row, c = turned ? row : column;
        Number x = blas_get(data, b * batch + r + c * lead, type);
        return operation == CUBLAS_OP_C ? std::conj(x) : x;
    }
};

static cublasStatus_t create(cublasHandle_t *handle) {
    *handle = (cublasHandle_t) new Handle{nullptr};
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t set_stream(cublasHandle_t handle, cudaStream_t stream) {
    ((Handle *)handle)->stream = stream;
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t gemm(cublasHandle_t handle, cublasOperation_t ta, cublasOperation_t tb, int m,
                           int n, int k, const void *alpha, const void *a, cudaDataType a_type,
                           int lda, long long stride_a, const void *b, cudaDataType b_type, int ldb,
                           long long stride_b, const void *beta, void *c, cudaDataType c_type,
                           int ldc, long long stride_c, int count, cublasComputeType_t compute,
                           cublasGemmAlgo_t) {
    bool twice = compute == CUBLAS_COMPUTE_64F;
    if (m < 0 || n < 0 || k < 0 || lda < std::max(1, ta == CUBLAS_OP_N ? m : k) ||
        ldb < std::max(1, tb == CUBLAS_OP_N ? k : n) || ldc < std::max(1, m)) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    bool complex = c_type == CUDA_C_32F || c_type == CUDA_C_64F;
    cudaDataType factor =
        twice ? (complex ? CUDA_C_64F : CUDA_R_64F) : (complex ? CUDA_C_32F : CUDA_R_32F);
    Number scale = blas_get(alpha, 0, factor), keep = blas_get(beta, 0, factor);
    Operand x = {a, a_type, lda, stride_a, ta};
    Operand y = {b, b_type, ldb, stride_b, tb};
    cudaError_t error = enqueue(((Handle *)handle)->stream, [=]() {
        for (int64_t i = 0; i < (int64_t)count * m * n; i++) {
            int64_t row = i % m, column = i / m % n, batch = i / m / n;
            int64_t at = batch * stride_c + row + column * ldc;
            Number sum = 0;
            for (int64_t p = 0; p < k; p++) {
                sum += x.at(batch, row, p) * y.at(batch, p, column);
            }
            blas_set(c, at, c_type,
                     scale * sum + (keep != 0.0 ? keep * blas_get(c, at, c_type) : 0));
        }
    });
    return error ? CUBLAS_STATUS_EXECUTION_FAILED : CUBLAS_STATUS_SUCCESS;
}

template <class T>
static void solve(cublasSideMode_t side, cublasFillMode_t fill, cublasOperation_t operation,
                  cublasDiagType_t diagonal, int m, int n, const void *alpha, const void *a,
                  int lda, void *x, int ldx) {
    lapack<T>("trsm", side == CUBLAS_SIDE_LEFT ? "L" : "R",
              fill == CUBLAS_FILL_MODE_UPPER ? "U" : "L",
              operation == CUBLAS_OP_N   ? "N"
              : operation == CUBLAS_OP_T ? "T"
                                         : "C",
              diagonal == CUBLAS_DIAG_UNIT ? "U" : "N", &m, &n, (const T *)alpha, (const T *)a,
              &lda, (T *)x, &ldx, (size_t)1, (size_t)1, (size_t)1, (size_t)1);
}

template <class T>
static cublasStatus_t trsm(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill,
                           cublasOperation_t operation, cublasDiagType_t diagonal, int m, int n,
                           const void *alpha, const void *a, int lda, void *x, int ldx) {
    int order = side == CUBLAS_SIDE_LEFT ? m : n;
    if (!is_matrix(a, order, order, lda, sizeof(T)) || !is_matrix(x, m, n, ldx, sizeof(T))) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    T factor = *(const T *)alpha;
    return enqueue(
               ((Handle *)handle)->stream,
               [=]() { solve<T>(side, fill, operation, diagonal, m, n, &factor, a, lda, x, ldx); })
               ? CUBLAS_STATUS_EXECUTION_FAILED
               : CUBLAS_STATUS_SUCCESS;
}

template <class T>
static cublasStatus_t trsm_batched(cublasHandle_t handle, cublasSideMode_t side,
                                   cublasFillMode_t fill, cublasOperation_t operation,
                                   cublasDiagType_t diagonal, int m, int n, const void *alpha,
                                   void **a, int lda, void **x, int ldx, int count) {
    int order = side == CUBLAS_SIDE_LEFT ? m : n;
    size_t bytes = (size_t)count * sizeof(void *);
    if (!on_device(a, bytes) || !on_device(x, bytes) || lda < order || ldx < m) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    T factor = *(const T *)alpha;
    cudaError_t error = enqueue(((Handle *)handle)->stream, [=]() {
        for (int i = 0; i < count; i++) {
            if (!is_matrix(a[i], order, order, lda, sizeof(T)) ||
                !is_matrix(x[i], m, n, ldx, sizeof(T))) {
                abort();
            }
            solve<T>(side, fill, operation, diagonal, m, n, &factor, a[i], lda, x[i], ldx);
        }
    });
    return error ? CUBLAS_STATUS_EXECUTION_FAILED : CUBLAS_STATUS_SUCCESS;
}

template <class T>
static cublasStatus_t getrf_batched(cublasHandle_t handle, int n, void **a, int lead, int *pivots,
                                    int *info, int count) {
    if (!on_device(a, (size_t)count * sizeof(void *)) || lead < n ||
        (pivots && !is_vector(pivots, (int64_t)n * count, 4)) || !is_vector(info, count, 4)) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    cudaError_t error = enqueue(((Handle *)handle)->stream, [=]() {
        for (int i = 0; i < count; i++) {
            if (!is_matrix(a[i], n, n, lead, sizeof(T))) {
                abort();
            }
            int *swaps = pivots ? pivots + (int64_t)i * n : nullptr;
            info[i] = factor_lu(n, n, (T *)a[i], lead, swaps);
        }
    });
    return error ? CUBLAS_STATUS_EXECUTION_FAILED : CUBLAS_STATUS_SUCCESS;
}

static const StandIns functions({{"cublasCreate_v2", create},
                                 {"cublasSetStream_v2", set_stream},
                                 {"cublasGemmStridedBatchedEx", gemm},
                                 {"cublasStrsm_v2", trsm<float>},
                                 {"cublasDtrsm_v2", trsm<double>},
                                 {"cublasCtrsm_v2", trsm<std::complex<float>>},
                                 {"cublasZtrsm_v2", trsm<std::complex<double>>},
                                 {"cublasStrsmBatched", trsm_batched<float>},
                                 {"cublasDtrsmBatched", trsm_batched<double>},
                                 {"cublasCtrsmBatched", trsm_batched<std::complex<float>>},
                                 {"cublasZtrsmBatched", trsm_batched<std::complex<double>>},
                                 {"cublasSgetrfBatched", getrf_batched<float>},
                                 {"cublasDgetrfBatched", getrf_batched<double>},
                                 {"cublasCgetrfBatched", getrf_batched<std::complex<float>>},
                                 {"cublasZgetrfBatched", getrf_batched<std::complex<double>>}});

} // namespace hostgpu
