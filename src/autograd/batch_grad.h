#ifndef TOCHA_BATCH_GRAD_H
#define TOCHA_BATCH_GRAD_H
#include "autograd/tape.h"

/* autograd_grad inside a vmap, where some of outputs and inputs are batched: one gradient a sample.
 */
bool batch_grad(Tensor *const *outputs, Tensor *const *grad_outputs, int n, Tensor *const *inputs,
                int n_inputs, bool retain_graph, bool create_graph, bool allow_unused,
                Tensor **grads);
#endif
