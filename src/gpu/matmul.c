/* Matrix products: from tensors to batches that cuBLAS, or for integers a kernel of our own, takes.
 */
#include "gpu/matmul.h"

#include <string.h>

#include "gpu/blas.h"
#include "tensor/number.h"

/* A view of one dim more or less than a tensor has. */
typedef struct Shaped {
    View view;
    int64_t shape[MAX_DIMS + 1], stride[MAX_DIMS + 1];
} Shaped;

static View *shaped(Shaped *s, const View *v) {
    s->view = *v;
    memcpy(s->shape, v->shape, (size_t)v->dim * sizeof *s->shape);
    memcpy(s->stride, v->stride, (size_t)v->dim * sizeof *s->stride);
    s->view.shape = s->shape;
    s->view.stride = s->stride;
    return &s->view;
}

/* Adds a dim of size 1 behind the others, or in front of the last. */
static View *with_unit(Shaped *s, const View *v, bool behind) {
    View *w = shaped(s, v);
    int at = behind ? v->dim : v->dim - 1;
    for (int d = v->dim; d > at; d--) {
        s->shape[d] = s->shape[d - 1];
        s->stride[d] = s->stride[d - 1];
    }
    s->shape[at] = 1;
    s->stride[at] = 0;
    w->dim++;
    return w;
}

/* x with its batch dims broadcast to those of out. */
static View *broadcast_batch(Shaped *s, const View *x, const View *out) {
    int lead = out->dim - x->dim;
    s->view = *x;
    s->view.shape = s->shape;
    s->view.stride = s->stride;
    s->view.dim = out->dim;
    s->view.numel = 1;
    for (int d = 0; d < out->dim; d++) {
        bool batch = d < out->dim - 2, own = d >= lead;
        int64_t size = own ? x->shape[d - lead] : 1;
        s->shape[d] = batch ? out->shape[d] : size;
        s->stride[d] = own && (!batch || size != 1) ? x->stride[d - lead] : 0;
        s->view.numel *= s->shape[d];
    }
    return &s->view;
}

/* Whether the matrices of v are one stride apart; sets it. */
static bool batch_stride(const View *v, int64_t *stride) {
    *stride = 0;
    int64_t inner = 1;
    for (int d = v->dim - 3; d >= 0; d--) {
        if (v->shape[d] == 1) {
            continue;
        }
        if (inner == 1) {
            *stride = v->stride[d];
        } else if (v->stride[d] != *stride * inner) {
            return false;
        }
        inner *= v->shape[d];
    }
    return true;
}

/* The matrices of v as they stand, where one of their strides is 1 and the other leads over whole
 * rows. */
static int64_t at_least_one(int64_t n) { return n > 1 ? n : 1; }

static bool as_matrix(const View *v, GpuMatrix *m) {
    int64_t rows = v->shape[v->dim - 2], columns = v->shape[v->dim - 1];
    int64_t rs = v->stride[v->dim - 2], cs = v->stride[v->dim - 1];
    *m = (GpuMatrix){.data = v->data};
    if ((cs == 1 || columns == 1) && (rs >= columns || rows == 1)) {
        m->row = at_least_one(rows == 1 || rs < columns ? columns : rs);
        return rs >= 0 && batch_stride(v, &m->batch);
    }
    if ((rs == 1 || rows == 1) && (cs >= rows || columns == 1)) {
        m->transposed = true;
        m->row = at_least_one(columns == 1 || cs < rows ? rows : cs);
        return cs >= 0 && batch_stride(v, &m->batch);
    }
    return false;
}

static void contiguous_strides(Shaped *s) {
    int64_t step = 1;
    for (int d = s->view.dim - 1; d >= 0; d--) {
        s->stride[d] = step;
        step *= s->shape[d];
    }
}

/* An operand, copied where it has to be; the copy is released by the caller. */
typedef struct Operand {
    GpuMatrix matrix;
    void *copy;
    size_t bytes;
} Operand;

static bool operand_of(const KernelCall *c, const View *v, Operand *o) {
    o->copy = NULL;
    if (as_matrix(v, &o->matrix)) {
        return true;
    }
    Shaped copy;
    shaped(&copy, v);
    contiguous_strides(&copy);
    o->bytes = (size_t)v->numel * dtype_size(v->dtype);
    o->copy = gpu_alloc(c->device, o->bytes);
    copy.view.data = o->copy;
    return o->copy && gpu_copy_view(c, &copy.view, v) && as_matrix(&copy.view, &o->matrix);
}

static void operand_release(const KernelCall *c, Operand *o) {
    if (o->copy) {
        gpu_release(c->device, o->copy, o->bytes);
    }
}

/* What cuBLASLt adds on the way, read from where it stands; NULL: nothing. */
typedef struct Added {
    const void *bias;   /* an element for each column */
    const void *matrix; /* what beta multiplies, rows so far apart */
    int64_t row;
    void *before_gelu; /* gelu is applied, and this becomes what it is applied to */
} Added;

