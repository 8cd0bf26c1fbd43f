/* Gradients of what embeddings are made of. */
#include "autograd/back.h"

Tensor *grad_scale_grad(Back *n, int i, Tensor *g) { return i == 0 ? t_mul(g, IN(1)) : NULL; }
