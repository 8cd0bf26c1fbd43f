/* Box and Muller's numbers: the same bits on every instruction set, close to the exact ones, and
 * distributed as they should be. */

#include "formulas_normal.h"
#include "formulas_isa.h"
#include "formulas_unary.inc.c"

ISA_TABLES(NormalLoops, normal_loops)

enum { PAIRS = CHUNK / 2, ROUNDS = 400 };

static const double circle = 6.283185307179586476925;

typedef struct Sums {
    double count, sum, square, fourth, beyond_2, product;
} Sums;

static void add_pair(Sums *s, double x, double y) {
    s->count += 2;
    s->sum += x + y;
    s->square += x * x + y * y;
    s->fourth += x * x * x * x + y * y * y * y;
    s->beyond_2 += (fabs(x) > 2) + (fabs(y) > 2);
    s->product += x * y;
}

/* Each moment within five standard deviations of what independent normal numbers have. */
static int check_moments(const char *type, const Sums *s) {
    double n = s->count, share = 0.04550026389635842;
    bool good = fabs(s->sum) < 5 * sqrt(n) && fabs(s->square - n) < 5 * sqrt(2 * n) &&
                fabs(s->fourth - 3 * n) < 5 * sqrt(96 * n) &&
                fabs(s->beyond_2 - share * n) < 5 * sqrt(share * n) &&
                fabs(s->product) < 5 * sqrt(n / 2);
    printf("%s box_muller_%s moments: mean %.5f, variance %.5f, fourth %.5f, beyond 2 %.5f\n",
           good ? "ok" : "FAIL", type, s->sum / n, s->square / n, s->fourth / n, s->beyond_2 / n);
    return !good;
}

static int check_f32(const NormalLoops *const *tables) {
    static uint32_t bits[CHUNK];
    static float out[CHUNK], other[CHUNK];
    uint64_t state = 3;
    double worst = 0;
    bool same = true;
    Sums sums = {0};
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CHUNK; i++) bits[i] = (uint32_t)(next_random(&state) >> 32);
        bits[0] = 0, bits[1] = UINT32_MAX, bits[2] = UINT32_MAX, bits[3] = 0x20000000u;
        tables[0]->f32(bits, out, PAIRS);
        for (int isa = 1; isa < ISAS; isa++) {
            if (tables[isa] == NULL) continue;
            tables[isa]->f32(bits, other, PAIRS);
            same = same && memcmp(out, other, sizeof out) == 0;
        }
        for (int i = 0; i < PAIRS; i++) {
            double u = (double)(float)((bits[2 * i] + 0.5) * 0x1p-32);
            double radius = sqrt(-2 * log(u)), angle = circle * (bits[2 * i + 1] * 0x1p-32);
            double error = fmax(fabs(out[2 * i] - radius * cos(angle)),
                                fabs(out[2 * i + 1] - radius * sin(angle)));
            worst = fmax(worst, error / fmax(radius, 1e-3));
            if (i > 1) add_pair(&sums, out[2 * i], out[2 * i + 1]);
        }
    }
    printf("%s box_muller_f32 same bits on every instruction set\n", same ? "ok" : "FAIL");
    printf("%s box_muller_f32 error %.3g of the radius\n", worst < 2e-7 ? "ok" : "FAIL", worst);
    return !same + !(worst < 2e-7) + check_moments("f32", &sums);
}

static int check_f64(const NormalLoops *const *tables) {
    static uint64_t bits[CHUNK];
    static double out[CHUNK], other[CHUNK];
    uint64_t state = 5;
    double worst = 0;
    bool same = true;
    Sums sums = {0};
    for (int round = 0; round < ROUNDS / 2; round++) {
        for (int i = 0; i < CHUNK; i++) bits[i] = next_random(&state);
        bits[0] = 0, bits[1] = UINT64_MAX, bits[2] = UINT64_MAX, bits[3] = UINT64_C(1) << 61;
        tables[0]->f64(bits, out, PAIRS);
        for (int isa = 1; isa < ISAS; isa++) {
            if (tables[isa] == NULL) continue;
            tables[isa]->f64(bits, other, PAIRS);
            same = same && memcmp(out, other, sizeof out) == 0;
        }
        for (int i = 0; i < PAIRS; i++) {
            long double u = ((long double)(bits[2 * i] >> 12) + 0.5L) * 0x1p-52L;
            long double angle =
                6.283185307179586476925L * (long double)(bits[2 * i + 1] >> 12) * 0x1p-52L;
            long double radius = sqrtl(-2 * logl(u));
            long double error = fmaxl(fabsl(out[2 * i] - radius * cosl(angle)),
                                      fabsl(out[2 * i + 1] - radius * sinl(angle)));
            worst = fmax(worst, (double)(error / radius));
            if (i > 1) add_pair(&sums, out[2 * i], out[2 * i + 1]);
        }
    }
    printf("%s box_muller_f64 same bits on every instruction set\n", same ? "ok" : "FAIL");
    printf("%s box_muller_f64 error %.3g of the radius\n", worst < 4e-16 ? "ok" : "FAIL", worst);
    return !same + !(worst < 4e-16) + check_moments("f64", &sums);
}

static void bench(const char *isa, const NormalLoops *loops) {
    static uint32_t bits32[BENCH];
    static uint64_t bits64[BENCH];
    static float out32[BENCH];
    static double out64[BENCH];
    uint64_t state = 1;
    for (int i = 0; i < BENCH; i++) bits32[i] = (uint32_t)(bits64[i] = next_random(&state));
    double start = seconds();
    for (int i = 0; i < 3000; i++) loops->f32(bits32, out32, BENCH / 2);
    double middle = seconds();
    for (int i = 0; i < 3000; i++) loops->f64(bits64, out64, BENCH / 2);
    printf("box_muller %-9s float32 %5.2f  float64 %5.2f Gelem/s\n", isa,
           3e-6 * BENCH / (middle - start), 3e-6 * BENCH / (seconds() - middle));
}

int main(int argc, char **argv) {
    const NormalLoops *tables[ISAS] = {normal_loops_baseline, ISA_AVX2(normal_loops),
                                       ISA_AVX512(normal_loops)};
    if (argc > 1 && strcmp(argv[1], "--bench") == 0) {
        for (int isa = 0; isa < ISAS; isa++)
            if (tables[isa] != NULL) bench(isa_names[isa], tables[isa]);
        return 0;
    }
    return check_f32(tables) + check_f64(tables) != 0;
}
