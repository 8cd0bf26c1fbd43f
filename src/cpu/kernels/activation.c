/* Dense loops of activation functions. */
#include "cpu/kernels/activation.h"

#include "cpu/kernels/elementwise_numbers.h"
#include "tensor/formulas/activation.h"

#define LOOPS_OF(name, S)                                                                     \
    static void name##_##S(EW_LOOP_PARAMS) { map_with_##S(ptr, n, ctx, f_act_##name##_##S); } \
    static void name##_backward_##S(EW_LOOP_PARAMS) {                                         \
        zip_with_##S(ptr, n, ctx, f_act_##name##_backward_##S);                               \
    }
#define LOOPS(name, cost) LOOPS_OF(name, f32) LOOPS_OF(name, f64)
ACTIVATIONS(LOOPS)

#define FORWARD(name, cost)  [ACT_##name] = {EW_FLOATS(name)},
#define BACKWARD(name, cost) [ACT_##name] = {EW_FLOATS(name##_backward)},
static const EwRow forward[N_ACTIVATIONS] = {ACTIVATIONS(FORWARD)};
static const EwRow backward[N_ACTIVATIONS] = {ACTIVATIONS(BACKWARD)};

const ActivationTable ISA_NAME(activation_table) = {.forward = forward, .backward = backward};
