#include "gpu/blas.h"

#include <cublas_v2.h>
#include <limits.h>
#include <pthread.h>

#include "gpu/library.h"

/* Functions that have a name for each type stand in the order of type_index(). */
enum {
    CREATE,
    SET_STREAM,
    GEMM,
    SYSTEM,
    SYSTEMS = SYSTEM + 4,
    FACTOR = SYSTEMS + 4,
    N_FUNCTIONS = FACTOR + 4
};

static const char *const names[] = {"cublasCreate_v2",
                                    "cublasSetStream_v2",
                                    "cublasGemmStridedBatchedEx",
                                    "cublasStrsm_v2",
                                    "cublasDtrsm_v2",
                                    "cublasCtrsm_v2",
                                    "cublasZtrsm_v2",
                                    "cublasStrsmBatched",
                                    "cublasDtrsmBatched",
                                    "cublasCtrsmBatched",
                                    "cublasZtrsmBatched",
                                    "cublasSgetrfBatched",
                                    "cublasDgetrfBatched",
                                    "cublasCgetrfBatched",
                                    "cublasZgetrfBatched",
                                    NULL};
static const char *const files[] = {"libcublas.so.13", "libcublas.so.12", "libcublas.so", NULL};
static void (*found[N_FUNCTIONS])(void);

typedef cublasStatus_t CreateFn(cublasHandle_t *);
typedef cublasStatus_t SetStreamFn(cublasHandle_t, cudaStream_t);
typedef cublasStatus_t GemmFn(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int,
                              const void *, const void *, cudaDataType, int, long long,
                              const void *, cudaDataType, int, long long, const void *, void *,
                              cudaDataType, int, long long, int, cublasComputeType_t,
                              cublasGemmAlgo_t);
typedef cublasStatus_t SystemFn(cublasHandle_t, cublasSideMode_t, cublasFillMode_t,
                                cublasOperation_t, cublasDiagType_t, int, int, const void *,
                                const void *, int, void *, int);
typedef cublasStatus_t SystemsFn(cublasHandle_t, cublasSideMode_t, cublasFillMode_t,
                                 cublasOperation_t, cublasDiagType_t, int, int, const void *,
                                 void **, int, void **, int, int);
typedef cublasStatus_t FactorFn(cublasHandle_t, int, void **, int, int *, int *, int);

/* A handle a device, used under the lock: it knows one stream at a time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool opened;
static cublasHandle_t handles[GPU_DEVICES];

static cublasComputeType_t compute_of(int dtype) {
    if (dtype_real_of(dtype) == DT_FLOAT64) {
        return CUBLAS_COMPUTE_64F;
    }
    bool single = dtype == DT_FLOAT32 || dtype == DT_COMPLEX64;
    return single && gpu_setting(SETTING_MATMUL_TF32) ? CUBLAS_COMPUTE_32F_FAST_TF32
                                                      : CUBLAS_COMPUTE_32F;
}

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
    double alpha_64[] = {p->alpha, p->alpha_im}, beta_64[] = {p->beta, p->beta_im};
    float alpha_32[] = {(float)p->alpha, (float)p->alpha_im};
    float beta_32[] = {(float)p->beta, (float)p->beta_im};
    cudaDataType type = type_of(p->dtype);
    cublasStatus_t status = ((GemmFn *)found[GEMM])(
        handles[d.index], operation(&p->b), operation(&p->a), (int)p->n, (int)p->m, (int)p->k,
        twice ? (const void *)alpha_64 : alpha_32, p->b.data, type, (int)p->b.row, p->b.batch,
        p->a.data, type, (int)p->a.row, p->a.batch, twice ? (const void *)beta_64 : beta_32,
        p->c.data, type, (int)p->c.row, p->c.batch, (int)p->count, compute_of(p->dtype),
        CUBLAS_GEMM_DEFAULT);
    return blas_ok(status, "a matrix product");
}

/* Takes the lock, which blas_end gives back. */
static bool blas_begin(Device d) {
    pthread_mutex_lock(&lock);
    return prepare(d) &&
           blas_ok(((SetStreamFn *)found[SET_STREAM])(handles[d.index], gpu_stream(d)),
                   "cublasSetStream");
}

