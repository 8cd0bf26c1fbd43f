/* The gamma function's kin against long double ones: within bound times the precision of the result
 * or of 1, whichever is larger, since near their zeros they are differences. */
#include "tensor/formulas/gamma.h"

#include <stdbool.h>
#include <stdio.h>

static int failures;

static void check(const char *name, double x, double y, double got, long double want,
                  double bound) {
    bool ok = isnan(want)   ? isnan(got)
              : isinf(want) ? isinf(got) && (got > 0) == (want > 0)
                            : fabsl(got - want) <= bound * 0x1p-53 * fmaxl(1, fabsl(want));
    if (!ok && ++failures <= 20) {
        printf("FAIL %s(%.17g, %.17g): %.17g, expected %.17Lg\n", name, x, y, got, want);
    }
}

/* psi by recurrence to 40 and the asymptotic series, by reflection below 0. */
static long double digammal(long double x) {
    if (isnan(x) || (x < 0 && (x == floorl(x) || isinf(x)))) return NAN;
    if (x == 0) return signbit(x) ? INFINITY : -INFINITY;
    const long double pi = 3.14159265358979323846L;
    if (x < 0) {
        long double r = x - rintl(x);
        return digammal(1 - x) - pi * cosl(pi * r) / sinl(pi * r);
    }
    long double sum = 0;
    for (; x < 40; x++) sum -= 1 / x;
    long double z = 1 / (x * x);
    if (isinf(x)) return x;
    return sum + logl(x) - 0.5L / x -
           z * (1 / 12.0L - z * (1 / 120.0L - z * (1 / 252.0L - z * (1 / 240.0L - z / 132))));
}

/* The sum itself, with an integral in place of what lies beyond 20000 terms. */
static long double zetal(long double s, long double q) {
    long double sum = 0;
    for (int k = 0; k < 20000; k++) sum += powl(q + k, -s);
    long double a = q + 20000;
    return sum + powl(a, 1 - s) / (s - 1) + 0.5L * powl(a, -s) + s * powl(a, -s - 1) / 12;
}

/* For whole a the upper function is a sum of Poisson probabilities. */
static long double poisson(int a, long double x) {
    long double term = expl(-x), sum = term;
    for (int k = 1; k < a; k++) sum += term *= x / k;
    return sum;
}

static void check_incomplete(void) {
    for (int i = 0; i < 400; i++) {
        double x = 0.05 + 0.11 * i;
        int a = 1 + i % 37;
        check("igammac", a, x, f_igammac_f64(a, x), poisson(a, x), 400);
        check("igamma", a, x, f_igamma_f64(a, x), 1 - poisson(a, x), 400);
        check("igamma", 0.5, x, f_igamma_f64(0.5, x), erfl(sqrtl(x)), 100);
    }
    /* P(a, x) - P(a + 1, x) is x^a e^-x / gamma(a + 1), also where the way of reckoning changes. */
    for (int i = -40; i <= 40; i++) {
        long double a = F_IGAMMA_LARGE - 0.5L, x = a + 40 * i;
        long double step = expl(a * logl(x) - x - lgammal(a + 1));
        double got = f_igamma_f64((double)a, (double)x) - f_igamma_f64((double)a + 1, (double)x);
        check("igamma's step", (double)a, (double)x, got, step, 1e6);
    }
    check("igamma", 1e300, 1e300, f_igamma_f64(1e300, 1e300), 0.5, 10);
}

int main(void) {
    check_incomplete();
    static const double special[] = {0.0,   -0.0,   1.0,      2.0,       -1.0, -2.0,
                                     0.5,   -0.5,   1.5,      2.5,       8.5,  10.0,
                                     1e300, 1e-300, INFINITY, -INFINITY, NAN,  -170.5};
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        double x = special[i];
        check("lgamma", x, 0, f_lgamma_f64(x), lgammal(x), 8);
        check("digamma", x, 0, f_digamma_f64(x), digammal(x), 8);
    }
    for (int i = 1; i < 60000; i++) {
        double x = i * (1 / 512.0) + 1e-5;
        check("lgamma", x, 0, f_lgamma_f64(x), lgammal(x), 6);
        check("digamma", x, 0, f_digamma_f64(x), digammal(x), 24);
        double y = -i * (1 / 2048.0) - 1e-5;
        double pole = fabs(y - rint(y));
        check("lgamma", y, 0, f_lgamma_f64(y), lgammal(y), 30);
        check("digamma", y, 0, f_digamma_f64(y), digammal(y), 30 + 2 / pole);
    }
    for (int i = 0; i < 200; i++) {
        double s = 1.05 + 0.13 * i, q = 0.1 + 0.37 * (i % 31);
        check("zeta", s, q, f_special_zeta_f64(s, q), zetal(s, q), 40);
        double below = -0.25 - i % 13;
        double power = 2 + i % 5;
        check("zeta", power, below, f_special_zeta_f64(power, below), zetal(power, below), 400);
    }
    check("zeta", 1, 2, f_special_zeta_f64(1, 2), INFINITY, 0);
    check("zeta", 0.5, 2, f_special_zeta_f64(0.5, 2), NAN, 0);
    check("zeta", 2, -3, f_special_zeta_f64(2, -3), INFINITY, 0);
    check("zeta", 2.5, -3.5, f_special_zeta_f64(2.5, -3.5), NAN, 0);
    check("zeta", 2, -1e300, f_special_zeta_f64(2, -1e300), INFINITY, 0);
    printf(failures ? "FAIL gamma: %d\n" : "ok gamma\n", failures);
    return failures != 0;
}
