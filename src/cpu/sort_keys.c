#include "cpu/sort_keys.h"

#include <string.h>

#include "tensor/dtype.h"
#include "tensor/formulas/keys.h"

enum {
    DIGIT = 11, /* bits that one pass of a radix sort looks at */
    MAX_DIGIT_VALUES = 1 << DIGIT,
    MAX_PASSES = (64 + DIGIT - 1) / DIGIT,
    RUN = 16,         /* entries that are sorted by insertion */
    RADIX_FROM = 192, /* entries a pass from which on radix sort is faster than merging */
    SELECT_BY_PIVOTS = 256
};

bool keys_are_wide(int dtype, int64_t n) { return dtype_size(dtype) == 8 || n > UINT32_MAX; }

int keys_bits(int dtype) { return 8 * (int)dtype_size(dtype); }

bool keys_of_nan(int dtype, uint64_t *key) {
    *key = UINT64_MAX >> (64 - keys_bits(dtype));
    return dtype_is_float(dtype);
}

#define FILL(name, type, key)                                                                      \
    static void packed_##name(const type *x, int64_t step, int64_t n, uint64_t first,              \
                              uint64_t flip, Packed *to) {                                         \
        for (int64_t i = 0; i < n; i++) {                                                          \
            to[i] = (key(x[i * step]) ^ flip) << 32 | (first + (uint64_t)i);                       \
        }                                                                                          \
    }                                                                                              \
    static void pair_##name(const type *x, int64_t step, int64_t n, uint64_t first, uint64_t flip, \
                            Pair *to) {                                                            \
        for (int64_t i = 0; i < n; i++) {                                                          \
            to[i] = (Pair){key(x[i * step]) ^ flip, first + (uint64_t)i};                          \
        }                                                                                          \
    }

FILL(u8, uint8_t, f_key_u8)
FILL(i8, int8_t, f_key_i8)
FILL(i16, int16_t, f_key_i16)
FILL(i32, int32_t, f_key_i32)
FILL(i64, int64_t, f_key_i64)
FILL(f16, uint16_t, f_key_f16)
FILL(bf16, uint16_t, f_key_bf16)
FILL(f32, uint32_t, f_key_f32)
FILL(f64, uint64_t, f_key_f64)

#define FILL_SWITCH(kind)                                               \
    switch (dtype) {                                                    \
    case DT_INT8: kind##_i8(x, step, n, first, flip, to); return;       \
    case DT_INT16: kind##_i16(x, step, n, first, flip, to); return;     \
    case DT_INT32: kind##_i32(x, step, n, first, flip, to); return;     \
    case DT_INT64: kind##_i64(x, step, n, first, flip, to); return;     \
    case DT_FLOAT16: kind##_f16(x, step, n, first, flip, to); return;   \
    case DT_BFLOAT16: kind##_bf16(x, step, n, first, flip, to); return; \
    case DT_FLOAT32: kind##_f32(x, step, n, first, flip, to); return;   \
    case DT_FLOAT64: kind##_f64(x, step, n, first, flip, to); return;   \
    default: kind##_u8(x, step, n, first, flip, to);                    \
    }

void keys_fill_packed(int dtype, const void *x, int64_t step, int64_t n, uint64_t first,
                      uint64_t flip, Packed *to) {
    FILL_SWITCH(packed)
}

void keys_fill_pair(int dtype, const void *x, int64_t step, int64_t n, uint64_t first,
                    uint64_t flip, Pair *to) {
    FILL_SWITCH(pair)
}

#define T            Packed
#define KEY(t)       ((t) >> 32)
#define LESS(a, b)   ((a) < (b))
#define BEFORE(a, b) ((a) < (b))
#define NAME(x)      x##_packed
#include "sort_body.inc.c"
#undef T
#undef KEY
#undef LESS
#undef BEFORE
#undef NAME

#define T            Pair
#define KEY(t)       ((t).key)
#define LESS(a, b)   ((a).key < (b).key)
#define BEFORE(a, b) ((a).key < (b).key || ((a).key == (b).key && (a).at < (b).at))
#define NAME(x)      x##_pair
#include "sort_body.inc.c"
