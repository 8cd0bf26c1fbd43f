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

#define BY_TYPE(op, name)                                         \
    static bool cpu_##op(const KernelCall *c) {                   \
        int dtype = c->in[0].dtype;                               \
        return dtype_is_complex(dtype) ? linalg_complex_##name(c) \
               : dtype == DT_FLOAT64   ? run_##name##_d(c)        \
                                       : run_##name##_s(c);         \
    }
BY_TYPE(linalg_svd, svd)
BY_TYPE(linalg_eigh, eigh)
BY_TYPE(linalg_eig, eig)
BY_TYPE(pinv_batched, pinv)
BY_TYPE(lstsq_batched, lstsq)

static bool cpu_linalg_cofactor(const KernelCall *c) {
    return c->in[0].dtype == DT_FLOAT64 ? run_cofactor_d(c) : run_cofactor_s(c);
}

const KernelRow cpu_linalg_spectra_rows[] = {{"linalg_svd", cpu_linalg_svd},
                                             {"linalg_eigh", cpu_linalg_eigh},
                                             {"linalg_eig", cpu_linalg_eig},
                                             {"linalg_cofactor", cpu_linalg_cofactor},
                                             {"pinv_batched", cpu_pinv_batched},
                                             {"lstsq_batched", cpu_lstsq_batched},
                                             {NULL, NULL}};
