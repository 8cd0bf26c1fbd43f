/* gather, scatter and scatter_add: an index tensor with the dims of the input. */
#include <stdatomic.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/index.h"
#include "cpu/shares.h"

enum { PIECE = 16384 };

/* Lines of the index tensor along its last dim. */
typedef struct Lines {
    LineLoop *loop;
    const View *index, *tensor, *dense;
    int64_t dim;      /* the dim that positions are of */
    int64_t group;    /* lines that must stay together, in order */
    int64_t piece;    /* elements of a line that a unit takes */
    int64_t pieces;   /* of a line */
    LineRun run;      /* but for where a line begins */
    atomic_llong bad; /* the first bad element of index; numel where there is none */
} Lines;

/* Where line i begins in v, in elements; dim, unless negative, does not count. */
static int64_t line_offset(const Lines *l, const View *v, int64_t i, int64_t dim) {
    int64_t at = 0;
    for (int d = l->index->dim - 2; d >= 0; d--) {
        int64_t k = i % l->index->shape[d];
        i /= l->index->shape[d];
        at += d == dim || v->dim == 0 ? 0 : k * v->stride[d];
    }
    return at;
}

static void *line_data(const Lines *l, const View *v, int64_t i, int64_t dim) {
    return (char *)v->data + line_offset(l, v, i, dim) * (int64_t)dtype_size(v->dtype);
}

static void note_bad(Lines *l, long long at) {
    long long first = atomic_load(&l->bad);
    while (at < first && !atomic_compare_exchange_weak(&l->bad, &first, at)) {
    }
}

static bool run_piece(Lines *l, int64_t line, int64_t first) {
    LineRun r = l->run;
    r.n = r.n - first < l->piece ? r.n - first : l->piece;
    r.position = (int64_t *)line_data(l, l->index, line, -1) + first * r.i_step;
    int64_t bad = index_first_bad(r.position, r.i_step, r.n, r.size, true);
    if (bad < r.n) {
        note_bad(l, line * l->run.n + first + bad);
        return false;
    }
    int64_t size = (int64_t)dtype_size(l->dense->dtype);
    r.tensor = (char *)line_data(l, l->tensor, line, l->dim) +
               first * r.t_step * (int64_t)dtype_size(l->tensor->dtype);
    r.dense = (char *)line_data(l, l->dense, line, -1) + first * r.d_step * size;
    l->loop(&r);
    return true;
}

static void run_groups(void *ctx, int64_t begin, int64_t end) {
    Lines *l = ctx;
    for (int64_t unit = begin; unit < end; unit++) {
        int64_t line = unit / l->pieces * l->group, first = unit % l->pieces * l->piece;
        for (int64_t i = 0; i < l->group; i++) {
            if (!run_piece(l, line + i, first)) {
                return;
            }
        }
    }
}

static int64_t last_step(const View *v) { return v->dim ? v->stride[v->dim - 1] : 0; }

static int64_t size_along(const View *v, int64_t dim) { return v->dim ? v->shape[dim] : 1; }

static bool fail_first(const char *name, const Lines *l) {
    long long at = atomic_load(&l->bad);
    int64_t line = at / l->run.n, i = at % l->run.n;
    const int64_t *position = line_data(l, l->index, line, -1);
    Ints shape = {l->index->shape, l->index->dim};
    return index_fail(name, "index", shape, at, position[i * l->run.i_step], l->run.size, true);
}

/* Where lines are written along another dim than that of the positions, columns never meet. */
static int64_t piece_of(const Lines *l, PickMode mode, bool last, int64_t groups) {
    int64_t n = l->run.n;
    if (mode == PICK_TAKE) {
        return n < PIECE ? n : PIECE;
    }
    return last || n * l->group < 2 * SHARE_WAKES ? n : share_tile(n, groups, n, 1);
}

static bool run_lines(const char *name, PickMode mode, const View *index, const View *tensor,
                      const View *dense, int64_t dim) {
    if (index->numel == 0) {
        return true;
    }
    bool last = dim == index->dim - 1;
    Lines l = {.loop = mode >= PICK_PROD ? join_loop(mode, dense->dtype)
                                         : line_loop(mode, dense->dtype),
               .index = index,
               .tensor = tensor,
               .dense = dense,
               .dim = dim,
               .group = 1};
    l.run = (LineRun){.n = index->dim ? index->shape[index->dim - 1] : 1,
                      .size = size_along(tensor, dim),
                      .i_step = last_step(index),
                      .d_step = last_step(dense),
                      .t_step = last ? 0 : last_step(tensor),
                      .pick_step = tensor->dim ? tensor->stride[dim] : 0};
    atomic_init(&l.bad, index->numel);
    for (int64_t d = dim; mode != PICK_TAKE && d < index->dim - 1; d++) {
        l.group *= index->shape[d];
    }
    int64_t groups = index->numel / l.run.n / l.group;
    l.piece = piece_of(&l, mode, last, groups);
    l.pieces = (l.run.n - 1) / l.piece + 1;
    parallel_for(groups * l.pieces, share_grain(l.group * l.piece), run_groups, &l);
    return atomic_load(&l.bad) == index->numel || fail_first(name, &l);
}

bool cpu_gather(const KernelCall *c) {
    return run_lines(c->name, PICK_TAKE, &c->in[1], &c->in[0], &c->out[0], c->arg[1].i);
}

bool cpu_take_from_line(const KernelCall *c) {
    int64_t shape[MAX_DIMS], stride[MAX_DIMS] = {0};
    const View *index = &c->in[1];
    View line = c->in[0];
    int dim = index->dim ? index->dim - 1 : 0;
    for (int d = 0; d < dim; d++) {
        shape[d] = 1;
    }
    shape[dim] = line.shape[0];
    stride[dim] = line.stride[0];
    line.shape = shape;
    line.stride = stride;
    line.dim = dim + 1;
    return run_lines(c->name, PICK_TAKE, index, &line, &c->out[0], dim);
}

/* In place nothing may be written before all positions are known to be good. */
static bool start(const KernelCall *c) {
    const View *out = &c->out[0];
    if (out->data != c->in[0].data) {
        return index_start_from_input(c);
    }
    return index_check(c->name, "index", &c->in[1], size_along(out, c->arg[1].i), true);
}

bool cpu_scatter(const KernelCall *c) {
    return start(c) && run_lines(c->name, PICK_PUT, &c->in[1], &c->out[0], &c->in[2], c->arg[1].i);
}

static bool join_lines(const KernelCall *c, PickMode mode) {
    SumBuffer sum;
    if (!start(c) || !sum_begin(&sum, &c->out[0])) {
        return false;
    }
    bool ok = run_lines(c->name, mode, &c->in[1], &sum.acc, &c->in[2], c->arg[1].i);
    return sum_end(&sum, &c->out[0], ok);
}

bool cpu_scatter_add(const KernelCall *c) { return join_lines(c, PICK_ADD); }

bool cpu_scatter_join(const KernelCall *c) {
    const char *reduce = c->arg[4].s;
    return join_lines(c, strcmp(reduce, "prod") == 0   ? PICK_PROD
                         : strcmp(reduce, "amax") == 0 ? PICK_MAX
                                                       : PICK_MIN);
}
