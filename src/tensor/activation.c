#include "tensor/activation.h"

#include <string.h>

#include "tensor/op.h"

static const char *const names[N_ACTIVATIONS] = {
#define X(name, cost) #name,
    ACTIVATIONS(X)
#undef X
};

/* Klambauer et al., Self-Normalizing Neural Networks, NeurIPS 2017. */
static const double selu_alpha = 1.6732632423543772848170429916717;
static const double selu_scale = 1.0507009873554804934193349852946;

const char *activation_name(ActivationKind kind) { return names[kind]; }

ActivationKind activation_find(const char *name) {
    int kind = 0;
    while (kind < N_ACTIVATIONS && strcmp(names[kind], name) != 0) {
        kind++;
    }
    return kind;
}

Activation activation_of(int op_id, const Arg *arg) {
    switch (op_id) {
    case OP_elu: return (Activation){ACT_elu, arg[1].f, 1, 1};
    case OP_celu: return (Activation){ACT_elu, arg[1].f, 1, 1 / arg[1].f};
    case OP_selu: return (Activation){ACT_elu, selu_alpha * selu_scale, selu_scale, 1};
    case OP_leaky_relu: return (Activation){ACT_leaky_relu, .a = arg[1].f};
    case OP_relu6: return (Activation){ACT_hardtanh, .a = 0, .b = 6};
    case OP_hardtanh: return (Activation){ACT_hardtanh, .a = arg[1].f, .b = arg[2].f};
    case OP_hardsigmoid: return (Activation){.kind = ACT_hardsigmoid};
    case OP_hardswish: return (Activation){.kind = ACT_hardswish};
    case OP_gelu:
        return (Activation){.kind = strcmp(arg[1].s, "tanh") == 0 ? ACT_gelu_tanh : ACT_gelu};
    case OP_silu: return (Activation){.kind = ACT_silu};
    case OP_mish: return (Activation){.kind = ACT_mish};
    case OP_softplus: return (Activation){ACT_softplus, .a = arg[1].f, .b = arg[2].f};
    case OP_logsigmoid: return (Activation){.kind = ACT_logsigmoid};
    case OP_softshrink: return (Activation){ACT_softshrink, .a = arg[1].f};
    case OP_hardshrink: return (Activation){ACT_hardshrink, .a = arg[1].f};
    case OP_threshold: return (Activation){ACT_threshold, .a = arg[1].f, .b = arg[2].f};
    case OP_tanhshrink: return (Activation){.kind = ACT_tanhshrink};
    case OP_softsign: return (Activation){.kind = ACT_softsign};
    default: /* activation_backward */
        return (Activation){activation_find(arg[2].s), arg[3].f, arg[4].f, arg[5].f};
    }
}
