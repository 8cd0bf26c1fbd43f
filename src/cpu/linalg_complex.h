#ifndef TOCHA_CPU_LINALG_COMPLEX_H
#define TOCHA_CPU_LINALG_COMPLEX_H
/* Eigenvalues of complex64 and complex128 matrices. */
#include "tensor/backend.h"

bool linalg_complex_eig(const KernelCall *c);
bool linalg_complex_eigh(const KernelCall *c);
#endif
