/* Kernels that read and write at positions which tensors hold, and their list. */
#include "cpu/index.h"

#include <string.h>

#include "base/memory.h"
#include "cpu/cpu.h"

/* A tensor picked along one dim by a vector (or scalar) of positions. */
static bool picks_along(Picks *p, const KernelCall *c, const View *tensor, const View *index,
                        const View *dense, int64_t dim) {
    static const int64_t one = 1;
    *p = (Picks){.name = c->name, .positions = "index", .from_end = true};
    p->tensor = *tensor;
    p->dense = *dense;
    if (tensor->dim == 0) {
        p->tensor.dim = p->dense.dim = 1;
        p->tensor.shape = p->tensor.stride = p->dense.shape = p->dense.stride = &one;
    }
    for (int d = 0; d < p->tensor.dim; d++) {
        p->per_dim[d] = (View){.dtype = DT_NONE};
    }
    View vector = *index;
    if (index->dim == 0) {
        vector.dim = 1;
        vector.shape = vector.stride = &one;
    }
    p->per_dim[dim] = vector;
    return index_plan(c->name, (Ints){p->tensor.shape, p->tensor.dim}, p->per_dim, &p->plan);
}

static bool cpu_index_select(const KernelCall *c) {
    Picks p;
    return picks_along(&p, c, &c->in[0], &c->in[1], &c->out[0], c->arg[1].i) && picks_check(&p) &&
           picks_run(&p, PICK_TAKE);
}

/* Adds through a float buffer where out is of a half type. */
static bool add_picks(Picks *p, const View *out) {
    SumBuffer sum;
    if (!sum_begin(&sum, out)) {
        return false;
    }
    if (sum.data) {
        p->tensor.data = sum.acc.data;
        p->tensor.dtype = sum.acc.dtype;
        p->tensor.stride = sum.acc.dim ? sum.acc.stride : p->tensor.stride;
    }
    return sum_end(&sum, out, picks_run(p, PICK_ADD));
}

static bool cpu_index_add(const KernelCall *c) {
    Picks p;
    return picks_along(&p, c, &c->out[0], &c->in[1], &c->in[2], c->arg[1].i) && picks_check(&p) &&
           index_start_from_input(c) && add_picks(&p, &c->out[0]);
}

static bool cpu_index_copy(const KernelCall *c) {
    Picks p;
    return picks_along(&p, c, &c->out[0], &c->in[1], &c->in[2], c->arg[1].i) && picks_check(&p) &&
           index_start_from_input(c) && picks_run(&p, PICK_PUT);
}

/* value, a scalar, as the dense side: strides of 0 repeat it. */
static bool cpu_index_fill(const KernelCall *c) {
    static const int64_t still[MAX_DIMS];
    Picks p;
    View dense = c->out[0];
    dense.data = c->in[2].data;
    if (!picks_along(&p, c, &c->out[0], &c->in[1], &dense, c->arg[1].i) || !picks_check(&p) ||
        !index_start_from_input(c)) {
        return false;
    }
    p.dense.stride = still;
    return picks_run(&p, PICK_PUT);
}

static bool cpu_index_take(const KernelCall *c) {
    if (c->in[0].dim == 1 && c->in[1].dtype == DT_INT64) {
        return cpu_take_from_line(c);
    }
    Picks p = {.name = c->name, .positions = "index", .from_end = true};
    Ints shape = {c->in[0].shape, c->in[0].dim};
    bool masks;
    p.tensor = c->in[0];
    p.dense = c->out[0];
    return index_deal(c->name, shape, c->in + 1, c->n_in - 1, p.per_dim, &masks) &&
           index_plan(c->name, shape, p.per_dim, &p.plan) && picks_check(&p) &&
           picks_run(&p, PICK_TAKE);
}

/* Receives the places of some elements that are not zero, in row-major order: their coordinates in
 * all dims but the last, and n in the last. Returns false to end the search. */
typedef bool FoundFn(void *ctx, const int64_t *at, const int64_t *last, int64_t n);

