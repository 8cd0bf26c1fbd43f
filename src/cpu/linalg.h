#ifndef TOCHA_CPU_LINALG_H
#define TOCHA_CPU_LINALG_H
/* Work on batches of matrices, which go to LAPACK through column-major scratch. */
#include "tensor/backend.h"
#include "tensor/matrix_state.h"

/* The columns of a matrix that are moved at a time where rows and columns change places. */
enum { LINALG_COLUMNS = 16 };

typedef struct Batch Batch;

/* Works on matrix i of the batch; scratch is the task's own. Runs in the pool. */
typedef MatrixState MatrixFn(const Batch *b, int64_t i, char *scratch);

struct Batch {
    const KernelCall *c;
    MatrixFn *run;
    const int64_t *shape; /* of the batch dims */
    int dims;
    bool parts;  /* the matrices belong to one, and errors number none */
    int m, n, k; /* the matrices' sizes; what they mean is run's business */
    int lwork, lrwork, liwork;
    int64_t elements; /* of scratch, in numbers of 8 bytes */
    double cost;      /* of a matrix, in multiplications */
};

/* A batch whose dims are those of view v before its last drop. */
Batch batch_of(const KernelCall *c, const View *v, int drop, MatrixFn *run);

/* Runs all matrices, on several threads. False with an error that names the first bad one. */
bool batch_run(const Batch *b);

/* The same with that much scratch. */
bool batch_run_in(Batch *b, int64_t elements);

/* Whether a work array of about that length can be asked for at all: LAPACK reckons it in 32 bits.
 */
bool linalg_work_fits(const KernelCall *c, double length);

/* The length of a work array that LAPACK asked for as a float; false where it is too long. */
bool linalg_work(const KernelCall *c, double wanted, int *lwork);

/* The tolerance below which singular values count as zero; epsilon is the dtype's rounding. */
double linalg_tolerance(const Batch *b, double epsilon, double largest, const Arg *atol,
                        const Arg *rtol);

/* Where matrix (or vector) i of the batch starts in v, whose batch dims broadcast; drop: how many
 * dims of v belong to the matrix. */
static inline char *batch_at(const Batch *b, const View *v, int drop, int64_t i) {
    int own = v->dim - drop;
    int64_t at = 0;
    for (int d = b->dims - 1; d >= 0; d--) {
        int from = d - (b->dims - own);
        if (from >= 0 && v->shape[from] != 1) {
            at += i % b->shape[d] * v->stride[from];
        }
        i /= b->shape[d];
    }
    return (char *)v->data + at * (int64_t)dtype_size(v->dtype);
}
#endif
