#include "gpu/solver.h"

#include <cusolverDn.h>
#include <pthread.h>

#include "base/error.h"
#include "gpu/blas.h"
#include "gpu/library.h"

/* Functions that have a name for each type stand in the order of type_index(). */
enum {
    CREATE,
    SET_STREAM,
    CREATE_PARAMS,
    LU_SIZE,
    LU,
    CHOLESKY_SIZE,
    CHOLESKY,
    QR_SIZE,
    QR,
    EIGH_SIZE,
    EIGH,
    SVD_SIZE,
    SVD,
    LDL_SOLVE_SIZE,
    LDL_SOLVE,
    Q_SIZE,
    Q = Q_SIZE + 4,
    LDL_SIZE = Q + 4,
    LDL = LDL_SIZE + 4,
    CHOLESKYS = LDL + 4,
    N_FUNCTIONS = CHOLESKYS + 4
};

static const char *const names[] = {"cusolverDnCreate",
                                    "cusolverDnSetStream",
                                    "cusolverDnCreateParams",
                                    "cusolverDnXgetrf_bufferSize",
                                    "cusolverDnXgetrf",
                                    "cusolverDnXpotrf_bufferSize",
                                    "cusolverDnXpotrf",
                                    "cusolverDnXgeqrf_bufferSize",
                                    "cusolverDnXgeqrf",
                                    "cusolverDnXsyevd_bufferSize",
                                    "cusolverDnXsyevd",
                                    "cusolverDnXgesvd_bufferSize",
                                    "cusolverDnXgesvd",
                                    "cusolverDnXsytrs_bufferSize",
                                    "cusolverDnXsytrs",
                                    "cusolverDnSorgqr_bufferSize",
                                    "cusolverDnDorgqr_bufferSize",
                                    "cusolverDnCungqr_bufferSize",
                                    "cusolverDnZungqr_bufferSize",
                                    "cusolverDnSorgqr",
                                    "cusolverDnDorgqr",
                                    "cusolverDnCungqr",
                                    "cusolverDnZungqr",
                                    "cusolverDnSsytrf_bufferSize",
                                    "cusolverDnDsytrf_bufferSize",
                                    "cusolverDnCsytrf_bufferSize",
                                    "cusolverDnZsytrf_bufferSize",
                                    "cusolverDnSsytrf",
                                    "cusolverDnDsytrf",
                                    "cusolverDnCsytrf",
                                    "cusolverDnZsytrf",
                                    "cusolverDnSpotrfBatched",
                                    "cusolverDnDpotrfBatched",
                                    "cusolverDnCpotrfBatched",
                                    "cusolverDnZpotrfBatched",
                                    NULL};
static const char *const files[] = {"libcusolver.so.12", "libcusolver.so.11", "libcusolver.so",
                                    NULL};
static void (*found[N_FUNCTIONS])(void);

/* What came with later releases of CUDA 12: general eigenvalues, which nothing else has, and
 * hermitian ones of many small matrices, which are faster at once. */
enum { EIG_SIZE, EIG, N_EIG };
static const char *const eig_names[] = {"cusolverDnXgeev_bufferSize", "cusolverDnXgeev", NULL};
static void (*eig[N_EIG])(void);
enum { EIGHS_SIZE, EIGHS, N_EIGHS };
static const char *const eighs_names[] = {"cusolverDnXsyevBatched_bufferSize",
                                          "cusolverDnXsyevBatched", NULL};
static void (*eighs[N_EIGHS])(void);

typedef cusolverDnHandle_t Handle;
typedef cusolverDnParams_t Params;
typedef cusolverStatus_t CreateFn(Handle *);
typedef cusolverStatus_t SetStreamFn(Handle, cudaStream_t);
typedef cusolverStatus_t CreateParamsFn(Params *);
typedef cusolverStatus_t LuSizeFn(Handle, Params, int64_t, int64_t, cudaDataType, const void *,
                                  int64_t, cudaDataType, size_t *, size_t *);
typedef cusolverStatus_t LuFn(Handle, Params, int64_t, int64_t, cudaDataType, void *, int64_t,
                              int64_t *, cudaDataType, void *, size_t, void *, size_t, int *);