static void blas_end(void) { pthread_mutex_unlock(&lock); }

bool gpu_blas_product(Device d, const GpuProduct *p) {
    if (p->m > INT_MAX || p->n > INT_MAX || p->k > INT_MAX || p->count > INT_MAX || !fits(&p->a) ||
        !fits(&p->b) || !fits(&p->c)) {
        return fail("matrices of more than %d rows or columns are not supported on a GPU", INT_MAX);
    }
    bool ok = blas_begin(d) && multiply(d, p);
    blas_end();
    return ok;
}

static int type_index(int dtype) {
    switch (dtype) {
    case DT_FLOAT32: return 0;
    case DT_FLOAT64: return 1;
    case DT_COMPLEX64: return 2;
    default: return 3;
    }
}

/* The addresses of all matrices of a, on the device. */
static void **addresses(Scratch *s, const Stack *a) {
    void **p = scratch_take(s, (size_t)a->count * sizeof *p);
    return p && matrices_addresses(s->c, a, p) ? p : NULL;
}

static bool count_fits(int64_t count) {
    return count <= INT_MAX ||
           fail("batches of more than %d matrices are not supported on a GPU", INT_MAX);
}

/* The number 1 of every type. */
static const void *one_of(int dtype) {
    static const double twice[] = {1, 0};
    static const float once[] = {1, 0};
    return dtype_real_of(dtype) == DT_FLOAT64 ? (const void *)twice : once;
}

bool gpu_blas_triangular(Scratch *s, const Stack *a, const Stack *x, bool upper, bool unit) {
    Device d = s->c->device;
    bool many = x->count > 1;
    if (x->rows == 0 || x->columns == 0 || x->count == 0) {
        return true;
    }
    void **from = many ? addresses(s, a) : NULL, **to = many ? addresses(s, x) : NULL;
    if (!count_fits(x->count) || (many && (!from || !to))) {
        return false;
    }
    cublasFillMode_t fill = upper ? CUBLAS_FILL_MODE_UPPER : CUBLAS_FILL_MODE_LOWER;
    cublasDiagType_t diagonal = unit ? CUBLAS_DIAG_UNIT : CUBLAS_DIAG_NON_UNIT;
    int rows = (int)x->rows, columns = (int)x->columns, type = type_index(x->dtype);
    bool ok = blas_begin(d);
    if (ok) {
        cublasHandle_t h = handles[d.index];
        cublasStatus_t status =
            many ? ((SystemsFn *)found[SYSTEMS + type])(
                       h, CUBLAS_SIDE_LEFT, fill, CUBLAS_OP_N, diagonal, rows, columns,
                       one_of(x->dtype), from, (int)a->lead, to, (int)x->lead, (int)x->count)
                 : ((SystemFn *)found[SYSTEM + type])(h, CUBLAS_SIDE_LEFT, fill, CUBLAS_OP_N,
                                                      diagonal, rows, columns, one_of(x->dtype),
                                                      a->data, (int)a->lead, x->data, (int)x->lead);
        ok = blas_ok(status, "a triangular system");
    }
    blas_end();
    return ok;
}

bool gpu_blas_factor(Scratch *s, const Stack *a, int *pivots, int *info) {
    Device d = s->c->device;
    void **matrices = addresses(s, a);
    if (!matrices || !count_fits(a->count)) {
        return false;
    }
    bool ok = blas_begin(d) && blas_ok(((FactorFn *)found[FACTOR + type_index(a->dtype)])(
                                           handles[d.index], (int)a->rows, matrices, (int)a->lead,
                                           pivots, info, (int)a->count),
                                       "a batch of LU factorisations");
    blas_end();
    return ok;
}
