/* searchsorted, histc and flip. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "cpu/cpu.h"
#include "cpu/index.h"
#include "cpu/kernels/load.h"
#include "tensor/op.h"

enum { SEARCH_BLOCK = 512, SEARCH_GRAIN = 4, HISTOGRAM_BLOCK = 1024 };

typedef struct Search Search;
typedef void SearchLoop(const Search *s, const void *row, const void *x, int64_t n, int64_t *found);

struct Search {
    SearchLoop *loop;
    const View *input, *out;
    const char *rows;          /* of the sequence, converted */
    int64_t length, row_bytes; /* of a row; 0 bytes where all of the input searches one */
    int64_t width, input_step, blocks;
    bool right;
};

/* Where row i of the last dim starts, in elements. */
static int64_t row_offset(const View *v, int64_t i) {
    int64_t at = 0;
    for (int d = v->dim - 2; d >= 0; d--) {
        at += i % v->shape[d] * v->stride[d];
        i /= v->shape[d];
    }
    return at;
}

static int64_t last_stride(const View *v) { return v->dim ? v->stride[v->dim - 1] : 0; }
static int64_t last_size(const View *v) { return v->dim ? v->shape[v->dim - 1] : 1; }

#define T       float
#define LOAD    load_f32
#define NAME(x) x##_f32
#include "search_body.inc.c"
#undef T
#undef LOAD
#undef NAME

#define T       double
#define LOAD    load_f64
#define NAME(x) x##_f64
#include "search_body.inc.c"
#undef T
#undef LOAD
#undef NAME

#define T       int64_t
#define LOAD    load_i64
#define NAME(x) x##_i64
#include "search_body.inc.c"

static void search_blocks(void *ctx, int64_t begin, int64_t end) {
    const Search *s = ctx;
    int64_t found[SEARCH_BLOCK], size = (int64_t)dtype_size(s->input->dtype);
    for (int64_t b = begin; b < end; b++) {
        int64_t row = b / s->blocks, first = b % s->blocks * SEARCH_BLOCK;
        int64_t n = s->width - first < SEARCH_BLOCK ? s->width - first : SEARCH_BLOCK;
        const char *x = s->input->data;
        x += (row_offset(s->input, row) + first * s->input_step) * size;
        s->loop(s, s->rows + row * s->row_bytes, x, n, found);
        int64_t to = row * s->width + first;
        if (s->out->dtype == DT_INT64) {
            memcpy((int64_t *)s->out->data + to, found, (size_t)n * sizeof *found);
            continue;
        }
        for (int64_t i = 0; i < n; i++) {
            ((int32_t *)s->out->data)[to + i] = (int32_t)found[i];
        }
    }
}

/* Rows of the sequence stand in memory of their own, and one more to convert into. */
static bool run_search(Search *s, const View *sequence, const View *sorter) {
    int dtype = sequence->dtype;
    bool wide = dtype == DT_FLOAT64, real = dtype_is_float(dtype);
    size_t size = real && !wide ? sizeof(float) : sizeof(int64_t);
    size_t bytes = (size_t)(sequence->numel + s->length) * size;
    char *rows = mem_alloc(bytes);
    if (!rows) {
        return false;
    }
    s->rows = rows;
    s->row_bytes = sequence->dim > 1 ? s->length * (int64_t)size : 0;
    s->loop = wide ? search_f64 : real ? search_f32 : search_i64;
    (wide ? gather_f64 : real ? gather_f32 : gather_i64)(s, sequence, sorter, rows);
    parallel_for(s->input->numel / s->width * s->blocks, SEARCH_GRAIN, search_blocks, s);
    mem_free(rows, bytes);
    return true;
}

static bool cpu_searchsorted(const KernelCall *c) {
    const View *sequence = &c->in[0], *sorter = &c->in[2];
    Search s = {.input = &c->in[1],
                .out = &c->out[0],
                .length = last_size(sequence),
                .width = last_size(&c->in[1]),
                .input_step = last_stride(&c->in[1]),
                .right = c->arg[3].b || (c->arg[4].kind == ARG_STRING && *c->arg[4].s == 'r')};
    if (sorter->dtype != DT_NONE && !index_check(c->name, "sorter", sorter, s.length, false)) {
        return false;
    }
    s.blocks = (s.width + SEARCH_BLOCK - 1) / SEARCH_BLOCK;
    return s.input->numel == 0 || run_search(&s, sequence, sorter);
}