typedef cusolverStatus_t CholeskySizeFn(Handle, Params, cublasFillMode_t, int64_t, cudaDataType,
                                        const void *, int64_t, cudaDataType, size_t *, size_t *);
typedef cusolverStatus_t CholeskyFn(Handle, Params, cublasFillMode_t, int64_t, cudaDataType, void *,
                                    int64_t, cudaDataType, void *, size_t, void *, size_t, int *);
typedef cusolverStatus_t CholeskysFn(Handle, cublasFillMode_t, int, void **, int, int *, int);
typedef cusolverStatus_t QrSizeFn(Handle, Params, int64_t, int64_t, cudaDataType, const void *,
                                  int64_t, cudaDataType, const void *, cudaDataType, size_t *,
                                  size_t *);
typedef cusolverStatus_t QrFn(Handle, Params, int64_t, int64_t, cudaDataType, void *, int64_t,
                              cudaDataType, void *, cudaDataType, void *, size_t, void *, size_t,
                              int *);
typedef cusolverStatus_t QSizeFn(Handle, int, int, int, const void *, int, const void *, int *);
typedef cusolverStatus_t QFn(Handle, int, int, int, void *, int, const void *, void *, int, int *);
typedef cusolverStatus_t EighSizeFn(Handle, Params, cusolverEigMode_t, cublasFillMode_t, int64_t,
                                    cudaDataType, const void *, int64_t, cudaDataType, const void *,
                                    cudaDataType, size_t *, size_t *);
typedef cusolverStatus_t EighFn(Handle, Params, cusolverEigMode_t, cublasFillMode_t, int64_t,
                                cudaDataType, void *, int64_t, cudaDataType, void *, cudaDataType,
                                void *, size_t, void *, size_t, int *);
typedef cusolverStatus_t EighsSizeFn(Handle, Params, cusolverEigMode_t, cublasFillMode_t, int64_t,
                                     cudaDataType, const void *, int64_t, cudaDataType,
                                     const void *, cudaDataType, size_t *, size_t *, int64_t);
typedef cusolverStatus_t EighsFn(Handle, Params, cusolverEigMode_t, cublasFillMode_t, int64_t,
                                 cudaDataType, void *, int64_t, cudaDataType, void *, cudaDataType,
                                 void *, size_t, void *, size_t, int *, int64_t);
typedef cusolverStatus_t SvdSizeFn(Handle, Params, signed char, signed char, int64_t, int64_t,
                                   cudaDataType, const void *, int64_t, cudaDataType, const void *,
                                   cudaDataType, const void *, int64_t, cudaDataType, const void *,
                                   int64_t, cudaDataType, size_t *, size_t *);
typedef cusolverStatus_t SvdFn(Handle, Params, signed char, signed char, int64_t, int64_t,
                               cudaDataType, void *, int64_t, cudaDataType, void *, cudaDataType,
                               void *, int64_t, cudaDataType, void *, int64_t, cudaDataType, void *,
                               size_t, void *, size_t, int *);
typedef cusolverStatus_t EigSizeFn(Handle, Params, cusolverEigMode_t, cusolverEigMode_t, int64_t,
                                   cudaDataType, const void *, int64_t, cudaDataType, const void *,
                                   cudaDataType, const void *, int64_t, cudaDataType, const void *,
                                   int64_t, cudaDataType, size_t *, size_t *);
typedef cusolverStatus_t EigFn(Handle, Params, cusolverEigMode_t, cusolverEigMode_t, int64_t,
                               cudaDataType, void *, int64_t, cudaDataType, void *, cudaDataType,
                               void *, int64_t, cudaDataType, void *, int64_t, cudaDataType, void *,
                               size_t, void *, size_t, int *);
typedef cusolverStatus_t LdlSizeFn(Handle, int, void *, int, int *);
typedef cusolverStatus_t LdlFn(Handle, cublasFillMode_t, int, void *, int, int *, void *, int,
                               int *);
typedef cusolverStatus_t LdlSolveSizeFn(Handle, cublasFillMode_t, int64_t, int64_t, cudaDataType,
                                        const void *, int64_t, const int64_t *, cudaDataType,
                                        void *, int64_t, size_t *, size_t *);
