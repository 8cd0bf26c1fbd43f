#include "gpu/attention_passes.cuh"

template void attention_passes<f16>(const KernelCall *c, const Attention &a);
