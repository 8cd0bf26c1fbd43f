/* Kernels by singular values and eigenvalues. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/blas.h"
#include "base/memory.h"
#include "cpu/cpu.h"
#include "cpu/lapack.h"
#include "cpu/linalg.h"
#include "cpu/linalg_complex.h"
#include "tensor/op.h"

#define REAL    float
#define NAME(x) x##_s
#define LOAD    lapack_s
#define GEMM    sgemm
#define EPSILON ((double)FLT_EPSILON)
#include "cpu/linalg_spectra.inc.c"
#undef REAL
#undef NAME
#undef LOAD
#undef GEMM
#undef EPSILON

#define REAL    double
#define NAME(x) x##_d
#define LOAD    lapack_d
#define GEMM    dgemm
#define EPSILON DBL_EPSILON
#include "cpu/linalg_spectra.inc.c"
#undef REAL
#undef NAME
#undef LOAD
#undef GEMM
#undef EPSILON

#define BY_TYPE(op, run)                                               \
    static bool cpu_##op(const KernelCall *c) {                        \
        return c->in[0].dtype == DT_FLOAT64 ? run##_d(c) : run##_s(c); \
    }
BY_TYPE(linalg_svd, run_svd)

static bool cpu_linalg_eigh(const KernelCall *c) {
    int dtype = c->in[0].dtype;
    return dtype_is_complex(dtype) ? linalg_complex_eigh(c)
           : dtype == DT_FLOAT64   ? run_eigh_d(c)
                                   : run_eigh_s(c);
}

static bool cpu_linalg_eig(const KernelCall *c) {
    int dtype = c->in[0].dtype;
    return dtype_is_complex(dtype) ? linalg_complex_eig(c)
           : dtype == DT_FLOAT64   ? run_eig_d(c)
                                   : run_eig_s(c);
}

BY_TYPE(linalg_cofactor, run_cofactor)
BY_TYPE(pinv_batched, run_pinv)
BY_TYPE(lstsq_batched, run_lstsq)

const KernelRow cpu_linalg_spectra_rows[] = {{"linalg_svd", cpu_linalg_svd},
                                             {"linalg_eigh", cpu_linalg_eigh},
                                             {"linalg_eig", cpu_linalg_eig},
                                             {"linalg_cofactor", cpu_linalg_cofactor},
                                             {"pinv_batched", cpu_pinv_batched},
                                             {"lstsq_batched", cpu_lstsq_batched},
                                             {NULL, NULL}};
