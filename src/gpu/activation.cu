/* The activation functions. */
#include "gpu/matmul.h"
#include "gpu/numbers.cuh"
#include "tensor/activation.h"
#include "tensor/formulas/activation.h"

#define FUNCTION(name, cost) NUMBERS_FUNCTION1(Act_##name, f_act_##name)
ACTIVATIONS(FUNCTION)

static bool activation(const KernelCall *c) {
    Activation a = activation_of(c->id, c->arg);
    Numbers n = {a.a, a.b, a.c};
    switch (a.kind) {
#define CASE(name, cost) \
    case ACT_##name: return map_floats(c, Act_##name{n});
        ACTIVATIONS(CASE)
    default: return fail("%s: there is no cuda kernel for it", c->name);
    }
}

bool gpu_gelu_tanh(const KernelCall *c, const View *out, const View *in) {
    return for_any_float(in->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map1<T, T>(c, out, in, Act_gelu_tanh{Numbers{}});
    });
}

#define ROW(name) \
    { #name, activation }
const KernelRow gpu_activation_rows[] = {
    ROW(elu),       ROW(celu),        ROW(selu),       ROW(leaky_relu), ROW(relu6),
    ROW(hardtanh),  ROW(hardsigmoid), ROW(hardswish),  ROW(gelu),       ROW(silu),
    ROW(mish),      ROW(softplus),    ROW(logsigmoid), ROW(softshrink), ROW(hardshrink),
    ROW(threshold), ROW(tanhshrink),  ROW(softsign),   {NULL, NULL}};
