/* pow against powl: every pair of special values, then random pairs. */

#include "formulas_power.h"
#include "formulas_isa.h"
#include "formulas_unary.inc.c"

ISA_TABLES(PowerLoops, power_loops)

static const double specials[] = {
    0.0,
    1.0,
    2.0,
    3.0,
    0.5,
    1.5,
    2.5,
    INFINITY,
    NAN,
    10.0,
    0x1p-149,
    1e-40,
    1e30,
    16777215.0,
    0x1p24,
    0x1p52,
    0x1p53,
    0x1p-52,
    1e-3,
    127.0,
    0x1.8p51,
    1.0e300,
    0x1p-1074,
    0x1p-1022,
    4503599627370497.0,
    0x1.fffffep-1,
    0x1.000002p+0,
    0x1.fffffffffffffp-1,
    0x1.0000000000001p+0,
    1025.0,
    149.0,
    0x1p70,
    0x1.fffffffffffffp1023,
    0x1.fffffep127,
    1e-300,
};
enum { N_SPECIALS = sizeof specials / sizeof *specials };

static double special(int i) { return i < N_SPECIALS ? specials[i] : -specials[i - N_SPECIALS]; }

/* Pairs whose power lies in range as often as not: y near a random multiple of 1 / log x, now and
 * then integral, x now and then negative. */
static void random_pair(uint64_t *state, double widest, double *x, double *y) {
    uint64_t r = next_random(state);
    double unit = (double)(next_random(state) >> 11) * 0x1p-53;
    double spread = r & 1 ? 1.0 : 40.0 * (double)(r >> 8 & 0xff) / 256.0;
    *x = exp(spread * (unit - 0.5));
    if (r & 2) *x = 1.0 + ldexp(unit - 0.5, -(int)(r >> 16 & 31));
    double sum = widest * ((double)(next_random(state) >> 11) * 0x1p-52 - 1.0);
    *y = *x == 1.0 ? sum : sum / log(*x);
    if ((r & 12) == 0) *y = rint(*y);
    if ((r & 48) == 0) *x = -*x;
}

static void pairs_f32(const PowerLoops *loops, const float *x, const float *y, size_t n, Worst *w) {
    static float out[CHUNK];
    loops->f32(x, y, out, n);
    for (size_t i = 0; i < n; i++) {
        double want = pow(x[i], y[i]);
        judge(w, x[i], out[i], want, ulps_f32(out[i], want), isinf((float)want));
    }
}

static void pairs_f64(const PowerLoops *loops, const double *x, const double *y, size_t n,
                      Worst *w) {
    static double out[CHUNK];
    loops->f64(x, y, out, n);
    for (size_t i = 0; i < n; i++) {
        long double want = powl(x[i], y[i]);
        judge(w, x[i], out[i], want, ulps_f64(out[i], want), isinf((double)want));
    }
}

static void specials_all(const PowerLoops *loops, Worst *f32, Worst *f64) {
    static float x32[CHUNK], y32[CHUNK];
    static double x64[CHUNK], y64[CHUNK];
    for (int i = 0; i < 2 * N_SPECIALS; i++) {
        for (int j = 0; j < 2 * N_SPECIALS; j++) {
            x64[j] = special(i), y64[j] = special(j);
            x32[j] = (float)x64[j], y32[j] = (float)y64[j];
        }
        pairs_f32(loops, x32, y32, 2 * N_SPECIALS, f32);
        pairs_f64(loops, x64, y64, 2 * N_SPECIALS, f64);
    }
}

static void random_all(const PowerLoops *loops, size_t chunks, Worst *f32, Worst *f64) {
    static float x32[CHUNK], y32[CHUNK];
    static double x64[CHUNK], y64[CHUNK];
    uint64_t state = 7;
    for (size_t c = 0; c < chunks; c++) {
        for (int i = 0; i < CHUNK; i++) {
            random_pair(&state, 105.0, &x64[i], &y64[i]);
            x32[i] = (float)x64[i], y32[i] = (float)y64[i];
        }
        pairs_f32(loops, x32, y32, CHUNK, f32);
        for (int i = 0; i < CHUNK; i++) random_pair(&state, 750.0, &x64[i], &y64[i]);
        pairs_f64(loops, x64, y64, CHUNK, f64);
    }
}

static void bench(const char *isa, const PowerLoops *loops) {
    static float x32[BENCH], y32[BENCH], out32[BENCH];
    static double x64[BENCH], y64[BENCH], out64[BENCH];
    for (int i = 0; i < BENCH; i++) {
        x64[i] = 0.01 * (i + 1), y64[i] = 1.7 - 0.001 * i;
        x32[i] = (float)x64[i], y32[i] = (float)y64[i];
    }
    double start = seconds();
    for (int i = 0; i < 1000; i++) loops->f32(x32, y32, out32, BENCH);
    double middle = seconds();
    for (int i = 0; i < 1000; i++) loops->f64(x64, y64, out64, BENCH);
    printf("pow %-9s float32 %5.2f  float64 %5.2f Gelem/s\n", isa, 1e-6 * BENCH / (middle - start),
           1e-6 * BENCH / (seconds() - middle));
}

int main(int argc, char **argv) {
    const PowerLoops *tables[ISAS] = {power_loops_baseline, ISA_AVX2(power_loops),
                                      ISA_AVX512(power_loops)};
    int failures = 0;
    for (int isa = 0; isa < ISAS; isa++) {
        if (tables[isa] == NULL) continue;
        if (argc > 1 && strcmp(argv[1], "--bench") == 0) {
            bench(isa_names[isa], tables[isa]);
            continue;
        }
        size_t chunks = argc > 1 && strcmp(argv[1], "--full") == 0 ? 5000 : 100;
        Worst f32[2] = {0}, f64[2] = {0};
        specials_all(tables[isa], &f32[0], &f64[0]);
        random_all(tables[isa], chunks, &f32[1], &f64[1]);
        failures += report_one("pow specials", "f32", isa_names[isa], 1.0, &f32[0]);
        failures += report_one("pow specials", "f64", isa_names[isa], 1.0, &f64[0]);
        failures += report_one("pow", "f32", isa_names[isa], 1.0, &f32[1]);
        failures += report_one("pow", "f64", isa_names[isa], 1.1, &f64[1]);
    }
    return failures != 0;
}
