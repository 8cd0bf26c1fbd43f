/* Ops that read and write at positions: each becomes a pick (gpu/pick.h). */
#include <string.h>

#include "gpu/pick.h"
#include "tensor/index_plan.h"

/* A pick with room for its strides, and the memory of its offsets. */
typedef struct Picks {
    GpuPick pick;
    int64_t base_stride[MAX_DIMS], at_stride[MAX_DIMS];
    View at; /* the offsets, in the shape of what picks */
    int64_t own_stride[MAX_DIMS];
    size_t bytes;
} Picks;

static bool offsets_begin(const KernelCall *c, Picks *p, const int64_t *shape, int dim) {
    p->at = (View){.shape = shape, .stride = p->own_stride, .dim = dim, .dtype = DT_INT64};
    p->at.numel = 1;
    for (int d = dim - 1; d >= 0; d--) {
        p->own_stride[d] = p->at.numel;
        p->at.numel *= shape[d];
    }
    p->bytes = (size_t)p->at.numel * sizeof(int64_t);
    p->at.data = gpu_alloc(c->device, p->bytes);
    return p->at.data != NULL;
}

static void offsets_end(const KernelCall *c, Picks *p) {
    if (p->at.data) {
        gpu_release(c->device, p->at.data, p->bytes);
    }
}

static int64_t bytes_of(const View *v, int64_t elements) {
    return elements * (int64_t)dtype_size(v->dtype);
}

/* gather and its like: index has the dims of tensor, and dense at least its sizes. */
static bool picks_by_element(const KernelCall *c, Picks *p, const View *index, const View *tensor,
                             const View *dense, int64_t dim) {
    int64_t size = tensor->dim ? tensor->shape[dim] : 1;
    int64_t step = tensor->dim ? tensor->stride[dim] : 0;
    if (!offsets_begin(c, p, index->shape, index->dim) ||
        !gpu_pick_offsets(c, "index", &p->at, index, size, bytes_of(tensor, step), true, false)) {
        return false;
    }
    for (int d = 0; d < index->dim; d++) {
        p->base_stride[d] = d == dim || tensor->dim == 0 ? 0 : tensor->stride[d];
        p->at_stride[d] = dense->dim ? dense->stride[d] : 0;
    }
    p->pick.at = p->at;
    p->pick.base = *tensor;
    p->pick.dense = *dense;
    View *views[] = {&p->pick.base, &p->pick.dense};
    for (int i = 0; i < 2; i++) {
        views[i]->shape = index->shape;
        views[i]->dim = index->dim;
        views[i]->numel = index->numel;
        views[i]->stride = i ? p->at_stride : p->base_stride;
    }
    return true;
}

static bool gather(const KernelCall *c) {
    Picks p = {.bytes = 0};
    bool ok = picks_by_element(c, &p, &c->in[1], &c->in[0], &c->out[0], c->arg[1].i) &&
              gpu_pick_take(c, &p.pick);
    offsets_end(c, &p);
    return ok;
}

/* The result starts as a copy of the input, unless it is the input. */
static bool start_from_input(const KernelCall *c) {
    return c->out[0].data == c->in[0].data || gpu_copy_view(c, &c->out[0], &c->in[0]);
}

/* gpu_pick_put and its like. */
typedef bool WriteFn(const KernelCall *c, const GpuPick *p, const View *tensor);

static bool write_elements(const KernelCall *c, WriteFn *write) {
    Picks p = {.bytes = 0};
    bool ok = start_from_input(c) &&
              picks_by_element(c, &p, &c->in[1], &c->out[0], &c->in[2], c->arg[1].i) &&
              write(c, &p.pick, &c->out[0]);
    offsets_end(c, &p);
    return ok;
}

static bool scatter(const KernelCall *c) { return write_elements(c, gpu_pick_put); }

static bool scatter_add(const KernelCall *c) { return write_elements(c, gpu_pick_add); }

static bool scatter_join(const KernelCall *c) {
    const char *reduce = c->arg[4].s;
    return write_elements(c, strcmp(reduce, "prod") == 0   ? gpu_pick_prod
                             : strcmp(reduce, "amax") == 0 ? gpu_pick_max
                                                           : gpu_pick_min);
}

/* Offsets of the picks of all indexed dims, joined. */
static bool plan_offsets(const KernelCall *c, Picks *p, const char *param, const View *tensor,
                         const View *per_dim, const IndexPlan *plan, bool from_end) {
    bool more = false;
    if (!offsets_begin(c, p, plan->shape + plan->picks_at, plan->picks_dim)) {
        return false;
    }
    for (int d = 0; d < tensor->dim; d++) {
        if (!(plan->picked >> d & 1)) {
            continue;
        }
        if (!gpu_pick_offsets(c, param, &p->at, &per_dim[d], tensor->shape[d],
                              bytes_of(tensor, tensor->stride[d]), from_end, more)) {
            return false;
        }
        more = true;
    }
    return true;
}

