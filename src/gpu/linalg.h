#ifndef TOCHA_GPU_LINALG_H
#define TOCHA_GPU_LINALG_H
/* What kernels of linear algebra share. */
#include "gpu/matrices.h"

/* P A = L U in the place of A. */
typedef struct Factors {
    Stack lu;
    int *pivots;
} Factors;

bool linalg_factor(Scratch *s, const Stack *a, int *info, Factors *f);
/* L U x = P y; y NULL: the identity. */
bool linalg_solve_factored(Scratch *s, const Factors *f, const Stack *y, const Stack *x);
/* A number of each matrix to an int32 result. */
bool linalg_store_states(const KernelCall *c, const View *to, const int *states);

#endif
