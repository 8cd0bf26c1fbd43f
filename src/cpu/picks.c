/* The engine behind indexing by tensors: which element lies where, and how the work is shared out.
 */
#include <string.h>

#include "base/memory.h"
#include "cpu/index.h"
#include "cpu/shares.h"
#include "tensor/axes.h"

enum { TENSOR, DENSE };

typedef struct Walk {
    PickLoop *loop;
    PickRun run; /* but for its places and data */
    char *tensor, *dense;
    int64_t tensor_bytes, dense_bytes; /* of an element */
    const int64_t *t_at, *d_at;
    int64_t picks;
    Axis kept[MAX_DIMS + 1]; /* innermost first, at least one */
    int n_kept;
    int64_t tile, tiles;
} Walk;

/* One step of a walk over the picks but their last dim: place counts, offset follows stride. */
static void step_outer(const int64_t *shape, const int64_t *stride, int dim, int64_t *place,
                       int64_t *offset) {
    for (int k = dim - 2; k >= 0; k--) {
        *offset += stride[k];
        if (++place[k] < shape[k]) {
            return;
        }
        *offset -= stride[k] * shape[k];
        place[k] = 0;
    }
}

/* Sets at[] to the offset that dim d's index gives to each pick, or adds it. */
static void index_offsets(const Picks *p, int d, bool add, int64_t *at) {
    const View *index = &p->per_dim[d];
    int dim = p->plan.picks_dim, lead = dim - index->dim;
    const int64_t *shape = p->plan.shape + p->plan.picks_at;
    int64_t size = p->tensor.shape[d], step = p->tensor.stride[d], offset = 0;
    int64_t stride[MAX_DIMS] = {0}, place[MAX_DIMS] = {0}, n = dim ? shape[dim - 1] : 1;
    for (int k = lead; k < dim; k++) {
        stride[k] = index->shape[k - lead] != 1 ? index->stride[k - lead] : 0;
    }
    int64_t last = dim ? stride[dim - 1] : 0;
    for (int64_t i = 0; i < p->plan.picks_count; i += n) {
        const int64_t *from = (const int64_t *)index->data + offset;
        for (int64_t j = 0; j < n; j++) {
            int64_t to = index_offset(from[j * last], size) * step;
            at[i + j] = add ? at[i + j] + to : to;
        }
        step_outer(shape, stride, dim, place, &offset);
    }
}

/* Offsets of each pick on the dense side. */
static void dense_offsets(const Picks *p, int64_t *at) {
    int dim = p->plan.picks_dim;
    const int64_t *shape = p->plan.shape + p->plan.picks_at;
    const int64_t *stride = p->dense.stride + p->plan.picks_at;
    int64_t place[MAX_DIMS] = {0}, offset = 0;
    int64_t n = dim ? shape[dim - 1] : 1, last = dim ? stride[dim - 1] : 0;
    for (int64_t i = 0; i < p->plan.picks_count; i += n) {
        for (int64_t j = 0; j < n; j++) at[i + j] = offset + j * last;
        step_outer(shape, stride, dim, place, &offset);
    }
}

/* Whether consecutive picks lie closer together on the dense side than the kept elements do. */
static bool picks_are_inner(const Picks *p, const Walk *w) {
    int dim = p->plan.picks_dim;
    return dim && p->plan.shape[p->plan.picks_at + dim - 1] > 1 &&
           p->dense.stride[p->plan.picks_at + dim - 1] < w->kept[0].step[DENSE];
}

static void make_axes(const Picks *p, Walk *w) {
    int at = p->plan.dim - 1;
    for (int d = p->tensor.dim - 1; d >= 0; d--) {
        if (p->plan.picked >> d & 1) {
            continue;
        }
        if (at == p->plan.picks_at + p->plan.picks_dim - 1) {
            at = p->plan.picks_at - 1;
        }
        if (p->tensor.shape[d] != 1) {
            w->kept[w->n_kept++] =
                (Axis){p->tensor.shape[d], {p->tensor.stride[d], p->dense.stride[at]}};
        }
        at--;
    }
    axes_sort(w->kept, w->n_kept, TENSOR);
    w->n_kept = axes_merge(w->kept, w->n_kept);
    if (w->n_kept == 0 || picks_are_inner(p, w)) {
        memmove(w->kept + 1, w->kept, (size_t)w->n_kept++ * sizeof *w->kept);
        w->kept[0] = (Axis){.size = 1};
    }
}