/* Indexing by tensors: dense has the plan's shape. */
static bool picks_by_plan(const KernelCall *c, Picks *p, const char *param, const View *tensor,
                          const View *dense, const View *per_dim, const IndexPlan *plan,
                          bool from_end) {
    if (!plan_offsets(c, p, param, tensor, per_dim, plan, from_end)) {
        return false;
    }
    for (int d = 0, at = 0; at < plan->dim; at++) {
        bool picks = at >= plan->picks_at && at < plan->picks_at + plan->picks_dim;
        while (!picks && plan->picked >> d & 1) {
            d++;
        }
        p->at_stride[at] = picks ? p->own_stride[at - plan->picks_at] : 0;
        p->base_stride[at] = picks ? 0 : tensor->stride[d++];
    }
    p->pick.dense = *dense;
    p->pick.base = *tensor;
    p->pick.base.shape = dense->shape;
    p->pick.base.dim = dense->dim;
    p->pick.base.numel = dense->numel;
    p->pick.base.stride = p->base_stride;
    p->pick.at = p->pick.base;
    p->pick.at.data = p->at.data;
    p->pick.at.dtype = DT_INT64;
    p->pick.at.stride = p->at_stride;
    return true;
}

/* A tensor that is indexed along one dim by a vector or scalar; scalars count as vectors. */
typedef struct Along {
    View tensor, dense, per_dim[MAX_DIMS];
    IndexPlan plan;
} Along;

static bool along(const KernelCall *c, Along *a, const View *tensor, const View *index,
                  const View *dense, int64_t dim) {
    static const int64_t one = 1;
    a->tensor = *tensor;
    a->dense = *dense;
    if (tensor->dim == 0) {
        a->tensor.dim = a->dense.dim = 1;
        a->tensor.shape = a->tensor.stride = a->dense.shape = a->dense.stride = &one;
    }
    for (int d = 0; d < a->tensor.dim; d++) {
        a->per_dim[d] = (View){.dtype = DT_NONE};
    }
    a->per_dim[dim] = *index;
    if (index->dim == 0) {
        a->per_dim[dim].dim = 1;
        a->per_dim[dim].shape = a->per_dim[dim].stride = &one;
    }
    return index_plan(c->name, (Ints){a->tensor.shape, a->tensor.dim}, a->per_dim, &a->plan);
}

static bool index_select(const KernelCall *c) {
    Along a;
    Picks p = {.bytes = 0};
    bool ok = along(c, &a, &c->in[0], &c->in[1], &c->out[0], c->arg[1].i) &&
              picks_by_plan(c, &p, "index", &a.tensor, &a.dense, a.per_dim, &a.plan, true) &&
              gpu_pick_take(c, &p.pick);
    offsets_end(c, &p);
    return ok;
}

static bool write_along(const KernelCall *c, Along *a, WriteFn *write) {
    Picks p = {.bytes = 0};
    bool ok = start_from_input(c) &&
              picks_by_plan(c, &p, "index", &a->tensor, &a->dense, a->per_dim, &a->plan, true) &&
              write(c, &p.pick, &a->tensor);
    offsets_end(c, &p);
    return ok;
}

static bool index_add(const KernelCall *c) {
    Along a;
    return along(c, &a, &c->out[0], &c->in[1], &c->in[2], c->arg[1].i) &&
           write_along(c, &a, gpu_pick_add);
}

static bool index_copy(const KernelCall *c) {
    Along a;
    return along(c, &a, &c->out[0], &c->in[1], &c->in[2], c->arg[1].i) &&
           write_along(c, &a, gpu_pick_put);
}

/* value, a scalar, as the dense side: strides of 0 repeat it. */
static bool index_fill(const KernelCall *c) {
    static const int64_t still[MAX_DIMS];
    Along a;
    View dense = c->out[0];
    if (!along(c, &a, &c->out[0], &c->in[1], &dense, c->arg[1].i)) {
        return false;
    }
    a.dense.data = c->in[2].data;
    a.dense.shape = a.plan.shape;
    a.dense.stride = still;
    a.dense.numel = 1;
    for (int d = 0; d < a.plan.dim; d++) {
        a.dense.numel *= a.plan.shape[d];
    }
    return write_along(c, &a, gpu_pick_put);
}

static bool index_take(const KernelCall *c) {
    Ints shape = {c->in[0].shape, c->in[0].dim};
    View per_dim[MAX_DIMS];
    IndexPlan plan;
    Picks p = {.bytes = 0};
    bool masks;
    bool ok = index_deal(c->name, shape, c->in + 1, c->n_in - 1, per_dim, &masks) &&
              index_plan(c->name, shape, per_dim, &plan) &&
              picks_by_plan(c, &p, "index", &c->in[0], &c->out[0], per_dim, &plan, true) &&
              gpu_pick_take(c, &p.pick);
    offsets_end(c, &p);
    return ok;
}

