#include "gpu/blas.h"

#include <cublas_v2.h>
#include <limits.h>
#include <pthread.h>

#include "gpu/library.h"

enum { CREATE, SET_STREAM, GEMM, N_FUNCTIONS };

static const char *const names[] = {"cublasCreate_v2", "cublasSetStream_v2",
                                    "cublasGemmStridedBatchedEx", NULL};
static const char *const files[] = {"libcublas.so.13", "libcublas.so.12", "libcublas.so", NULL};
static void (*found[N_FUNCTIONS])(void);

typedef cublasStatus_t CreateFn(cublasHandle_t *);
typedef cublasStatus_t SetStreamFn(cublasHandle_t, cudaStream_t);
typedef cublasStatus_t GemmFn(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int,
                              const void *, const void *, cudaDataType, int, long long,
                              const void *, cudaDataType, int, long long, const void *, void *,
                              cudaDataType, int, long long, int, cublasComputeType_t,
                              cublasGemmAlgo_t);

/* A handle a device, used under the lock: it knows one stream at a time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool opened;
static cublasHandle_t handles[GPU_DEVICES];

static bool blas_ok(cublasStatus_t status, const char *what) {
    return status == CUBLAS_STATUS_SUCCESS ? true
                                           : fail("cuBLAS: %s fails with status %d", what, status);
}

static bool prepare(Device d) {
    static const GpuLibrary library = {"cuBLAS", files, names, found};
    opened = opened || gpu_library_open(&library);
    return opened && (handles[d.index] ||
                      blas_ok(((CreateFn *)found[CREATE])(&handles[d.index]), "cublasCreate"));
}

static cudaDataType type_of(int dtype) {
    switch (dtype) {
    case DT_FLOAT16: return CUDA_R_16F;
    case DT_BFLOAT16: return CUDA_R_16BF;
    case DT_FLOAT32: return CUDA_R_32F;
    default: return CUDA_R_64F;
    }
}

static bool fits(const GpuMatrix *x) { return x->row <= INT_MAX; }

/* cuBLAS counts columns first, so it is asked for the transposed product, c' = b' a'. */
static bool multiply(Device d, const GpuProduct *p) {
    bool twice = p->dtype == DT_FLOAT64;
    float alpha = (float)p->alpha, beta = (float)p->beta;
    cudaDataType type = type_of(p->dtype);
    cublasOperation_t a_op = p->a.transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    cublasOperation_t b_op = p->b.transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    cublasStatus_t status = ((GemmFn *)found[GEMM])(
        handles[d.index], b_op, a_op, (int)p->n, (int)p->m, (int)p->k,
        twice ? (const void *)&p->alpha : &alpha, p->b.data, type, (int)p->b.row, p->b.batch,
        p->a.data, type, (int)p->a.row, p->a.batch, twice ? (const void *)&p->beta : &beta,
        p->c.data, type, (int)p->c.row, p->c.batch, (int)p->count,
        twice ? CUBLAS_COMPUTE_64F : CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
    return blas_ok(status, "a matrix product");
}

bool gpu_blas_product(Device d, const GpuProduct *p) {
    if (p->m > INT_MAX || p->n > INT_MAX || p->k > INT_MAX || p->count > INT_MAX || !fits(&p->a) ||
        !fits(&p->b) || !fits(&p->c)) {
        return fail("matrices of more than %d rows or columns are not supported on a GPU", INT_MAX);
    }
    pthread_mutex_lock(&lock);
    bool ok = prepare(d) &&
              blas_ok(((SetStreamFn *)found[SET_STREAM])(handles[d.index], gpu_stream(d)),
                      "cublasSetStream") &&
              multiply(d, p);
    pthread_mutex_unlock(&lock);
    return ok;
}
