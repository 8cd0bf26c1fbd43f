/* Single products by cuBLASLt, which adds the bias and applies gelu on the way and reads the matrix
 * that is added from where it stands. What it finds best for a shape is asked once and kept. */
#include <cublasLt.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "gpu/blas.h"
#include "gpu/library.h"

enum {
    CREATE,
    DESC_CREATE,
    DESC_DESTROY,
    DESC_SET,
    LAYOUT_CREATE,
    LAYOUT_DESTROY,
    PREF_CREATE,
    PREF_DESTROY,
    PREF_SET,
    HEURISTIC,
    MATMUL,
    N_FUNCTIONS
};

static const char *const names[] = {"cublasLtCreate",
                                    "cublasLtMatmulDescCreate",
                                    "cublasLtMatmulDescDestroy",
                                    "cublasLtMatmulDescSetAttribute",
                                    "cublasLtMatrixLayoutCreate",
                                    "cublasLtMatrixLayoutDestroy",
                                    "cublasLtMatmulPreferenceCreate",
                                    "cublasLtMatmulPreferenceDestroy",
                                    "cublasLtMatmulPreferenceSetAttribute",
                                    "cublasLtMatmulAlgoGetHeuristic",
                                    "cublasLtMatmul",
                                    NULL};
static const char *const files[] = {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so",
                                    NULL};
static void (*found[N_FUNCTIONS])(void);
#define CALL(function, index) ((__typeof__(&(function)))found[index])

/* What a plan is good for. Compared byte by byte, so it is cleared before it is filled. */
typedef struct Key {
    int64_t m, n, k, a_row, b_row, c_row, d_row;
    int32_t device, dtype, compute;
    int32_t a_align, b_align, c_align, d_align;
    int8_t a_op, b_op, bias, adds, gelu;
} Key;

typedef struct Plan {
    bool made;
    bool known; /* false: cuBLASLt has no way to compute it */
    Key key;
    cublasLtMatmulDesc_t desc;
    cublasLtMatrixLayout_t a, b, c, d;
    cublasLtMatmulAlgo_t algo;
    size_t workspace;
} Plan;

enum { PLANS = 512, MOST_WORKSPACE = 32 << 20, MOST_ALIGN = 256 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool opened;
static cublasLtHandle_t handles[GPU_DEVICES];
static Plan plans[PLANS]; /* by hash; a plan makes place for the next of its slot */

static bool lt_ok(cublasStatus_t status, const char *what) {
    return status == CUBLAS_STATUS_SUCCESS
               ? true
               : fail("cuBLASLt: %s fails with status %d", what, status);
}

static bool prepare(Device d) {
    static const GpuLibrary library = {"cuBLASLt", files, names, found};
    opened = opened || gpu_library_open(&library);
    return opened && (handles[d.index] ||
                      lt_ok(CALL(cublasLtCreate, CREATE)(&handles[d.index]), "cublasLtCreate"));
}

static cudaDataType type_of(int dtype) {
    return dtype == DT_FLOAT16 ? CUDA_R_16F : dtype == DT_BFLOAT16 ? CUDA_R_16BF : CUDA_R_32F;
}

/* The power of two that p lies on, up to MOST_ALIGN. */
static int32_t alignment(const void *p) {
    uintptr_t bits = (uintptr_t)p | MOST_ALIGN;
    return (int32_t)(bits & -bits);
}

/* cuBLASLt counts columns first, so it is asked for the transposed product: its A is our b. */
static Key key_of(Device d, const GpuProduct *p) {
    Key key;
    memset(&key, 0, sizeof key);
    key.m = p->n;
    key.n = p->m;
    key.k = p->k;
    key.a_row = p->b.row;
    key.b_row = p->a.row;
    key.c_row = p->added ? p->added_row : p->c.row;
    key.d_row = p->c.row;
    key.device = d.index;
    key.dtype = p->dtype;
    key.compute = p->dtype == DT_FLOAT32 && gpu_setting(SETTING_MATMUL_TF32)
                      ? CUBLAS_COMPUTE_32F_FAST_TF32
                      : CUBLAS_COMPUTE_32F;
    key.a_align = alignment(p->b.data);
    key.b_align = alignment(p->a.data);
    key.c_align = alignment(p->added ? p->added : p->c.data);
    key.d_align = alignment(p->c.data);
    key.a_op = p->b.transposed;
    key.b_op = p->a.transposed;
    key.bias = p->bias != NULL;
    key.adds = p->beta != 0;
    key.gelu = p->before_gelu != NULL;
    return key;
}

static Plan *slot_of(const Key *key) {
    const unsigned char *bytes = (const unsigned char *)key;
    uint64_t hash = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < sizeof *key; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001b3ull;
    }
    return &plans[(hash ^ hash >> 32) % PLANS];
}

