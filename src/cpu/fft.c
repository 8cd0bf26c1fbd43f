/* Kernels of the Fourier transforms: which lines there are, and how they are shared out. */
#include <string.h>

#include "base/memory.h"
#include "cpu/cpu.h"
#include "cpu/dense.h"
#include "cpu/fft_line.h"
#include "cpu/workspace.h"
#include "tensor/axes.h"
#include "tensor/op.h"

enum { IN, OUT, GRAIN = 16384, LONGEST_IN_BATCH = 2048 };

/* The lines of a call. Steps count elements; those of real numbers are parts. */
typedef struct Lines {
    const FftPlan *p;
    const char *in;
    char *out;
    int64_t n_in, n_out;         /* elements of a line */
    int64_t step[AXIS_OPERANDS]; /* from one element of a line to the next */
    int64_t size[AXIS_OPERANDS]; /* bytes of an element */
    Axis kept[MAX_DIMS + 1];     /* the other dims, innermost first, at least one */
    int n_kept;
    int64_t lines, per_group, groups; /* groups of lanes do not leave a run of the innermost dim */
    bool swap;
    double scale;
    void (*group)(const struct Lines *l, void *memory, const FftLines *in, const FftLines *out);
    Workspace work;
} Lines;

static void lines_init(Lines *l, const View *in, const View *out, int64_t dim) {
    const View *v[] = {in, out};
    l->in = in->data;
    l->out = out->data;
    l->n_in = in->dim ? in->shape[dim] : 1;
    l->n_out = out->dim ? out->shape[dim] : 1;
    for (int k = IN; k <= OUT; k++) {
        l->step[k] = v[k]->dim ? v[k]->stride[dim] : 1;
        l->size[k] = (int64_t)dtype_size(v[k]->dtype);
    }
    l->lines = 1;
    for (int d = in->dim - 1; d >= 0; d--) {
        if (d != dim && in->shape[d] != 1) {
            l->kept[l->n_kept++] = (Axis){in->shape[d], {in->stride[d], out->stride[d]}};
            l->lines *= in->shape[d];
        }
    }
    axes_sort(l->kept, l->n_kept, OUT);
    l->n_kept = axes_merge(l->kept, l->n_kept);
    if (l->n_kept == 0) {
        l->kept[l->n_kept++] = (Axis){.size = 1};
    }
}

/* Where line i begins, in bytes. */
static void line_at(const Lines *l, int64_t i, int64_t *at) {
    at[IN] = at[OUT] = at[OUT + 1] = 0;
    axes_offset(l->kept, 0, l->n_kept, i, at);
    at[IN] *= l->size[IN];
    at[OUT] *= l->size[OUT];
}

/* Up to lanes lines from line first on; steps of FftLines count parts. */
static int64_t take_lines(const Lines *l, int64_t first, int64_t count, FftLines *in,
                          FftLines *out) {
    int64_t part = l->p->k->part, at[AXIS_OPERANDS];
    *in = (FftLines){.count = (int)count, .step = l->step[IN] * l->size[IN] / part};
    *out = (FftLines){.count = (int)count, .step = l->step[OUT] * l->size[OUT] / part};
    for (int64_t k = 0; k < count; k++) {
        line_at(l, first + k, at);
        in->line[k] = (char *)l->in + at[IN];
        out->line[k] = l->out + at[OUT];
    }
    bool in_row = first % l->kept[0].size + count <= l->kept[0].size;
    in->adjacent = in_row && l->kept[0].step[IN] == 1 && l->size[IN] == 2 * part;
    out->adjacent = in_row && l->kept[0].step[OUT] == 1 && l->size[OUT] == 2 * part;
    return count;
}

static void run_groups(void *ctx, int64_t begin, int64_t end) {
    Lines *l = ctx;
    void *memory = workspace_take(&l->work);
    int64_t row = l->kept[0].size, in_row = (row + l->per_group - 1) / l->per_group;
    for (int64_t g = begin; g < end; g++) {
        int64_t first = g / in_row * row + g % in_row * l->per_group;
        int64_t left = row - g % in_row * l->per_group;
        FftLines in, out;
        take_lines(l, first, left < l->per_group ? left : l->per_group, &in, &out);
        l->group(l, memory, &in, &out);
    }
    workspace_give(&l->work, memory);
}

