/* The functions of cuBLASLt that the backend uses, as NVIDIA documents them, in plain loops. What a
 * plan was chosen for has to hold when it is used: alignment, workspace. */
#include <cublasLt.h>

#include "blas.h"
#include "library.h"
#include "runtime.h"

namespace hostgpu {

struct Description {
    cublasComputeType_t compute;
    int32_t turned[2];
    uint32_t epilogue;
    const void *bias;
    void *aux; /* what gelu is taken of */
    int64_t aux_lead;
};

struct Layout {
    cudaDataType type;
    int64_t rows, columns, lead;
};

struct Preference {
    uint64_t workspace;
    uint32_t align[4];
};

/* What stands in an algorithm, which is the library's own. */
struct Choice {
    uint32_t align[4];
    size_t workspace;
    int64_t rows, columns, aux_lead;
    uint32_t epilogue;
};

static cublasStatus_t create(cublasLtHandle_t *handle) {
    static int one;
    *handle = (cublasLtHandle_t)&one;
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t describe(cublasLtMatmulDesc_t *desc, cublasComputeType_t compute,
                               cudaDataType_t scale) {
    if (scale != CUDA_R_32F) {
        return CUBLAS_STATUS_NOT_SUPPORTED;
    }
    *desc = (cublasLtMatmulDesc_t) new Description{
        compute, {CUBLAS_OP_N, CUBLAS_OP_N}, CUBLASLT_EPILOGUE_DEFAULT, nullptr, nullptr, 0};
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t undescribe(cublasLtMatmulDesc_t desc) {
    delete (Description *)desc;
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t set_description(cublasLtMatmulDesc_t desc,
                                      cublasLtMatmulDescAttributes_t attribute, const void *value,
                                      size_t size) {
    Description *d = (Description *)desc;
    void *to = attribute == CUBLASLT_MATMUL_DESC_TRANSA                 ? (void *)&d->turned[0]
               : attribute == CUBLASLT_MATMUL_DESC_TRANSB               ? (void *)&d->turned[1]
               : attribute == CUBLASLT_MATMUL_DESC_EPILOGUE             ? (void *)&d->epilogue
               : attribute == CUBLASLT_MATMUL_DESC_BIAS_POINTER         ? (void *)&d->bias
               : attribute == CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER ? (void *)&d->aux
               : attribute == CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD      ? (void *)&d->aux_lead
                                                                        : nullptr;
    bool wide = to == &d->bias || to == &d->aux || to == &d->aux_lead;
    if (!to || size != (wide ? sizeof(int64_t) : sizeof(int32_t))) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    memcpy(to, value, size);
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t lay_out(cublasLtMatrixLayout_t *layout, cudaDataType type, uint64_t rows,
                              uint64_t columns, int64_t lead) {
    if (lead < (int64_t)rows) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    *layout = (cublasLtMatrixLayout_t) new Layout{type, (int64_t)rows, (int64_t)columns, lead};
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t unlay(cublasLtMatrixLayout_t layout) {
    delete (Layout *)layout;
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t prefer(cublasLtMatmulPreference_t *preference) {
    *preference = (cublasLtMatmulPreference_t) new Preference{0, {256, 256, 256, 256}};
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t unprefer(cublasLtMatmulPreference_t preference) {
    delete (Preference *)preference;
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t set_preference(cublasLtMatmulPreference_t preference,
                                     cublasLtMatmulPreferenceAttributes_t attribute,
                                     const void *value, size_t size) {
    Preference *p = (Preference *)preference;
    int matrix = attribute - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES;
    if (attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES && size == sizeof p->workspace) {
        memcpy(&p->workspace, value, size);
    } else if (matrix >= 0 && matrix < 4 && size == sizeof *p->align) {
        memcpy(&p->align[matrix], value, size);
    } else {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    return CUBLAS_STATUS_SUCCESS;
}

/* Whether the library has such an epilogue; one with gelu for products of 16 rows and more only, so
 * that there are some without. */
static bool knows(const Description *how, const Layout *d) {
    switch (how->epilogue) {
    case CUBLASLT_EPILOGUE_DEFAULT:
    case CUBLASLT_EPILOGUE_BIAS: return true;
    case CUBLASLT_EPILOGUE_GELU_AUX:
    case CUBLASLT_EPILOGUE_GELU_AUX_BIAS:
        return how->aux_lead >= d->rows && how->aux_lead % 8 == 0 && d->rows >= 16;
    default: return false;
    }
}

static cublasStatus_t choose(cublasLtHandle_t, cublasLtMatmulDesc_t desc, cublasLtMatrixLayout_t,
                             cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                             cublasLtMatrixLayout_t out, cublasLtMatmulPreference_t preference, int,
                             cublasLtMatmulHeuristicResult_t *results, int *n) {
    const Preference *p = (const Preference *)preference;
    const Layout *d = (const Layout *)out;
    *n = 0;
    if (!knows((const Description *)desc, d)) {
        return CUBLAS_STATUS_NOT_SUPPORTED;
    }
    for (uint32_t align : p->align) {
        if (align < 4) { /* there is not a way for everything */
            return CUBLAS_STATUS_NOT_SUPPORTED;
        }
    }
    Choice choice = {{},
                     p->workspace < 4096 ? p->workspace : 4096,
                     d->rows,
                     d->columns,
                     ((const Description *)desc)->aux_lead,
                     ((const Description *)desc)->epilogue};
    memcpy(choice.align, p->align, sizeof choice.align);
    static_assert(sizeof choice <= sizeof results->algo, "an algorithm has 64 bytes");
    memcpy(&results->algo, &choice, sizeof choice);
    results->workspaceSize = choice.workspace;
    results->state = CUBLAS_STATUS_SUCCESS;
    *n = 1;
    return CUBLAS_STATUS_SUCCESS;
}

static bool lies_on(const void *p, uint32_t align) { return (uintptr_t)p % align == 0; }

/* TF32 keeps 10 bits of a factor's fraction. */
static double rounded(double x, bool tf32) {
    float f = (float)x;
    uint32_t bits;
    if (!tf32) {
        return x;
    }
    memcpy(&bits, &f, sizeof bits);
    bits = (bits + 0xfff + (bits >> 13 & 1)) & ~0x1fffu;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static cublasStatus_t multiply(cublasLtHandle_t, cublasLtMatmulDesc_t desc, const void *alpha,
                               const void *a, cublasLtMatrixLayout_t a_layout, const void *b,
                               cublasLtMatrixLayout_t b_layout, const void *beta, const void *c,
                               cublasLtMatrixLayout_t c_layout, void *d,
                               cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t *algo,
                               void *workspace, size_t bytes, cudaStream_t stream) {
    Description how = *(const Description *)desc;
    Layout la = *(const Layout *)a_layout, lb = *(const Layout *)b_layout;
    Layout lc = *(const Layout *)c_layout, ld = *(const Layout *)d_layout;
    Choice choice;
    memcpy(&choice, algo, sizeof choice);
    bool ta = how.turned[0] != CUBLAS_OP_N, tb = how.turned[1] != CUBLAS_OP_N;
    int64_t m = ta ? la.columns : la.rows, k = ta ? la.rows : la.columns;
    int64_t n = tb ? lb.rows : lb.columns;
    if ((tb ? lb.columns : lb.rows) != k || ld.rows != m || ld.columns != n || lc.rows != m ||
        lc.columns != n || choice.rows != m || choice.columns != n ||
        choice.epilogue != how.epilogue || choice.aux_lead != how.aux_lead ||
        bytes < choice.workspace || !lies_on(a, choice.align[0]) || !lies_on(b, choice.align[1]) ||
        !lies_on(c, choice.align[2]) || !lies_on(d, choice.align[3])) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    double scale = *(const float *)alpha, keep = *(const float *)beta;
    bool tf32 = how.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
    cudaError_t error = enqueue(stream, [=]() {
        memset(workspace, 0xFF, choice.workspace);
        for (int64_t i = 0; i < m * n; i++) {
            int64_t row = i % m, column = i / m;
            double sum = 0;
            for (int64_t p = 0; p < k; p++) {
                int64_t x = ta ? p + row * la.lead : row + p * la.lead;
                int64_t y = tb ? column + p * lb.lead : p + column * lb.lead;
                sum += rounded(blas_get(a, x, la.type).real(), tf32) *
                       rounded(blas_get(b, y, lb.type).real(), tf32);
            }
            sum *= scale;
            if (keep != 0) {
                sum += keep * blas_get(c, row + column * lc.lead, lc.type).real();
            }
            if (how.epilogue & CUBLASLT_EPILOGUE_BIAS) {
                sum += blas_get(how.bias, row, ld.type).real();
            }
            if (how.epilogue & CUBLASLT_EPILOGUE_GELU) {
                blas_set(how.aux, row + column * how.aux_lead, ld.type, sum);
                sum *= 0.5 * (1 + tanh(sqrt(2 / M_PI) * (sum + 0.044715 * sum * sum * sum)));
            }
            blas_set(d, row + column * ld.lead, ld.type, sum);
        }
    });
    return error ? CUBLAS_STATUS_EXECUTION_FAILED : CUBLAS_STATUS_SUCCESS;
}

static const StandIns functions({{"cublasLtCreate", create},
                                 {"cublasLtMatmulDescCreate", describe},
                                 {"cublasLtMatmulDescDestroy", undescribe},
                                 {"cublasLtMatmulDescSetAttribute", set_description},
                                 {"cublasLtMatrixLayoutCreate", lay_out},
                                 {"cublasLtMatrixLayoutDestroy", unlay},
                                 {"cublasLtMatmulPreferenceCreate", prefer},
                                 {"cublasLtMatmulPreferenceDestroy", unprefer},
                                 {"cublasLtMatmulPreferenceSetAttribute", set_preference},
                                 {"cublasLtMatmulAlgoGetHeuristic", choose},
                                 {"cublasLtMatmul", multiply}});

} // namespace hostgpu
