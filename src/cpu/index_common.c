#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cpu/cpu.h"
#include "cpu/index.h"
#include "cpu/kernels/gather.h"
#include "cpu/kernels/isa_name.h"
#include "tensor/formulas/complex.h"
#include "tensor/formulas/half.h"
#include "tensor/formulas/integer.h"

ISA_DECLARE(const GatherTable, gather_table);

static bool is_bad(int64_t v, int64_t size, bool from_end) {
    int64_t least = from_end ? -size : 1;
    return v < least || v > size || v == 0;
}

int64_t index_first_bad(const int64_t *x, int64_t step, int64_t n, int64_t size, bool from_end) {
    if (ISA_PICK(gather_table)->all_good(x, step, n, size, from_end)) {
        return n;
    }
    int64_t i = 0;
    while (!is_bad(x[i * step], size, from_end)) {
        i++;
    }
    return i;
}

bool index_check(const char *name, const char *param, const View *index, int64_t size,
                 bool from_end) {
    int last = index->dim - 1;
    int64_t n = index->dim ? index->shape[last] : 1, step = index->dim ? index->stride[last] : 0;
    for (int64_t i = 0; i < index->numel; i += n) {
        int64_t at = 0, rest = n ? i / n : 0;
        for (int d = last - 1; d >= 0; d--) {
            at += rest % index->shape[d] * index->stride[d];
            rest /= index->shape[d];
        }
        const int64_t *x = (const int64_t *)index->data + at;
        int64_t k = index_first_bad(x, step, n, size, from_end);
        if (k < n) {
            Ints shape = {index->shape, index->dim};
            return index_fail(name, param, shape, i + k, x[k * step], size, from_end);
        }
    }
    return true;
}

#define T       uint8_t
#define NAME(x) x##_8
#include "pick_move.inc.c"
#undef T
#undef NAME

#define T       uint16_t
#define NAME(x) x##_16
#include "pick_move.inc.c"
#undef T
#undef NAME

#define T       uint32_t
#define NAME(x) x##_32
#include "pick_move.inc.c"
#undef T
#undef NAME

#define T       uint64_t
#define NAME(x) x##_64
#include "pick_move.inc.c"
#undef T
#undef NAME

#define T       Complex128
#define NAME(x) x##_128
#include "pick_move.inc.c"
#undef T
#undef NAME

#define T          uint8_t
#define A          uint8_t
#define JOIN(a, b) (uint8_t)((a) | (b))
#define NAME(x)    x##_bool
#include "pick_add.inc.c"
#undef T
#undef A
#undef JOIN
#undef NAME

#define T          uint8_t
#define A          uint8_t
#define JOIN(a, b) f_add_u8(a, b)
#define NAME(x)    x##_u8
#include "pick_add.inc.c"
#undef T
#undef A
#undef JOIN
#undef NAME

#define T          int8_t
#define A          int8_t
#define JOIN(a, b) f_add_i8(a, b)
#define NAME(x)    x##_i8
#include "pick_add.inc.c"
#undef T
#undef A
#undef JOIN
#undef NAME

#define T          int16_t
#define A          int16_t
#define JOIN(a, b) f_add_i16(a, b)
#define NAME(x)    x##_i16
#include "pick_add.inc.c"
#undef T
#undef A
#undef JOIN
#undef NAME

#define T          int32_t
#define A          int32_t
#define JOIN(a, b) f_add_i32(a, b)
#define NAME(x)    x##_i32
#include "pick_add.inc.c"
#undef T
#undef A
#undef JOIN
#undef NAME

#define T          int64_t
#define A          int64_t
#define JOIN(a, b) f_add_i64(a, b)
#define NAME(x)    x##_i64
#include "pick_add.inc.c"
#undef T
#undef A
#undef JOIN
#undef NAME

#define T          uint16_t
#define A          float
#define JOIN(a, b) (a) + f_from_f16(b)
#define NAME(x)    x##_f16
#include "pick_add.inc.c"
#undef T
#undef A
#undef JOIN
#undef NAME

#define T          uint16_t
#define A          float
#define JOIN(a, b) (a) + f_from_bf16(b)
#define NAME(x)    x##_bf16
#include "pick_add.inc.c"
#undef T
#undef A
#undef JOIN
#undef NAME

#define T          float
#define A          float
#define JOIN(a, b) (a) + (b)
#define NAME(x)    x##_f32
#include "pick_add.inc.c"
#undef T
#undef A
#undef JOIN
#undef NAME

#define T          double
#define A          double
#define JOIN(a, b) (a) + (b)
#define NAME(x)    x##_f64
#include "pick_add.inc.c"
#undef T
#undef A
#undef JOIN
#undef NAME

#define T          Complex64
#define A          Complex64
#define JOIN(a, b) f_add_c64(a, b)
#define NAME(x)    x##_c64
#include "pick_add.inc.c"
#undef T
#undef A
#undef JOIN
#undef NAME

#define T          Complex128
#define A          Complex128
#define JOIN(a, b) f_add_c128(a, b)
#define NAME(x)    x##_c128
#include "pick_add.inc.c"
#undef T
#undef A
#undef JOIN
#undef NAME

typedef struct Loops {
    PickLoop *picks;
    LineLoop *line;
} Loops;

