/* Integer helpers against 128-bit arithmetic, every pair of 8-bit values and special wider ones;
 * half types against the definition of rounding, and against F16C where this machine has it. */

#include "tensor/formulas/half.h"
#include "tensor/formulas/integer.h"

#include <stdbool.h>
#include <stdio.h>
#ifdef __x86_64__
    #include <immintrin.h>
#endif

__extension__ typedef __int128 Wide;

static int failures;

static void report(const char *name, const char *suffix, bool good, long long a, long long b,
                   long long got) {
    if (good)
        printf("ok %s%s\n", name, suffix);
    else
        printf("FAIL %s%s: of %lld and %lld gave %lld\n", name, suffix, a, b, got);
    failures += !good;
}

static Wide floor_division(Wide a, Wide b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

static Wide wide_add(Wide a, Wide b) { return a + b; }
static Wide wide_sub(Wide a, Wide b) { return a - b; }
static Wide wide_mul(Wide a, Wide b) { return a * b; }
static Wide wide_neg(Wide a, Wide b) { return (void)b, -a; }
static Wide wide_abs(Wide a, Wide b) { return (void)b, a < 0 ? -a : a; }
static Wide wide_sign(Wide a, Wide b) { return (void)b, (a > 0) - (a < 0); }
static Wide wide_truncdiv(Wide a, Wide b) { return b == 0 ? 0 : a / b; }
static Wide wide_truncmod(Wide a, Wide b) { return b == 0 ? 0 : a % b; }
static Wide wide_floordiv(Wide a, Wide b) { return b == 0 ? 0 : floor_division(a, b); }
static Wide wide_floormod(Wide a, Wide b) { return b == 0 ? 0 : a - b * floor_division(a, b); }

/* Modulo 2^64, which any narrower wrap-around divides; exponents up to 300. */
static Wide wide_pow(Wide a, Wide b) {
    if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 != 0 ? -1 : 1) : 0;
    uint64_t result = 1;
    for (Wide i = 0; i < b; i++) result *= (uint64_t)a;
    return (Wide)result;
}

enum { N_VALUES = 300 };

/* For 8 bits all values, in the low byte; for more bits the ends, powers of two and their
 * neighbours, small numbers, and numbers without pattern. */
static int64_t value(int i) {
    if (i < 256) {
        uint64_t bit = UINT64_C(1) << (i / 4);
        int64_t edge = (int64_t)bit;
        return i % 4 == 0   ? edge
               : i % 4 == 1 ? f_neg_i64(edge)
               : i % 4 == 2 ? (int64_t)(bit - 1)
                            : i / 4 - 9;
    }
    return (int64_t)((uint64_t)i * 0x9e3779b97f4a7c15u) >> (i % 50);
}

#define T       uint8_t
#define NAME(x) x##_u8
#define LABEL   "_u8"
#include "formulas_integer_type.inc.c"
#undef T
#undef NAME
#undef LABEL

#define T       int8_t
#define NAME(x) x##_i8
#define LABEL   "_i8"
#include "formulas_integer_type.inc.c"
#undef T
#undef NAME
#undef LABEL

#define T       int16_t
#define NAME(x) x##_i16
#define LABEL   "_i16"
#include "formulas_integer_type.inc.c"
#undef T
#undef NAME
#undef LABEL

#define T       int32_t
#define NAME(x) x##_i32
#define LABEL   "_i32"
#include "formulas_integer_type.inc.c"
#undef T
#undef NAME
#undef LABEL

#define T       int64_t
#define NAME(x) x##_i64
#define LABEL   "_i64"
#include "formulas_integer_type.inc.c"
#undef T
#undef NAME
#undef LABEL

static void check_conversions(void) {
    report("to_i32 inside", "",
           f_to_i32_f32(-3.9f) == -3 && f_to_i32_f64(2147483647.9) == INT32_MAX &&
               f_to_i32_f64(-2147483648.9) == INT32_MIN,
           0, 0, 0);
    report("to_i32 outside", "",
           f_to_i32_f32(NAN) == INT32_MIN && f_to_i32_f32(0x1p31f) == INT32_MIN &&
               f_to_i32_f64(-2147483649.0) == INT32_MIN && f_to_i32_f64(INFINITY) == INT32_MIN,
           0, 0, 0);
    report("to_i64 inside", "",
           f_to_i64_f64(-0x1p63) == INT64_MIN && f_to_i64_f32(0x1.fffffep62f) == 0x7fffff8000000000,
           0, 0, 0);
    report("to_i64 outside", "",
           f_to_i64_f64(0x1p63) == INT64_MIN && f_to_i64_f32(NAN) == INT64_MIN &&
               f_to_i64_f64(-INFINITY) == INT64_MIN,
           0, 0, 0);
    report("to_u8 wraps", "",
           f_to_u8_f32(-1.0f) == 255 && f_to_u8_f32(300.5f) == 44 && f_to_u8_f64(NAN) == 0, 0, 0,
           f_to_u8_f32(300.5f));
    report("to_i8 and to_i16 wrap", "",
           f_to_i8_f64(128.0) == -128 && f_to_i16_f32(40000.0f) == -25536, 0, 0,
           f_to_i16_f32(40000.0f));
}

