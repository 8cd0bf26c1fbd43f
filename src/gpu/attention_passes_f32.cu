#include "gpu/attention_passes.cuh"

template void attention_passes<float>(const KernelCall *c, const Attention &a);
