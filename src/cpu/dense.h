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
/* The same for one output and one or two inputs, with less to do for small ones. */
void dense_unary(const DenseOp *op, const View *out, const View *in);
void dense_binary(const DenseOp *op, const View *out, const View *a, const View *b);

/* Copies src, broadcast, to dst and converts it to dst's dtype. They must not overlap unless they
 * are the same elements in the same order. */
void dense_copy(const View *dst, const View *src);

/* Writes the number everywhere; what dst's dtype cannot hold has been refused before. */
void dense_fill(const View *dst, Arg number);

#endif
