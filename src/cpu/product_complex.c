#include "cpu/product_complex.h"

#include "base/memory.h"

/* The real (0) or imaginary (1) parts of a complex matrix. */
static Matrix parts_of(Matrix x, int part, size_t size) {
    const char *data = x.data;
    return (Matrix){data ? data + (size_t)part * size : NULL, 2 * x.rs, 2 * x.cs};
}

/* out's part = alpha a b + what was there; what is added at first is the added matrix's part. */
static bool multiply(const GemmBatch *p, int part, int a_part, int b_part, double alpha, bool first,
                     size_t size) {
    GemmBatch one = *p;
    one.a = parts_of(p->a, a_part, size);
    one.b = parts_of(p->b, b_part, size);
    one.out.c = (char *)p->out.c + (size_t)part * size;
    one.out.rs = 2 * p->out.rs;
    one.out.cs = 2 * p->out.cs;
    one.out.alpha = alpha;
    one.out.add = parts_of(p->out.add, part, size);
    if (!first) {
        one.out.add = (Matrix){one.out.c, one.out.rs, one.out.cs};
        one.out.beta = 1;
        one.add_at = one.c_at;
    }
    return gemm_run(gemm_kernels(size), &one);
}

static bool run(const GemmBatch *p, size_t size) {
    double alpha = p->out.alpha;
    return multiply(p, 0, 0, 0, alpha, true, size) && multiply(p, 0, 1, 1, -alpha, false, size) &&
           multiply(p, 1, 0, 1, alpha, true, size) && multiply(p, 1, 1, 0, alpha, false, size);
}

/* Offsets of parts instead of complex elements; at: room for count of them. */
static const int64_t *doubled(const int64_t *from, int64_t count, int64_t *at) {
    for (int64_t i = 0; from && i < count; i++) {
        at[i] = 2 * from[i];
    }
    return from ? at : NULL;
}

bool product_complex_run(const Product *p) {
    GemmBatch batch = p->batch;
    int64_t count = batch.count;
    size_t bytes = 4 * (size_t)count * sizeof(int64_t);
    int64_t *at = mem_alloc(bytes);
    if (!at) {
        return false;
    }
    batch.a_at = doubled(batch.a_at, count, at);
    batch.b_at = doubled(batch.b_at, count, at + count);
    batch.c_at = doubled(batch.c_at, count, at + 2 * count);
    batch.add_at = doubled(batch.add_at, count, at + 3 * count);
    bool ok = run(&batch, dtype_size(p->dtype) / 2);
    mem_free(at, bytes);
    return ok;
}
