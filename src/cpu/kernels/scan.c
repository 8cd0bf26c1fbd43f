#include "cpu/kernels/scan.h"

#include <math.h>
#include <stdbool.h>

#include "cpu/kernels/isa_name.h"
#include "cpu/kernels/load.h"

#define STORE_INTEGERS(type, convert)                                    \
    {                                                                    \
        type *restrict to = x;                                           \
        for (int64_t i = 0; i < n; i++) to[i * step] = convert(from[i]); \
    }

/* Stores the low bits of n integers as dtype; step counts elements. */
LOAD_FN store_i64(void *x, int dtype, int64_t step, int64_t n, const int64_t *restrict from) {
    if (dtype == DT_BOOL) {
        STORE_INTEGERS(uint8_t, 0 !=)
        return;
    }
    switch (dtype_size(dtype)) {
    case 1: STORE_INTEGERS(uint8_t, (uint8_t)) return;
    case 2: STORE_INTEGERS(uint16_t, (uint16_t)) return;
    case 4: STORE_INTEGERS(uint32_t, (uint32_t)) return;
    default: STORE_INTEGERS(int64_t, )
    }
}

static inline int64_t add_wrapping(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a + (uint64_t)b);
}
static inline int64_t mul_wrapping(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a * (uint64_t)b);
}
static inline double add_logs(double a, double b) {
    double high = a > b ? a : b, low = a > b ? b : a;
    if (a != a || b != b) {
        return a + b;
    }
    return isinf(high) ? high : high + log1p(exp(low - high));
}

#define ADD(a, b) ((a) + (b))
#define MUL(a, b) ((a) * (b))

#define T        float
#define LOAD     load_f32
#define STORE    store_f32
#define A        double
#define NANS     1
#define LEAST    -INFINITY
#define MOST     INFINITY
#define TYPED(x) x##_f32
#include "scan_type.inc.c"
#undef T
#undef LOAD
#undef STORE
#undef TYPED

#define T        double
#define LOAD     load_f64
#define STORE    store_f64
#define TYPED(x) x##_f64
#include "scan_type.inc.c"
#undef T
#undef LOAD
#undef STORE
#undef A
#undef NANS
#undef LEAST
#undef MOST
#undef TYPED

#undef ADD
#undef MUL
#define ADD      add_wrapping
#define MUL      mul_wrapping
#define T        int64_t
#define LOAD     load_i64
#define STORE    store_i64
#define A        int64_t
#define NANS     0
#define LEAST    INT64_MIN
#define MOST     INT64_MAX
#define TYPED(x) x##_i64
#include "scan_type.inc.c"

#define ROW(order, kind) \
    { order##_##kind##_f32, order##_##kind##_f64, order##_##kind##_i64 }
#define LOGS(order) \
    { order##_logs_f32, order##_logs_f64, NULL }
extern const ScanTable ISA_NAME(scan_table);
const ScanTable ISA_NAME(scan_table) = {
    {{ROW(along, sum), ROW(along, prod), ROW(along, max), ROW(along, min), LOGS(along)},
     {ROW(across, sum), ROW(across, prod), ROW(across, max), ROW(across, min), LOGS(across)}}};
