#ifndef TOCHA_CPU_DENSE_H
#define TOCHA_CPU_DENSE_H
/* Runs dense loops (cpu/kernels/elementwise.h) over operands of any layout and of half types: what
 * is strided or half is staged through small blocks that stay in the cache. */
#include "cpu/kernels/elementwise.h"

typedef struct DenseOp {
    IterLoop *loop;
    const void *ctx;
    int64_t cost;     /* of an element, in hundredths of a nanosecond */
    uint32_t updates; /* bit k: the loop reads output k before it writes it */
    uint32_t scalars; /* bit k: operand k, an input, may reach the loop with stride 0 */
    bool widen;       /* float16 and bfloat16 operands reach the loop as float */
} DenseOp;

/* The loops for this CPU. */
const EwTable *ew_tables(void);

/* What a loop computes in for that dtype: itself, or float for the half types. */
int ew_compute_dtype(int dtype);

/* The operands are the outputs, then the inputs, which are broadcast to the first output's shape.
 * The loop never sees all inputs with stride 0, unless for a single element. */
void dense_run(const DenseOp *op, const View *const *operand, int n_out, int n);
/* The most that runs on the calling thread alone: 4 us of work, in hundredths of a nanosecond. */
enum { DENSE_INLINE_COST = 400000 };

/* True if the elements of v are n in row-major order without gaps. */
static inline bool dense_is_line(const View *v, int64_t n) {
    int64_t step = 1;
    for (int i = v->dim - 1; i >= 0; i--) {
        if (v->stride[i] != step && v->shape[i] != 1) {
            return false;
        }
        step *= v->shape[i];
    }
    return step == n;
}

/* The interactive case with as little around the loop as can be: few elements in one run of memory,
 * or one number with them. False where the operands are not so and dense_run has to do it. */
static inline bool dense_run_small(IterLoop *loop, const void *ctx, int64_t cost, const View *out,
                                   const View *a, const View *b) {
    int64_t n = out->numel, size = (int64_t)dtype_size(a->dtype);
    bool number_a = a->numel != n, number_b = b->numel != n;
    if (!loop || n == 0 || n * cost > DENSE_INLINE_COST || !dense_is_line(out, n) ||
        !(number_a ? a->numel == 1 : dense_is_line(a, n)) ||
        !(number_b ? b->numel == 1 && !number_a : dense_is_line(b, n))) {
        return false;
    }
    char *const ptr[] = {out->data, a->data, b->data};
    const int64_t stride[] = {(int64_t)dtype_size(out->dtype), number_a ? 0 : size,
                              number_b ? 0 : size};
    loop(ptr, stride, n, ctx);
    return true;
}

/* Copies src, broadcast, to dst and converts it to dst's dtype. They must not overlap unless they
 * are the same elements in the same order. */
void dense_copy(const View *dst, const View *src);

/* Writes the number everywhere; what dst's dtype cannot hold has been refused before. */
void dense_fill(const View *dst, Arg number);

#endif
