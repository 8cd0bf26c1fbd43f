#ifndef TOCHA_KERNELS_ELEMENTWISE_LOOPS_H
#define TOCHA_KERNELS_ELEMENTWISE_LOOPS_H
/* What turns a function of elements into a dense loop: map_T for one input, test_T for one input
 * and a bool output, zip_T for two inputs, compare_T for two inputs and a bool output. The function
 * is inlined, so that the loop vectorises. */
#include "cpu/kernels/elementwise.h"

#define EW_INLINE static inline __attribute__((always_inline, unused))
/* The parameters of an IterLoop that may leave some of them alone. */
#define EW_LOOP_PARAMS                                                          \
    char *const *ptr, const int64_t *stride __attribute__((unused)), int64_t n, \
        const void *ctx __attribute__((unused))

#define T       uint8_t
#define NAME(x) x##_u8
#include "cpu/kernels/elementwise_loops.inc.c"
#undef T
#undef NAME

#define T       int8_t
#define NAME(x) x##_i8
#include "cpu/kernels/elementwise_loops.inc.c"
#undef T
#undef NAME

#define T       int16_t
#define NAME(x) x##_i16
#include "cpu/kernels/elementwise_loops.inc.c"
#undef T
#undef NAME

#define T       int32_t
#define NAME(x) x##_i32
#include "cpu/kernels/elementwise_loops.inc.c"
#undef T
#undef NAME

#define T       int64_t
#define NAME(x) x##_i64
#include "cpu/kernels/elementwise_loops.inc.c"
#undef T
#undef NAME

#define T       float
#define NAME(x) x##_f32
#include "cpu/kernels/elementwise_loops.inc.c"
#undef T
#undef NAME

#define T       double
#define NAME(x) x##_f64
#include "cpu/kernels/elementwise_loops.inc.c"
#undef T
#undef NAME

/* The dense loop op_S of the element function f. */
#define MAP(op, S, f) \
    static void op##_##S(EW_LOOP_PARAMS) { map_##S(ptr, n, f); }
#define TEST(op, S, f) \
    static void op##_##S(EW_LOOP_PARAMS) { test_##S(ptr, n, f); }
#define ZIP(op, S, f) \
    static void op##_##S(EW_LOOP_PARAMS) { zip_##S(ptr, stride, n, f); }
#define COMPARE(op, S, f) \
    static void op##_##S(EW_LOOP_PARAMS) { compare_##S(ptr, stride, n, f); }

/* Rows of a table. Where wrapping around makes signed and unsigned bytes alike, both share u8. */
#define EW_FLOATS(op) [DT_FLOAT32] = op##_f32, [DT_FLOAT64] = op##_f64
#define EW_WIDE(op)   [DT_INT16] = op##_i16, [DT_INT32] = op##_i32, [DT_INT64] = op##_i64
#define EW_INTS(op)   [DT_UINT8] = op##_u8, [DT_INT8] = op##_i8, EW_WIDE(op)
#define EW_WRAPS(op)  [DT_UINT8] = op##_u8, [DT_INT8] = op##_u8, EW_WIDE(op)
#define EW_BOOL(loop) [DT_BOOL] = loop

#endif
