/* The gradients of the activation functions: of the gradient that comes, and the function's input.
 */
#include "gpu/numbers.cuh"
#include "tensor/activation.h"
#include "tensor/formulas/activation.h"

#define FUNCTION(name, cost) NUMBERS_FUNCTION2(Back_##name, f_act_##name##_backward)
ACTIVATIONS(FUNCTION)

static bool activation_backward(const KernelCall *c) {
    Activation a = activation_of(c->id, c->arg);
    Numbers n = {a.a, a.b, a.c};
    switch (a.kind) {
#define CASE(name, cost) \
    case ACT_##name: return zip_floats(c, Back_##name{n});
        ACTIVATIONS(CASE)
    default: return fail("%s: there is no cuda kernel for it", c->name);
    }
}

const KernelRow gpu_activation_backward_rows[] = {{"activation_backward", activation_backward},
                                                  {NULL, NULL}};
