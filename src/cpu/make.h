#ifndef TOCHA_CPU_MAKE_H
#define TOCHA_CPU_MAKE_H
/* Filling new, contiguous tensors block by block, and random words for it. */
#include "cpu/kernels/random.h"
#include "tensor/backend.h"
#include "tensor/formulas/random.h"

enum { MAKE_BLOCK = 1024 };

/* Computes elements [begin, begin + n) of a tensor, n <= MAKE_BLOCK, in the dtype agreed on. It may
 * write one element more where n is odd. */
typedef void MakeBlock(const void *ctx, void *block, int64_t begin, int64_t n);

/* A new tensor as what make_elements fills: its numbers in a row, of complex ones both parts. */
View make_numbers(const View *out);
/* Fills out block by block with what make computes in dtype. */
void make_elements(const View *out, int dtype, MakeBlock *make, const void *ctx);
/* The same for a make that computes in DT_FLOAT64 or DT_INT64; halves are rounded from floats. */
void make_wide(const View *out, int dtype, MakeBlock *make, const void *ctx);

/* A random op's stream, and what its elements are made with. */
typedef struct Random {
    const RandomTable *table;
    uint64_t seed, offset;
    RandomShape shape;
    int bits;           /* of a uniform float */
    int64_t low;        /* integers */
    uint64_t possible;  /* how many integers; 0: all of them */
    const double *rate; /* of each element */
} Random;

Random random_of(const KernelCall *c);
/* The random words of elements [begin, begin + n), each of so many words; begin is a multiple of
 * MAKE_BLOCK. */
void random_draw(const Random *r, uint32_t *words, int64_t begin, int64_t n, int64_t each);

KernelFn cpu_exponential, cpu_geometric, cpu_cauchy, cpu_log_normal, cpu_bernoulli,
    cpu_bernoulli__number, cpu_poisson, cpu_multinomial;
#endif
