#include "gpu/attention_passes.cuh"

template void attention_passes<double>(const KernelCall *c, const Attention &a);
