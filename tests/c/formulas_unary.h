#ifndef TOCHA_TEST_FORMULAS_UNARY_H
#define TOCHA_TEST_FORMULAS_UNARY_H

/* One-argument formulas, looped over once per instruction set (tests/c/isa), against a reference of
 * wider precision: the double function for a float formula, the long double one for a double. */

#include <stddef.h>

typedef struct UnaryLoops {
    void (*f32)(const float *restrict x, float *restrict y, size_t n);
    void (*f64)(const double *restrict x, double *restrict y, size_t n);
} UnaryLoops;

/* What a formula must meet. The bounds are in units in the last place over every input; lo..hi is
 * where doubles are sampled densely, besides all bit patterns. */
typedef struct UnaryCase {
    const char *name;
    double (*reference_f32)(double x);
    long double (*reference_f64)(long double x);
    double bound_f32, bound_f64;
    double lo, hi;
} UnaryCase;

/* The main of a test program with count cases. Entry i of each instruction set's table holds the
 * loops of case i; a table that is NULL is left out. Reads the options --full (every float) and
 * --bench (Gelem/s), each with the name of one case if wanted. Returns the exit status. */
int formulas_unary_main(int argc, char **argv, const UnaryCase *cases, size_t count,
                        const UnaryLoops *baseline, const UnaryLoops *avx2,
                        const UnaryLoops *avx512);

#define UNARY_LOOPS(name)                                                                 \
    static void name##_f32_loop(const float *restrict x, float *restrict y, size_t n) {   \
        for (size_t i = 0; i < n; i++) y[i] = f_##name##_f32(x[i]);                       \
    }                                                                                     \
    static void name##_f64_loop(const double *restrict x, double *restrict y, size_t n) { \
        for (size_t i = 0; i < n; i++) y[i] = f_##name##_f64(x[i]);                       \
    }

#define ISA_PASTE2(name, isa) name##_##isa
#define ISA_PASTE(name, isa)  ISA_PASTE2(name, isa)
#define ISA_NAME(name)        ISA_PASTE(name, ISA)

#endif
