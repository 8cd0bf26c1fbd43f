#include "cpu/fft_line.h"

#include <string.h>

#include "base/memory.h"
#include "cpu/workspace.h"

static size_t panel_bytes(const FftPlan *p, int64_t n) {
    return (size_t)((n + 1) * 2 * p->k->lanes * p->k->part);
}

static char *at(const FftPlan *p, const void *pairs, int64_t i) {
    return (char *)pairs + 2 * i * p->k->part;
}

/* Columns and rows of a long transform, and what its tasks share. */
typedef struct Long {
    const FftPlan *p;
    const void *in;
    void *between, *out;
    bool swap;
    double scale;
    Workspace work;
} Long;

static FftLines lines_side_by_side(const FftPlan *p, const void *first, int64_t begin,
                                   int64_t count, int64_t width) {
    FftLines lines = {.count = (int)count, .step = 2 * width, .adjacent = true};
    for (int l = 0; l < count; l++) {
        lines.line[l] = at(p, first, begin + l);
    }
    return lines;
}

/* The powers that the twist of a group of columns begins with. */
static void twist_base(const FftPlan *p, int64_t column, double *base) {
    int64_t mask = ((int64_t)1 << p->fine_bits) - 1, power = 0;
    for (int64_t k = 0; k < p->columns.n; k++) {
        const double *a = p->coarse + 2 * (power >> p->fine_bits),
                     *b = p->fine + 2 * (power & mask);
        base[2 * k] = a[0] * b[0] - a[1] * b[1];
        base[2 * k + 1] = a[0] * b[1] + a[1] * b[0];
        power += column;
        power -= power >= p->n ? p->n : 0;
    }
}

static void run_columns(void *ctx, int64_t begin, int64_t end) {
    Long *l = ctx;
    const FftPlan *p = l->p;
    int64_t lanes = p->k->lanes, width = p->rows.n, n = p->columns.n;
    char *slot = workspace_take(&l->work), *panel = slot + 2 * n * (int64_t)sizeof(double);
    for (int64_t g = begin; g < end; g++) {
        int64_t first = g * lanes, count = width - first < lanes ? width - first : lanes;
        FftLines from = lines_side_by_side(p, l->in, first, count, width);
        FftLines to = lines_side_by_side(p, l->between, first, count, width);
        p->k->load(&from, n, l->swap, panel);
        void *result = p->k->run(&p->columns, panel, panel + panel_bytes(p, n));
        twist_base(p, first, (double *)slot);
        p->k->twist(result, n, (double *)slot, p->lane);
        p->k->store(&to, n, false, 1, result);
    }
    workspace_give(&l->work, slot);
}

static void run_rows(void *ctx, int64_t begin, int64_t end) {
    Long *l = ctx;
    const FftPlan *p = l->p;
    int64_t lanes = p->k->lanes, width = p->columns.n, n = p->rows.n;
    char *panel = workspace_take(&l->work);
    for (int64_t g = begin; g < end; g++) {
        int64_t first = g * lanes, count = width - first < lanes ? width - first : lanes;
        FftLines to = lines_side_by_side(p, l->out, first, count, width);
        FftLines from = {.count = (int)count, .step = 2};
        for (int64_t k = 0; k < count; k++) {
            from.line[k] = at(p, l->between, (first + k) * n);
        }
        p->k->load(&from, n, false, panel);
        void *result = p->k->run(&p->rows, panel, panel + panel_bytes(p, n));
        p->k->store(&to, n, l->swap, l->scale, result);
    }
    workspace_give(&l->work, panel);
}

static bool run_long(const FftPlan *p, const void *in, void *out, bool swap, double scale) {
    int64_t lanes = p->k->lanes, columns = p->columns.n, rows = p->rows.n;
    size_t bytes = (size_t)(2 * p->n * p->k->part);
    size_t slot = (size_t)(2 * columns) * sizeof(double) +
                  2 * panel_bytes(p, columns > rows ? columns : rows);
    Long l = {.p = p, .in = in, .out = out, .swap = swap, .scale = scale};
    int64_t groups = (rows + lanes - 1) / lanes, row_groups = (columns + lanes - 1) / lanes;
    l.between = mem_alloc(bytes);
    if (!l.between || !workspace_open(&l.work, groups > row_groups ? groups : row_groups, slot)) {
        mem_free(l.between, bytes);
        return false;
    }
    parallel_for(groups, 1, run_columns, &l);
    parallel_for(row_groups, 1, run_rows, &l);
    workspace_close(&l.work);
    mem_free(l.between, bytes);
    return true;
}