/* Converts up to HISTOGRAM_BLOCK elements of v from element i of row on. */
static void load_doubles(const View *v, int64_t row, int64_t i, int64_t n, double *to) {
    float buf[HISTOGRAM_BLOCK];
    int64_t step = last_stride(v);
    const char *x = v->data;
    x += (row_offset(v, row) + i * step) * (int64_t)dtype_size(v->dtype);
    if (v->dtype == DT_FLOAT64) {
        load_gaps_f64((const double *)x, step, n, to);
        return;
    }
    const float *f = load_f32(x, v->dtype, step, n, buf);
    for (int64_t k = 0; k < n; k++) {
        to[k] = f[k];
    }
}

typedef struct Histogram {
    double low, high;
    int64_t *count, bins;
} Histogram;

typedef void HistogramStep(Histogram *h, const double *x, int64_t n);

static void widen_range(Histogram *h, const double *x, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        h->low = x[i] < h->low || isnan(x[i]) ? x[i] : h->low;
        h->high = x[i] > h->high || isnan(x[i]) ? x[i] : h->high;
    }
}

static void count_bins(Histogram *h, const double *x, int64_t n) {
    double bins = (double)h->bins, width = h->high - h->low;
    for (int64_t i = 0; i < n; i++) {
        if (x[i] >= h->low && x[i] <= h->high) {
            int64_t bin = (int64_t)((x[i] - h->low) * bins / width);
            h->count[bin < h->bins ? bin : h->bins - 1]++;
        }
    }
}

static void over_all(const View *v, HistogramStep *step, Histogram *h) {
    double x[HISTOGRAM_BLOCK];
    int64_t width = last_size(v);
    for (int64_t row = 0; row * width < v->numel; row++) {
        for (int64_t i = 0; i < width; i += HISTOGRAM_BLOCK) {
            int64_t n = width - i < HISTOGRAM_BLOCK ? width - i : HISTOGRAM_BLOCK;
            load_doubles(v, row, i, n, x);
            step(h, x, n);
        }
    }
}

static void store_counts(const View *out, const int64_t *count) {
    for (int64_t i = 0; i < out->numel; i++) {
        char *to = (char *)out->data + i * (int64_t)dtype_size(out->dtype);
        element_set_float(to, out->dtype, (double)count[i]);
    }
}

static bool find_range(const KernelCall *c, Histogram *h) {
    h->low = c->arg[2].f;
    h->high = c->arg[3].f;
    if (h->low == h->high && c->in[0].numel > 0) {
        h->low = INFINITY;
        h->high = -INFINITY;
        over_all(&c->in[0], widen_range, h);
    }
    if (h->low == h->high) {
        h->low -= 1;
        h->high += 1;
    }
    return isfinite(h->low) && isfinite(h->high)
               ? true
               : fail("%s: the range of the bins must be finite, got [%g, %g]; give min and max",
                      c->name, h->low, h->high);
}

static bool cpu_histc(const KernelCall *c) {
    Histogram h = {.bins = c->arg[1].i};
    size_t bytes = (size_t)h.bins * sizeof *h.count;
    if (!find_range(c, &h)) {
        return false;
    }
    h.count = mem_zalloc(bytes);
    if (!h.count) {
        return false;
    }
    over_all(&c->in[0], count_bins, &h);
    store_counts(&c->out[0], h.count);
    mem_free(h.count, bytes);
    return true;
}

/* A copy of the input read backwards. */
static bool cpu_flip(const KernelCall *c) {
    View backwards = c->in[0];
    int64_t stride[MAX_DIMS], at = 0;
    if (backwards.numel == 0) {
        return true;
    }
    memcpy(stride, backwards.stride, (size_t)backwards.dim * sizeof *stride);
    for (int k = 0; k < c->arg[1].count && backwards.dim; k++) {
        int64_t d = c->arg[1].ints[k];
        at += (backwards.shape[d] - 1) * stride[d];
        stride[d] = -stride[d];
    }
    backwards.data = (char *)backwards.data + at * (int64_t)dtype_size(backwards.dtype);
    backwards.stride = stride;
    KernelCall copy = *c;
    copy.in = &backwards;
    copy.n_in = 1;
    return cpu_clone(&copy);
}

const KernelRow cpu_search_rows[] = {
    {"searchsorted", cpu_searchsorted}, {"histc", cpu_histc}, {"flip", cpu_flip}, {NULL, NULL}};
