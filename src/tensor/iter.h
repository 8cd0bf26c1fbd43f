#ifndef TOCHA_ITER_H
#define TOCHA_ITER_H
/* The iterator owns broadcast, strides, dim order, coalescing and the split over threads; a CPU
 * kernel is a 1-D strided loop. */
#include "tensor/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ITER_MAX = 8 };

/* ptr and stride (bytes) of each operand, outputs first; n elements; ctx as given to iter_run. */
typedef void IterLoop(char *const *ptr, const int64_t *stride, int64_t n, const void *ctx);

typedef struct Iter {
    int n, dim; /* operands; dims left after coalescing, the innermost first */
    int n_out;  /* the first operands, which loops may write; n unless set otherwise */
    int64_t numel;
    int64_t shape[MAX_DIMS];
    int64_t stride[ITER_MAX][MAX_DIMS]; /* bytes; 0 along broadcast dims */
    int64_t size[ITER_MAX];             /* bytes of an element */
    char *data[ITER_MAX];
} Iter;

/* Operands are broadcast to shape; views of dtype DT_NONE are not allowed. Dims are reordered so
 * that the first operand's smallest stride is innermost, and merged where all strides allow. */
void iter_init(Iter *it, const int64_t *shape, int dim, const View *const *operands, int n);
void iter_swap_dims(Iter *it, int a, int b);
/* The common case: one output, inputs broadcast to it. */
void iter_elementwise(Iter *it, const View *out, const View *in, int n_in);
/* Calls loop over all elements, split over threads when numel * cost is worth it (cost is about
 * the nanoseconds that an element takes, in hundredths). The order of elements is not fixed, and
 * inputs (operands from n_out on) may reach the loop as copies in blocks of their own. */
void iter_run(const Iter *it, IterLoop *loop, const void *ctx, int64_t cost);
/* The same row by row of the innermost dim, where all operands stand. */
void iter_run_rows(const Iter *it, IterLoop *loop, const void *ctx, int64_t cost);
/* Calls loop over elements [begin, end) in the iterator's order, on this thread. */
void iter_range(const Iter *it, int64_t begin, int64_t end, IterLoop *loop, const void *ctx);

#ifdef __cplusplus
}
#endif
#endif