/* Calls group for all lines, per_group at a time, with so many bytes of memory. */
static bool run_lines(Lines *l, int64_t per_group, size_t bytes) {
    int64_t row = l->kept[0].size;
    l->per_group = per_group;
    l->groups = l->lines / row * ((row + per_group - 1) / per_group);
    if (!workspace_open(&l->work, l->groups, bytes)) {
        return false;
    }
    int64_t grain = GRAIN / (l->p->n * per_group);
    parallel_for(l->groups, grain < 1 ? 1 : grain, run_groups, l);
    workspace_close(&l->work);
    return true;
}

static size_t panel_bytes(const FftPlan *p) {
    return (size_t)((p->n + 1) * 2 * p->k->lanes * p->k->part);
}

static size_t line_bytes(const FftPlan *p) { return (size_t)(2 * (p->n + 1) * p->k->part); }

/* Complex lines as the lanes of a panel. */
static void complex_panel(const Lines *l, void *memory, const FftLines *in, const FftLines *out) {
    const FftPlan *p = l->p;
    p->k->load(in, p->n, l->swap, memory);
    void *result = p->k->run(&p->batch, memory, (char *)memory + panel_bytes(p));
    p->k->store(out, p->n, l->swap, l->scale, result);
}

static void copy_pairs(const FftPlan *p, void *to, int64_t to_step, const void *from,
                       int64_t from_step, int64_t n) {
    size_t pair = (size_t)(2 * p->k->part);
    for (int64_t i = 0; i < n; i++) {
        memcpy((char *)to + i * to_step * p->k->part,
               (const char *)from + i * from_step * p->k->part, pair);
    }
}

/* The line itself where its elements have no gaps, else a copy of it. */
static const void *packed(const FftPlan *p, const FftLines *in, int64_t n, void *copy) {
    if (in->step == 2) {
        return in->line[0];
    }
    copy_pairs(p, copy, 2, in->line[0], in->step, n);
    return copy;
}

/* One complex line; between the copies of what has gaps, the memory of its transform. */
static void complex_line(const Lines *l, void *memory, const FftLines *in, const FftLines *out) {
    const FftPlan *p = l->p;
    char *copy = memory, *made = copy + line_bytes(p), *rest = made + line_bytes(p);
    void *to = out->step == 2 ? out->line[0] : made;
    fft_line_in(p, rest, packed(p, in, p->n, copy), to, l->swap, l->scale);
    if (to == made) {
        copy_pairs(p, out->line[0], out->step, made, 2, p->n);
    }
}

/* Long lines one after the other, each by several threads. */
static bool long_lines(const Lines *l, bool (*line)(const Lines *l, void *memory,
                                                    const FftLines *in, const FftLines *out)) {
    size_t bytes = 2 * line_bytes(l->p);
    void *memory = mem_alloc(bytes);
    bool ok = memory != NULL;
    for (int64_t i = 0; ok && i < l->lines; i++) {
        FftLines in, out;
        take_lines(l, i, 1, &in, &out);
        ok = line(l, memory, &in, &out);
    }
    mem_free(memory, bytes);
    return ok;
}

static bool complex_long(const Lines *l, void *memory, const FftLines *in, const FftLines *out) {
    const FftPlan *p = l->p;
    char *made = (char *)memory + line_bytes(p);
    void *to = out->step == 2 ? out->line[0] : made;
    bool ok = fft_line(p, packed(p, in, p->n, memory), to, l->swap, l->scale);
    if (ok && to == made) {
        copy_pairs(p, out->line[0], out->step, made, 2, p->n);
    }
    return ok;
}

/* Whether the lines go as lanes: long ones without gaps are as fast one by one, in less memory. */
static bool takes_batch(const Lines *l) {
    bool gaps = l->step[IN] != 1 || l->step[OUT] != 1;
    bool many = l->kept[0].size >= l->p->k->lanes / 2 || gaps;
    return fft_suits_batch(l->p) && many && l->lines > 1 && (gaps || l->p->n <= LONGEST_IN_BATCH);
}

