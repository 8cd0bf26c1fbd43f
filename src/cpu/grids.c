/* Kernels of regular patterns. */
#include "tensor/grids.h"

#include <math.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "cpu/cpu.h"
#include "cpu/dense.h"
#include "cpu/make.h"
#include "tensor/formulas/patterns.h"
#include "tensor/number.h"

/* A whole window, or the exponents of logspace: k runs from 0 to n. */
typedef struct Pattern {
    double n, a, b, c;
} Pattern;

static bool make_pattern(const KernelCall *c, MakeBlock *make, Pattern p) {
    make_wide(&c->out[0], DT_FLOAT64, make, &p);
    return true;
}

static void make_powers(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Pattern *p = ctx;
    double *out = block;
    for (int64_t i = 0; i < n; i++) {
        out[i] = f_logspace((double)(begin + i), p->n, p->a, p->b, p->c);
    }
}

/* A pattern for each part of the exponents; both parts of the powers, one after the other. */
static void make_complex_powers(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Pattern *re = ctx, *im = re + 1;
    double *out = block;
    for (int64_t i = 0; i < n; i += 2) {
        double k = (double)((begin + i) / 2);
        Complex128 power = f_logspace_complex(k, re->n, f_make_c128(re->a, im->a),
                                              f_make_c128(re->b, im->b), re->c);
        out[i] = power.re;
        out[i + 1] = power.im;
    }
}

static bool cpu_logspace(const KernelCall *c) {
    const View *out = &c->out[0], numbers = make_numbers(out);
    Complex128 first = number_complex(c->arg[0]), last = number_complex(c->arg[1]);
    double n = (double)(out->numel - 1), base = c->arg[3].f;
    Pattern p[] = {{.n = n, .a = first.re, .b = last.re, .c = base},
                   {.n = n, .a = first.im, .b = last.im}};
    MakeBlock *make = dtype_is_complex(out->dtype) ? make_complex_powers : make_powers;
    make_wide(&numbers, DT_FLOAT64, make, p);
    return true;
}

static void make_cosines(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Pattern *p = ctx;
    double *out = block;
    for (int64_t i = 0; i < n; i++) {
        out[i] = f_window_cosines((double)(begin + i), p->n, p->a, p->b, p->c);
    }
}

static void make_triangle(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Pattern *p = ctx;
    double *out = block;
    for (int64_t i = 0; i < n; i++) {
        out[i] = f_window_triangle((double)(begin + i), p->n);
    }
}

static void make_kaiser(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Pattern *p = ctx;
    double *out = block, beta = fabs(p->a), whole = f_scaled_i0(beta);
    for (int64_t i = 0; i < n; i++) {
        out[i] = f_window_kaiser((double)(begin + i), p->n, beta, whole);
    }
}

/* The length that a window repeats after, or without the option that of its gaps. */
static double window_span(const KernelCall *c) {
    int64_t n = c->arg[0].i;
    return n > 1 ? (double)(c->arg[1].b ? n : n - 1) : 0;
}

static bool cpu_hann_window(const KernelCall *c) {
    return make_pattern(c, make_cosines, (Pattern){window_span(c), 0.5, 0.5, 0});
}

static bool cpu_hamming_window(const KernelCall *c) {
    return make_pattern(c, make_cosines, (Pattern){window_span(c), c->arg[2].f, c->arg[3].f, 0});
}

static bool cpu_blackman_window(const KernelCall *c) {
    return make_pattern(c, make_cosines, (Pattern){window_span(c), 0.42, 0.5, 0.08});
}

static bool cpu_bartlett_window(const KernelCall *c) {
    return make_pattern(c, make_triangle, (Pattern){window_span(c), 0, 0, 0});
}

static bool cpu_kaiser_window(const KernelCall *c) {
    return make_pattern(c, make_kaiser, (Pattern){window_span(c), c->arg[2].f, 0, 0});
}

/* Fills positions through fill, as int64, and brings them to the output's dtype. */
typedef void FillPositions(const KernelCall *c, int64_t *out, int64_t n);

static bool fill_positions(const KernelCall *c, FillPositions *fill) {
    const View *out = &c->out[0];
    size_t bytes = (size_t)out->numel * sizeof(int64_t);
    if (out->numel == 0 || out->dtype == DT_INT64) {
        if (out->numel) {
            fill(c, out->data, out->shape[out->dim - 1]);
        }
        return true;
    }
    View whole = *out;
    whole.dtype = DT_INT64;
    whole.data = mem_alloc(bytes);
    if (!whole.data) {
        return false;
    }
    fill(c, whole.data, out->shape[out->dim - 1]);
    dense_copy(out, &whole);
    mem_free(whole.data, bytes);
    return true;
}

/* Rows into the first n entries, columns into the next. */
static void fill_triangle(const int64_t *arg, bool upper, int64_t *out, int64_t n) {
    int64_t rows = arg[0], cols = arg[1], offset = arg[2], at = 0;
    offset = offset < -rows ? -rows : offset > cols ? cols : offset;
    for (int64_t i = offset < 0 && !upper ? -offset - 1 : 0; at < n && i < rows; i++) {
        int64_t first, count;
        triangle_row(i, cols, offset, upper, &first, &count);
        for (int64_t k = 0; k < count; k++, at++) {
            out[at] = i + INDEX_BASE;
            out[n + at] = first + k + INDEX_BASE;
        }
    }
}

static void fill_lower(const KernelCall *c, int64_t *out, int64_t n) {
    fill_triangle((const int64_t[]){c->arg[0].i, c->arg[1].i, c->arg[2].i}, false, out, n);
}

static void fill_upper(const KernelCall *c, int64_t *out, int64_t n) {
    fill_triangle((const int64_t[]){c->arg[0].i, c->arg[1].i, c->arg[2].i}, true, out, n);
}

static bool cpu_tril_indices(const KernelCall *c) { return fill_positions(c, fill_lower); }
static bool cpu_triu_indices(const KernelCall *c) { return fill_positions(c, fill_upper); }

static void fill_combinations(const KernelCall *c, int64_t *out, int64_t r) {
    int64_t n = c->arg[0].i, chosen[COMBINATION_MOST], rows = c->out[0].shape[0];
    int64_t apart = c->arg[2].b ? 0 : 1; /* from one position to the next, at least */
    for (int64_t k = 0; k < r; k++) {
        chosen[k] = k * apart;
    }
    for (int64_t row = 0; row < rows && !interrupt_pending(); row++) {
        for (int64_t k = 0; k < r; k++) {
            *out++ = chosen[k] + INDEX_BASE;
        }
        int64_t k = r - 1;
        while (k >= 0 && chosen[k] == n - 1 - (r - 1 - k) * apart) {
            k--;
        }
        for (int64_t next = k < 0 ? 0 : chosen[k] + 1; k >= 0 && k < r; k++) {
            chosen[k] = next;
            next += apart;
        }
    }
}

static bool cpu_combination_positions(const KernelCall *c) {
    return fill_positions(c, fill_combinations);
}

#define ROW(name) \
    { #name, cpu_##name }
const KernelRow cpu_grids_rows[] = {
    ROW(logspace),        ROW(tril_indices),   ROW(triu_indices),
    ROW(hann_window),     ROW(hamming_window), ROW(blackman_window),
    ROW(bartlett_window), ROW(kaiser_window),  ROW(combination_positions),
    {NULL, NULL}};
