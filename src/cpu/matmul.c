/* Matrix products: from tensors to batches of strided matrices. */
#include <string.h>

#include "base/memory.h"
#include "cpu/cpu.h"
#include "cpu/dense.h"
#include "cpu/kernels/activation.h"
#include "cpu/product.h"
#include "tensor/number.h"

/* The matrix of a view's last two dims, or a vector as a row or a column. */
static Matrix last_two(const View *v) {
    return (Matrix){v->data, v->stride[v->dim - 2], v->stride[v->dim - 1]};
}
static Matrix as_row(const View *v) { return (Matrix){v->data, 0, v->stride[0]}; }
static Matrix as_column(const View *v) { return (Matrix){v->data, v->stride[0], 0}; }

static Product product_of(int dtype, int64_t m, int64_t n, int64_t k) {
    return (Product){.dtype = dtype,
                     .batch = {.m = m, .n = n, .k = k, .count = 1, .out = {.alpha = 1}},
                     .alpha = 1};
}

/* The result's rows, which outputs have without gaps. */
static void write_to(Product *p, void *data, int64_t columns) {
    p->batch.out.c = data;
    p->batch.out.rs = columns;
    p->batch.out.cs = 1;
}

static bool cpu_mm(const KernelCall *c) {
    const View *a = &c->in[0], *b = &c->in[1], *out = &c->out[0];
    Product p = product_of(a->dtype, a->shape[0], b->shape[1], a->shape[1]);
    p.batch.a = last_two(a);
    p.batch.b = last_two(b);
    write_to(&p, out->data, b->shape[1]);
    return product_run(&p);
}

/* The stride of dim d of out's batch dims in x, whose batch dims are aligned to the right. */
static int64_t batch_stride(const View *x, const View *out, int d) {
    int at = d - (out->dim - x->dim);
    return at < 0 || x->shape[at] == 1 ? 0 : x->stride[at];
}

/* The element offset of each product in x; the last dim runs fastest. */
static void batch_offsets(const View *x, const View *out, int64_t count, int64_t *at) {
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i;
        at[i] = 0;
        for (int d = out->dim - 3; d >= 0; d--) {
            at[i] += rest % out->shape[d] * batch_stride(x, out, d);
            rest /= out->shape[d];
        }
    }
}

/* Runs p once for each matrix of out, a contiguous batch; a and b (or NULL: b is one matrix for
 * all) say where the operands' matrices are. */
static bool run_batch(Product *p, const View *a, const View *b, const View *out) {
    int64_t count = out->numel / (p->batch.m * p->batch.n);
    size_t bytes = 3 * (size_t)count * sizeof(int64_t);
    int64_t *at = mem_alloc(bytes);
    if (!at) {
        return false;
    }
    batch_offsets(a, out, count, at);
    if (b) {
        batch_offsets(b, out, count, at + count);
        p->batch.b_at = at + count;
    }
    for (int64_t i = 0; i < count; i++) {
        at[2 * count + i] = i * p->batch.m * p->batch.n;
    }
    p->batch.count = count;
    p->batch.a_at = at;
    p->batch.c_at = at + 2 * count;
    bool ok = product_run(p);
    mem_free(at, bytes);
    return ok;
}

static bool cpu_matmul_batched(const KernelCall *c) {
    const View *a = &c->in[0], *b = &c->in[1], *out = &c->out[0];
    if (out->numel == 0) {
        return true;
    }
    Product p =
        product_of(a->dtype, a->shape[a->dim - 2], b->shape[b->dim - 1], a->shape[a->dim - 1]);
    p.batch.a = last_two(a);
    p.batch.b = last_two(b);
    write_to(&p, out->data, p.batch.n);
    return run_batch(&p, a, b, out);
}

