#ifndef TOCHA_CPU_POOL_H
#define TOCHA_CPU_POOL_H
/* Pooling over planes. */
#include "tensor/backend.h"

bool cpu_max_pool2d_with_indices(const KernelCall *c);
bool cpu_max_pool2d_backward(const KernelCall *c);
bool cpu_avg_pool2d(const KernelCall *c);
bool cpu_avg_pool2d_backward(const KernelCall *c);
#endif
