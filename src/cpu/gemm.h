#ifndef TOCHA_CPU_GEMM_H
#define TOCHA_CPU_GEMM_H
/* Products of float and double matrices: packed panels and a register-tile kernel per instruction
 * set, in the way of BLIS (Van Zee, van de Geijn: BLIS: A Framework for Rapidly Instantiating BLAS
 * Functionality, 2015). Strides count elements and may be anything, 0 included. No sum depends on
 * the number of threads: an element is summed over k in one order, in blocks that depend on k. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Products of at most this many rows, columns and summands are not packed. */
enum { GEMM_SMALL = 8 };

typedef struct Matrix {
    const void *data;
    int64_t rs, cs; /* from row to row, from column to column */
} Matrix;

/* c = alpha * product + beta * add. add.data NULL: nothing is added. */
typedef struct GemmOut {
    void *c;
    int64_t rs, cs;
    Matrix add;
    double alpha, beta;
} GemmOut;

/* What an instruction set offers for one element type. A packed a is a row of panels of up to mr
 * rows (as even as can be), each with its columns one after another, mr elements apart; a packed b
 * is a row of panels of nr columns, each with its rows one after another, the last panel filled up
 * with zeros; where unit is not 1, columns of a and rows of b are packed in groups of so many. */
typedef struct GemmKernels {
    int mr, nr;
    int size, sum_size; /* bytes of an operand's element, and of one of c and add */
    int unit;           /* so many elements along k are multiplied together */
    void (*pack_a)(int64_t m, int64_t k, Matrix a, void *packed);
    void (*pack_b)(int64_t k, int64_t n, Matrix b, void *packed);
    /* The product of packed operands. */
    void (*block)(int64_t m, int64_t n, int64_t k, const void *a, const void *b,
                  const GemmOut *out);
    /* c (m) = alpha * a (m, k) x (k) + beta * add; the column strides of out are not looked at.
     * NULL, as is small, where sums have another type. */
    void (*gemv)(int64_t m, int64_t k, Matrix a, const void *x, int64_t incx, const GemmOut *out);
    /* A product without packing; m, n and k are at most GEMM_SMALL. */
    void (*small)(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, const GemmOut *out);
} GemmKernels;

/* For float (size 4) and double (size 8). */
const GemmKernels *gemm_kernels(size_t size);
/* For bfloat16 operands and float sums; NULL on CPUs that do not multiply them. */
const GemmKernels *gemm_kernels_bfloat16(void);
/* With vectors half as long where the usual ones have 64 bytes: these do as much in a cycle, and
 * waste less on a few columns. */
const GemmKernels *gemm_kernels_narrow(size_t size);

/* Bytes of a packed a or b, multiples of MEM_ALIGN. */
size_t gemm_bytes_a(const GemmKernels *g, int64_t m, int64_t k);
size_t gemm_bytes_b(const GemmKernels *g, int64_t k, int64_t n);

/* The product on this thread; work holds gemm_work_bytes(). */
size_t gemm_work_bytes(const GemmKernels *g, int64_t m, int64_t n, int64_t k);
void gemm_serial(const GemmKernels *g, int64_t m, int64_t n, int64_t k, Matrix a, Matrix b,
                 const GemmOut *out, void *work);

/* count products of one size; product i reads and writes at the element offsets a_at[i], b_at[i],
 * c_at[i] and add_at[i] from the operands given (NULL: 0 for all). */
typedef struct GemmBatch {
    int64_t m, n, k;
    Matrix a, b;
    GemmOut out;
    int64_t count;
    const int64_t *a_at, *b_at, *c_at, *add_at;
} GemmBatch;

/* Runs on the pool. false: out of memory or interrupted, error recorded. */
bool gemm_run(const GemmKernels *g, const GemmBatch *batch);
#endif
