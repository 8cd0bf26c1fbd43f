#ifndef TOCHA_GPU_ATTENTION_DNN_H
#define TOCHA_GPU_ATTENTION_DNN_H
/* attend and its gradients by cuDNN's fused kernels, which multiply half types on tensor cores. */
#include "gpu/gpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs a call of attend if cuDNN is there and takes it (done); false with an error. */
bool attention_by_dnn(const KernelCall *c, bool *done);
/* The same of attend_backward; delta: room for a float for each query. */
bool attention_backward_by_dnn(const KernelCall *c, float *delta, bool *done);

#ifdef __cplusplus
}
#endif
#endif