static bool cpu_fourier(const KernelCall *c) {
    const View *in = &c->in[0], *out = &c->out[0];
    int64_t dim = c->arg[1].i, n = in->dim ? in->shape[dim] : 1;
    if (in->numel == 0) {
        return true;
    }
    FftPlan *p = fft_plan_get(n, dtype_size(in->dtype) / 2);
    if (!p) {
        return false;
    }
    Lines l = {.p = p, .swap = c->arg[2].b, .scale = c->arg[3].f};
    lines_init(&l, in, out, dim);
    bool ok;
    if (takes_batch(&l)) {
        l.group = complex_panel;
        ok = run_lines(&l, p->k->lanes, 2 * panel_bytes(p));
    } else if (fft_line_is_simple(p)) {
        l.group = complex_line;
        ok = run_lines(&l, 1, 2 * line_bytes(p) + fft_line_bytes(p));
    } else {
        ok = long_lines(&l, complex_long);
    }
    fft_plan_give(p);
    return ok;
}

/* Real lines as pairs: 2n numbers as n complex ones, whose transform is split up afterwards. */
static void real_panel(const Lines *l, void *memory, const FftLines *in, const FftLines *out) {
    const FftPlan *p = l->p;
    p->k->load(in, p->n, false, memory);
    void *result = p->k->run(&p->batch, memory, (char *)memory + panel_bytes(p));
    p->k->split_real(result, p->n, p->turn);
    p->k->store(out, p->n + 1, false, l->scale, result);
}

/* split_real and merge_real of kernels/fft.h for one line; merge leaves parts where they belong. */
#define ONE_LINE(T)                                                   \
    static void split_##T(T *x, int64_t n, const T *w) {              \
        T re = x[0], im = x[1];                                       \
        for (int64_t k = 1; k <= n / 2; k++) {                        \
            T *a = x + 2 * k, *b = x + 2 * (n - k);                   \
            T even = (a[0] + b[0]) / 2, even_i = (a[1] - b[1]) / 2;   \
            T u = (a[1] + b[1]) / 2, v = (b[0] - a[0]) / 2;           \
            T odd = u * w[2 * k] - v * w[2 * k + 1];                  \
            T odd_i = u * w[2 * k + 1] + v * w[2 * k];                \
            b[0] = even - odd;                                        \
            b[1] = odd_i - even_i;                                    \
            a[0] = even + odd;                                        \
            a[1] = even_i + odd_i;                                    \
        }                                                             \
        x[0] = re + im;                                               \
        x[2 * n] = re - im;                                           \
        x[1] = x[2 * n + 1] = 0;                                      \
    }                                                                 \
    static void merge_##T(T *to, const T *x, int64_t n, const T *w) { \
        for (int64_t k = 1; k <= n / 2; k++) {                        \
            const T *a = x + 2 * k, *b = x + 2 * (n - k);             \
            T even = a[0] + b[0], even_i = a[1] - b[1];               \
            T u = a[0] - b[0], v = a[1] + b[1];                       \
            T odd = u * w[2 * k] + v * w[2 * k + 1];                  \
            T odd_i = v * w[2 * k] - u * w[2 * k + 1];                \
            to[2 * (n - k)] = even + odd_i;                           \
            to[2 * (n - k) + 1] = odd - even_i;                       \
            to[2 * k] = even - odd_i;                                 \
            to[2 * k + 1] = even_i + odd;                             \
        }                                                             \
        to[0] = x[0] + x[2 * n];                                      \
        to[1] = x[0] - x[2 * n];                                      \
    }
ONE_LINE(float)
ONE_LINE(double)

static void split_line(const FftPlan *p, void *line) {
    if (p->k->part == sizeof(float)) {
        split_float(line, p->n, p->turn);
    } else {
        split_double(line, p->n, p->turn);
    }
}

static void merge_line(const FftPlan *p, void *to, const void *line) {
    if (p->k->part == sizeof(float)) {
        merge_float(to, line, p->n, p->turn);
    } else {
        merge_double(to, line, p->n, p->turn);
    }
}

static void real_line(const Lines *l, void *memory, const FftLines *in, const FftLines *out) {
    fft_line_in(l->p, memory, in->line[0], out->line[0], false, l->scale);
    split_line(l->p, out->line[0]);
}