static void plan_free(Plan *p) {
    const cublasLtMatrixLayout_t layouts[] = {p->a, p->b, p->c, p->d};
    for (int i = 0; i < 4; i++) {
        if (layouts[i]) {
            CALL(cublasLtMatrixLayoutDestroy, LAYOUT_DESTROY)(layouts[i]);
        }
    }
    if (p->desc) {
        CALL(cublasLtMatmulDescDestroy, DESC_DESTROY)(p->desc);
    }
    memset(p, 0, sizeof *p);
}

static bool set(Plan *p, cublasLtMatmulDescAttributes_t attribute, const void *value, size_t size) {
    return lt_ok(CALL(cublasLtMatmulDescSetAttribute, DESC_SET)(p->desc, attribute, value, size),
                 "cublasLtMatmulDescSetAttribute");
}

/* Where the bias stands, and where what gelu is taken of goes, are no part of a plan. */
static bool set_places(Plan *p, const GpuProduct *product) {
    return (!product->bias ||
            set(p, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &product->bias, sizeof product->bias)) &&
           (!product->before_gelu || set(p, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER,
                                         &product->before_gelu, sizeof product->before_gelu));
}

static bool set_epilogue(Plan *p, const GpuProduct *product) {
    uint32_t epilogue = (uint32_t)(product->bias ? CUBLASLT_EPILOGUE_BIAS : 0) |
                        (uint32_t)(product->before_gelu ? CUBLASLT_EPILOGUE_GELU_AUX : 0);
    return !epilogue || (set(p, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue) &&
                         set_places(p, product) &&
                         (!product->before_gelu || set(p, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD,
                                                       &product->n, sizeof product->n)));
}

static bool describe(Plan *p, const GpuProduct *product) {
    const Key *key = &p->key;
    int32_t a_op = key->a_op ? CUBLAS_OP_T : CUBLAS_OP_N;
    int32_t b_op = key->b_op ? CUBLAS_OP_T : CUBLAS_OP_N;
    return lt_ok(CALL(cublasLtMatmulDescCreate,
                      DESC_CREATE)(&p->desc, (cublasComputeType_t)key->compute, CUDA_R_32F),
                 "cublasLtMatmulDescCreate") &&
           set(p, CUBLASLT_MATMUL_DESC_TRANSA, &a_op, sizeof a_op) &&
           set(p, CUBLASLT_MATMUL_DESC_TRANSB, &b_op, sizeof b_op) && set_epilogue(p, product);
}

static bool lay_out(const Plan *p, cublasLtMatrixLayout_t *layout, bool turned, int64_t rows,
                    int64_t columns, int64_t lead) {
    uint64_t r = (uint64_t)(turned ? columns : rows), c = (uint64_t)(turned ? rows : columns);
    return lt_ok(
        CALL(cublasLtMatrixLayoutCreate, LAYOUT_CREATE)(layout, type_of(p->key.dtype), r, c, lead),
        "cublasLtMatrixLayoutCreate");
}

