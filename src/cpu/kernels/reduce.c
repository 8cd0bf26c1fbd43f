#include "cpu/kernels/reduce.h"

#include <stdbool.h>
#include <string.h>

#include "cpu/kernels/isa_name.h"
#include "cpu/kernels/load.h"
#include "cpu/kernels/vector.h"

/* sum += v, with the rounding error added to *low. */
static inline void add_keeping(double *high, double *low, double v) {
    double sum = *high + v;
    double of_v = sum - *high;
    *low += (*high - (sum - of_v)) + (v - of_v);
    *high = sum;
}

/* A run with nan as 0, in buf. */
#define LOAD_NUMBERS(S, T)                                                                        \
    static const T *load_numbers_##S(const void *x, int dtype, int64_t step, int64_t n, T *buf) { \
        const T *from = load_##S(x, dtype, step, n, buf);                                         \
        _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {                                    \
            buf[i] = from[i] == from[i] ? from[i] : 0;                                            \
        }                                                                                         \
        return buf;                                                                               \
    }
LOAD_NUMBERS(f32, float)
LOAD_NUMBERS(f64, double)

/* The squares of a run, in buf. */
#define LOAD_SQUARES(S, T)                                                                        \
    static const T *load_squares_##S(const void *x, int dtype, int64_t step, int64_t n, T *buf) { \
        const T *from = load_##S(x, dtype, step, n, buf);                                         \
        _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { buf[i] = from[i] * from[i]; }      \
        return buf;                                                                               \
    }
LOAD_SQUARES(f32, float)
LOAD_SQUARES(f64, double)

#ifdef __AVX512F__ /* which GCC 12 would convert in halves */
static inline VectorF64 doubles_at(const float *x) {
    return (VectorF64)_mm512_cvtps_pd(_mm256_loadu_ps(x));
}
#else
typedef float Floats __attribute__((vector_size(VECTOR_BYTES / 2), aligned(4), may_alias));

static inline VectorF64 doubles_at(const float *x) {
    return __builtin_convertvector(*(const Floats *)x, VectorF64);
}
#endif

#define T              float
#define DOUBLES_AT(at) doubles_at(at)
#define V              VectorF32
#define V_UNALIGNED    VectorF32_unaligned
#define BITS           VectorF32_bits
#define I              int32_t
#define NUMBER         f
#define NAN_OF(v)      ((v) != (v))
#define VECTOR_NAN(v)  ((v) != (v))
#define LOAD           load_f32
#define NAME(x)        x##_f32
#define BLOCK_SUM      sum_block_f32
#include "block_sum.inc.c"
#include "reduce_float.inc.c"
#include "reduce_sum.inc.c"
#include "reduce_truth.inc.c"
#undef NAME
#undef LOAD
#define LOAD    load_numbers_f32
#define NAME(x) nan##x##_f32
#include "reduce_sum.inc.c"
#undef NAME
#undef LOAD
#define LOAD    load_squares_f32
#define NAME(x) squares_##x##_f32
#include "reduce_sum.inc.c"
#undef BLOCK_SUM
#undef NAME
#undef LOAD
#define LOAD    load_f32
#define NAME(x) max_##x##_f32
#define OVER    >
#include "reduce_pick.inc.c"
#undef NAME
#undef OVER
#define NAME(x) min_##x##_f32
#define OVER    <
#include "reduce_pick.inc.c"
#undef NAME
#undef OVER
#undef ELEMENT
#undef FROM
#undef VECTOR_AT
#undef LOAD

/* Sums of bfloat16 without gaps, which are widened on their way into a register. */
typedef uint32_t Words __attribute__((vector_size(VECTOR_BYTES)));
typedef uint16_t Halves __attribute__((vector_size(VECTOR_BYTES / 2), aligned(2), may_alias));

static inline const uint16_t *load_standing(const void *x, int dtype, int64_t step, int64_t n,
                                            const float *buf) {
    (void)dtype, (void)step, (void)n, (void)buf;
    return x;
}

