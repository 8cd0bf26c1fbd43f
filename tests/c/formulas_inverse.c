#include "formulas_isa.h"
#include "formulas_unary.inc.c"
#include "tensor/formulas/inverse.h"

#include <math.h>

ISA_TABLES(UnaryLoops, inverse_loops)

static bool same(double a, double b) {
    return isnan(a) ? isnan(b) : a == b && !signbit(a) == !signbit(b);
}

/* atan2 at pairs of special numbers against the maths library, and at random ones within ulps. */
static int check_atan2(void) {
    static const double special[] = {0.0,        -0.0,     1.0,       -1.0,     0x1p-1074,
                                     -0x1p-1074, 0x1p1023, -0x1p1023, INFINITY, -INFINITY,
                                     NAN,        2.5,      -2.5};
    enum { N = sizeof special / sizeof *special };
    int failures = 0;
    double worst_f32 = 0, worst_f64 = 0;
    for (int i = 0; i < N * N; i++) {
        double y = special[i / N], x = special[i % N];
        double want = (double)atan2l(y, x), got = f_atan2_f64(y, x);
        bool ok =
            isnan(want) || want == 0 || isnan(got) ? same(got, want) : ulps_f64(got, want) <= 2;
        float small_y = (float)y, small_x = (float)x;
        double want_f32 = atan2(small_y, small_x), got_f32 = f_atan2_f32(small_y, small_x);
        ok = ok && (isnan(want_f32) || want_f32 == 0 || isnan(got_f32)
                        ? same(got_f32, want_f32)
                        : ulps_f32((float)got_f32, want_f32) <= 2);
        if (!ok) {
            printf("FAIL atan2(%a, %a): %a, %a; expected %a\n", y, x, got, got_f32, want);
            failures++;
        }
    }
    uint64_t state = 5;
    for (int i = 0; i < 400000; i++) {
        double y = ldexp((double)(next_random(&state) >> 11) * 0x1p-53 - 0.5, i % 40 - 20);
        double x = ldexp((double)(next_random(&state) >> 11) * 0x1p-53 - 0.5, i % 7);
        worst_f64 = fmax(worst_f64, ulps_f64(f_atan2_f64(y, x), atan2l(y, x)));
        worst_f32 =
            fmax(worst_f32, ulps_f32(f_atan2_f32((float)y, (float)x), atan2((float)y, (float)x)));
    }
    bool good = worst_f32 <= 2.5 && worst_f64 <= 2.5;
    printf("%s atan2 (%.3f and %.3f ulp)\n", good ? "ok" : "FAIL", worst_f32, worst_f64);
    return failures + !good;
}

int main(int argc, char **argv) {
    static const UnaryCase cases[] = {
        {"asin", asin, asinl, 2.5, 2.2, -1, 1},     {"acos", acos, acosl, 2.0, 2.0, -1, 1},
        {"atan", atan, atanl, 2.0, 2.0, -100, 100}, {"asinh", asinh, asinhl, 3.0, 3.0, -30, 30},
        {"acosh", acosh, acoshl, 3.0, 3.0, 1, 30},  {"atanh", atanh, atanhl, 3.0, 3.0, -1, 1},
    };
    int failed =
        formulas_unary_main(argc, argv, cases, sizeof cases / sizeof *cases, inverse_loops_baseline,
                            ISA_AVX2(inverse_loops), ISA_AVX512(inverse_loops));
    return check_atan2() != 0 || failed;
}
