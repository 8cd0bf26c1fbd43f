/* Batches of matrices over the pool, and the triangles of matrices. */
#include "cpu/linalg.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "cpu/cpu.h"
#include "cpu/dense.h"
#include "cpu/workspace.h"
#include "tensor/op.h"

enum { WORK_PER_TASK = 1 << 15, SCRATCH_SLACK = 256 };

Batch batch_of(const KernelCall *c, const View *v, int drop, MatrixFn *run) {
    return (Batch){.c = c, .run = run, .shape = v->shape, .dims = v->dim - drop};
}

bool linalg_work_fits(const KernelCall *c, double length) {
    return length < INT32_MAX || fail("%s: the matrix is too large for LAPACK", c->op->public_name);
}

bool linalg_work(const KernelCall *c, double wanted, int *lwork) {
    /* A float's rounding must not take an element away. */
    wanted = wanted * (1 + 1e-6) + 1;
    if (!linalg_work_fits(c, wanted)) {
        return false;
    }
    *lwork = (int)wanted;
    return true;
}

double linalg_tolerance(const Batch *b, double epsilon, double largest, const Arg *atol,
                        const Arg *rtol) {
    double absolute = atol->kind == ARG_NONE ? 0 : atol->f;
    double most = b->m > b->n ? b->m : b->n;
    double relative = rtol->kind != ARG_NONE ? rtol->f : absolute > 0 ? 0 : most * epsilon;
    return fmax(absolute, relative * largest);
}

typedef struct {
    const Batch *batch;
    Workspace space;
    uint8_t *state;
} Running;

static void run_range(void *ctx, int64_t begin, int64_t end) {
    Running *r = ctx;
    char *scratch = workspace_take(&r->space);
    for (int64_t i = begin; i < end; i++) {
        r->state[i] = (uint8_t)r->batch->run(r->batch, i, scratch);
    }
    workspace_give(&r->space, scratch);
}

static bool check_states(const Batch *b, const uint8_t *state, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        if (state[i] != MATRIX_GOOD) {
            return matrix_fail(b->c, b->dims > 0 && !b->parts, i, state[i]);
        }
    }
    return true;
}

bool batch_run(const Batch *b) {
    int64_t numel = 0, count = 1;
    for (int k = 0; k < b->c->n_out; k++) {
        numel += b->c->out[k].numel;
    }
    for (int d = 0; d < b->dims; d++) {
        count *= b->shape[d];
    }
    if (numel == 0 || count == 0) {
        return true;
    }
    int64_t grain = (int64_t)(WORK_PER_TASK / (b->cost + 1)) + 1;
    Running r = {.batch = b, .state = mem_zalloc((size_t)count)};
    if (!r.state) {
        return false;
    }
    bool ok = workspace_open(&r.space, count, (size_t)b->elements * 8 + SCRATCH_SLACK * 8);
    if (ok) {
        parallel_for(count, grain, run_range, &r);
        workspace_close(&r.space);
        ok = !interrupted() && check_states(b, r.state, count);
    }
    mem_free(r.state, (size_t)count);
    return ok;
}

bool batch_run_in(Batch *b, int64_t elements) {
    b->elements = elements;
    return batch_run(b);
}

typedef struct {
    const View *in, *out;
    int64_t diagonal;
    bool upper, copied; /* out holds all of in already */
} Triangle;

/* Columns first to last - 1 of a row stay. */
static void kept_columns(const Triangle *t, int64_t row, int64_t *first, int64_t *last) {
    int64_t columns = t->out->shape[t->out->dim - 1];
    int64_t edge = 0;
    if (__builtin_add_overflow(row, t->diagonal, &edge)) {
        edge = columns;
    }
    if (!t->upper && edge < INT64_MAX) {
        edge++;
    }
    edge = edge < 0 ? 0 : edge > columns ? columns : edge;
    *first = t->upper ? edge : 0;
    *last = t->upper ? columns : edge;
}

static void copy_row(char *out, const char *in, int64_t stride, int64_t n, size_t size) {
    if (stride == 1) {
        memcpy(out, in, (size_t)n * size);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        memcpy(out + (size_t)i * size, in + i * stride * (int64_t)size, size);
    }
}

/* Rows of all matrices, numbered through; those of out are without gaps. */
static void triangle_rows(void *ctx, int64_t begin, int64_t end) {
    const Triangle *t = ctx;
    const View *in = t->in, *out = t->out;
    int64_t columns = out->shape[out->dim - 1], rows = out->shape[out->dim - 2];
    size_t size = dtype_size(out->dtype);
    for (int64_t r = begin; r < end; r++) {
        int64_t at = 0, out_at = 0, rest = r, first, last;
        for (int d = out->dim - 2; d >= 0; d--) {
            int64_t i = rest % out->shape[d];
            at += i * in->stride[d];
            out_at += i * out->stride[d];
            rest /= out->shape[d];
        }
        kept_columns(t, r % rows, &first, &last);
        char *to = (char *)out->data + out_at * (int64_t)size;
        int64_t step = in->stride[in->dim - 1];
        if (t->copied) {
            memset(to, 0, (size_t)first * size);
            memset(to + (size_t)last * size, 0, (size_t)(columns - last) * size);
            continue;
        }
        memset(to, 0, (size_t)columns * size);
        if (first < last) {
            copy_row(to + (size_t)first * size,
                     (const char *)in->data + (at + first * step) * (int64_t)size, step,
                     last - first, size);
        }
    }
}

/* v, matrices, with each of them transposed; shape and stride are room for its own. */
static View turned(const View *v, int64_t *shape, int64_t *stride) {
    View t = *v;
    int row = v->dim - 2, column = v->dim - 1;
    memcpy(shape, v->shape, (size_t)v->dim * sizeof *shape);
    memcpy(stride, v->stride, (size_t)v->dim * sizeof *stride);
    shape[row] = v->shape[column];
    shape[column] = v->shape[row];
    stride[row] = v->stride[column];
    stride[column] = v->stride[row];
    t.shape = shape;
    t.stride = stride;
    return t;
}

/* Where columns of the result are without gaps, not rows, it is the other triangle, transposed. */
static bool triangle(const KernelCall *c, bool upper) {
    View in = c->in[0], out = c->out[0];
    int64_t shape[2][MAX_DIMS], stride[2][MAX_DIMS], diagonal = c->arg[1].i;
    int last = in.dim - 1;
    if (out.numel == 0) {
        return true;
    }
    if (out.stride[last] != 1) {
        in = turned(&in, shape[0], stride[0]);
        out = turned(&out, shape[1], stride[1]);
        diagonal = diagonal == INT64_MIN ? INT64_MAX : -diagonal;
        upper = !upper;
    }
    Triangle t = {&in, &out, diagonal, upper, in.stride[last] != 1};
    if (t.copied) {
        dense_copy(&out, &in);
    }
    int64_t columns = out.shape[last];
    parallel_for(out.numel / columns, 16384 / columns + 1, triangle_rows, &t);
    return !interrupted();
}

static bool cpu_tril(const KernelCall *c) { return triangle(c, false); }
static bool cpu_triu(const KernelCall *c) { return triangle(c, true); }

const KernelRow cpu_linalg_rows[] = {{"tril", cpu_tril}, {"triu", cpu_triu}, {NULL, NULL}};