#define ELEMENT       uint16_t
#define FROM(x)       f_from_bf16(x)
#define VECTOR_AT(at) ((VectorF32)(__builtin_convertvector(*(const Halves *)(at), Words) << 16))
#define LOAD          load_standing
#define NAME(x)       x##_bf16
#define BLOCK_SUM     sum_block_bf16
#include "block_sum.inc.c"
#include "reduce_sum.inc.c"
#undef ELEMENT
#undef FROM
#undef VECTOR_AT
#undef BLOCK_SUM
#undef NAME
#undef T
#undef V
#undef V_UNALIGNED
#undef BITS
#undef I
#undef LOAD

static void sum_along_floats(const ReduceRun *r) {
    (r->dtype == DT_BFLOAT16 && r->row_step == 1 ? sum_along_bf16 : sum_along_f32)(r);
}

static void sum_across_floats(const ReduceRun *r) {
    (r->dtype == DT_BFLOAT16 && r->col_step == 1 ? sum_across_bf16 : sum_across_f32)(r);
}

#undef DOUBLES_AT

#define T              double
#define DOUBLES_AT(at) (*(const VectorF64_unaligned *)(at))
#define V              VectorF64
#define V_UNALIGNED    VectorF64_unaligned
#define BITS           VectorF64_bits
#define I              int64_t
#define LOAD           load_f64
#define NAME(x)        x##_f64
#define BLOCK_SUM      sum_block_f64
#include "block_sum.inc.c"
#include "reduce_float.inc.c"
#include "reduce_sum.inc.c"
#include "reduce_truth.inc.c"
#undef NAME
#undef LOAD
#define LOAD    load_numbers_f64
#define NAME(x) nan##x##_f64
#include "reduce_sum.inc.c"
#undef NAME
#undef LOAD
#define LOAD    load_squares_f64
#define NAME(x) squares_##x##_f64
#include "reduce_sum.inc.c"
#undef BLOCK_SUM
#undef NAME
#undef LOAD
#define LOAD    load_f64
#define NAME(x) max_##x##_f64
#define OVER    >
#include "reduce_pick.inc.c"
#undef NAME
#undef OVER
#define NAME(x) min_##x##_f64
#define OVER    <
#include "reduce_pick.inc.c"
#undef NAME
#undef OVER
#undef T
#undef V
#undef V_UNALIGNED
#undef BITS
#undef NUMBER
#undef NAN_OF
#undef VECTOR_NAN
#undef LOAD

#define T           int64_t
#define V           VectorI64
#define V_UNALIGNED VectorI64_unaligned
#define BITS        VectorI64_bits
#define NUMBER      i
#define NAN_OF(v)   false
#define VECTOR_NAN(v) \
    (BITS) { 0 }
#define LOAD    load_i64
#define NAME(x) x##_i64
#include "reduce_truth.inc.c"
#undef NAME
#define NAME(x) max_##x##_i64
#define OVER    >
#include "reduce_pick.inc.c"
#undef NAME
#undef OVER
#define NAME(x) min_##x##_i64
#define OVER    <
#include "reduce_pick.inc.c"

/* Integers wrap around. */
static void sum_along_i64(const ReduceRun *r) {
    int64_t buf[REDUCE_BLOCK];
    for (int64_t c = 0; c < r->cols; c++) {
        uint64_t sum = (uint64_t)r->a[c].i;
        for (int64_t i = 0; i < r->rows; i += REDUCE_BLOCK) {
            int64_t n = r->rows - i < REDUCE_BLOCK ? r->rows - i : REDUCE_BLOCK;
            const void *at = load_at(r->x, c * r->col_step + i * r->row_step, r->dtype);
            const int64_t *x = load_i64(at, r->dtype, r->row_step, n, buf);
            for (int64_t j = 0; j < n; j++) sum += (uint64_t)x[j];
        }
        r->a[c].i = (int64_t)sum;
    }
}

static void prod_along_i64(const ReduceRun *r) {
    int64_t buf[REDUCE_BLOCK];
    for (int64_t c = 0; c < r->cols; c++) {
        uint64_t prod = (uint64_t)r->a[c].i;
        for (int64_t i = 0; i < r->rows; i += REDUCE_BLOCK) {
            int64_t n = r->rows - i < REDUCE_BLOCK ? r->rows - i : REDUCE_BLOCK;
            const void *at = load_at(r->x, c * r->col_step + i * r->row_step, r->dtype);
            const int64_t *x = load_i64(at, r->dtype, r->row_step, n, buf);
            for (int64_t j = 0; j < n; j++) prod *= (uint64_t)x[j];
        }
        r->a[c].i = (int64_t)prod;
    }
}

