#ifndef TOCHA_GPU_MATRICES_H
#define TOCHA_GPU_MATRICES_H
/* Batches of matrices in scratch memory, column by column as NVIDIA's libraries take them, and what
 * our own kernels do to them. Functions launch on the call's stream; false: error recorded. */
#include "gpu/gpu.h"
#include "tensor/matrix_state.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SCRATCH_BLOCKS = 40 };

/* The memory of one call, given back together. */
typedef struct Scratch {
    const KernelCall *c;
    int n;
    struct {
        void *p;
        size_t bytes;
        bool on_host;
    } block[SCRATCH_BLOCKS];
} Scratch;

/* Memory of at least one byte, owned by s; NULL: error recorded. */
void *scratch_take(Scratch *s, size_t bytes);
void *scratch_take_host(Scratch *s, size_t bytes);
/* count integers, all 0. */
int *scratch_zeros(Scratch *s, int64_t count);
void scratch_release(Scratch *s);

/* The dims of a view before its last `drop`. */
typedef struct BatchDims {
    const int64_t *shape;
    int dims;
    int64_t count;
} BatchDims;

BatchDims batch_dims(const View *v, int drop);

/* count matrices; elements of a column follow each other. */
typedef struct Stack {
    void *data;
    int dtype;
    int64_t rows, columns, count;
    int64_t lead, step; /* elements from one column, and from one matrix, to the next */
} Stack;

/* Room for matrices without gaps. */
bool stack_take(Scratch *s, Stack *a, int dtype, int64_t rows, int64_t columns, int64_t count);
/* The first so many columns, or rows. */
Stack stack_part(const Stack *a, int64_t rows, int64_t columns);
/* A copy of a. */
bool stack_copy(Scratch *s, Stack *copy, const Stack *a);
/* Fills a from matrices whose batch dims broadcast to b, each of them transposed if wanted. */
bool stack_load(const KernelCall *c, const Stack *a, const View *from, BatchDims b,
                bool transposed);
bool stack_store(const KernelCall *c, const View *to, const Stack *a, BatchDims b, bool transposed);
/* The same with vectors, which have one dim. */
bool stack_store_vectors(const KernelCall *c, const View *to, const Stack *a);

/* Waits, and raises the error of the first matrix whose state is not 0: all are `state`, or their
 * own where that is MATRIX_GOOD. */
bool matrices_check(Scratch *s, const int *states, BatchDims b, MatrixState state);

typedef enum { WHOLE, LOWER, UPPER } Triangle;

/* Sets the states of matrices with nan or inf to MATRIX_NOT_FINITE. */
bool matrices_find_infinite(const KernelCall *c, const Stack *a, Triangle part, int *state);
/* Sets the states of matrices with a zero on the diagonal to MATRIX_SINGULAR. */
bool matrices_find_zeros(const KernelCall *c, const Stack *a, int *state);
/* Sets a state that is 0 to the place, from 1, of the first pivot of a Cholesky factor that is not
 * positive: nan, which the library may let pass. */
bool matrices_find_nan_pivots(const KernelCall *c, const Stack *a, int *state);
/* Fills matrices whose state is not 0 with nan. */
bool matrices_spoil(const KernelCall *c, const Stack *a, const int *state);
/* Writes the identity, or the rows of `from` in that order: row r of matrix i is its row
 * order[i * rows + r], from 1. order may be NULL. */
bool matrices_permute(const KernelCall *c, const Stack *a, const Stack *from, const int64_t *order);
/* The order of rows that k swaps a matrix make, as LU factorisations report them, from 1. */
bool matrices_order(const KernelCall *c, const int *pivots, int64_t k, int64_t rows, int64_t count,
                    int64_t *order);
/* Pivots that come from a tensor; state: the place, from 1, of a matrix's first that is no row. */
bool matrices_take_pivots(const KernelCall *c, const int64_t *from, int64_t k, int64_t rows,
                          int64_t count, int *to, int *state);
/* 1, 2, ..., n for each matrix. */
bool matrices_count_up(const KernelCall *c, int *to, int64_t n, int64_t count);
/* Determinants from LU factors; with log_abs their signs, and there the logarithms of their
 * absolute values. */
bool matrices_determinant(const KernelCall *c, const Stack *lu, const int *pivots, void *det,
                          void *log_abs);
/* The upper or lower triangle of from, which may be a, with its diagonal; zeros elsewhere. */
bool matrices_triangle(const KernelCall *c, const Stack *a, const Stack *from, Triangle part);

/* Vectors that a sign or phase is chosen for: count of them, `length` elements that are `step`
 * apart, `next` from one to the next, in every matrix of a stack. */
typedef struct Vectors {
    const Stack *stack; /* NULL: none */
    int64_t count, length, step, next;
} Vectors;

Vectors vectors_columns(const Stack *a);
Vectors vectors_rows(const Stack *a);
/* Turns vectors u so that the first element at least half as large as the largest is positive, and
 * v so that their products stay; where there are more v than u, those by the same rule. */
bool matrices_fix_phases(const KernelCall *c, Vectors u, Vectors v);
/* Real eigenvectors, where pairs of columns hold the parts of conjugate ones, as complex ones. */
bool matrices_join_pairs(const KernelCall *c, const Stack *to, const Stack *from,
                         const Stack *values);
/* 1 / s for every singular value above the greater of absolute and relative times the first one of
 * its matrix, else 0; rank, if not NULL, how many those are. */
bool matrices_invert_values(const KernelCall *c, const Stack *s, double absolute, double relative,
                            int64_t *rank);
/* Column j of matrix i times element j of its vector. */
bool matrices_scale_columns(const KernelCall *c, const Stack *a, const Stack *by);
/* s becomes the products of the other singular values, with the sign of the determinant of two
 * orthogonal matrices, given as LU factors. */
bool matrices_other_values(const KernelCall *c, const Stack *s, const Stack *lu[2],
                           int *const pivots[2]);
/* States of LDL factorisations that must not be solved with; and pivots within bounds. */
bool matrices_check_ldl(const KernelCall *c, const Stack *a, const int64_t *pivots, int *state);
/* L and D of Hermitian matrices in the place of their lower triangles, as solver_ldl does it; and
 * systems of them. */
bool matrices_ldl_hermitian(Scratch *s, const Stack *a, int *pivots, int *info);
bool matrices_ldl_hermitian_solve(const KernelCall *c, const Stack *a, const int64_t *pivots,
                                  const Stack *x);
/* Addresses of matrices, for functions that take batches. */
bool matrices_addresses(const KernelCall *c, const Stack *a, void **to);

#ifdef __cplusplus
}
#endif
#endif