typedef cusolverStatus_t LdlSolveFn(Handle, cublasFillMode_t, int64_t, int64_t, cudaDataType,
                                    const void *, int64_t, const int64_t *, cudaDataType, void *,
                                    int64_t, void *, size_t, void *, size_t, int *);

/* A handle and its parameters for each device, used under the lock: a handle knows one stream at a
 * time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool opened, eig_opened, eighs_asked, eighs_opened;
static struct {
    Handle handle;
    Params params;
} solvers[GPU_DEVICES];

static bool solver_ok(cusolverStatus_t status, const char *what) {
    return status == CUSOLVER_STATUS_SUCCESS
               ? true
               : fail("cuSOLVER: %s fails with status %d", what, (int)status);
}

static bool prepare(Device d) {
    static const GpuLibrary library = {"cuSOLVER", files, names, found};
    opened = opened || gpu_library_open(&library);
    return opened &&
           (solvers[d.index].handle ||
            solver_ok(((CreateFn *)found[CREATE])(&solvers[d.index].handle), "cusolverDnCreate")) &&
           (solvers[d.index].params ||
            solver_ok(((CreateParamsFn *)found[CREATE_PARAMS])(&solvers[d.index].params),
                      "cusolverDnCreateParams"));
}

/* One factorisation of a call: what every function takes, and its work memory. */
typedef struct Solving {
    Scratch *s;
    Handle handle;
    Params params;
    cudaDataType type, real;
    int index; /* of the functions for that type */
    size_t device_bytes, host_bytes;
    void *device, *host;
} Solving;

static const struct {
    cudaDataType type, real;
} types[] = {{CUDA_R_32F, CUDA_R_32F},
             {CUDA_R_64F, CUDA_R_64F},
             {CUDA_C_32F, CUDA_R_32F},
             {CUDA_C_64F, CUDA_R_64F}};

static int type_index(int dtype) {
    switch (dtype) {
    case DT_FLOAT32: return 0;
    case DT_FLOAT64: return 1;
    case DT_COMPLEX64: return 2;
    default: return 3;
    }
}

/* Takes the lock, which solving_end gives back. */
static bool solving_begin(Solving *v, Scratch *s, const Stack *a) {
    Device d = s->c->device;
    pthread_mutex_lock(&lock);
    int i = type_index(a->dtype);
    *v = (Solving){.s = s, .index = i, .type = types[i].type, .real = types[i].real};
    if (!prepare(d)) {
        return false;
    }
    v->handle = solvers[d.index].handle;
    v->params = solvers[d.index].params;
    return solver_ok(((SetStreamFn *)found[SET_STREAM])(v->handle, gpu_stream(d)),
                     "cusolverDnSetStream");
}

static bool solving_end(bool ok) {
    pthread_mutex_unlock(&lock);
    return ok;
}

/* The memory that the function asked for. */
static bool work_taken(Solving *v, cusolverStatus_t status) {
    if (!solver_ok(status, "asking for the size of work memory")) {
        return false;
    }
    v->device = scratch_take(v->s, v->device_bytes);
    v->host = v->device ? scratch_take_host(v->s, v->host_bytes) : NULL;
    return v->host != NULL;
}

/* The same where the function counts elements. */
static bool elements_taken(Solving *v, const Stack *a, cusolverStatus_t status, int elements) {
    v->device_bytes = (size_t)(elements > 0 ? elements : 0) * dtype_size(a->dtype);
    return work_taken(v, status);
}

static void *matrix(const Stack *a, int64_t i) {
    return (char *)a->data + i * a->step * (int64_t)dtype_size(a->dtype);
}

static cublasFillMode_t fill_mode(bool upper) {
    return upper ? CUBLAS_FILL_MODE_UPPER : CUBLAS_FILL_MODE_LOWER;
}

/* Below these sizes one call for all matrices is better than one for each. */
enum { LU_BATCHED = 256, CHOLESKY_BATCHED = 256, EIGH_BATCHED = 32 };