static void run_one(const Walk *w, int64_t outer, int64_t first, int64_t n, int64_t begin,
                    int64_t end) {
    int64_t at[AXIS_OPERANDS] = {first * w->kept[0].step[TENSOR], first * w->kept[0].step[DENSE]};
    axes_offset(w->kept, 1, w->n_kept, outer, at);
    PickRun run = w->run;
    run.tensor = w->tensor + at[TENSOR] * w->tensor_bytes;
    run.dense = w->dense + at[DENSE] * w->dense_bytes;
    run.t_at = w->t_at + begin;
    run.d_at = w->d_at + begin;
    run.count = end - begin;
    run.n = n;
    w->loop(&run);
}

/* Reading: any split will do. */
static void take_range(void *ctx, int64_t begin, int64_t end) {
    const Walk *w = ctx;
    while (begin < end) {
        int64_t outer = begin / w->picks, first = begin % w->picks;
        int64_t last = w->picks - first < end - begin ? w->picks : first + end - begin;
        run_one(w, outer, 0, w->kept[0].size, first, last);
        begin += last - first;
    }
}

/* Writing: all picks that may meet in one element stay in one unit, in their order. */
static void write_range(void *ctx, int64_t begin, int64_t end) {
    const Walk *w = ctx;
    for (int64_t u = begin; u < end; u++) {
        int64_t first = u % w->tiles * w->tile, left = w->kept[0].size - first;
        run_one(w, u / w->tiles, first, left < w->tile ? left : w->tile, 0, w->picks);
    }
}

static void walk(Walk *w, PickMode mode) {
    int64_t inner = w->kept[0].size, outer = 1;
    for (int d = 1; d < w->n_kept; d++) {
        outer *= w->kept[d].size;
    }
    if (mode == PICK_TAKE) {
        int64_t grain = SHARE_GRAIN / inner;
        parallel_for(outer * w->picks, grain < 2 ? 2 : grain, take_range, w);
        return;
    }
    bool large = w->picks * inner > 4 * SHARE_GRAIN;
    w->tile = large ? share_tile(inner, outer, inner, 1) : inner;
    w->tiles = (inner + w->tile - 1) / w->tile;
    parallel_for(outer * w->tiles, share_grain(w->picks * w->tile), write_range, w);
}

bool picks_check(const Picks *p) {
    for (int d = 0; d < p->tensor.dim; d++) {
        if ((p->plan.picked >> d & 1) &&
            !index_check(p->name, p->positions, &p->per_dim[d], p->tensor.shape[d], p->from_end)) {
            return false;
        }
    }
    return true;
}

bool picks_run(const Picks *p, PickMode mode) {
    if (p->plan.picks_count == 0 || p->dense.numel == 0) {
        return true;
    }
    int64_t picks = p->plan.picks_count;
    if (picks > INT64_MAX / 16) {
        return fail_kind(ERR_MEMORY, "%s: the index tensors broadcast to too many elements",
                         p->name);
    }
    size_t bytes = 2 * (size_t)picks * sizeof(int64_t);
    int64_t *at = mem_alloc(bytes);
    if (!at) {
        return false;
    }
    bool add = false;
    for (int d = 0; d < p->tensor.dim; d++) {
        if (p->plan.picked >> d & 1) {
            index_offsets(p, d, add, at);
            add = true;
        }
    }
    if (!add) {
        memset(at, 0, (size_t)picks * sizeof *at);
    }
    dense_offsets(p, at + picks);
    Walk w = {.tensor = p->tensor.data,
              .dense = p->dense.data,
              .tensor_bytes = (int64_t)dtype_size(p->tensor.dtype),
              .dense_bytes = (int64_t)dtype_size(p->dense.dtype),
              .t_at = at,
              .d_at = at + picks,
              .picks = picks};
    make_axes(p, &w);
    w.loop = pick_loop(mode, p->dense.dtype);
    w.run.t_step = w.kept[0].step[TENSOR];
    w.run.d_step = w.kept[0].step[DENSE];
    walk(&w, mode);
    mem_free(at, bytes);
    return true;
}
