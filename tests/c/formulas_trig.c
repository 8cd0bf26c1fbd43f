#include "formulas_isa.h"
#include "formulas_unary.inc.c"

#include <math.h>

ISA_TABLES(UnaryLoops, trig_loops)

int main(int argc, char **argv) {
    static const UnaryCase cases[] = {
        {"sin", sin, sinl, 1.6, 1.0, -1.1e6, 1.1e6},
        {"cos", cos, cosl, 1.6, 1.0, -1.1e6, 1.1e6},
        {"sin (large)", sin, sinl, 1.6, 1.0, -1e15, 1e15},
        {"cos (chosen)", cos, cosl, 1.6, 1.0, -100, 100},
        {"tan", tan, tanl, 3.3, 2.5, -1.1e6, 1.1e6},
    };
    return formulas_unary_main(argc, argv, cases, sizeof cases / sizeof *cases, trig_loops_baseline,
                               ISA_AVX2(trig_loops), ISA_AVX512(trig_loops));
}
