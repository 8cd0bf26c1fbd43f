#ifndef TOCHA_GPU_LINALG_EXP_H
#define TOCHA_GPU_LINALG_EXP_H
/* Steps of the matrix exponential, on batches of float64 or complex128 matrices without gaps, which
 * are not empty. */
#include "gpu/matrices.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The largest sum of absolute parts along a row as the stack counts them; inf where there is nan.
 */
bool exp_norms(const KernelCall *c, const Stack *a, double *norm);
/* Halves every matrix so many times; below 0 it becomes 0. */
bool exp_scale(const KernelCall *c, const Stack *a, const int *halvings);
/* sum = factor[0] I + factor[1] power[0] + factor[2] power[1] + factor[3] power[2], or with adds
 * that is added to it. */
bool exp_combine(const KernelCall *c, const Stack *sum, const Stack power[3],
                 const double factor[4], bool adds);
/* u, v = v - u, v + u */
bool exp_ends(const KernelCall *c, const Stack *u, const Stack *v);
/* a = squares where more squarings are wanted than were done. */
bool exp_take_squares(const KernelCall *c, const Stack *a, const Stack *squares,
                      const int *squarings, int done);

#ifdef __cplusplus
}
#endif
#endif
