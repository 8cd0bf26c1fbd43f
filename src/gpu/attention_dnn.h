#ifndef TOCHA_GPU_ATTENTION_DNN_H
#define TOCHA_GPU_ATTENTION_DNN_H
/* attend by cuDNN's fused kernels, which multiply half types on tensor cores. Its gradients are not
 * taken from there: cuDNN does not promise the same bits again. */
#include "gpu/gpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs a call of attend if cuDNN is there and takes it (done); false with an error. */
bool attention_by_dnn(const KernelCall *c, bool *done);

#ifdef __cplusplus
}
#endif
#endif
