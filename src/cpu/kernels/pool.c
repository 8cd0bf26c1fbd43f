/* Kernels of pooling; see cpu/pool_kernels.h. */
#include "cpu/pool_kernels.h"

#include <math.h>

#include "cpu/kernels/isa_name.h"
#include "cpu/kernels/tile.h"

enum { CHUNK = 128 };

/* The taps of a window along an axis that meet the input: the first at at, and how many. */
typedef struct Taps {
    int64_t at, count;
} Taps;

static inline Taps pool_taps(const PoolMap *m, int axis, int64_t position) {
    int64_t start = position * m->stride[axis] - m->padding[axis], step = m->dilation[axis];
    int64_t skipped = start < 0 ? (step - 1 - start) / step : 0;
    int64_t at = start + skipped * step;
    int64_t count = at < m->in[axis] ? (m->in[axis] - 1 - at) / step + 1 : 0;
    int64_t most = m->kernel[axis] - skipped;
    return (Taps){at, count < most ? count : most};
}

/* Of positions [x, x + n) those, counted from x, whose tap kx of a row meets the input; at is where
 * the first of them does. */
typedef struct Span {
    int64_t first, end, at;
} Span;

static inline Span pool_span(const PoolMap *m, int64_t kx, int64_t x, int64_t n) {
    int64_t offset = kx * m->dilation[2] - m->padding[2], stride = m->stride[2];
    int64_t first = offset < 0 ? (stride - 1 - offset) / stride : 0;
    int64_t end = offset < m->in[2] ? (m->in[2] - 1 - offset) / stride + 1 : 0;
    first = first > x ? first : x;
    end = end < x + n ? end : x + n;
    return (Span){first - x, end - x, first * stride + offset};
}

/* The taps of a row of a window that meet the input from any of positions [x, x + n). */
static inline Span pool_reach(const PoolMap *m, int64_t x, int64_t n) {
    Taps last = pool_taps(m, 2, x + n - 1);
    int64_t start = (x + n - 1) * m->stride[2] - m->padding[2];
    int64_t most = m->in[2] - 1 + m->padding[2] - x * m->stride[2];
    int64_t end = most < 0 ? 0 : most / m->dilation[2] + 1;
    return (Span){.first = (last.at - start) / m->dilation[2],
                  .end = end < m->kernel[2] ? end : m->kernel[2]};
}

static inline bool pool_is_pairs(const PoolMap *m) {
    bool pairs = m->kernel[0] == 1 && m->in[0] == 1;
    for (int i = 1; i < 3; i++) {
        pairs = pairs && m->kernel[i] == 2 && m->stride[i] == 2 && m->padding[i] == 0 &&
                m->dilation[i] == 1 && 2 * m->out[i] <= m->in[i];
    }
    return pairs;
}

/* Along an axis: the length of a window, with the padding or without. */
static inline int64_t pool_length(const PoolMap *m, int axis, int64_t position) {
    int64_t start = position * m->stride[axis] - m->padding[axis];
    int64_t limit = m->in[axis] + (m->count_padding ? m->padding[axis] : 0);
    int64_t end = start + m->kernel[axis] < limit ? start + m->kernel[axis] : limit;
    return end - (start < 0 && !m->count_padding ? 0 : start);
}

/* What windows of row y (of slices and their rows) that start at x have in common. */
static inline double pool_divisor(const PoolMap *m, int64_t y, int64_t x) {
    return m->divisor != 0
               ? m->divisor
               : (double)pool_length(m, 0, y / m->out[1]) *
                     (double)pool_length(m, 1, y % m->out[1]) * (double)pool_length(m, 2, x);
}

/* The rows of the input that the windows of a row of results meet. */
typedef struct Rows {
    Taps slices, rows;
} Rows;

static inline Rows pool_rows(const PoolMap *m, int64_t y) {
    return (Rows){pool_taps(m, 0, y / m->out[1]), pool_taps(m, 1, y % m->out[1])};
}

/* Row k of these, counted through the plane. */
static inline int64_t pool_row(const PoolMap *m, const Rows *r, int64_t k) {
    int64_t slice = r->slices.at + k / r->rows.count * m->dilation[0];
    return slice * m->in[1] + r->rows.at + k % r->rows.count * m->dilation[1];
}

#define T          float
#define INDEX      int32_t
#define LOWEST     (-INFINITY)
#define IS_NAN(v)  ((v) != (v))
#define ARE_NAN(v) ((v) != (v))
#define NAME(x)    f32_##x
#include "cpu/kernels/turn_body.inc.c"

#include "cpu/kernels/pool_body.inc.c"

#include "cpu/kernels/pool_average.inc.c"
#undef T
#undef INDEX
#undef NAME

#define T       double
#define INDEX   int64_t
#define NAME(x) f64_##x
#include "cpu/kernels/turn_body.inc.c"

#include "cpu/kernels/pool_body.inc.c"

#include "cpu/kernels/pool_average.inc.c"
#undef T
#undef LOWEST
#undef IS_NAN
#undef ARE_NAN
#undef NAME

#define T          int64_t
#define LOWEST     INT64_MIN
#define IS_NAN(v)  false
#define ARE_NAN(v) ((i64_VI){0})
#define NAME(x)    i64_##x
#include "cpu/kernels/turn_body.inc.c"

#include "cpu/kernels/pool_body.inc.c"

const PoolKernels ISA_NAME(pool_float) = {f32_max, f32_max_windows, f32_max_backward, f32_average,
                                          f32_average_backward};
const PoolKernels ISA_NAME(pool_double) = {f64_max, f64_max_windows, f64_max_backward, f64_average,
                                           f64_average_backward};
const PoolKernels ISA_NAME(pool_int) = {i64_max, i64_max_windows, i64_max_backward, NULL, NULL};