static const Loops add_loops[N_DTYPES] = {
    [DT_BOOL] = {add_bool, add_line_bool},    [DT_UINT8] = {add_u8, add_line_u8},
    [DT_INT8] = {add_i8, add_line_i8},        [DT_INT16] = {add_i16, add_line_i16},
    [DT_INT32] = {add_i32, add_line_i32},     [DT_INT64] = {add_i64, add_line_i64},
    [DT_FLOAT16] = {add_f16, add_line_f16},   [DT_BFLOAT16] = {add_bf16, add_line_bf16},
    [DT_FLOAT32] = {add_f32, add_line_f32},   [DT_FLOAT64] = {add_f64, add_line_f64},
    [DT_COMPLEX64] = {add_c64, add_line_c64}, [DT_COMPLEX128] = {add_c128, add_line_c128},
};

/* By the logarithm of the element's size. */
static PickLoop *const takes[] = {take_8, take_16, take_32, take_64, take_128};
static const Loops put_loops[] = {{put_8, put_line_8},
                                  {put_16, put_line_16},
                                  {put_32, put_line_32},
                                  {put_64, put_line_64},
                                  {put_128, put_line_128}};

static int log_size(int dtype) { return __builtin_ctz((unsigned)dtype_size(dtype)); }

PickLoop *pick_loop(PickMode mode, int dtype) {
    switch (mode) {
    case PICK_TAKE: return takes[log_size(dtype)];
    case PICK_ADD: return add_loops[dtype].picks;
    default: return put_loops[log_size(dtype)].picks;
    }
}

LineLoop *line_loop(PickMode mode, int dtype) {
    switch (mode) {
    case PICK_TAKE: return ISA_PICK(gather_table)->take[log_size(dtype)];
    case PICK_ADD: return add_loops[dtype].line;
    default: return put_loops[log_size(dtype)].line;
    }
}

/* The numbers, from first on, of the elements with a bit of mask, without a branch on each. */
#define NONZERO(bits)                                                                         \
    static int64_t nonzero_##bits(const uint##bits##_t *x, uint##bits##_t mask, int64_t step, \
                                  int64_t first, int64_t n, int64_t *hits) {                  \
        int64_t m = 0;                                                                        \
        for (int64_t i = 0; i < n; i++) {                                                     \
            hits[m] = first + i;                                                              \
            m += (x[i * step] & mask) != 0;                                                   \
        }                                                                                     \
        return m;                                                                             \
    }
NONZERO(8)
NONZERO(16)
NONZERO(32)
NONZERO(64)

static int64_t nonzero_complex(const void *p, int dtype, int64_t step, int64_t first, int64_t n,
                               int64_t *hits) {
    const Complex64 *narrow = p;
    const Complex128 *wide = p;
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++) {
        hits[m] = first + i;
        m += dtype == DT_COMPLEX64 ? f_is_true_c64(narrow[i * step])
                                   : f_is_true_c128(wide[i * step]);
    }
    return m;
}

int64_t index_nonzero(const void *p, int dtype, int64_t step, int64_t first, int64_t n,
                      int64_t *hits) {
    bool sign = dtype_is_float(dtype);
    if (dtype_is_complex(dtype)) {
        return nonzero_complex(p, dtype, step, first, n, hits);
    }
    switch (dtype_size(dtype)) {
    case 1: return nonzero_8(p, UINT8_MAX, step, first, n, hits);
    case 2: return nonzero_16(p, sign ? UINT16_MAX >> 1 : UINT16_MAX, step, first, n, hits);
    case 4: return nonzero_32(p, sign ? UINT32_MAX >> 1 : UINT32_MAX, step, first, n, hits);
    default: return nonzero_64(p, sign ? UINT64_MAX >> 1 : UINT64_MAX, step, first, n, hits);
    }
}

bool index_start_from_input(const KernelCall *c) {
    return c->out[0].data == c->in[0].data || cpu_clone(c);
}

static bool is_half(int dtype) { return dtype == DT_FLOAT16 || dtype == DT_BFLOAT16; }

/* Offset of element i in row-major order. */
static int64_t offset_of(const View *v, int64_t i) {
    int64_t at = 0;
    for (int d = v->dim - 1; d >= 0; d--) {
        at += i % v->shape[d] * v->stride[d];
        i /= v->shape[d];
    }
    return at;
}

bool sum_begin(SumBuffer *s, const View *v) {
    s->acc = *v;
    s->data = NULL;
    if (!is_half(v->dtype)) {
        return true;
    }
    s->data = mem_alloc((size_t)v->numel * sizeof *s->data);
    if (!s->data) {
        return false;
    }
    shape_contiguous_strides((Ints){v->shape, v->dim}, s->stride);
    s->acc.data = s->data;
    s->acc.dtype = DT_FLOAT32;
    s->acc.stride = s->stride;
    const uint16_t *from = v->data;
    for (int64_t i = 0; i < v->numel; i++) {
        uint16_t h = from[offset_of(v, i)];
        s->data[i] = v->dtype == DT_FLOAT16 ? f_from_f16(h) : f_from_bf16(h);
    }
    return true;
}

bool sum_end(SumBuffer *s, const View *v, bool ok) {
    uint16_t *to = v->data;
    for (int64_t i = 0; s->data && ok && i < v->numel; i++) {
        float f = s->data[i];
        to[offset_of(v, i)] = v->dtype == DT_FLOAT16 ? f_to_f16(f) : f_to_bf16(f);
    }
    mem_free(s->data, (size_t)v->numel * sizeof *s->data);
    return ok;
}
