#ifndef TOCHA_GPU_ATTENTION_BACKWARD_CUH
#define TOCHA_GPU_ATTENTION_BACKWARD_CUH
#include "gpu/attention.cuh"

/* The gradients of attend by own kernels, to c->out, for elements of type T. */
template <class T> void attention_passes(const KernelCall *c, const Attention &a);

extern template void attention_passes<f16>(const KernelCall *c, const Attention &a);
extern template void attention_passes<bf16>(const KernelCall *c, const Attention &a);
extern template void attention_passes<float>(const KernelCall *c, const Attention &a);
extern template void attention_passes<double>(const KernelCall *c, const Attention &a);

#endif
