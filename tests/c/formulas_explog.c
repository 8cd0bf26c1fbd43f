#include "formulas_isa.h"
#include "formulas_unary.inc.c"

#include <math.h>

ISA_TABLES(UnaryLoops, explog_loops)

int main(int argc, char **argv) {
    static const UnaryCase cases[] = {
        {"exp", exp, expl, 1.0, 1.0, -750, 720},      {"exp2", exp2, exp2l, 1.1, 1.1, -1080, 1030},
        {"expm1", expm1, expm1l, 1.5, 2.0, -45, 720}, {"log", log, logl, 1.0, 1.0, 0, 4},
        {"log1p", log1p, log1pl, 1.7, 2.0, -1, 4},    {"log2", log2, log2l, 1.0, 2.0, 0, 4},
        {"log10", log10, log10l, 1.0, 2.0, 0, 4},
    };
    return formulas_unary_main(argc, argv, cases, sizeof cases / sizeof *cases,
                               explog_loops_baseline, ISA_AVX2(explog_loops),
                               ISA_AVX512(explog_loops));
}
