#include "cpu/product.h"

#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cpu/dense.h"
#include "cpu/gemm_int.h"
#include "cpu/kernels/isa_name.h"
#include "cpu/kernels/load.h"
#include "cpu/product_blas.h"
#include "cpu/product_complex.h"

ISA_DECLARE(const IntKernels, gemm_int);

static int64_t offset_of(const int64_t *at, int64_t i) { return at ? at[i] : 0; }

static const void *element(const void *data, int64_t at, size_t size) {
    return data ? (const char *)data + at * (int64_t)size : NULL;
}

/* Rows of an integer product, numbered through the batch. */
typedef struct IntJob {
    const Product *p;
    void (*row)(const IntRow *r);
} IntJob;

static void int_rows(void *ctx, int64_t begin, int64_t end) {
    const IntJob *job = ctx;
    const GemmBatch *b = &job->p->batch;
    size_t size = dtype_size(job->p->dtype);
    for (int64_t r = begin; r < end; r++) {
        int64_t i = r / b->m, row = r % b->m;
        IntRow x = {
            .n = b->n,
            .k = b->k,
            .a = element(b->a.data, offset_of(b->a_at, i) + row * b->a.rs, size),
            .b = element(b->b.data, offset_of(b->b_at, i), size),
            .add = element(b->out.add.data, offset_of(b->add_at, i) + row * b->out.add.rs, size),
            .c = (char *)b->out.c + (offset_of(b->c_at, i) + row * b->out.rs) * (int64_t)size,
            .a_step = b->a.cs,
            .b_rs = b->b.rs,
            .b_cs = b->b.cs,
            .add_step = b->out.add.cs,
            .alpha = job->p->alpha,
            .beta = job->p->beta};
        job->row(&x);
    }
}

static bool run_int_rows(const Product *p) {
    const IntKernels *kernels = ISA_PICK(gemm_int);
    IntJob job = {p, kernels->row_8};
    switch (dtype_size(p->dtype)) {
    case 1: job.row = kernels->row_1; break;
    case 2: job.row = kernels->row_2; break;
    case 4: job.row = kernels->row_4; break;
    }
    const GemmBatch *b = &p->batch;
    int64_t work = b->n * b->k, grain = work > 100000 ? 1 : 100000 / (work + 1) + 1;
    parallel_for(b->m * b->count, grain, int_rows, &job);
    return !interrupted();
}

/* Product by product, with b's rows brought together: each is read once for every row of a. */
static bool run_packed_integers(const Product *p) {
    const GemmBatch *x = &p->batch;
    size_t size = dtype_size(p->dtype), bytes = (size_t)(x->k * x->n) * size;
    int64_t shape[] = {x->k, x->n}, from[] = {x->b.rs, x->b.cs}, to[] = {x->n, 1};
    View packed = {mem_alloc(bytes), shape, to, x->k * x->n, 2, p->dtype};
    Product one = *p;
    one.batch.count = 1;
    one.batch.a_at = one.batch.b_at = one.batch.c_at = one.batch.add_at = NULL;
    one.batch.b = (Matrix){packed.data, x->n, 1};
    bool ok = packed.data != NULL;
    for (int64_t i = 0; ok && i < x->count; i++) {
        void *b = (char *)(uintptr_t)element(x->b.data, offset_of(x->b_at, i), size);
        View given = {b, shape, from, x->k * x->n, 2, p->dtype};
        dense_copy(&packed, &given);
        one.batch.a.data = element(x->a.data, offset_of(x->a_at, i), size);
        one.batch.out.add.data = element(x->out.add.data, offset_of(x->add_at, i), size);
        one.batch.out.c = (char *)x->out.c + offset_of(x->c_at, i) * (int64_t)size;
        ok = run_int_rows(&one);
    }
    if (packed.data) {
        mem_free(packed.data, bytes);
    }
    return ok;
}

static bool run_integers(const Product *p) {
    const GemmBatch *x = &p->batch;
    bool packs = x->b.cs != 1 && x->m >= 4 && x->k > 0 && x->m * x->n * x->k >= 32768;
    return packs ? run_packed_integers(p) : run_int_rows(p);
}

/* Without OpenBLAS every product is ours. */
static bool run_floats(const GemmBatch *batch, size_t size) {
    if (product_blas_takes(batch)) {
        if (product_blas_run(batch, size)) {
            return true;
        }
        if (error_kind() != ERR_GENERIC) {
            return false;
        }
        error_clear();
    }
    return gemm_run(gemm_kernels(size), batch);
}

/* A matrix of a half type and the same in float. */
typedef struct Widen {
    Matrix from;
    int dtype;
    int64_t columns;
    float *to;
} Widen;

static void widen_rows(void *ctx, int64_t begin, int64_t end) {
    const Widen *w = ctx;
    for (int64_t i = begin; i < end; i++) {
        float *to = w->to + i * w->columns;
        const void *from = element(w->from.data, i * w->from.rs, dtype_size(w->dtype));
        (void)load_f32(from, w->dtype, w->from.cs, w->columns, to);
    }
}

static int64_t rows_worth_a_task(int64_t columns) { return 16384 / (columns + 1) + 1; }

