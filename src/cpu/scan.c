/* The cumulative ops: which columns there are, and how they are shared out. The loops stand in
 * kernels/scan.c. */
#include "cpu/kernels/scan.h"

#include <string.h>

#include "base/memory.h"
#include "cpu/cpu.h"
#include "cpu/dense.h"
#include "cpu/kernels/elementwise_complex.h"
#include "cpu/kernels/isa_name.h"
#include "cpu/shares.h"
#include "tensor/axes.h"
#include "tensor/formulas/complex.h"
#include "tensor/tensor.h"

ISA_DECLARE(const ScanTable, scan_table);

/* Operands of an axis. */
enum { OUT, PLACE, IN };

typedef struct Plan {
    ScanLoop *loop;
    ScanRun run; /* but for its columns */
    Axis kept[MAX_DIMS + 1];
    int n_kept;
    int64_t tile, tiles;
} Plan;

static void run_units(void *ctx, int64_t begin, int64_t end) {
    const Plan *p = ctx;
    const Axis *inner = &p->kept[0];
    for (int64_t u = begin; u < end; u++) {
        int64_t first = u % p->tiles * p->tile, at[AXIS_OPERANDS];
        for (int k = 0; k < AXIS_OPERANDS; k++) {
            at[k] = first * inner->step[k];
        }
        axes_offset(p->kept, 1, p->n_kept, u / p->tiles, at);
        ScanRun run = p->run;
        run.cols = inner->size - first < p->tile ? inner->size - first : p->tile;
        run.out = (char *)run.out + at[OUT] * (int64_t)dtype_size(run.out_dtype);
        run.place = run.place ? run.place + at[PLACE] : NULL;
        run.x = (const char *)run.x + at[IN] * (int64_t)dtype_size(run.in_dtype);
        p->loop(&run);
    }
}

/* The dims but dim, the one with the smallest steps in the input first; at least one. */
static void make_axes(Plan *p, const View *const *operand, int64_t dim) {
    const View *in = operand[IN];
    for (int d = in->dim - 1; d >= 0; d--) {
        if (d == dim || in->shape[d] == 1) {
            continue;
        }
        Axis *a = &p->kept[p->n_kept++];
        *a = (Axis){.size = in->shape[d]};
        for (int k = 0; k < AXIS_OPERANDS; k++) {
            a->step[k] = operand[k] ? operand[k]->stride[d] : 0;
        }
    }
    axes_sort(p->kept, p->n_kept, IN);
    p->n_kept = axes_merge(p->kept, p->n_kept);
    if (p->n_kept == 0) {
        p->kept[p->n_kept++] = (Axis){.size = 1};
    }
}

static ScanType type_of(int dtype) {
    return dtype == DT_FLOAT64 ? SCAN_F64 : dtype_is_float(dtype) ? SCAN_F32 : SCAN_I64;
}

static Complex128 add_logs(Complex128 a, Complex128 b) {
    char *const ptr[] = {(char *)&a, (char *)&b, (char *)&a};
    const int64_t stride[] = {sizeof a, sizeof a, sizeof b};
    ew_logaddexp_c128(ptr, stride, 1, NULL);
    return a;
}

/* Folds complex numbers, which no instruction set has a loop of its own for. */
static void fold_complex(const ScanRun *r, Complex128 (*join)(Complex128, Complex128)) {
    int64_t size = (int64_t)dtype_size(r->out_dtype);
    for (int64_t c = 0; c < r->cols; c++) {
        Complex128 so_far = {0, 0};
        for (int64_t i = 0; i < r->size; i++) {
            const char *at = (const char *)r->x + (c * r->col_step[IN] + i * r->step[IN]) * size;
            char *to = (char *)r->out + (c * r->col_step[OUT] + i * r->step[OUT]) * size;
            Complex128 x = element_get_complex(at, r->in_dtype);
            so_far = i == 0 ? x : join(so_far, x);
            element_set_complex(to, r->out_dtype, so_far);
        }
    }
}

static void prod_complex(const ScanRun *r) { fold_complex(r, f_mul_c128); }
static void logs_complex(const ScanRun *r) { fold_complex(r, add_logs); }

/* Parts of complex numbers are added up as so many more columns of floats. */
static void see_pairs(Plan *p) {
    for (int d = 0; d < p->n_kept; d++) {
        p->kept[d].step[IN] *= 2;
        p->kept[d].step[OUT] *= 2;
    }
    memmove(p->kept + 1, p->kept, (size_t)p->n_kept * sizeof *p->kept);
    p->kept[0] = (Axis){.size = 2, .step = {[OUT] = 1, [IN] = 1}};
    p->n_kept = axes_merge(p->kept, p->n_kept + 1);
    p->run.in_dtype = p->run.out_dtype = dtype_real_of(p->run.in_dtype);
}