static bool for_lt(int dtype) {
    return dtype == DT_FLOAT16 || dtype == DT_BFLOAT16 || dtype == DT_FLOAT32;
}

/* *known: false where what is to be added cannot be added on the way; then nothing has been done.
 */
static bool float_product(const KernelCall *c, const View *a, const View *b, const View *out,
                          Complex128 alpha, Complex128 beta, Added added, bool *known) {
    Operand x = {.copy = NULL}, y = {.copy = NULL};
    int64_t m = out->shape[out->dim - 2], n = out->shape[out->dim - 1];
    GpuProduct p = {.dtype = out->dtype,
                    .m = m,
                    .n = n,
                    .k = a->shape[a->dim - 1],
                    .count = out->numel / (m * n),
                    .alpha = alpha.re,
                    .beta = beta.re,
                    .alpha_im = alpha.im,
                    .beta_im = beta.im,
                    .bias = added.bias,
                    .added = added.matrix,
                    .added_row = added.row,
                    .before_gelu = added.before_gelu};
    bool single = p.count == 1 && for_lt(out->dtype);
    bool ok = operand_of(c, a, &x) && operand_of(c, b, &y);
    if (ok) {
        p.a = x.matrix;
        p.b = y.matrix;
        p.c = (GpuMatrix){.data = out->data, .row = n, .batch = m * n};
        *known = !single;
        ok = !single || gpu_blas_single(c->device, &p, known);
        if (ok && !*known && !added.bias && !added.matrix && !added.before_gelu) {
            *known = true;
            single = false;
        }
        ok = ok && (single || gpu_blas_product(c->device, &p));
    }
    operand_release(c, &x);
    operand_release(c, &y);
    return ok;
}

static Arg zero(void) { return (Arg){.kind = ARG_INT}; }

/* out (..., m, n), without gaps, = alpha * a (..., m, k) b (..., k, n) + beta * out; both operands
 * have all of out's dims. Integers: with whole alpha and beta, wrapping around. */
static bool product(const KernelCall *c, const View *a, const View *b, const View *out, Arg alpha,
                    Arg beta) {
    bool is_whole = !dtype_is_float(out->dtype) && !dtype_is_complex(out->dtype);
    if (out->numel == 0) {
        return true;
    }
    if (is_whole) {
        return gpu_int_product(c, a, b, out, alpha.i, beta.i);
    }
    if (a->shape[a->dim - 1] == 0 && number_is(beta, 0)) {
        return gpu_fill_view(c, out, zero());
    }
    bool known;
    return float_product(c, a, b, out, number_complex(alpha), number_complex(beta),
                         (Added){.bias = NULL}, &known);
}

static Arg whole(int64_t i) { return (Arg){.kind = ARG_INT, .i = i}; }

static bool plain(const KernelCall *c, const View *a, const View *b, const View *out) {
    return product(c, a, b, out, whole(1), whole(0));
}

static bool mm(const KernelCall *c) { return plain(c, &c->in[0], &c->in[1], &c->out[0]); }

static bool matmul_batched(const KernelCall *c) {
    Shaped a, b;
    const View *out = &c->out[0];
    return plain(c, broadcast_batch(&a, &c->in[0], out), broadcast_batch(&b, &c->in[1], out), out);
}

static bool mv(const KernelCall *c) {
    Shaped vector, out;
    return plain(c, &c->in[0], with_unit(&vector, &c->in[1], true),
                 with_unit(&out, &c->out[0], true));
}

static bool dot(const KernelCall *c) {
    static const int64_t one[] = {1, 1};
    Shaped row, column;
    View out = c->out[0];
    out.shape = out.stride = one;
    out.dim = 2;
    return plain(c, with_unit(&row, &c->in[0], false), with_unit(&column, &c->in[1], true), &out);
}

/* Whether v, (n) or (1, n), can be added to each row of a product. */
static bool is_bias(const View *v, int64_t n) {
    bool row = v->dim == 1 || (v->dim == 2 && v->shape[0] == 1);
    return row && v->shape[v->dim - 1] == n && (n == 1 || v->stride[v->dim - 1] == 1) &&
           (uintptr_t)v->data % 16 == 0;
}

/* Whether v, times beta, plus a product of (m, n) can be computed without a copy of v, and how. */
static bool find_added(const View *v, const View *out, bool beta_is_1, Added *added) {
    int64_t m = out->shape[0], n = out->shape[1];
    *added = (Added){.bias = NULL};
    if (beta_is_1 && is_bias(v, n)) {
        added->bias = v->data;
        return true;
    }
    if (v->dim == 2 && v->shape[0] == m && v->shape[1] == n && (n == 1 || v->stride[1] == 1) &&
        (v->stride[0] >= n || m == 1)) {
        added->matrix = v->data;
        added->row = m == 1 ? n : v->stride[0];
        return true;
    }
    return false;
}

