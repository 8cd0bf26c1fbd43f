/* Kernels of packed factorisations: LU, LDL and Householder vectors as LAPACK leaves them. */
#include <complex.h>
#include <math.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "cpu/cpu.h"
#include "cpu/lapack.h"
#include "cpu/linalg.h"
#include "tensor/op.h"

/* Columns that LAPACK works on at a time, which sets the length of its work arrays. */
static const double FACTOR_BLOCK = 64;

/* n numbers for matrix i of an int32 output; n = 1: into an output without a dim of its own. */
static void store_ints(const Batch *b, const View *v, int64_t i, const int *from, int n) {
    bool vector = v->dim > b->dims;
    int32_t *to = (int32_t *)batch_at(b, v, vector, i);
    int64_t step = vector ? v->stride[v->dim - 1] : 1;
    for (int64_t k = 0; k < n; k++) {
        to[k * step] = from[k];
    }
}

/* Pivots of matrix i of an int64 argument; what LAPACK's integers do not hold becomes 0. */
static void load_pivots(int *to, const Batch *b, const View *v, int64_t i, int n) {
    const int64_t *from = (const int64_t *)batch_at(b, v, 1, i);
    for (int64_t k = 0; k < n; k++) {
        int64_t p = from[k * v->stride[v->dim - 1]];
        to[k] = p >= -n && p <= n ? (int)p : 0;
    }
}

/* What factorises and solves with matrices equal to their transposes or, hermitian, to their
 * adjoints, which for real ones is the same. */
#define FACTORISE(hermitian) LOAD()->sytrf
#define SOLVE(hermitian)     LOAD()->sytrs

#define REAL    float
#define NAME(x) x##_s
#define LAPACK  LapackS
#define LOAD    lapack_s
#include "cpu/factor.inc.c"
#undef REAL
#undef NAME
#undef LAPACK
#undef LOAD

#define REAL    double
#define NAME(x) x##_d
#define LAPACK  LapackD
#define LOAD    lapack_d
#include "cpu/factor.inc.c"
#undef REAL
#undef NAME
#undef LAPACK
#undef LOAD

#undef FACTORISE
#undef SOLVE
#define FACTORISE(hermitian) ((hermitian) ? LOAD()->hetrf : LOAD()->sytrf)
#define SOLVE(hermitian)     ((hermitian) ? LOAD()->hetrs : LOAD()->sytrs)

#define REAL    float _Complex
#define NAME(x) x##_c
#define LAPACK  LapackC
#define LOAD    lapack_c
#include "cpu/factor.inc.c"
#undef REAL
#undef NAME
#undef LAPACK
#undef LOAD

#define REAL    double _Complex
#define NAME(x) x##_z
#define LAPACK  LapackZ
#define LOAD    lapack_z
#include "cpu/factor.inc.c"
#undef REAL
#undef NAME
#undef LAPACK
#undef LOAD

/* The swaps that k pivots of matrix i make, done to the order 1, 2, ...; false: one is no row. */
static bool swap_rows(const KernelCall *c, const int64_t *pivots, int64_t step, int64_t k,
                      int64_t *order) {
    int64_t rows = c->out[0].shape[c->out[0].dim - 1];
    for (int64_t r = 0; r < rows; r++) {
        order[r] = r + INDEX_BASE;
    }
    for (int64_t r = 0; r < k; r++) {
        int64_t p = pivots[r * step];
        if (p < 1 || p > rows) {
            return fail("lu_order: pivot %lld of a matrix is %lld, and there are %lld rows",
                        (long long)r + 1, (long long)p, (long long)rows);
        }
        int64_t moved = order[r];
        order[r] = order[p - 1];
        order[p - 1] = moved;
    }
    return true;
}

static bool cpu_lu_order(const KernelCall *c) {
    const View *in = &c->in[0], *out = &c->out[0];
    int64_t k = in->shape[in->dim - 1], rows = out->shape[out->dim - 1], count = 1;
    Batch b = batch_of(c, in, 1, NULL);
    for (int d = 0; d < b.dims; d++) {
        count *= b.shape[d];
    }
    for (int64_t i = 0; i < count && rows > 0; i++) {
        const int64_t *pivots = (const int64_t *)batch_at(&b, in, 1, i);
        int64_t *order = (int64_t *)batch_at(&b, out, 1, i);
        if (!swap_rows(c, pivots, in->stride[in->dim - 1], k, order)) {
            return false;
        }
    }
    return !interrupted();
}

#define BY_TYPE(op, run)                        \
    static bool cpu_##op(const KernelCall *c) { \
        switch (c->in[0].dtype) {               \
        case DT_COMPLEX64: return run##_c(c);   \
        case DT_COMPLEX128: return run##_z(c);  \
        case DT_FLOAT64: return run##_d(c);     \
        default: return run##_s(c);             \
        }                                       \
    }
BY_TYPE(linalg_lu_factor_ex, run_lu)
BY_TYPE(linalg_ldl_factor_ex, run_ldl)
BY_TYPE(linalg_ldl_solve, run_ldl_solve)
BY_TYPE(geqrf, run_geqrf)

const KernelRow cpu_factor_rows[] = {{"linalg_lu_factor_ex", cpu_linalg_lu_factor_ex},
                                     {"linalg_ldl_factor_ex", cpu_linalg_ldl_factor_ex},
                                     {"linalg_ldl_solve", cpu_linalg_ldl_solve},
                                     {"geqrf", cpu_geqrf},
                                     {"lu_order", cpu_lu_order},
                                     {NULL, NULL}};