static void run_into(const KernelCall *c, ScanKind kind, const View *out, const View *place) {
    const View *in = &c->in[0];
    const View *operand[] = {out, place, in};
    int64_t dim = c->arg[1].i;
    Plan p = {.run = {.out = out->data,
                      .place = place ? place->data : NULL,
                      .x = in->data,
                      .size = in->dim ? in->shape[dim] : 1,
                      .in_dtype = in->dtype,
                      .out_dtype = out->dtype}};
    make_axes(&p, operand, dim);
    bool pairs = dtype_is_complex(in->dtype) && kind == SCAN_SUM;
    int64_t columns = in->numel / p.run.size * (pairs ? 2 : 1);
    if (pairs) {
        see_pairs(&p);
    }
    for (int k = 0; k < AXIS_OPERANDS; k++) {
        p.run.step[k] = operand[k] && in->dim ? operand[k]->stride[dim] * (pairs ? 2 : 1) : 0;
        p.run.col_step[k] = p.kept[0].step[k];
    }
    bool across = p.kept[0].size > 1 && p.kept[0].step[IN] < p.run.step[IN];
    p.loop = dtype_is_complex(p.run.in_dtype)
                 ? kind == SCAN_PROD ? prod_complex : logs_complex
                 : ISA_PICK(scan_table)->loop[across][kind][type_of(p.run.in_dtype)];
    int64_t cols = p.kept[0].size, rows = columns / cols, few = SHARE_GRAIN / p.run.size;
    few = few < SCAN_ABREAST ? SCAN_ABREAST : few > SCAN_TILE ? SCAN_TILE : few;
    p.tile = across ? share_tile(cols, rows, SCAN_TILE, 4) : few;
    p.tiles = (cols + p.tile - 1) / p.tile;
    parallel_for(rows * p.tiles, share_grain(p.tile * p.run.size), run_units, &p);
}

/* A tensor of out's sizes whose elements along dim have no gaps; false: out of memory. */
static bool turned_like(const View *out, int64_t dim, int64_t *stride, View *v) {
    int64_t step = out->shape[dim];
    stride[dim] = 1;
    for (int d = out->dim - 1; d >= 0; d--) {
        if (d != dim) {
            stride[d] = step;
            step *= out->shape[d];
        }
    }
    *v = *out;
    v->stride = stride;
    v->data = mem_alloc((size_t)out->numel * dtype_size(out->dtype));
    return v->data != NULL;
}

static void release(const View *v) {
    if (v->data) {
        mem_free(v->data, (size_t)v->numel * dtype_size(v->dtype));
    }
}

/* By way of results that lie as the input does: writing far apart one by one is slow. */
static bool run_turned(const KernelCall *c, ScanKind kind) {
    int64_t stride[2][MAX_DIMS], dim = c->arg[1].i;
    View turned[2] = {{.data = NULL}, {.data = NULL}};
    bool ok = true;
    for (int k = 0; ok && k < c->n_out; k++) {
        ok = turned_like(&c->out[k], dim, stride[k], &turned[k]);
    }
    if (ok) {
        run_into(c, kind, &turned[0], c->n_out > 1 ? &turned[1] : NULL);
        for (int k = 0; k < c->n_out; k++) {
            dense_copy(&c->out[k], &turned[k]);
        }
    }
    release(&turned[1]);
    release(&turned[0]);
    return ok;
}

static bool run(const KernelCall *c, ScanKind kind) {
    const View *out = &c->out[0], *in = &c->in[0];
    int64_t dim = c->arg[1].i;
    if (in->numel == 0) {
        return true;
    }
    if (in->numel > SHARE_GRAIN && in->stride[dim] == 1 && out->stride[dim] != 1) {
        return run_turned(c, kind);
    }
    run_into(c, kind, out, c->n_out > 1 ? &c->out[1] : NULL);
    return true;
}

static bool cpu_cumsum(const KernelCall *c) { return run(c, SCAN_SUM); }
static bool cpu_cumprod(const KernelCall *c) { return run(c, SCAN_PROD); }
static bool cpu_cummax(const KernelCall *c) { return run(c, SCAN_MAX); }
static bool cpu_cummin(const KernelCall *c) { return run(c, SCAN_MIN); }
static bool cpu_logcumsumexp(const KernelCall *c) { return run(c, SCAN_LOGSUMEXP); }

const KernelRow cpu_scan_rows[] = {
    {"cumsum", cpu_cumsum}, {"cumprod", cpu_cumprod},           {"cummax", cpu_cummax},
    {"cummin", cpu_cummin}, {"logcumsumexp", cpu_logcumsumexp}, {NULL, NULL}};