static bool real_long(const Lines *l, void *memory, const FftLines *in, const FftLines *out) {
    (void)memory;
    bool ok = fft_line(l->p, in->line[0], out->line[0], false, l->scale);
    if (ok) {
        split_line(l->p, out->line[0]);
    }
    return ok;
}

/* The other way: n + 1 complex numbers to 2n real ones, which are written as n pairs. */
static void to_real_panel(const Lines *l, void *memory, const FftLines *in, const FftLines *out) {
    const FftPlan *p = l->p;
    p->k->load(in, p->n + 1, false, memory);
    p->k->merge_real(memory, p->n, p->turn);
    void *result = p->k->run(&p->batch, memory, (char *)memory + panel_bytes(p));
    p->k->store(out, p->n, true, l->scale, result);
}

static void to_real_line(const Lines *l, void *memory, const FftLines *in, const FftLines *out) {
    merge_line(l->p, memory, in->line[0]);
    fft_line_in(l->p, (char *)memory + line_bytes(l->p), memory, out->line[0], true, l->scale);
}

static bool to_real_long(const Lines *l, void *memory, const FftLines *in, const FftLines *out) {
    merge_line(l->p, memory, in->line[0]);
    return fft_line(l->p, memory, out->line[0], true, l->scale);
}

/* Lines along the last dim, without gaps, of n pairs of real numbers on the one side. */
static bool run_halves(Lines *l, bool to_real) {
    const FftPlan *p = l->p;
    if (fft_suits_batch(p) && l->kept[0].size >= p->k->lanes / 2 && p->n <= LONGEST_IN_BATCH) {
        l->group = to_real ? to_real_panel : real_panel;
        return run_lines(l, p->k->lanes, 2 * panel_bytes(p));
    }
    if (fft_line_is_simple(p)) {
        l->group = to_real ? to_real_line : real_line;
        return run_lines(l, 1, line_bytes(p) + fft_line_bytes(p));
    }
    return long_lines(l, to_real ? to_real_long : real_long);
}

/* A contiguous copy of v in memory of its own, which the caller frees; v itself where it needs
 * none.
 */
static bool pack_view(const View *v, View *packed, int64_t *stride, void **memory, size_t *bytes) {
    *packed = *v;
    *memory = NULL;
    *bytes = 0;
    if (v->dim == 0 || v->stride[v->dim - 1] == 1 || v->shape[v->dim - 1] == 1) {
        return true;
    }
    *bytes = (size_t)v->numel * dtype_size(v->dtype);
    *memory = mem_alloc(*bytes);
    if (!*memory) {
        return false;
    }
    shape_contiguous_strides((Ints){v->shape, v->dim}, stride);
    packed->data = *memory;
    packed->stride = stride;
    dense_copy(packed, v);
    return true;
}

static bool halves(const KernelCall *c, bool to_real) {
    const View *out = &c->out[0], *real = to_real ? out : &c->in[0];
    int64_t n = real->shape[real->dim - 1] / 2, stride[MAX_DIMS];
    View in;
    void *memory;
    size_t bytes;
    if (out->numel == 0) {
        return true;
    }
    if (!pack_view(&c->in[0], &in, stride, &memory, &bytes)) {
        return false;
    }
    FftPlan *p = fft_plan_get(n, dtype_size(real->dtype));
    bool ok = p != NULL;
    if (ok) {
        Lines l = {.p = p, .scale = c->arg[to_real ? 2 : 1].f};
        lines_init(&l, &in, out, in.dim - 1);
        l.step[IN] = to_real ? 1 : 2; /* of pairs */
        l.step[OUT] = to_real ? 2 : 1;
        ok = run_halves(&l, to_real);
        fft_plan_give(p);
    }
    mem_free(memory, bytes);
    return ok;
}

static bool cpu_fourier_real(const KernelCall *c) { return halves(c, false); }
static bool cpu_fourier_to_real(const KernelCall *c) { return halves(c, true); }

const KernelRow cpu_fft_rows[] = {{"fourier", cpu_fourier},
                                  {"fourier_real", cpu_fourier_real},
                                  {"fourier_to_real", cpu_fourier_to_real},
                                  {NULL, NULL}};
