#ifndef TOCHA_CPU_LINALG_COMPLEX_H
#define TOCHA_CPU_LINALG_COMPLEX_H
/* Singular values and eigenvalues of complex64 and complex128 matrices. */
#include "tensor/backend.h"

bool linalg_complex_svd(const KernelCall *c);
bool linalg_complex_eigh(const KernelCall *c);
bool linalg_complex_eig(const KernelCall *c);
bool linalg_complex_pinv(const KernelCall *c);
bool linalg_complex_lstsq(const KernelCall *c);
#endif