static bool cpu_mv(const KernelCall *c) {
    const View *a = &c->in[0], *out = &c->out[0];
    Product p = product_of(a->dtype, a->shape[0], 1, a->shape[1]);
    p.batch.a = last_two(a);
    p.batch.b = as_column(&c->in[1]);
    write_to(&p, out->data, 1);
    return product_run(&p);
}

/* Long dot products are summed in chunks, whose number depends on the size alone. */
enum { DOT_CHUNK = 1 << 16, DOT_CHUNKS = 256 };

/* The products of count chunks of k elements from first on. */
static bool dot_chunks(const KernelCall *c, int64_t first, int64_t k, int64_t count, void *out) {
    const View *x = &c->in[0], *y = &c->in[1];
    int64_t x_at[DOT_CHUNKS], y_at[DOT_CHUNKS], out_at[DOT_CHUNKS];
    for (int64_t i = 0; i < count; i++) {
        x_at[i] = (first + i * k) * x->stride[0];
        y_at[i] = (first + i * k) * y->stride[0];
        out_at[i] = i;
    }
    Product p = product_of(x->dtype, 1, 1, k);
    p.batch.a = as_row(x);
    p.batch.b = as_column(y);
    p.batch.count = count;
    p.batch.a_at = x_at;
    p.batch.b_at = y_at;
    p.batch.c_at = out_at;
    write_to(&p, out, 1);
    return product_run(&p);
}

static bool cpu_dot(const KernelCall *c) {
    int dtype = c->in[0].dtype;
    int64_t k = c->in[0].shape[0];
    int64_t chunks = k / DOT_CHUNK < DOT_CHUNKS ? k / DOT_CHUNK : DOT_CHUNKS;
    if (chunks < 2 || (dtype != DT_FLOAT32 && dtype != DT_FLOAT64)) {
        return dot_chunks(c, 0, k, 1, c->out[0].data);
    }
    double room[DOT_CHUNKS + 1], sum = 0;
    char *part = (char *)room;
    int64_t length = k / chunks, size = (int64_t)dtype_size(dtype);
    if (!dot_chunks(c, 0, length, chunks, part) ||
        !dot_chunks(c, chunks * length, k - chunks * length, 1, part + chunks * size)) {
        return false;
    }
    for (int64_t i = 0; i <= chunks; i++) {
        sum += element_get_float(part + i * size, dtype);
    }
    element_set_float(c->out[0].data, dtype, sum);
    return true;
}

/* input broadcast to the product's shape. */
static Matrix broadcast(const View *v, const View *out) {
    int64_t rs = v->dim == 2 && v->shape[0] == out->shape[0] ? v->stride[0] : 0;
    int64_t cs = v->dim > 0 && v->shape[v->dim - 1] == out->shape[1] ? v->stride[v->dim - 1] : 0;
    return (Matrix){v->data, rs, cs};
}

/* Complex factors, in passes of their own over the plain product: out = alpha out + beta input. */
static void scale_product(const KernelCall *c, Complex128 beta, Complex128 alpha) {
    const View *out = &c->out[0];
    Complex128 factor = {0};
    const View number = {.data = &factor, .numel = 1, .dtype = out->dtype};
    number_store(&factor, out->dtype, arg_complex((double[]){alpha.re, alpha.im}));
    DenseOp times = {
        .loop = ew_tables()->binary[EW_MUL][out->dtype], .cost = 10, .scalars = 1u << 2};
    const View *const scaled[] = {out, out, &number};
    dense_run(&times, scaled, 1, 3);
    if (beta.re == 0 && beta.im == 0) {
        return;
    }
    EwNumbers numbers = {.a = beta.re, .b = beta.im};
    DenseOp plus = {.loop = ew_tables()->binary[EW_ADD_SCALED][out->dtype],
                    .ctx = &numbers,
                    .cost = 10,
                    .scalars = 1u << 2};
    const View *const added[] = {out, out, &c->in[0]};
    dense_run(&plus, added, 1, 3);
}

