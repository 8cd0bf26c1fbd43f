#include "formulas_isa.h"
#include "formulas_unary.inc.c"

#include <math.h>

ISA_TABLES(UnaryLoops, special_loops)

/* By Newton's method on erf, or on log erfc where erf is next to 1. */
static long double erfinvl(long double x) {
    long double a = fabsl(x);
    if (!(a < 1)) return a == 1 ? copysignl(INFINITY, x) : NAN;
    if (a < 1e-10L) return x * 0.886226925452758013649L;
    long double y = sqrtl(-logl((1 - a) * (1 + a))) * (a < 0.5L ? 0.9L : 0.85L);
    for (int i = 0; i < 60; i++) {
        long double slope = 1.12837916709551257390L * expl(-y * y);
        long double step =
            a < 0.7L ? (erfl(y) - a) / slope : -(logl(erfcl(y)) - logl(1 - a)) * erfcl(y) / slope;
        y -= step;
        if (fabsl(step) < 1e-19L * y) break;
    }
    return copysignl(y, x);
}
static double erfinv(double x) { return (double)erfinvl(x); }

/* I_n(x): its power series, or its asymptotic one beyond 60. */
static long double bessel(int n, long double x) {
    long double a = fabsl(x), sign = n && signbit(x) ? -1 : 1;
    if (isnan(a) || isinf(a)) return sign * a;
    if (a < 60) {
        long double term = n ? a / 2 : 1, sum = term;
        for (int k = 1; k < 300; k++) sum += term *= a * a / 4 / k / (k + n);
        return sign * sum;
    }
    long double term = 1, sum = 1;
    for (int k = 1; k < 40; k++) {
        term *= -(4.0L * n * n - (2 * k - 1) * (2 * k - 1)) / (k * 8 * a);
        sum += term;
    }
    return sign * expl(a) / sqrtl(6.28318530717958647693L * a) * sum;
}
static long double i0l(long double x) { return bessel(0, x); }
static long double i1l(long double x) { return bessel(1, x); }
static double i0(double x) { return (double)i0l(x); }
static double i1(double x) { return (double)i1l(x); }

static long double sincl(long double x) {
    if (x == 0) return 1;
    long double r = x - 2 * rintl(x / 2);
    r = r > 0.5L ? 1 - r : r < -0.5L ? -1 - r : r;
    return sinl(3.14159265358979323846L * r) / (3.14159265358979323846L * x) + 0.0L;
}
static double sinc(double x) { return (double)sincl(x); }

int main(int argc, char **argv) {
    static const UnaryCase cases[] = {
        {"erfinv", erfinv, erfinvl, 4.0, 4.0, -1, 1},
        {"i0", i0, i0l, 1.0, 5.0, -200, 200},
        {"i1", i1, i1l, 1.0, 5.0, -200, 200},
        {"sinc", sinc, sincl, 3.5, 3.5, -50, 50},
    };
    return formulas_unary_main(argc, argv, cases, sizeof cases / sizeof *cases,
                               special_loops_baseline, ISA_AVX2(special_loops),
                               ISA_AVX512(special_loops));
}
