#include "cpu/make.h"

#include <string.h>

#include "base/threads.h"
#include "cpu/dense.h"

typedef struct Making {
    const View *out;
    MakeBlock *make;
    const void *ctx;
    IterLoop *convert; /* from the dtype that make computes in; NULL: it is out's */
    int64_t made_size;
} Making;

static void make_blocks(void *ctx, int64_t begin, int64_t end) {
    const Making *m = ctx;
    const int64_t size = (int64_t)dtype_size(m->out->dtype);
    _Alignas(64) char block[(MAKE_BLOCK + 1) * sizeof(double)];
    for (int64_t b = begin; b < end; b++) {
        int64_t first = b * MAKE_BLOCK, n = m->out->numel - first;
        n = n < MAKE_BLOCK ? n : MAKE_BLOCK;
        char *dst = (char *)m->out->data + first * size;
        m->make(m->ctx, block, first, n);
        if (m->convert) {
            char *const ptr[] = {dst, block};
            const int64_t stride[] = {size, m->made_size};
            m->convert(ptr, stride, n, NULL);
        } else {
            memcpy(dst, block, (size_t)(n * size));
        }
    }
}

void make_elements(const View *out, int dtype, MakeBlock *make, const void *ctx) {
    Making m = {.out = out,
                .make = make,
                .ctx = ctx,
                .convert = dtype == out->dtype ? NULL : ew_tables()->cast[dtype][out->dtype],
                .made_size = (int64_t)dtype_size(dtype)};
    parallel_for((out->numel + MAKE_BLOCK - 1) / MAKE_BLOCK, 8, make_blocks, &m);
}

View make_numbers(const View *out) {
    View numbers = *out;
    numbers.dtype = dtype_real_of(out->dtype);
    numbers.numel *= dtype_is_complex(out->dtype) ? 2 : 1;
    return numbers;
}

/* Halves are computed as floats; elements of other dtypes in the dtype given. */
static int made_dtype(const View *out, int dtype) {
    return ew_compute_dtype(out->dtype) == out->dtype ? dtype : DT_FLOAT32;
}

typedef struct Narrowing {
    MakeBlock *make;
    const void *ctx;
    IterLoop *narrow;
} Narrowing;

/* A block of doubles or int64 as floats, on the way to a half type. */
static void make_narrowed(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Narrowing *w = ctx;
    _Alignas(64) char wide[(MAKE_BLOCK + 1) * sizeof(double)];
    w->make(w->ctx, wide, begin, n);
    char *const ptr[] = {block, wide};
    const int64_t stride[] = {sizeof(float), sizeof(double)};
    w->narrow(ptr, stride, n, NULL);
}

void make_wide(const View *out, int dtype, MakeBlock *make, const void *ctx) {
    if (made_dtype(out, dtype) == dtype) {
        make_elements(out, dtype, make, ctx);
        return;
    }
    Narrowing narrowing = {make, ctx, ew_tables()->cast[dtype][DT_FLOAT32]};
    make_elements(out, DT_FLOAT32, make_narrowed, &narrowing);
}