/* x (rows, columns) in float at to, row by row. */
static Matrix widen(Matrix x, int dtype, int64_t rows, int64_t columns, float *to) {
    Widen w = {x, dtype, columns, to};
    parallel_for(rows, rows_worth_a_task(columns), widen_rows, &w);
    return (Matrix){to, columns, 1};
}

/* Rows whose elements are far apart are read column by column. */
static Matrix widen_any(Matrix x, int dtype, int64_t rows, int64_t columns, float *to) {
    if (x.cs == 1 || x.rs != 1) {
        return widen(x, dtype, rows, columns, to);
    }
    Matrix t = widen((Matrix){x.data, x.cs, x.rs}, dtype, columns, rows, to);
    return (Matrix){t.data, t.cs, t.rs};
}

typedef struct Narrow {
    const float *from;
    int dtype;
    int64_t columns;
    void *to;
    int64_t rs;
} Narrow;

static void narrow_rows(void *ctx, int64_t begin, int64_t end) {
    const Narrow *w = ctx;
    for (int64_t i = begin; i < end; i++) {
        char *to = (char *)w->to + i * w->rs * (int64_t)dtype_size(w->dtype);
        store_f32(to, w->dtype, 1, w->columns, w->from + i * w->columns);
    }
}

typedef struct HalfBuffers {
    float *a, *b, *c, *add;
} HalfBuffers;

/* The kernels that take p's operands as they are, or NULL: a vector's few products are not worth
 * the packing. */
static const GemmKernels *half_kernels(const Product *p) {
    bool pays = p->batch.m > 1 && p->batch.n > 1 && p->batch.k > GEMM_SMALL;
    return p->dtype == DT_BFLOAT16 && pays ? gemm_kernels_bfloat16() : NULL;
}

/* The operands of product i, in float unless they are taken as they are; those of the product
 * before are taken again where they are the same. */
static void half_operands(const Product *p, int64_t i, bool as_they_are, const HalfBuffers *f,
                          GemmBatch *one) {
    const GemmBatch *x = &p->batch;
    size_t size = dtype_size(p->dtype);
    int64_t a_at = offset_of(x->a_at, i), b_at = offset_of(x->b_at, i);
    Matrix a = {element(x->a.data, a_at, size), x->a.rs, x->a.cs};
    Matrix b = {element(x->b.data, b_at, size), x->b.rs, x->b.cs};
    if (as_they_are) {
        one->a = a;
        one->b = b;
        return;
    }
    if (i == 0 || a_at != offset_of(x->a_at, i - 1)) {
        one->a = widen_any(a, p->dtype, x->m, x->k, f->a);
    }
    if (i == 0 || b_at != offset_of(x->b_at, i - 1)) {
        one->b = widen_any(b, p->dtype, x->k, x->n, f->b);
    }
}

/* Product i alone. */
static bool run_half(const Product *p, int64_t i, const HalfBuffers *f, GemmBatch *one) {
    const GemmBatch *x = &p->batch;
    const GemmKernels *kernels = half_kernels(p);
    size_t size = dtype_size(p->dtype);
    half_operands(p, i, kernels != NULL, f, one);
    one->out.c = f->c;
    one->out.rs = x->n;
    one->out.cs = 1;
    if (x->out.add.data) {
        Matrix add = {element(x->out.add.data, offset_of(x->add_at, i), size), x->out.add.rs,
                      x->out.add.cs};
        one->out.add = widen(add, p->dtype, x->m, x->n, f->add);
    }
    if (!(kernels ? gemm_run(kernels, one) : run_floats(one, sizeof(float)))) {
        return false;
    }
    Narrow w = {f->c, p->dtype, x->n, (char *)x->out.c + offset_of(x->c_at, i) * (int64_t)size,
                x->out.rs};
    parallel_for(x->m, rows_worth_a_task(x->n), narrow_rows, &w);
    return true;
}

static bool run_halves(const Product *p) {
    const GemmBatch *x = &p->batch;
    bool widens = half_kernels(p) == NULL;
    int64_t a = widens ? x->m * x->k : 0, b = widens ? x->k * x->n : 0, c = x->m * x->n;
    size_t bytes = (size_t)(a + b + 2 * c) * sizeof(float);
    float *buffer = mem_alloc(bytes);
    if (!buffer) {
        return false;
    }
    HalfBuffers f = {buffer, buffer + a, buffer + a + b, buffer + a + b + c};
    GemmBatch one = *x;
    one.count = 1;
    one.a_at = one.b_at = one.c_at = one.add_at = NULL;
    bool ok = true;
    for (int64_t i = 0; ok && i < x->count; i++) {
        ok = run_half(p, i, &f, &one);
    }
    mem_free(buffer, bytes);
    return ok && !interrupted();
}

bool product_run(const Product *p) {
    if (p->batch.m == 0 || p->batch.n == 0 || p->batch.count == 0) {
        return true;
    }
    switch (p->dtype) {
    case DT_FLOAT32:
    case DT_FLOAT64: return run_floats(&p->batch, dtype_size(p->dtype));
    case DT_FLOAT16:
    case DT_BFLOAT16: return run_halves(p);
    case DT_COMPLEX64:
    case DT_COMPLEX128: return product_complex_run(p);
    default: return run_integers(p);
    }
}