/* to[i] = from[i] * by[i] for pairs, each side exchanged where it says so; in T. */
#define PAIRS_TIMES(T)                                                                  \
    static void times_##T(T *to, const T *from, const T *by, int64_t n, bool swap_from, \
                          bool swap_to, double factor) {                                \
        const T scale = (T)factor;                                                      \
        for (int64_t i = 0; i < n; i++) {                                               \
            T re = from[2 * i + swap_from], im = from[2 * i + !swap_from];              \
            T u = by[2 * i], v = by[2 * i + 1];                                         \
            to[2 * i + swap_to] = (re * u - im * v) * scale;                            \
            to[2 * i + !swap_to] = (re * v + im * u) * scale;                           \
        }                                                                               \
    }
PAIRS_TIMES(float)
PAIRS_TIMES(double)

static void pairs_times(const FftPlan *p, void *to, const void *from, const void *by, int64_t n,
                        bool swap_from, bool swap_to, double factor) {
    if (p->k->part == sizeof(float)) {
        times_float(to, from, by, n, swap_from, swap_to, factor);
    } else {
        times_double(to, from, by, n, swap_from, swap_to, factor);
    }
}

/* Before and after the two transforms of a convolution with the chirp, whose result is in a. */
static void chirp_in(const FftPlan *p, void *a, const void *in, bool swap) {
    pairs_times(p, a, in, p->chirp, p->n, swap, false, 1);
    memset(at(p, a, p->n), 0, (size_t)(2 * (p->convolution->n - p->n) * p->k->part));
}

static void chirp_out(const FftPlan *p, void *out, const void *a, bool swap, double scale) {
    pairs_times(p, out, a, p->chirp, p->n, false, swap, scale);
}

static size_t chirp_bytes(const FftPlan *p) { return (size_t)(2 * p->convolution->n * p->k->part); }

bool fft_line_is_simple(const FftPlan *p) {
    return p->kind == FFT_PANEL || (p->kind == FFT_CHIRP && p->convolution->kind == FFT_PANEL);
}

size_t fft_line_bytes(const FftPlan *p) {
    return p->kind == FFT_CHIRP ? 2 * chirp_bytes(p) + fft_line_bytes(p->convolution)
                                : 2 * panel_bytes(p, p->inner.n);
}

void fft_line_in(const FftPlan *p, void *memory, const void *in, void *out, bool swap,
                 double scale) {
    if (p->kind == FFT_CHIRP) {
        const FftPlan *c = p->convolution;
        char *a = memory, *b = a + chirp_bytes(p), *rest = b + chirp_bytes(p);
        chirp_in(p, a, in, swap);
        fft_line_in(c, rest, a, b, false, 1);
        pairs_times(p, b, b, p->kernel, c->n, false, false, 1);
        fft_line_in(c, rest, b, a, true, 1);
        chirp_out(p, out, a, swap, scale);
        return;
    }
    void *panel = memory;
    p->k->load_split(in, p->inner.n, p->split, swap, panel);
    void *result = p->k->run(&p->inner, panel, (char *)panel + panel_bytes(p, p->inner.n));
    p->k->join(result, p->inner.n, p->split, p->twist, p->split_roots, swap, scale, out);
}

static bool run_chirp(const FftPlan *p, const void *in, void *out, bool swap, double scale) {
    size_t bytes = chirp_bytes(p);
    char *a = mem_alloc(2 * bytes), *b = a + bytes;
    bool ok = a != NULL;
    if (ok) {
        chirp_in(p, a, in, swap);
        ok = fft_line(p->convolution, a, b, false, 1);
    }
    if (ok) {
        pairs_times(p, b, b, p->kernel, p->convolution->n, false, false, 1);
        ok = fft_line(p->convolution, b, a, true, 1);
    }
    if (ok) {
        chirp_out(p, out, a, swap, scale);
    }
    mem_free(a, 2 * bytes);
    return ok;
}

bool fft_line(const FftPlan *p, const void *in, void *out, bool swap, double scale) {
    if (p->kind == FFT_LONG) {
        return run_long(p, in, out, swap, scale);
    }
    if (!fft_line_is_simple(p)) {
        return run_chirp(p, in, out, swap, scale);
    }
    void *memory = mem_alloc(fft_line_bytes(p));
    if (memory) {
        fft_line_in(p, memory, in, out, swap, scale);
        mem_free(memory, fft_line_bytes(p));
    }
    return memory != NULL;
}
