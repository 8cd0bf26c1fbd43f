#ifndef TOCHA_MATRIX_STATE_H
#define TOCHA_MATRIX_STATE_H
/* What can be wrong with the matrices of a call, in the same words on every device. */
#include "base/error.h"
#include "tensor/backend.h"

typedef enum {
    MATRIX_GOOD,
    MATRIX_SINGULAR,
    MATRIX_NOT_FINITE,
    MATRIX_NOT_POSITIVE,
    MATRIX_NOT_CONVERGED,
    MATRIX_BAD_PIVOTS
} MatrixState;

enum { MATRIX_SIZE_LIMIT = 1 << 24 };

static inline const char *matrix_state_text(MatrixState state) {
    switch (state) {
    case MATRIX_SINGULAR: return "is singular";
    case MATRIX_NOT_FINITE: return "holds nan or inf";
    case MATRIX_NOT_POSITIVE: return "is not positive definite";
    case MATRIX_BAD_PIVOTS: return "has pivots that no factorisation returns";
    default: return "made the algorithm fail to converge";
    }
}

/* The error about matrix i, from 0, of a batch, or without one (batched is false) of the only one.
 */
static inline bool matrix_fail(const KernelCall *c, bool batched, int64_t i, MatrixState state) {
    const char *text = matrix_state_text(state);
    return batched ? fail("%s: matrix %lld of the batch %s", c->name, (long long)i + 1, text)
                   : fail("%s: the matrix %s", c->name, text);
}

/* Whether libraries, whose integers have 32 bits, can take these sizes; false: error recorded. */
static inline bool matrix_sizes_fit(const KernelCall *c, int64_t m, int64_t n, int64_t k) {
    int64_t most = m > n ? m : n;
    most = most > k ? most : k;
    return most <= MATRIX_SIZE_LIMIT ||
           fail("%s: matrices may have up to %d rows and columns, got %lld", c->name,
                MATRIX_SIZE_LIMIT, (long long)most);
}

#endif
