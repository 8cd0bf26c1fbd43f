#include "formulas_isa.h"
#include "formulas_unary.inc.c"

#include <math.h>

ISA_TABLES(UnaryLoops, hyper_loops)

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static long double sigmoidl(long double x) { return 1 / (1 + expl(-x)); }
static double softplus(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }
static long double softplusl(long double x) { return fmaxl(x, 0) + log1pl(expl(-fabsl(x))); }
static double logsigmoid(double x) { return -softplus(-x); }
static long double logsigmoidl(long double x) { return -softplusl(-x); }

int main(int argc, char **argv) {
    static const UnaryCase cases[] = {
        {"tanh", tanh, tanhl, 1.5, 2.0, -23, 23},
        {"sigmoid", sigmoid, sigmoidl, 2.1, 2.0, -750, 750},
        {"softplus", softplus, softplusl, 2.1, 2.0, -40, 40},
        {"logsigmoid", logsigmoid, logsigmoidl, 2.15, 2.0, -40, 40},
        {"sinh", sinh, sinhl, 2.0, 2.0, -711, 711},
        {"cosh", cosh, coshl, 2.0, 2.0, -711, 711},
    };
    return formulas_unary_main(argc, argv, cases, sizeof cases / sizeof *cases,
                               hyper_loops_baseline, ISA_AVX2(hyper_loops),
                               ISA_AVX512(hyper_loops));
}
