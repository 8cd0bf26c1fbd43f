#include "cpu/linalg_complex.h"

#include <complex.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "cpu/lapack.h"
#include "cpu/linalg.h"

#define REAL    float _Complex
#define PART    float
#define NAME(x) x##_c
#define LOAD    lapack_c
#include "cpu/linalg_complex.inc.c"
#undef REAL
#undef PART
#undef NAME
#undef LOAD

#define REAL    double _Complex
#define PART    double
#define NAME(x) x##_z
#define LOAD    lapack_z
#include "cpu/linalg_complex.inc.c"

bool linalg_complex_eig(const KernelCall *c) {
    return c->in[0].dtype == DT_COMPLEX64 ? run_eig_c(c) : run_eig_z(c);
}

bool linalg_complex_eigh(const KernelCall *c) {
    return c->in[0].dtype == DT_COMPLEX64 ? run_eigh_c(c) : run_eigh_z(c);
}
