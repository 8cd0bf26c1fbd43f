#include "formulas_isa.h"
#include "formulas_unary.inc.c"

#include <math.h>

ISA_TABLES(UnaryLoops, erf_loops)

static double normcdf(double x) { return 0.5 * erfc(-x * M_SQRT1_2); }

/* In the tail a rounded argument spoils erfc, whose slope there is -2 z times itself: what rounding
 * z lost is put back. */
static long double normcdfl(long double x) {
    const long double root = 0x1.6a09e667f3bcc908p-1L, root_lo = 0x1.65f626cdd52b0p-66L;
    long double z = -x * root;
    long double lost = fmal(-x, root, -z) - x * root_lo;
    long double y = 0.5L * erfcl(z);
    return z > 0 && z < 200 ? y * expl(-2 * z * lost) : y;
}

static double gelu(double x) { return x == -INFINITY ? -0.0 : x * normcdf(x); }
static long double gelul(long double x) { return x == -INFINITY ? -0.0L : x * normcdfl(x); }

int main(int argc, char **argv) {
    static const UnaryCase cases[] = {
        {"erf", erf, erfl, 1.4, 1.3, -6, 6},
        {"erfc", erfc, erfcl, 3.3, 3.2, -28, 28},
        {"normcdf", normcdf, normcdfl, 3.7, 3.8, -39, 39},
        {"gelu", gelu, gelul, 4.0, 4.1, -39, 39},
    };
    return formulas_unary_main(argc, argv, cases, sizeof cases / sizeof *cases, erf_loops_baseline,
                               ISA_AVX2(erf_loops), ISA_AVX512(erf_loops));
}
