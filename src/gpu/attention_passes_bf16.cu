#include "gpu/attention_passes.cuh"

template void attention_passes<bf16>(const KernelCall *c, const Attention &a);
