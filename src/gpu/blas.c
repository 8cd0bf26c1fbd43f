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
    case DT_COMPLEX64: return CUDA_C_32F;
    case DT_COMPLEX128: return CUDA_C_64F;
    default: return CUDA_R_64F;
    }
}

static cublasOperation_t operation(const GpuMatrix *x) {
    return x->conjugated ? CUBLAS_OP_C : x->transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
}

static bool fits(const GpuMatrix *x) { return x->row <= INT_MAX; }

/* cuBLAS counts columns first, so it is asked for the transposed product, c' = b' a'. */
static bool multiply(Device d, const GpuProduct *p) {
    bool twice = dtype_real_of(p->dtype) == DT_FLOAT64;
    /* Of complex factors the imaginary parts, 0, are read too. */
    double alpha_64[] = {p->alpha, 0}, beta_64[] = {p->beta, 0};
    float alpha_32[] = {(float)p->alpha, 0}, beta_32[] = {(float)p->beta, 0};
    cudaDataType type = type_of(p->dtype);
    cublasStatus_t status = ((GemmFn *)found[GEMM])(
        handles[d.index], operation(&p->b), operation(&p->a), (int)p->n, (int)p->m, (int)p->k,
        twice ? (const void *)alpha_64 : alpha_32, p->b.data, type, (int)p->b.row, p->b.batch,
        p->a.data, type, (int)p->a.row, p->a.batch, twice ? (const void *)beta_64 : beta_32,
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
