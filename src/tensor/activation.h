#ifndef TOCHA_ACTIVATION_H
#define TOCHA_ACTIVATION_H
/* The activation functions: functions of one element and up to three numbers that have a kernel for
 * their gradient too, the op activation_backward. The formulas stand in formulas/activation.h; here
 * is what an operator's arguments mean for them. */
#include "tensor/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, cost): cost of an element in hundredths of a nanosecond. The numbers: of elu the factor
 * of e^(c x) - 1 where x is negative (a), that of x where it is positive (b), and c; of leaky_relu
 * the slope where x is negative; of hardtanh the bounds; of softplus beta and threshold; of
 * softshrink and hardshrink lambda; of threshold the threshold and the value below. */
#define ACTIVATIONS(X) \
    X(elu, 60)         \
    X(leaky_relu, 10)  \
    X(hardtanh, 10)    \
    X(hardsigmoid, 20) \
    X(hardswish, 20)   \
    X(gelu, 80)        \
    X(gelu_tanh, 60)   \
    X(silu, 60)        \
    X(mish, 60)        \
    X(softplus, 100)   \
    X(logsigmoid, 100) \
    X(softshrink, 10)  \
    X(hardshrink, 10)  \
    X(threshold, 10)   \
    X(tanhshrink, 60)  \
    X(softsign, 30)

typedef enum {
#define X(name, cost) ACT_##name,
    ACTIVATIONS(X)
#undef X
        N_ACTIVATIONS
} ActivationKind;

typedef struct Activation {
    ActivationKind kind;
    double a, b, c;
} Activation;

/* What an activation's operator computes, given its arguments, which infer has checked. */
Activation activation_of(int op_id, const Arg *arg);
const char *activation_name(ActivationKind kind);
/* The function of that name; N_ACTIVATIONS: there is none. */
ActivationKind activation_find(const char *name);

#ifdef __cplusplus
}
#endif
#endif
