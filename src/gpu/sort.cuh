#ifndef TOCHA_GPU_SORT_CUH
#define TOCHA_GPU_SORT_CUH
/* Rows of elements that are put in order: by their keys (tensor/formulas/keys.h), equal ones by
 * their places in the row. Keys have 32 bits, or 64 where elements have; places have 32. */
#include "gpu/axes.cuh"
#include "gpu/block.cuh"
#include "tensor/formulas/keys.h"

/* The keys of rows and their places, rows of n one behind the other; memory of the device. */
struct Entries {
    void *key; /* uint32_t, or uint64_t if wide */
    uint32_t *place;
    int64_t rows, n;
    bool wide;
};
/* Allocates for rows, n and wide; what is given back may still be in use by earlier launches. */
bool entries_begin(const KernelCall *c, Entries *e);
void entries_end(const KernelCall *c, Entries *e);

/* Sorts each row by the lowest bits of its keys, by way of other, of the same size; the result is
 * in *e, which takes other's memory and leaves it its own. False: out of memory. */
bool entries_sort(const KernelCall *c, Entries *e, Entries *other, int bits);

/* What is wanted of each row in order. */
enum Wanted {
    FIRST_FEW, /* the first k */
    RANK,      /* the one of rank k, from 0 */
    MEDIAN,    /* the lower one in the middle, but the first nan where there is one */
    NAN_MEDIAN /* the one in the middle of those that are not nan, if there are any */
};

enum { IN, VALUE, PLACE }; /* operands of an axis */

/* Rows of a tensor along a dim, and where results of them go. */
struct Rows {
    const char *in;
    int dtype, size; /* size: bytes of an element */
    uint64_t flip;   /* xored into keys: turns the order round */
    int64_t rows, n, step[AXIS_OPERANDS];
    Axes kept;
    char *value;
    int64_t *place; /* NULL: not wanted */
    Wanted wanted;
    int64_t k;
};

static inline int key_bits(int dtype) { return 8 * (int)dtype_size(dtype); }
static inline bool keys_are_wide(int dtype) { return dtype_size(dtype) > sizeof(uint32_t); }

/* The key of all nans, which is the largest; dtypes without nan have none. */
static __device__ __forceinline__ bool nan_key(int dtype, uint64_t *key) {
    bool is_float =
        dtype == DT_FLOAT16 || dtype == DT_BFLOAT16 || dtype == DT_FLOAT32 || dtype == DT_FLOAT64;
    int bits = dtype == DT_FLOAT64 ? 64 : dtype == DT_FLOAT32 ? 32 : 16;
    *key = UINT64_MAX >> (64 - bits);
    return is_float;
}

/* The key of element i of x. */
static __device__ __forceinline__ uint64_t key_of(const void *x, int64_t i, int dtype) {
    switch (dtype) {
    case DT_INT8: return f_key_i8(((const int8_t *)x)[i]);
    case DT_INT16: return f_key_i16(((const int16_t *)x)[i]);
    case DT_INT32: return f_key_i32(((const int32_t *)x)[i]);
    case DT_INT64: return f_key_i64(((const int64_t *)x)[i]);
    case DT_FLOAT16: return f_key_f16(((const uint16_t *)x)[i]);
    case DT_BFLOAT16: return f_key_bf16(((const uint16_t *)x)[i]);
    case DT_FLOAT32: return f_key_f32(((const uint32_t *)x)[i]);
    case DT_FLOAT64: return f_key_f64(((const uint64_t *)x)[i]);
    default: return f_key_u8(((const uint8_t *)x)[i]);
    }
}

static __device__ __forceinline__ uint64_t row_key(const Rows &r, const int64_t *base, int64_t i) {
    return key_of(r.in, base[IN] + i * r.step[IN], r.dtype) ^ r.flip;
}

/* Result i of the row at base becomes its element at place, and that position. */
static __device__ __forceinline__ void store_result(const Rows &r, const int64_t *base, int64_t i,
                                                    int64_t place) {
    int64_t from = base[IN] + place * r.step[IN], to = base[VALUE] + i * r.step[VALUE];
    switch (r.size) {
    case 1: ((uint8_t *)r.value)[to] = ((const uint8_t *)r.in)[from]; break;
    case 2: ((uint16_t *)r.value)[to] = ((const uint16_t *)r.in)[from]; break;
    case 4: ((uint32_t *)r.value)[to] = ((const uint32_t *)r.in)[from]; break;
    default: ((uint64_t *)r.value)[to] = ((const uint64_t *)r.in)[from];
    }
    if (r.place) {
        r.place[base[PLACE] + i * r.step[PLACE]] = place + 1;
    }
}

/* The longest row that a block sorts. */
enum { BLOCK_ROW = 2048 };
/* Short rows in order: those of r, or from's entries, which are r's; into to, or what is wanted of
 * them into the results. */
void rows_sort_block(const KernelCall *c, const Rows *r, const Entries *from, const Entries *to);

/* The k first entries of each row into e, (rows, k): in order but for equals, which come by their
 * places; or with RANK and the medians straight to the results. For long rows: no sorting. */
bool rows_select(const KernelCall *c, const Rows *r, Entries *e);

#endif