static bool addmm(const KernelCall *c) {
    Arg beta = c->arg[3], alpha = c->arg[4];
    const View *out = &c->out[0];
    const Complex128 none = {.re = 0};
    bool keeps = !number_is(beta, 0), known;
    Added added;
    if (keeps && out->numel > 0 && c->in[1].shape[1] > 0 && for_lt(out->dtype) &&
        find_added(&c->in[0], out, number_is(beta, 1), &added)) {
        bool ok = float_product(c, &c->in[1], &c->in[2], out, number_complex(alpha),
                                added.matrix ? number_complex(beta) : none, added, &known);
        if (!ok || known) {
            return ok;
        }
    }
    return (!keeps || gpu_copy_view(c, &c->out[0], &c->in[0])) &&
           product(c, &c->in[1], &c->in[2], &c->out[0], alpha, beta);
}

/* Makes the batch dims of x, where one stride leads over them, rows of one matrix; out has no gaps.
 * w, one matrix for all, loses them. */
static void join_rows(Shaped *x, Shaped *out, View *w) {
    int dim = x->view.dim;
    int64_t rows = 1;
    for (int d = dim - 2; d >= 0; d--) {
        bool follows = rows == 1 || x->shape[d] == 1 || x->stride[d] == x->stride[dim - 2] * rows;
        if (!follows) {
            return;
        }
        if (rows == 1) {
            x->stride[dim - 2] = x->stride[d];
        }
        rows *= x->shape[d];
    }
    Shaped *both[] = {x, out};
    for (int i = 0; i < 2; i++) {
        int64_t stride = i ? out->shape[dim - 1] : x->stride[dim - 2];
        int64_t columns = both[i]->shape[dim - 1], step = both[i]->stride[dim - 1];
        both[i]->shape[0] = rows;
        both[i]->stride[0] = stride;
        both[i]->shape[1] = columns;
        both[i]->stride[1] = step;
        both[i]->view.dim = 2;
    }
    w->shape += w->dim - 2;
    w->stride += w->dim - 2;
    w->dim = 2;
}

/* A product that is to have a bias, or gelu, on the way. *known: as for float_product. */
static bool linear_on_the_way(const KernelCall *c, const View *a, const View *w, const View *y,
                              void *before_gelu, bool *known) {
    const View *bias = &c->in[2];
    bool has_bias = bias->dtype != DT_NONE;
    *known = false;
    if (y->dim != 2 || y->numel == 0 || a->shape[1] == 0 || !for_lt(y->dtype) ||
        (has_bias && !is_bias(bias, y->shape[1])) || (before_gelu && y->shape[1] % 8 != 0)) {
        return true;
    }
    return float_product(c, a, w, y, (Complex128){.re = 1}, (Complex128){.re = 0},
                         (Added){.bias = has_bias ? bias->data : NULL, .before_gelu = before_gelu},
                         known);
}

/* x (..., k) times weight (n, k) transposed, plus bias (n). With pre that is pre, which has no
 * gaps, and *gelu says whether result has become gelu of it. */
static bool linear_into(const KernelCall *c, const View *result, const View *pre, bool *gelu) {
    const View *x = &c->in[0], *bias = &c->in[2];
    Shaped row, out, weight, wide;
    shaped(&weight, &c->in[1]);
    for (int i = 0; i < 2; i++) {
        weight.shape[i] = c->in[1].shape[1 - i];
        weight.stride[i] = c->in[1].stride[1 - i];
    }
    View *a = x->dim == 1 ? with_unit(&row, x, false) : shaped(&row, x);
    View *y = x->dim == 1 ? with_unit(&out, result, false) : shaped(&out, result);
    View *w = broadcast_batch(&wide, &weight.view, y);
    join_rows(&row, &out, w);
    bool has_bias = bias->dtype != DT_NONE;
    if (has_bias || pre) {
        bool ok = linear_on_the_way(c, a, w, y, pre ? pre->data : NULL, gelu);
        if (!ok || *gelu) {
            return ok;
        }
    }
    if (pre) {
        y->data = pre->data;
        result = pre;
    }
    if (has_bias && !gpu_copy_view(c, result, bias)) {
        return false;
    }
    return product(c, a, w, y, whole(1), whole(has_bias));
}

static bool linear(const KernelCall *c) {
    bool known;
    return linear_into(c, &c->out[0], NULL, &known);
}

/* out: output, preactivation */
static bool linear_gelu(const KernelCall *c) {
    bool done = false;
    return linear_into(c, &c->out[0], &c->out[1], &done) &&
           (done || gpu_gelu_tanh(c, &c->out[0], &c->out[1]));
}

const KernelRow gpu_matmul_rows[] = {{"mm", mm},
                                     {"bmm", matmul_batched},
                                     {"matmul_batched", matmul_batched},
                                     {"mv", mv},
                                     {"dot", dot},
                                     {"addmm", addmm},
                                     {"linear", linear},
                                     {"linear_gelu_with_preactivation", linear_gelu},
                                     {NULL, NULL}};
