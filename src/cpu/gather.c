/* gather, scatter and scatter_add: an index tensor with the dims of the input. */
#include <string.h>

#include "base/threads.h"
#include "cpu/cpu.h"
#include "cpu/index.h"

enum { GRAIN = 8192 };

/* Lines of the index tensor along its last dim. On each, element j pairs dense element j with the
 * tensor's element at j * t_step + position * pick_step. */
typedef struct Lines {
    PickLoop *loop;
    const View *index, *tensor, *dense;
    int64_t dim, size; /* the dim that positions are of, and its size */
    int64_t n, group;  /* elements of a line; lines that must stay together */
} Lines;

enum { BATCH = 256 };

/* Where line i begins in v; dim, unless negative, does not count. */
static int64_t line_offset(const Lines *l, const View *v, int64_t i, int64_t dim) {
    int64_t at = 0;
    for (int d = l->index->dim - 2; d >= 0; d--) {
        int64_t k = i % l->index->shape[d];
        i /= l->index->shape[d];
        at += d == dim || v->dim == 0 ? 0 : k * v->stride[d];
    }
    return at;
}

static int64_t last_step(const View *v) { return v->dim ? v->stride[v->dim - 1] : 0; }

static void run_line(const Lines *l, int64_t i) {
    const View *index = l->index, *tensor = l->tensor, *dense = l->dense;
    bool last = l->dim == index->dim - 1;
    int64_t pick_step = tensor->dim ? tensor->stride[l->dim] : 0;
    int64_t t_step = last ? 0 : last_step(tensor), d_step = last_step(dense);
    int64_t i_step = last_step(index), t_at[BATCH], d_at[BATCH];
    const int64_t *position = (const int64_t *)index->data + line_offset(l, index, i, -1);
    int64_t t_first = line_offset(l, tensor, i, l->dim), d_first = line_offset(l, dense, i, -1);
    PickRun run = {.tensor = tensor->data, .dense = dense->data, .t_at = t_at, .d_at = d_at};
    run.n = run.t_step = run.d_step = 1;
    for (int64_t j = 0; j < l->n; j += BATCH) {
        run.count = l->n - j < BATCH ? l->n - j : BATCH;
        for (int64_t k = 0; k < run.count; k++) {
            int64_t pick = index_offset(position[(j + k) * i_step], l->size);
            t_at[k] = t_first + (j + k) * t_step + pick * pick_step;
            d_at[k] = d_first + (j + k) * d_step;
        }
        l->loop(&run);
    }
}

static void run_groups(void *ctx, int64_t begin, int64_t end) {
    const Lines *l = ctx;
    for (int64_t i = begin * l->group; i < end * l->group; i++) {
        run_line(l, i);
    }
}

static void run_lines(PickMode mode, const View *index, const View *tensor, const View *dense,
                      int64_t dim) {
    Lines l = {.loop = pick_loop(mode, dense->dtype),
               .index = index,
               .tensor = tensor,
               .dense = dense,
               .dim = dim,
               .size = tensor->dim ? tensor->shape[dim] : 1,
               .n = index->dim ? index->shape[index->dim - 1] : 1,
               .group = 1};
    if (index->numel == 0) {
        return;
    }
    for (int64_t d = dim; mode != PICK_TAKE && d < index->dim - 1; d++) {
        l.group *= index->shape[d];
    }
    int64_t grain = GRAIN / (l.group * l.n);
    parallel_for(index->numel / l.n / l.group, grain < 2 ? 2 : grain, run_groups, &l);
}

static bool check(const KernelCall *c, const View *tensor) {
    return index_check(c->name, "index", &c->in[1], tensor->dim ? tensor->shape[c->arg[1].i] : 1,
                       true);
}

bool cpu_gather(const KernelCall *c) {
    if (!check(c, &c->in[0])) {
        return false;
    }
    run_lines(PICK_TAKE, &c->in[1], &c->in[0], &c->out[0], c->arg[1].i);
    return true;
}

bool cpu_scatter(const KernelCall *c) {
    if (!check(c, &c->out[0]) || !index_start_from_input(c)) {
        return false;
    }
    run_lines(PICK_PUT, &c->in[1], &c->out[0], &c->in[2], c->arg[1].i);
    return true;
}

bool cpu_scatter_add(const KernelCall *c) {
    SumBuffer sum;
    if (!check(c, &c->out[0]) || !index_start_from_input(c) || !sum_begin(&sum, &c->out[0])) {
        return false;
    }
    run_lines(PICK_ADD, &c->in[1], &sum.acc, &c->in[2], c->arg[1].i);
    return sum_end(&sum, &c->out[0], true);
}