/* Calls found for all elements of v that are not zero. */
static void each_nonzero(const View *v, FoundFn *found, void *ctx) {
    enum { BATCH = 256 };
    int64_t at[MAX_DIMS] = {0}, hits[BATCH], bytes = (int64_t)dtype_size(v->dtype), offset = 0;
    int64_t n = v->dim ? v->shape[v->dim - 1] : 1, step = v->dim ? v->stride[v->dim - 1] : 0;
    for (int64_t row = 0; row < v->numel; row += n) {
        for (int64_t i = 0; i < n; i += BATCH) {
            const char *p = (const char *)v->data + (offset + i * step) * bytes;
            int64_t m = index_nonzero(p, v->dtype, step, i, n - i < BATCH ? n - i : BATCH, hits);
            if (m && !found(ctx, at, hits, m)) {
                return;
            }
        }
        for (int d = v->dim - 2; d >= 0; d--) {
            offset += v->stride[d];
            if (++at[d] < v->shape[d]) {
                break;
            }
            offset -= v->stride[d] * v->shape[d];
            at[d] = 0;
        }
    }
}

typedef struct Rows {
    int64_t *out, left;
    int dim;
} Rows;

static bool add_rows(void *ctx, const int64_t *at, const int64_t *last, int64_t n) {
    Rows *r = ctx;
    n = n < r->left ? n : r->left;
    for (int64_t i = 0; i < n && r->dim; i++) {
        for (int d = 0; d < r->dim - 1; d++) {
            *r->out++ = at[d] + INDEX_BASE;
        }
        *r->out++ = last[i] + INDEX_BASE;
    }
    r->left -= n;
    return r->left > 0;
}

static bool cpu_nonzero_static(const KernelCall *c) {
    const View *in = &c->in[0];
    Rows rows = {.out = c->out[0].data, .left = c->arg[1].i, .dim = in->dim};
    if (rows.left > 0) {
        each_nonzero(in, add_rows, &rows);
    }
    for (int64_t i = 0; i < rows.left * rows.dim; i++) {
        rows.out[i] = c->arg[2].i;
    }
    return true;
}

/* A mask as positions: one vector of count for each of its dims. */
typedef struct MaskColumns {
    int64_t *column, count, at;
    int dim;
} MaskColumns;

static bool count_hits(void *ctx, const int64_t *at, const int64_t *last, int64_t n) {
    (void)at;
    (void)last;
    ((MaskColumns *)ctx)->count += n;
    return true;
}

static bool fill_columns(void *ctx, const int64_t *at, const int64_t *last, int64_t n) {
    MaskColumns *m = ctx;
    for (int d = 0; d < m->dim; d++) {
        int64_t *to = m->column + d * m->count + m->at;
        for (int64_t i = 0; i < n; i++) {
            to[i] = (d == m->dim - 1 ? last[i] : at[d]) + INDEX_BASE;
        }
    }
    m->at += n;
    return true;
}

/* Replaces the mask at per_dim[d] by position vectors; the caller frees m->column. */
static bool expand_mask(View *per_dim, int d, MaskColumns *m) {
    static const int64_t one = 1;
    View mask = per_dim[d];
    m->dim = mask.dim;
    each_nonzero(&mask, count_hits, m);
    m->column = mem_alloc((size_t)(m->count * mask.dim) * sizeof *m->column);
    if (!m->column) {
        return false;
    }
    each_nonzero(&mask, fill_columns, m);
    for (int k = 0; k < mask.dim; k++) {
        per_dim[d + k] = (View){.data = m->column + k * m->count,
                                .shape = &m->count,
                                .stride = &one,
                                .numel = m->count,
                                .dim = 1,
                                .dtype = DT_INT64};
    }
    return true;
}

/* values, broadcast to the plan's shape by strides of 0. */
static View broadcast_values(const View *values, const IndexPlan *plan, int64_t *stride) {
    View v = *values;
    int lead = plan->dim - values->dim;
    v.numel = 1;
    for (int d = 0; d < plan->dim; d++) {
        bool moves = d >= lead && values->shape[d - lead] != 1;
        stride[d] = moves ? values->stride[d - lead] : 0;
        v.numel *= plan->shape[d];
    }
    v.shape = plan->shape;
    v.stride = stride;
    v.dim = plan->dim;
    return v;
}