static bool lu_each(Scratch *s, const Stack *a, int64_t *pivots, int *info) {
    Solving v;
    int64_t k = a->rows < a->columns ? a->rows : a->columns;
    bool ok = solving_begin(&v, s, a) &&
              work_taken(&v, ((LuSizeFn *)found[LU_SIZE])(v.handle, v.params, a->rows, a->columns,
                                                          v.type, a->data, a->lead, v.type,
                                                          &v.device_bytes, &v.host_bytes));
    for (int64_t i = 0; ok && i < a->count; i++) {
        ok = solver_ok(((LuFn *)found[LU])(v.handle, v.params, a->rows, a->columns, v.type,
                                           matrix(a, i), a->lead, pivots ? pivots + i * k : NULL,
                                           v.type, v.device, v.device_bytes, v.host, v.host_bytes,
                                           info + i),
                       "an LU factorisation");
    }
    return solving_end(ok);
}

/* n integers of 64 bits as integers of 32 bits. */
static bool narrow(const KernelCall *c, int *to, const int64_t *from, int64_t n) {
    static const int64_t one = 1;
    View in = {.data = (void *)from, .shape = &n, .stride = &one, .numel = n, .dim = 1};
    View out = in;
    in.dtype = DT_INT64;
    out.data = to;
    out.dtype = DT_INT32;
    return gpu_cast_view(c, &out, &in);
}

bool solver_lu(Scratch *s, const Stack *a, int *pivots, int *info) {
    if (a->count > 1 && a->rows == a->columns && a->rows <= LU_BATCHED) {
        return gpu_blas_factor(s, a, pivots, info);
    }
    int64_t n = (a->rows < a->columns ? a->rows : a->columns) * a->count;
    int64_t *wide = pivots ? scratch_take(s, (size_t)n * sizeof *wide) : NULL;
    return (!pivots || wide) && lu_each(s, a, wide, info) &&
           (!pivots || narrow(s->c, pivots, wide, n));
}

static bool cholesky_all(Scratch *s, const Stack *a, bool upper, int *info) {
    Solving v;
    void **matrices = scratch_take(s, (size_t)a->count * sizeof *matrices);
    if (!matrices || !matrices_addresses(s->c, a, matrices)) {
        return false;
    }
    bool ok = solving_begin(&v, s, a) && solver_ok(((CholeskysFn *)found[CHOLESKYS + v.index])(
                                                       v.handle, fill_mode(upper), (int)a->rows,
                                                       matrices, (int)a->lead, info, (int)a->count),
                                                   "a batch of Cholesky factorisations");
    return solving_end(ok);
}

bool solver_cholesky(Scratch *s, const Stack *a, bool upper, int *info) {
    Solving v;
    if (a->count > 1 && a->count <= INT32_MAX && a->rows <= CHOLESKY_BATCHED) {
        return cholesky_all(s, a, upper, info);
    }
    bool ok = solving_begin(&v, s, a) &&
              work_taken(&v, ((CholeskySizeFn *)found[CHOLESKY_SIZE])(
                                 v.handle, v.params, fill_mode(upper), a->rows, v.type, a->data,
                                 a->lead, v.type, &v.device_bytes, &v.host_bytes));
    for (int64_t i = 0; ok && i < a->count; i++) {
        ok = solver_ok(((CholeskyFn *)found[CHOLESKY])(v.handle, v.params, fill_mode(upper),
                                                       a->rows, v.type, matrix(a, i), a->lead,
                                                       v.type, v.device, v.device_bytes, v.host,
                                                       v.host_bytes, info + i),
                       "a Cholesky factorisation");
    }
    return solving_end(ok);
}

bool solver_qr(Scratch *s, const Stack *a, const Stack *tau, int *info) {
    Solving v;
    bool ok = solving_begin(&v, s, a) &&
              work_taken(&v, ((QrSizeFn *)found[QR_SIZE])(
                                 v.handle, v.params, a->rows, a->columns, v.type, a->data, a->lead,
                                 v.type, tau->data, v.type, &v.device_bytes, &v.host_bytes));
    for (int64_t i = 0; ok && i < a->count; i++) {
        ok =
            solver_ok(((QrFn *)found[QR])(v.handle, v.params, a->rows, a->columns, v.type,
                                          matrix(a, i), a->lead, v.type, matrix(tau, i), v.type,
                                          v.device, v.device_bytes, v.host, v.host_bytes, info + i),
                      "a QR factorisation");
    }
    return solving_end(ok);
}