static bool cpu_addmm(const KernelCall *c) {
    const View *a = &c->in[1], *b = &c->in[2], *out = &c->out[0];
    Complex128 beta = number_complex(c->arg[3]), alpha = number_complex(c->arg[4]);
    bool turns = beta.im != 0 || alpha.im != 0;
    Product p = product_of(a->dtype, a->shape[0], b->shape[1], a->shape[1]);
    p.batch.a = last_two(a);
    p.batch.b = last_two(b);
    write_to(&p, out->data, b->shape[1]);
    p.batch.out.beta = turns ? 0 : beta.re;
    p.batch.out.alpha = turns ? 1 : alpha.re;
    if (p.batch.out.beta != 0) {
        p.batch.out.add = broadcast(&c->in[0], out);
    }
    if (!dtype_is_inexact(a->dtype)) {
        p.beta = c->arg[3].i;
        p.alpha = c->arg[4].i;
    }
    if (!product_run(&p)) {
        return false;
    }
    if (turns) {
        scale_product(c, beta, alpha);
    }
    return true;
}

/* How many of the dims before the last, counted from it, can be walked with one stride. */
static int joined_dims(const View *x) {
    int n = 0;
    for (int d = x->dim - 2; d >= 0; d--, n++) {
        if (n > 0 && x->shape[d] != 1 && x->stride[d] != x->stride[d + 1] * x->shape[d + 1]) {
            break;
        }
    }
    return n;
}

static bool linear_into(const KernelCall *c, const View *out) {
    const View *x = &c->in[0], *w = &c->in[1], *bias = &c->in[2];
    if (out->numel == 0) {
        return true;
    }
    int lead = x->dim - 1 - joined_dims(x);
    int64_t m = 1;
    for (int d = lead; d < x->dim - 1; d++) {
        m *= x->shape[d];
    }
    Product p = product_of(x->dtype, m, w->shape[0], w->shape[1]);
    p.batch.a = x->dim > 1 ? last_two(x) : as_row(x);
    p.batch.b = (Matrix){w->data, w->stride[1], w->stride[0]};
    write_to(&p, out->data, p.batch.n);
    if (bias->dtype != DT_NONE) {
        p.batch.out.add = (Matrix){bias->data, 0, bias->stride[0]};
        p.batch.out.beta = 1;
        p.beta = 1;
    }
    if (lead == 0) {
        return product_run(&p);
    }
    int64_t shape[MAX_DIMS + 1], stride[MAX_DIMS + 1];
    memcpy(shape, x->shape, (size_t)lead * sizeof *shape);
    memcpy(stride, x->stride, (size_t)lead * sizeof *stride);
    View batch = {.shape = shape, .stride = stride, .dim = lead + 2, .numel = out->numel};
    return run_batch(&p, &batch, NULL, &batch);
}

static bool cpu_linear(const KernelCall *c) { return linear_into(c, &c->out[0]); }

/* out: output, preactivation */
static bool cpu_linear_gelu(const KernelCall *c) {
    const View *out = &c->out[0], *pre = &c->out[1];
    if (!linear_into(c, pre)) {
        return false;
    }
    EwNumbers3 none = {.a = 0};
    DenseOp op = {
        .loop = ISA_PICK(activation_table)->forward[ACT_gelu_tanh][ew_compute_dtype(out->dtype)],
        .ctx = &none,
        .cost = 60,
        .widen = true};
    const View *const operand[] = {out, pre};
    dense_run(&op, operand, 1, 2);
    return true;
}

const KernelRow cpu_matmul_rows[] = {{"mm", cpu_mm},
                                     {"bmm", cpu_matmul_batched},
                                     {"matmul_batched", cpu_matmul_batched},
                                     {"mv", cpu_mv},
                                     {"dot", cpu_dot},
                                     {"addmm", cpu_addmm},
                                     {"linear", cpu_linear},
                                     {"linear_gelu_with_preactivation", cpu_linear_gelu},
                                     {NULL, NULL}};
