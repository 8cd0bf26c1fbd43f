/* Dense loops that move and convert elements: cast, where, fill. */
#include "cpu/kernels/elementwise.h"
#include "cpu/kernels/halves.h"
#include "tensor/formulas/complex.h"
#include "tensor/formulas/integer.h"

/* The loop name_from_to that writes EXPR of each element x. */
#define CAST(from, FROM, to, TO, EXPR)                                                 \
    static void cast_##from##_##to(char *const *ptr, const int64_t *stride, int64_t n, \
                                   const void *ctx) {                                  \
        (void)stride;                                                                  \
        (void)ctx;                                                                     \
        TO *out = (TO *)ptr[0];                                                        \
        const FROM *in = (const FROM *)ptr[1];                                         \
        _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {                         \
            const FROM x = in[i];                                                      \
            out[i] = EXPR;                                                             \
        }                                                                              \
    }

#define CAST_TO_COMPLEX(from, FROM)                              \
    CAST(from, FROM, c64, Complex64, ((Complex64){(float)x, 0})) \
    CAST(from, FROM, c128, Complex128, ((Complex128){(double)x, 0}))

/* Integers that are narrowed keep their low bits, so the sign of the target does not matter. */
#define CAST_INT(from, FROM)                   \
    CAST(from, FROM, bool, uint8_t, x != 0)    \
    CAST(from, FROM, u8, uint8_t, (uint8_t)x)  \
    CAST(from, FROM, i16, int16_t, (int16_t)x) \
    CAST(from, FROM, i32, int32_t, (int32_t)x) \
    CAST(from, FROM, i64, int64_t, (int64_t)x) \
    CAST(from, FROM, f32, float, (float)x)     \
    CAST(from, FROM, f64, double, (double)x)   \
    CAST_TO_COMPLEX(from, FROM)
#define CAST_FLOAT(from, FROM)                         \
    CAST(from, FROM, bool, uint8_t, x != 0)            \
    CAST(from, FROM, u8, uint8_t, f_to_u8_##from(x))   \
    CAST(from, FROM, i16, int16_t, f_to_i16_##from(x)) \
    CAST(from, FROM, i32, int32_t, f_to_i32_##from(x)) \
    CAST(from, FROM, i64, int64_t, f_to_i64_##from(x)) \
    CAST(from, FROM, f32, float, (float)x)             \
    CAST(from, FROM, f64, double, (double)x)           \
    CAST_TO_COMPLEX(from, FROM)

CAST_INT(u8, uint8_t)
CAST_INT(i8, int8_t)
CAST_INT(i16, int16_t)
CAST_INT(i32, int32_t)
CAST_INT(i64, int64_t)
CAST_FLOAT(f32, float)
CAST_FLOAT(f64, double)
static void cast_f16_f32(char *const *ptr, const int64_t *stride, int64_t n, const void *ctx) {
    (void)stride;
    (void)ctx;
    widen_f16((const uint16_t *)ptr[1], n, (float *)ptr[0]);
}

static void cast_f32_f16(char *const *ptr, const int64_t *stride, int64_t n, const void *ctx) {
    (void)stride;
    (void)ctx;
    narrow_f16((const float *)ptr[1], n, (uint16_t *)ptr[0]);
}

static void cast_bf16_f32(char *const *ptr, const int64_t *stride, int64_t n, const void *ctx) {
    (void)stride;
    (void)ctx;
    widen_bf16((const uint16_t *)ptr[1], n, (float *)ptr[0]);
}

static void cast_f32_bf16(char *const *ptr, const int64_t *stride, int64_t n, const void *ctx) {
    (void)stride;
    (void)ctx;
    narrow_bf16((const float *)ptr[1], n, (uint16_t *)ptr[0]);
}

CAST(c64, Complex64, bool, uint8_t, f_is_true_c64(x))
CAST(c128, Complex128, bool, uint8_t, f_is_true_c128(x))
CAST(c64, Complex64, c128, Complex128, ((Complex128){x.re, x.im}))
CAST(c128, Complex128, c64, Complex64, ((Complex64){(float)x.re, (float)x.im}))
#undef CAST

#define CASTS_TO_ALL_BUT_FLOATS(from)                                                            \
    [DT_BOOL] = cast_##from##_bool, [DT_UINT8] = cast_##from##_u8, [DT_INT8] = cast_##from##_u8, \
    [DT_INT16] = cast_##from##_i16, [DT_INT32] = cast_##from##_i32, [DT_INT64] = cast_##from##_i64
#define CASTS(from)                                                         \
    CASTS_TO_ALL_BUT_FLOATS(from),                                          \
        [DT_FLOAT32] = cast_##from##_f32, [DT_FLOAT64] = cast_##from##_f64, \
        [DT_COMPLEX64] = cast_##from##_c64, [DT_COMPLEX128] = cast_##from##_c128

extern const EwRow ISA_NAME(ew_cast)[N_DTYPES];
const EwRow ISA_NAME(ew_cast)[N_DTYPES] = {
    [DT_BOOL] = {CASTS(u8)},
    [DT_UINT8] = {CASTS(u8)},
    [DT_INT8] = {CASTS(i8)},
    [DT_INT16] = {CASTS(i16)},
    [DT_INT32] = {CASTS(i32)},
    [DT_INT64] = {CASTS(i64)},
    [DT_FLOAT16] = {[DT_FLOAT32] = cast_f16_f32},
    [DT_BFLOAT16] = {[DT_FLOAT32] = cast_bf16_f32},
    [DT_FLOAT32] = {CASTS(f32), [DT_FLOAT16] = cast_f32_f16, [DT_BFLOAT16] = cast_f32_bf16},
    [DT_FLOAT64] = {CASTS(f64)},
    [DT_COMPLEX64] = {[DT_BOOL] = cast_c64_bool, [DT_COMPLEX128] = cast_c64_c128},
    [DT_COMPLEX128] = {[DT_BOOL] = cast_c128_bool, [DT_COMPLEX64] = cast_c128_c64},
};

#define T       uint8_t
#define NAME(x) x##_1
#include "cpu/kernels/elementwise_move.inc.c"
#undef T
#undef NAME

#define T       uint16_t
#define NAME(x) x##_2
#include "cpu/kernels/elementwise_move.inc.c"
#undef T
#undef NAME

#define T       uint32_t
#define NAME(x) x##_4
#include "cpu/kernels/elementwise_move.inc.c"
#undef T
#undef NAME

#define T       uint64_t
#define NAME(x) x##_8
#include "cpu/kernels/elementwise_move.inc.c"
#undef T
#undef NAME

#define T       Complex128
#define NAME(x) x##_16
#include "cpu/kernels/elementwise_move.inc.c"
#undef T
#undef NAME

extern IterLoop *const ISA_NAME(ew_where)[EW_WIDTHS], *const ISA_NAME(ew_fill)[EW_WIDTHS];
IterLoop *const ISA_NAME(ew_where)[EW_WIDTHS] = {where_1, where_2, where_4, where_8, where_16};
IterLoop *const ISA_NAME(ew_fill)[EW_WIDTHS] = {fill_1, fill_2, fill_4, fill_8, fill_16};
