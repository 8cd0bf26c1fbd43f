#include "cpu/linalg_complex.h"

#include <complex.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "cpu/lapack.h"
#include "cpu/linalg.h"

#define REAL    float _Complex
#define PART    float
#define NAME(x) x##_c
#define LOAD    lapack_c
#define EPSILON ((double)FLT_EPSILON)
#include "cpu/linalg_complex.inc.c"
#undef REAL
#undef PART
#undef NAME
#undef LOAD
#undef EPSILON

#define REAL    double _Complex
#define PART    double
#define NAME(x) x##_z
#define LOAD    lapack_z
#define EPSILON DBL_EPSILON
#include "cpu/linalg_complex.inc.c"

#define BY_TYPE(name, run)                                               \
    bool linalg_complex_##name(const KernelCall *c) {                    \
        return c->in[0].dtype == DT_COMPLEX64 ? run##_c(c) : run##_z(c); \
    }
BY_TYPE(svd, run_svd)
BY_TYPE(eigh, run_eigh)
BY_TYPE(eig, run_eig)
BY_TYPE(pinv, run_pinv)
BY_TYPE(lstsq, run_lstsq)