static bool put_picks(const KernelCall *c, Picks *p, bool accumulate) {
    Ints shape = {p->tensor.shape, p->tensor.dim};
    const View *values = &c->in[c->n_in - 1];
    int64_t stride[MAX_DIMS];
    if (!index_plan(c->name, shape, p->per_dim, &p->plan) ||
        !index_values_fit(c->name, (Ints){values->shape, values->dim}, &p->plan) ||
        !picks_check(p) || !index_start_from_input(c)) {
        return false;
    }
    p->dense = broadcast_values(values, &p->plan, stride);
    return accumulate ? add_picks(p, &c->out[0]) : picks_run(p, PICK_PUT);
}

static bool cpu_index_put(const KernelCall *c) {
    Picks p = {.name = c->name, .positions = "index", .from_end = true};
    const View *out = &c->out[0];
    MaskColumns columns[MAX_DIMS] = {{0}};
    bool masks;
    p.tensor = *out;
    if (!index_deal(c->name, (Ints){out->shape, out->dim}, c->in + 1, c->n_in - 2, p.per_dim,
                    &masks)) {
        return false;
    }
    bool ok = true;
    for (int d = 0; ok && d < out->dim; d++) {
        if (p.per_dim[d].dtype == DT_BOOL) {
            ok = expand_mask(p.per_dim, d, &columns[d]);
        }
    }
    ok = ok && put_picks(c, &p, c->arg[3].b);
    for (int d = 0; d < out->dim; d++) {
        mem_free(columns[d].column, (size_t)(columns[d].count * columns[d].dim) * sizeof(int64_t));
    }
    return ok;
}

/* Rows of a matrix at positions of any shape. */
static bool picks_of_rows(Picks *p, const KernelCall *c, const View *matrix, const View *index,
                          const View *dense) {
    *p = (Picks){.name = c->name, .positions = "input", .tensor = *matrix, .dense = *dense};
    p->per_dim[0] = *index;
    p->per_dim[1] = (View){.dtype = DT_NONE};
    return index_plan(c->name, (Ints){matrix->shape, matrix->dim}, p->per_dim, &p->plan);
}

static bool cpu_embedding(const KernelCall *c) {
    Picks p;
    return picks_of_rows(&p, c, &c->in[1], &c->in[0], &c->out[0]) && picks_check(&p) &&
           picks_run(&p, PICK_TAKE);
}

static void clear_row(const View *out, int64_t row) {
    size_t bytes = (size_t)out->shape[1] * dtype_size(out->dtype);
    memset((char *)out->data + (size_t)row * bytes, 0, bytes);
}

/* out is fresh and contiguous. */
static bool cpu_embedding_backward(const KernelCall *c) {
    const View *out = &c->out[0];
    Picks p;
    memset(out->data, 0, (size_t)out->numel * dtype_size(out->dtype));
    if (!picks_of_rows(&p, c, out, &c->in[1], &c->in[0]) || !picks_check(&p) ||
        !add_picks(&p, out)) {
        return false;
    }
    const Arg *padding = &c->arg[3];
    if (padding->kind != ARG_NONE) {
        int64_t row = padding->i > 0 ? padding->i - INDEX_BASE : padding->i + out->shape[0];
        if (row < 0 || row >= out->shape[0]) {
            return fail("%s: padding_idx must be in [1, %lld] or [-%lld, -1], got %lld", c->name,
                        (long long)out->shape[0], (long long)out->shape[0], (long long)padding->i);
        }
        clear_row(out, row);
    }
    return true;
}

const KernelRow cpu_index_rows[] = {{"gather", cpu_gather},
                                    {"scatter", cpu_scatter},
                                    {"scatter_add", cpu_scatter_add},
                                    {"index_select", cpu_index_select},
                                    {"index_add", cpu_index_add},
                                    {"index_copy", cpu_index_copy},
                                    {"index_fill", cpu_index_fill},
                                    {"scatter_join", cpu_scatter_join},
                                    {"nonzero_static", cpu_nonzero_static},
                                    {"index_take", cpu_index_take},
                                    {"index_put", cpu_index_put},
                                    {"embedding", cpu_embedding},
                                    {"scale_grad", cpu_clone},
                                    {"embedding_backward", cpu_embedding_backward},
                                    {"cat", cpu_cat},
                                    {NULL, NULL}};
