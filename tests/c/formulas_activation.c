#include "formulas_isa.h"
#include "formulas_unary.inc.c"

#include <math.h>

ISA_TABLES(UnaryLoops, activation_loops)

static long double logistic(long double x) { return 1 / (1 + expl(-x)); }

static long double silul(long double x) { return x < -12000 ? -0.0L : x * logistic(x); }
static double silu(double x) { return (double)silul(x); }

/* tanh(log(1 + e^x)) by e = e^x, without cancellation. */
static long double mishl(long double x) {
    long double e = expl(x > 60 ? 60 : x), n = e * (e + 2);
    return x < -12000 ? -0.0L : x * (n / (n + 2));
}
static double mish(double x) { return (double)mishl(x); }

static long double gelu_tanhl(long double x) {
    long double u = sqrtl(8 / 3.14159265358979323846L) * (x + 0.044715L * x * x * x);
    return x < -60 ? -0.0L : x > 60 ? x : x * logistic(u);
}
static double gelu_tanh(double x) { return (double)gelu_tanhl(x); }

static long double hardswishl(long double x) {
    return x <= -3 ? -0.0L : x >= 3 ? x : x * (x + 3) / 6;
}
static double hardswish(double x) { return (double)hardswishl(x); }

int main(int argc, char **argv) {
    static const UnaryCase cases[] = {
        {"silu", silu, silul, 3.5, 3.5, -40, 40},
        {"mish", mish, mishl, 5.0, 5.0, -40, 40},
        /* In the far tail the rounding of the exponent is all that counts. */
        {"gelu_tanh", gelu_tanh, gelu_tanhl, 200.0, 1000.0, -6, 6},
        {"hardswish", hardswish, hardswishl, 3.0, 3.0, -5, 5},
    };
    return formulas_unary_main(argc, argv, cases, sizeof cases / sizeof *cases,
                               activation_loops_baseline, ISA_AVX2(activation_loops),
                               ISA_AVX512(activation_loops));
}