bool solver_q(Scratch *s, const Stack *a, const Stack *tau, int *info) {
    Solving v;
    int m = (int)a->rows, n = (int)a->columns, k = (int)tau->rows, lead = (int)a->lead, size = 0;
    bool ok = solving_begin(&v, s, a);
    if (ok) {
        cusolverStatus_t status = ((QSizeFn *)found[Q_SIZE + v.index])(v.handle, m, n, k, a->data,
                                                                       lead, tau->data, &size);
        ok = elements_taken(&v, a, status, size);
    }
    for (int64_t i = 0; ok && i < a->count; i++) {
        ok = solver_ok(((QFn *)found[Q + v.index])(v.handle, m, n, k, matrix(a, i), lead,
                                                   matrix(tau, i), v.device, size, info + i),
                       "a product of Householder matrices");
    }
    return solving_end(ok);
}

bool solver_ldl(Scratch *s, const Stack *a, int *pivots, int *info) {
    Solving v;
    int n = (int)a->rows, lead = (int)a->lead, size = 0;
    bool ok = solving_begin(&v, s, a);
    if (ok) {
        cusolverStatus_t status =
            ((LdlSizeFn *)found[LDL_SIZE + v.index])(v.handle, n, a->data, lead, &size);
        ok = elements_taken(&v, a, status, size);
    }
    for (int64_t i = 0; ok && i < a->count; i++) {
        ok = solver_ok(((LdlFn *)found[LDL + v.index])(v.handle, CUBLAS_FILL_MODE_LOWER, n,
                                                       matrix(a, i), lead, pivots + i * n, v.device,
                                                       size, info + i),
                       "an LDL factorisation");
    }
    return solving_end(ok);
}

bool solver_ldl_solve(Scratch *s, const Stack *a, const int64_t *pivots, const Stack *x,
                      int *info) {
    Solving v;
    cublasFillMode_t lower = CUBLAS_FILL_MODE_LOWER;
    bool ok = solving_begin(&v, s, a) &&
              work_taken(&v, ((LdlSolveSizeFn *)found[LDL_SOLVE_SIZE])(
                                 v.handle, lower, a->rows, x->columns, v.type, a->data, a->lead,
                                 pivots, v.type, x->data, x->lead, &v.device_bytes, &v.host_bytes));
    for (int64_t i = 0; ok && i < a->count; i++) {
        ok = solver_ok(((LdlSolveFn *)found[LDL_SOLVE])(
                           v.handle, lower, a->rows, x->columns, v.type, matrix(a, i), a->lead,
                           pivots + i * a->rows, v.type, matrix(x, i), x->lead, v.device,
                           v.device_bytes, v.host, v.host_bytes, info + i),
                       "a system of LDL factors");
    }
    return solving_end(ok);
}

static bool eigh_each(Scratch *s, const Stack *a, bool upper, const Stack *values, int *info) {
    Solving v;
    cusolverEigMode_t job = CUSOLVER_EIG_MODE_VECTOR;
    bool ok =
        solving_begin(&v, s, a) &&
        work_taken(&v, ((EighSizeFn *)found[EIGH_SIZE])(
                           v.handle, v.params, job, fill_mode(upper), a->rows, v.type, a->data,
                           a->lead, v.real, values->data, v.type, &v.device_bytes, &v.host_bytes));
    for (int64_t i = 0; ok && i < a->count; i++) {
        ok = solver_ok(((EighFn *)found[EIGH])(v.handle, v.params, job, fill_mode(upper), a->rows,
                                               v.type, matrix(a, i), a->lead, v.real,
                                               matrix(values, i), v.type, v.device, v.device_bytes,
                                               v.host, v.host_bytes, info + i),
                       "an eigenvalue decomposition");
    }
    return solving_end(ok);
}

/* Whether this release has them. */
static bool has_eighs(void) {
    static const GpuLibrary library = {"cuSOLVER", files, eighs_names, eighs};
    if (!eighs_asked) {
        eighs_asked = true;
        eighs_opened = gpu_library_open(&library);
        if (!eighs_opened) {
            error_clear();
        }
    }
    return eighs_opened;
}

