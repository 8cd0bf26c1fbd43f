/* Special functions: of errors, gamma and zeta, and Bessel's. */
#include "gpu/elements.cuh"
#include "gpu/numbers.cuh"
#include "tensor/formulas/erf.h"
#include "tensor/formulas/maths.h"
#include "tensor/formulas/special.h"

#define ONE(X) X(erf) X(erfc) X(erfinv) X(lgamma) X(digamma) X(i0) X(special_i1)
#define TWO(X) X(special_zeta) X(igamma) X(igammac)

/* These are large, and called: a thread has several elements, each of which would get a copy. */
#define FUNCTION_OF_ONE(name)                                             \
    TOCHA_HD_CALL float f_##name(float a) { return f_##name##_f32(a); }   \
    TOCHA_HD_CALL double f_##name(double a) { return f_##name##_f64(a); } \
    FUNCTION1(Maths_##name, f_##name)
ONE(FUNCTION_OF_ONE)

#define FUNCTION_OF_TWO(name)                                                          \
    TOCHA_HD_CALL float f_##name(float a, float b) { return f_##name##_f32(a, b); }    \
    TOCHA_HD_CALL double f_##name(double a, double b) { return f_##name##_f64(a, b); } \
    FUNCTION2(Maths_##name, f_##name)
TWO(FUNCTION_OF_TWO)

NUMBERS_FUNCTION1(Polygamma, f_polygamma)

/* (-1)^(n + 1) n! zeta(n + 1, x), or digamma for n = 0. */
static bool polygamma(const KernelCall *c) {
    int64_t n = c->arg[1].i;
    if (n == 0) {
        return of_floats<Maths_digamma>(c);
    }
    double factor = n % 2 ? 1 : -1;
    for (int64_t k = 2; k <= n && isfinite(factor); k++) {
        factor *= (double)k;
    }
    return map_floats(c, Polygamma{{factor, (double)n + 1, 0}});
}

#define ROW_OF_ONE(name) {#name, of_floats<Maths_##name>},
#define ROW_OF_TWO(name) {#name, of_two_floats<Maths_##name>},
const KernelRow gpu_maths_special_rows[] = {ONE(ROW_OF_ONE) TWO(ROW_OF_TWO){"polygamma", polygamma},
                                            {NULL, NULL}};