/* Rows of a matrix at positions of any shape. */
static bool embedding(const KernelCall *c) {
    const View *input = &c->in[0], *weight = &c->in[1];
    View per_dim[2] = {*input, {.dtype = DT_NONE}};
    IndexPlan plan;
    Picks p = {.bytes = 0};
    bool ok = index_plan(c->name, (Ints){weight->shape, 2}, per_dim, &plan) &&
              picks_by_plan(c, &p, "input", weight, &c->out[0], per_dim, &plan, false) &&
              gpu_pick_take(c, &p.pick);
    offsets_end(c, &p);
    return ok;
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

/* A mask as positions: one vector of count for each of its dims. */
typedef struct MaskColumns {
    int64_t *column, count;
    int dim;
} MaskColumns;

/* Replaces the mask at per_dim[d] by position vectors; the caller releases m->column. */
static bool expand_mask(const KernelCall *c, View *per_dim, int d, MaskColumns *m) {
    static const int64_t one = 1;
    View mask = per_dim[d];
    m->dim = mask.dim;
    m->column = gpu_mask_columns(c, &mask, &m->count);
    for (int k = 0; m->column && k < mask.dim; k++) {
        per_dim[d + k] = (View){.data = m->column + k * m->count,
                                .shape = &m->count,
                                .stride = &one,
                                .numel = m->count,
                                .dim = 1,
                                .dtype = DT_INT64};
    }
    return m->column != NULL;
}

/* per_dim holds no masks. */
static bool put_values(const KernelCall *c, const View *per_dim, WriteFn *write) {
    const View *out = &c->out[0], *values = &c->in[c->n_in - 1];
    Ints shape = {out->shape, out->dim};
    int64_t stride[MAX_DIMS];
    IndexPlan plan;
    Picks p = {.bytes = 0};
    if (!index_plan(c->name, shape, per_dim, &plan) ||
        !index_values_fit(c->name, (Ints){values->shape, values->dim}, &plan) ||
        !start_from_input(c)) {
        return false;
    }
    View dense = broadcast_values(values, &plan, stride);
    bool ok =
        picks_by_plan(c, &p, "index", out, &dense, per_dim, &plan, true) && write(c, &p.pick, out);
    offsets_end(c, &p);
    return ok;
}

static bool index_put(const KernelCall *c) {
    const View *out = &c->out[0];
    View per_dim[MAX_DIMS];
    MaskColumns columns[MAX_DIMS] = {{.column = NULL}};
    bool masks;
    if (!index_deal(c->name, (Ints){out->shape, out->dim}, c->in + 1, c->n_in - 2, per_dim,
                    &masks)) {
        return false;
    }
    bool ok = true;
    for (int d = 0; ok && d < out->dim; d++) {
        if (per_dim[d].dtype == DT_BOOL) {
            ok = expand_mask(c, per_dim, d, &columns[d]);
        }
    }
    ok = ok && put_values(c, per_dim, c->arg[3].b ? gpu_pick_add : gpu_pick_put);
    for (int d = 0; d < out->dim; d++) {
        const MaskColumns *m = &columns[d];
        if (m->column) {
            gpu_release(c->device, m->column, (size_t)(m->count * m->dim) * sizeof(int64_t));
        }
    }
    return ok;
}

/* Zeros in the row of out that padding_idx, counted from 1 or from the end, names. */
static bool clear_row(const KernelCall *c, const View *out, int64_t padding) {
    int64_t rows = out->shape[0], row = padding > 0 ? padding - INDEX_BASE : padding + rows;
    if (row < 0 || row >= rows) {
        return fail("%s: padding_idx must be in [1, %lld] or [-%lld, -1], got %lld", c->name,
                    (long long)rows, (long long)rows, (long long)padding);
    }
    View line = *out;
    line.data = (char *)out->data + bytes_of(out, row * out->stride[0]);
    line.shape++;
    line.stride++;
    line.dim = 1;
    line.numel = line.shape[0];
    return gpu_fill_view(c, &line, (Arg){.kind = ARG_INT});
}

static bool embedding_backward(const KernelCall *c) {
    const View *out = &c->out[0];
    View per_dim[2] = {c->in[1], {.dtype = DT_NONE}};
    IndexPlan plan;
    Picks p = {.bytes = 0};
    bool ok = gpu_fill_view(c, out, (Arg){.kind = ARG_INT}) &&
              index_plan(c->name, (Ints){out->shape, 2}, per_dim, &plan) &&
              picks_by_plan(c, &p, "input", out, &c->in[0], per_dim, &plan, false) &&
              gpu_pick_add(c, &p.pick, out);
    offsets_end(c, &p);
    const Arg *padding = &c->arg[3];
    return ok && (padding->kind == ARG_NONE || clear_row(c, out, padding->i));
}

static bool scale_grad(const KernelCall *c) { return gpu_copy_view(c, &c->out[0], &c->in[0]); }

const KernelRow gpu_index_rows[] = {{"gather", gather},
                                    {"scatter", scatter},
                                    {"scatter_add", scatter_add},
                                    {"scatter_join", scatter_join},
                                    {"index_add", index_add},
                                    {"index_put", index_put},
                                    {"embedding_backward", embedding_backward},
                                    {"index_select", index_select},
                                    {"index_copy", index_copy},
                                    {"index_fill", index_fill},
                                    {"index_take", index_take},
                                    {"embedding", embedding},
                                    {"scale_grad", scale_grad},
                                    {NULL, NULL}};
