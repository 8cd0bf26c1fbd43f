/* Kernels of the activation functions. */
#include "cpu/kernels/activation.h"

#include "cpu/cpu.h"
#include "cpu/dense.h"
#include "cpu/kernels/elementwise_complex.h"

static const int costs[N_ACTIVATIONS] = {
#define X(name, cost) cost,
    ACTIVATIONS(X)
#undef X
};

static IterLoop *complex_loop(ActivationKind kind, int dtype) {
    static IterLoop *const loops[][2] = {{ew_silu_c64, ew_silu_c128},
                                         {ew_tanhshrink_c64, ew_tanhshrink_c128},
                                         {ew_softsign_c64, ew_softsign_c128}};
    int row = kind == ACT_silu ? 0 : kind == ACT_tanhshrink ? 1 : 2;
    return loops[row][dtype == DT_COMPLEX128];
}

static bool run_complex(const KernelCall *c) {
    const View *const operand[] = {&c->out[0], &c->in[0]};
    ActivationKind kind = activation_of(c->id, c->arg).kind;
    DenseOp op = {.loop = complex_loop(kind, c->out[0].dtype), .cost = 10000};
    dense_run(&op, operand, 1, 2);
    return true;
}

static bool run(const KernelCall *c, bool backward) {
    const ActivationTable *table = ISA_PICK(activation_table);
    const View *out = &c->out[0], *first = &c->in[0], *last = &c->in[c->n_in - 1];
    Activation a = activation_of(c->id, c->arg);
    const EwRow *row = backward ? &table->backward[a.kind] : &table->forward[a.kind];
    EwNumbers3 numbers = {.a = a.a, .b = a.b, .c = a.c};
    if (dense_run_small((*row)[out->dtype], &numbers, costs[a.kind], out, first, last)) {
        return true;
    }
    DenseOp op = {.loop = (*row)[ew_compute_dtype(out->dtype)],
                  .ctx = &numbers,
                  .cost = costs[a.kind],
                  .widen = true};
    const View *const operand[] = {out, first, last};
    dense_run(&op, operand, 1, 1 + c->n_in);
    return true;
}

static bool cpu_activation(const KernelCall *c) {
    return dtype_is_complex(c->out[0].dtype) ? run_complex(c) : run(c, false);
}

static bool cpu_activation_backward(const KernelCall *c) { return run(c, true); }

#define ACTIVATION(name) \
    { #name, cpu_activation }
const KernelRow cpu_activation_rows[] = {ACTIVATION(elu),
                                         ACTIVATION(celu),
                                         ACTIVATION(selu),
                                         ACTIVATION(leaky_relu),
                                         ACTIVATION(relu6),
                                         ACTIVATION(hardtanh),
                                         ACTIVATION(hardsigmoid),
                                         ACTIVATION(hardswish),
                                         ACTIVATION(gelu),
                                         ACTIVATION(silu),
                                         ACTIVATION(mish),
                                         ACTIVATION(softplus),
                                         ACTIVATION(logsigmoid),
                                         ACTIVATION(softshrink),
                                         ACTIVATION(hardshrink),
                                         ACTIVATION(threshold),
                                         ACTIVATION(tanhshrink),
                                         ACTIVATION(softsign),
                                         {"activation_backward", cpu_activation_backward},
                                         {NULL, NULL}};