static void sum_across_i64(const ReduceRun *r) {
    int64_t buf[4][REDUCE_TILE], cols = r->cols, i = 0;
    Number *restrict a = r->a;
    for (; i + 4 <= r->rows; i += 4) {
        const int64_t *row[4];
        for (int k = 0; k < 4; k++) {
            const void *at = load_at(r->x, (i + k) * r->row_step, r->dtype);
            row[k] = load_i64(at, r->dtype, r->col_step, cols, buf[k]);
        }
        const int64_t *restrict x = row[0], *restrict y = row[1];
        const int64_t *restrict z = row[2], *restrict w = row[3];
#pragma GCC ivdep
        for (int64_t c = 0; c < cols; c++) {
            uint64_t sum = (uint64_t)x[c] + (uint64_t)y[c] + (uint64_t)z[c] + (uint64_t)w[c];
            a[c].i = (int64_t)((uint64_t)a[c].i + sum);
        }
    }
    for (; i < r->rows; i++) {
        const void *at = load_at(r->x, i * r->row_step, r->dtype);
        const int64_t *restrict x = load_i64(at, r->dtype, r->col_step, cols, buf[0]);
#pragma GCC ivdep
        for (int64_t c = 0; c < cols; c++) {
            a[c].i = (int64_t)((uint64_t)a[c].i + (uint64_t)x[c]);
        }
    }
}

static void prod_across_i64(const ReduceRun *r) {
    int64_t buf[REDUCE_TILE], cols = r->cols;
    Number *restrict a = r->a;
    for (int64_t i = 0; i < r->rows; i++) {
        const void *at = load_at(r->x, i * r->row_step, r->dtype);
        const int64_t *restrict x = load_i64(at, r->dtype, r->col_step, cols, buf);
#pragma GCC ivdep
        for (int64_t c = 0; c < cols; c++) {
            a[c].i = (int64_t)((uint64_t)a[c].i * (uint64_t)x[c]);
        }
    }
}

/* Products of complex numbers: a[c] and b[c] are the parts. */
static void prod_complex(const ReduceRun *r) {
    for (int64_t c = 0; c < r->cols; c++) {
        Complex128 prod = {r->a[c].f, r->b[c].f};
        for (int64_t i = 0; i < r->rows; i++) {
            const void *x = load_at(r->x, c * r->col_step + i * r->row_step, r->dtype);
            const Complex64 *narrow = x;
            Complex128 z = r->dtype == DT_COMPLEX64 ? f_make_c128(narrow->re, narrow->im)
                                                    : *(const Complex128 *)x;
            prod = f_mul_c128(prod, z);
        }
        r->a[c].f = prod.re;
        r->b[c].f = prod.im;
    }
}

#define ROW(name, order) \
    { name##_##order##_f32, name##_##order##_f64, name##_##order##_i64, NULL }
#define SUM_ROW(order) \
    { sum_##order##_floats, sum_##order##_f64, sum_##order##_i64, NULL }
#define NANSUM_ROW(order) \
    { nansum_##order##_f32, nansum_##order##_f64, sum_##order##_i64, NULL }
#define SQUARES_ROW(order) \
    { squares_sum_##order##_f32, squares_sum_##order##_f64, NULL, NULL }
#define COMPLEX_ROW(name, order) \
    { name##_##order##_f32, name##_##order##_f64, name##_##order##_i64, name##_complex }

extern const ReduceTable ISA_NAME(reduce_table);
const ReduceTable ISA_NAME(reduce_table) = {
    .along = {SUM_ROW(along), NANSUM_ROW(along), SQUARES_ROW(along), COMPLEX_ROW(prod, along),
              ROW(max, along), ROW(min, along), ROW(all, along), ROW(any, along),
              ROW(max, arg_along), ROW(min, arg_along)},
    .across = {SUM_ROW(across), NANSUM_ROW(across), SQUARES_ROW(across), COMPLEX_ROW(prod, across),
               ROW(max, across), ROW(min, across), ROW(all, across), ROW(any, across),
               ROW(max, arg_across), ROW(min, arg_across)},
};