/* Widening against the value that the bits mean; narrowing against the nearest of all halves: the
 * halves on either side of a float, and the float half way between them. Where quiets, a widened
 * NaN becomes quiet. */
static void check_half(const char *name, const char *special, float (*widen)(uint16_t),
                       uint16_t (*narrow)(float), int exponent_bits, bool quiets) {
    int fraction_bits = 15 - exponent_bits, bias = (1 << (exponent_bits - 1)) - 1;
    uint32_t inf = ((1u << exponent_bits) - 1u) << fraction_bits;
    bool good = true;
    uint32_t h = 0;
    for (; h < inf && good; h++) {
        int e = (int)(h >> fraction_bits);
        double m = (double)(h & ((1u << fraction_bits) - 1u)) + (e > 0 ? 1 << fraction_bits : 0);
        double exact = ldexp(m, (e > 0 ? e : 1) - bias - fraction_bits);
        double next = h + 1 < inf ? (double)widen((uint16_t)(h + 1)) : ldexp(1.0, bias + 1);
        float middle = (float)((exact + next) / 2);
        uint32_t even = h % 2 == 0 ? h : h + 1;
        good = (double)widen((uint16_t)h) == exact && widen((uint16_t)(h | 0x8000u)) == -exact &&
               narrow((float)exact) == h && narrow(middle) == even &&
               narrow(-middle) == (even | 0x8000u) && narrow(nextafterf(middle, 0)) == h &&
               narrow(nextafterf(middle, INFINITY)) == h + 1;
    }
    report(name, "", good, h, 0, narrow(widen((uint16_t)h)));
    uint16_t quiet = (uint16_t)(inf | 1u << (fraction_bits - 1));
    report(special, "",
           isinf(widen((uint16_t)inf)) && narrow(INFINITY) == inf &&
               narrow(-INFINITY) == (inf | 0x8000u) && narrow(FLT_MAX) == inf &&
               narrow(f_from_bits_f32(0x7f800001u)) == quiet &&
               f_bits_f32(widen((uint16_t)(inf | 1u))) ==
                   (0x7f800000u | (quiets ? 0x00400000u : 0) | 1u << (23 - fraction_bits)),
           0, 0, narrow(f_from_bits_f32(0x7f800001u)));
}

static float widen_f16(uint16_t h) { return f_from_f16(h); }
static uint16_t narrow_f16(float x) { return f_to_f16(x); }
static float widen_bf16(uint16_t h) { return f_from_bf16(h); }
static uint16_t narrow_bf16(float x) { return f_to_bf16(x); }

#ifdef __x86_64__
/* Bit for bit, NaN included: all halves, and floats in steps of step. */
__attribute__((target("f16c"))) static void check_f16c(uint64_t step) {
    bool good = true;
    uint64_t u = 0;
    for (; u < 1u << 16 && good; u++)
        good = f_bits_f32(_cvtsh_ss((uint16_t)u)) == f_bits_f32(f_from_f16((uint16_t)u));
    for (u = 0; u < UINT64_C(1) << 32 && good; u += step) {
        float x = f_from_bits_f32((uint32_t)u);
        good = _cvtss_sh(x, 0) == f_to_f16(x);
    }
    report("float16 as F16C", "", good, (long long)u, 0, 0);
}
#endif

int main(int argc, char **argv) {
    (void)argv;
    check_all_u8(), check_all_i8(), check_all_i16(), check_all_i32(), check_all_i64();
    check_conversions();
    check_half("float16", "float16 inf and NaN", widen_f16, narrow_f16, 5, true);
    check_half("bfloat16", "bfloat16 inf and NaN", widen_bf16, narrow_bf16, 8, false);
#ifdef __x86_64__
    if (__builtin_cpu_supports("f16c")) check_f16c(argc > 1 ? 1 : 251);
#endif
    return failures != 0;
}
