#ifndef TOCHA_GPU_SOLVER_H
#define TOCHA_GPU_SOLVER_H
/* Factorisations by cuSOLVER, of every matrix of a stack in place. info: a number on the device for
 * each matrix, set to 0 where all went well, as LAPACK sets it. Stacks are not empty. */
#include "gpu/matrices.h"

/* P A = L U; pivots from 1, min(rows, columns) a matrix; NULL: without swaps. */
bool solver_lu(Scratch *s, const Stack *a, int *pivots, int *info);
bool solver_cholesky(Scratch *s, const Stack *a, bool upper, int *info);
/* Householder vectors, their scales in tau (min(rows, columns), 1), and R above. */
bool solver_qr(Scratch *s, const Stack *a, const Stack *tau, int *info);
/* The columns of Q, of which the first tau->rows hold Householder vectors. */
bool solver_q(Scratch *s, const Stack *a, const Stack *tau, int *info);
/* The lower triangle's factors L D L^T. */
bool solver_ldl(Scratch *s, const Stack *a, int *pivots, int *info);
bool solver_ldl_solve(Scratch *s, const Stack *a, const int64_t *pivots, const Stack *x, int *info);
/* Ascending values (n, 1), and vectors in the place of the matrices. */
bool solver_eigh(Scratch *s, const Stack *a, bool upper, const Stack *values, int *info);
/* Complex values (n, 1); vectors as LAPACK's geev returns them, of the matrices' dtype. */
bool solver_eig(Scratch *s, const Stack *a, const Stack *values, const Stack *vectors, int *info);
/* a has at least as many rows as columns and is overwritten; u has as many columns as rows, or
 * as a has. */
bool solver_svd(Scratch *s, const Stack *a, const Stack *values, const Stack *u, const Stack *vh,
                int *info);

#endif