/* The preference is the caller's to destroy; NULL after an error. */
static cublasLtMatmulPreference_t preference_of(const Key *key) {
    const struct {
        cublasLtMatmulPreferenceAttributes_t attribute;
        uint32_t value;
    } aligned[] = {{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, (uint32_t)key->a_align},
                   {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, (uint32_t)key->b_align},
                   {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, (uint32_t)key->c_align},
                   {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, (uint32_t)key->d_align}};
    const uint64_t most = MOST_WORKSPACE;
    cublasLtMatmulPreference_t preference;
    if (!lt_ok(CALL(cublasLtMatmulPreferenceCreate, PREF_CREATE)(&preference),
               "cublasLtMatmulPreferenceCreate")) {
        return NULL;
    }
    cublasStatus_t status = CALL(cublasLtMatmulPreferenceSetAttribute, PREF_SET)(
        preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, sizeof most);
    for (int i = 0; i < 4 && status == CUBLAS_STATUS_SUCCESS; i++) {
        status = CALL(cublasLtMatmulPreferenceSetAttribute, PREF_SET)(
            preference, aligned[i].attribute, &aligned[i].value, sizeof aligned[i].value);
    }
    if (lt_ok(status, "cublasLtMatmulPreferenceSetAttribute")) {
        return preference;
    }
    CALL(cublasLtMatmulPreferenceDestroy, PREF_DESTROY)(preference);
    return NULL;
}

static bool choose(Plan *p) {
    int n = 0;
    cublasLtMatmulHeuristicResult_t best = {.workspaceSize = 0};
    cublasLtMatmulPreference_t preference = preference_of(&p->key);
    if (!preference) {
        return false;
    }
    cublasStatus_t status = CALL(cublasLtMatmulAlgoGetHeuristic, HEURISTIC)(
        handles[p->key.device], p->desc, p->a, p->b, p->c, p->d, preference, 1, &best, &n);
    CALL(cublasLtMatmulPreferenceDestroy, PREF_DESTROY)(preference);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED) {
        status = CUBLAS_STATUS_SUCCESS;
        n = 0;
    }
    p->known = n > 0;
    p->algo = best.algo;
    p->workspace = best.workspaceSize;
    return lt_ok(status, "cublasLtMatmulAlgoGetHeuristic");
}

/* The plan for a product; NULL after an error. */
static Plan *plan_of(Device d, const GpuProduct *product) {
    Key key = key_of(d, product);
    Plan *p = slot_of(&key);
    if (p->made && memcmp(&p->key, &key, sizeof key) == 0) {
        return p;
    }
    plan_free(p);
    p->key = key;
    p->made = describe(p, product) && lay_out(p, &p->a, key.a_op, key.m, key.k, key.a_row) &&
              lay_out(p, &p->b, key.b_op, key.k, key.n, key.b_row) &&
              lay_out(p, &p->c, false, key.m, key.n, key.c_row) &&
              lay_out(p, &p->d, false, key.m, key.n, key.d_row) && choose(p);
    if (!p->made) {
        plan_free(p);
    }
    return p->made ? p : NULL;
}

static bool multiply(Device d, const GpuProduct *product, bool *known) {
    float alpha = (float)product->alpha, beta = (float)product->beta;
    Plan *p = plan_of(d, product);
    *known = p && p->known;
    if (p && !p->known) {
        return true;
    }
    if (!p || !set_places(p, product)) {
        return false;
    }
    void *workspace = p->workspace ? gpu_alloc(d, p->workspace) : NULL;
    if (p->workspace && !workspace) {
        return false;
    }
    const void *added = product->added ? product->added : product->c.data;
    bool ok = lt_ok(CALL(cublasLtMatmul, MATMUL)(handles[d.index], p->desc, &alpha, product->b.data,
                                                 p->a, product->a.data, p->b, &beta, added, p->c,
                                                 product->c.data, p->d, &p->algo, workspace,
                                                 p->workspace, gpu_stream(d)),
                    "a matrix product");
    if (workspace) {
        gpu_release(d, workspace, p->workspace);
    }
    return ok;
}

bool gpu_blas_single(Device d, const GpuProduct *p, bool *known) {
    pthread_mutex_lock(&lock);
    bool ok = prepare(d) && multiply(d, p, known);
    pthread_mutex_unlock(&lock);
    return ok;
}