/* *there: whether they could be done at once. */
static bool eigh_all(Scratch *s, const Stack *a, bool upper, const Stack *values, int *info,
                     bool *there) {
    Solving v;
    cusolverEigMode_t job = CUSOLVER_EIG_MODE_VECTOR;
    bool ok = solving_begin(&v, s, a);
    *there = ok && has_eighs();
    if (*there) {
        ok = work_taken(&v, ((EighsSizeFn *)eighs[EIGHS_SIZE])(
                                v.handle, v.params, job, fill_mode(upper), a->rows, v.type, a->data,
                                a->lead, v.real, values->data, v.type, &v.device_bytes,
                                &v.host_bytes, a->count)) &&
             solver_ok(((EighsFn *)eighs[EIGHS])(v.handle, v.params, job, fill_mode(upper), a->rows,
                                                 v.type, a->data, a->lead, v.real, values->data,
                                                 v.type, v.device, v.device_bytes, v.host,
                                                 v.host_bytes, info, a->count),
                       "a batch of eigenvalue decompositions");
    }
    return solving_end(ok);
}

bool solver_eigh(Scratch *s, const Stack *a, bool upper, const Stack *values, int *info) {
    if (a->count > 1 && a->rows <= EIGH_BATCHED) {
        bool there, ok = eigh_all(s, a, upper, values, info, &there);
        if (!ok || there) {
            return ok;
        }
    }
    return eigh_each(s, a, upper, values, info);
}

static bool open_eig(void) {
    static const GpuLibrary library = {"cuSOLVER", files, eig_names, eig};
    eig_opened = eig_opened || gpu_library_open(&library);
    return eig_opened;
}

bool solver_eig(Scratch *s, const Stack *a, const Stack *values, const Stack *vectors, int *info) {
    Solving v;
    cusolverEigMode_t left = CUSOLVER_EIG_MODE_NOVECTOR, right = CUSOLVER_EIG_MODE_VECTOR;
    int64_t n = a->rows;
    cudaDataType complex = types[type_index(values->dtype)].type;
    bool ok = solving_begin(&v, s, a) && open_eig() &&
              work_taken(&v, ((EigSizeFn *)eig[EIG_SIZE])(
                                 v.handle, v.params, left, right, n, v.type, a->data, a->lead,
                                 complex, values->data, v.type, NULL, n, v.type, vectors->data,
                                 vectors->lead, v.type, &v.device_bytes, &v.host_bytes));
    for (int64_t i = 0; ok && i < a->count; i++) {
        ok =
            solver_ok(((EigFn *)eig[EIG])(v.handle, v.params, left, right, n, v.type, matrix(a, i),
                                          a->lead, complex, matrix(values, i), v.type, NULL, n,
                                          v.type, matrix(vectors, i), vectors->lead, v.type,
                                          v.device, v.device_bytes, v.host, v.host_bytes, info + i),
                      "an eigenvalue decomposition");
    }
    return solving_end(ok);
}

bool solver_svd(Scratch *s, const Stack *a, const Stack *values, const Stack *u, const Stack *vh,
                int *info) {
    Solving v;
    signed char job = u->columns == u->rows ? 'A' : 'S';
    bool ok = solving_begin(&v, s, a) &&
              work_taken(&v, ((SvdSizeFn *)found[SVD_SIZE])(
                                 v.handle, v.params, job, job, a->rows, a->columns, v.type, a->data,
                                 a->lead, v.real, values->data, v.type, u->data, u->lead, v.type,
                                 vh->data, vh->lead, v.type, &v.device_bytes, &v.host_bytes));
    for (int64_t i = 0; ok && i < a->count; i++) {
        ok = solver_ok(((SvdFn *)found[SVD])(v.handle, v.params, job, job, a->rows, a->columns,
                                             v.type, matrix(a, i), a->lead, v.real,
                                             matrix(values, i), v.type, matrix(u, i), u->lead,
                                             v.type, matrix(vh, i), vh->lead, v.type, v.device,
                                             v.device_bytes, v.host, v.host_bytes, info + i),
                       "a singular value decomposition");
    }
    return solving_end(ok);
}
