/* softmax, log_softmax and their gradients: which columns there are, and how they are shared out.
 * The loops stand in kernels/softmax.c. */
#include "cpu/kernels/softmax.h"

#include "base/memory.h"
#include "cpu/cpu.h"
#include "cpu/dense.h"
#include "cpu/kernels/isa_name.h"
#include "cpu/shares.h"
#include "tensor/axes.h"

ISA_DECLARE(const SoftmaxTable, softmax_table);

typedef struct Plan {
    SoftmaxLoop *loop;
    SoftmaxRun run; /* but for its columns */
    Axis kept[MAX_DIMS];
    int n_kept;
    int64_t tile, tiles;
} Plan;

static void run_units(void *ctx, int64_t begin, int64_t end) {
    const Plan *p = ctx;
    const Axis *inner = &p->kept[0];
    int64_t bytes = (int64_t)dtype_size(p->run.dtype);
    for (int64_t u = begin; u < end; u++) {
        int64_t first = u % p->tiles * p->tile, at[AXIS_OPERANDS];
        for (int k = 0; k < AXIS_OPERANDS; k++) {
            at[k] = first * inner->step[k];
        }
        axes_offset(p->kept, 1, p->n_kept, u / p->tiles, at);
        SoftmaxRun run = p->run;
        run.cols = inner->size - first < p->tile ? inner->size - first : p->tile;
        run.out = (char *)run.out + at[0] * bytes;
        run.x = (const char *)run.x + at[1] * bytes;
        run.y = (const char *)run.y + at[2] * bytes;
        p->loop(&run);
    }
}

/* The dims but dim, the one with the smallest steps in the result first; at least one. */
static void make_axes(Plan *p, const View *const *operand, int n, int64_t dim) {
    const View *out = operand[0];
    for (int d = out->dim - 1; d >= 0; d--) {
        if (d == dim || out->shape[d] == 1) {
            continue;
        }
        Axis *a = &p->kept[p->n_kept++];
        *a = (Axis){.size = out->shape[d]};
        for (int k = 0; k < n; k++) {
            a->step[k] = operand[k]->stride[d];
        }
    }
    axes_sort(p->kept, p->n_kept, 0);
    p->n_kept = axes_merge(p->kept, p->n_kept);
    if (p->n_kept == 0) {
        p->kept[p->n_kept++] = (Axis){.size = 1};
    }
}

static bool run(const KernelCall *c, const View *const *operand, int n, int64_t dim, bool log) {
    const View *out = operand[0];
    if (out->numel == 0) {
        return true;
    }
    Plan p = {.run = {.size = out->dim ? out->shape[dim] : 1, .dtype = out->dtype, .log = log}};
    make_axes(&p, operand, n, dim);
    p.run.out = out->data;
    p.run.x = operand[1]->data;
    p.run.y = n > 2 ? operand[2]->data : operand[1]->data;
    for (int k = 0; k < AXIS_OPERANDS; k++) {
        p.run.step[k] = k < n && out->dim ? operand[k]->stride[dim] : 0;
        p.run.col_step[k] = p.kept[0].step[k];
    }
    bool across = p.kept[0].size > 1 && p.kept[0].step[0] < p.run.step[0];
    p.loop = ISA_PICK(softmax_table)->loop[c->n_in - 1][across][out->dtype == DT_FLOAT64];
    int64_t few = SHARE_GRAIN / p.run.size;
    int64_t cols = p.kept[0].size, rows = out->numel / p.run.size / cols;
    few = few < 1 ? 1 : few > SOFTMAX_TILE ? SOFTMAX_TILE : few;
    p.tile = across ? share_tile(cols, rows, SOFTMAX_TILE, 4) : few;
    p.tiles = (cols + p.tile - 1) / p.tile;
    parallel_for(rows * p.tiles, share_grain(p.tile * p.run.size), run_units, &p);
    return true;
}

/* Whether columns lie without gaps in the result, but their elements far apart in the input. */
static bool reads_across(const KernelCall *c, int64_t dim) {
    const View *out = &c->out[0], *in = &c->in[0];
    return out->dim && out->stride[dim] == 1 && in->stride[dim] != 1 && in->shape[dim] > 1;
}

/* A copy in the result's order reads every cache line once. */
static bool forward_from_copy(const KernelCall *c, bool log) {
    const View *out = &c->out[0];
    size_t bytes = (size_t)out->numel * dtype_size(out->dtype);
    View copy = *out;
    copy.data = mem_alloc(bytes);
    if (!copy.data) {
        return false;
    }
    dense_copy(&copy, &c->in[0]);
    const View *operand[] = {out, &copy};
    bool ok = run(c, operand, 2, c->arg[1].i, log);
    mem_free(copy.data, bytes);
    return ok;
}

static bool forward(const KernelCall *c, bool log) {
    const View *operand[] = {&c->out[0], &c->in[0]};
    return reads_across(c, c->arg[1].i) ? forward_from_copy(c, log)
                                        : run(c, operand, 2, c->arg[1].i, log);
}

static bool backward(const KernelCall *c, bool log) {
    const View *operand[] = {&c->out[0], &c->in[0], &c->in[1]};
    return run(c, operand, 3, c->arg[2].i, log);
}

static bool cpu_softmax(const KernelCall *c) { return forward(c, false); }
static bool cpu_log_softmax(const KernelCall *c) { return forward(c, true); }
static bool cpu_softmax_backward(const KernelCall *c) { return backward(c, false); }
static bool cpu_log_softmax_backward(const KernelCall *c) { return backward(c, true); }

const KernelRow cpu_softmax_rows[] = {{"softmax", cpu_softmax},
                                      {"log_softmax", cpu_log_softmax},
                                      {"softmax_backward", cpu_softmax_backward},
                                      {"log_softmax_backward", cpu_log_softmax_backward},
                                      {NULL, NULL}};
