/* Kernels of the optimiser steps. */
#include <math.h>

#include "cpu/cpu.h"
#include "cpu/dense.h"
#include "cpu/kernels/optim.h"
#include "tensor/op.h"

enum { SGD_COST = 20, ADAM_COST = 60 };

/* One pass over the operands, the first n - 1 of which are read and written. */
static bool step(IterLoop *const *loops, const void *numbers, const View *const *operand, int n,
                 int64_t cost) {
    DenseOp op = {.loop = loops[operand[0]->dtype == DT_FLOAT64],
                  .ctx = numbers,
                  .cost = cost,
                  .updates = (1u << (n - 1)) - 1,
                  .widen = true};
    dense_run(&op, operand, n - 1, n);
    return true;
}

/* param, grad, momentum_buffer, lr, momentum, dampening, weight_decay, nesterov, maximize, first */
static bool cpu_sgd_step(const KernelCall *c) {
    const Arg *a = c->arg;
    const OptimTable *table = ISA_PICK(optim_table);
    bool first = a[9].b;
    SgdNumbers s = {.lr = a[3].f,
                    .momentum = first ? 0 : a[4].f,
                    .fresh = first ? 1 : 1 - a[5].f,
                    .ahead = a[4].f,
                    .weight_decay = a[6].f,
                    .sign = a[8].b ? -1 : 1};
    if (a[4].f == 0) {
        const View *const operand[] = {&c->in[0], &c->in[1]};
        return step(table->sgd, &s, operand, 2, SGD_COST);
    }
    if (first) {
        /* What stands in it does not count, not even a NaN. */
        dense_fill(&c->in[2], arg_int(0));
    }
    const View *const operand[] = {&c->in[0], &c->in[2], &c->in[1]};
    return step(a[7].b ? table->sgd_nesterov : table->sgd_momentum, &s, operand, 3, SGD_COST);
}

/* param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq, step, lr, beta1, beta2, eps, weight_decay,
 * decoupled, maximize */
static bool cpu_adam_step(const KernelCall *c) {
    const Arg *a = c->arg;
    const View *in = c->in;
    const OptimTable *table = ISA_PICK(optim_table);
    double t = (double)a[5].i, lr = a[6].f, weight_decay = a[10].f;
    bool decoupled = a[11].b;
    AdamNumbers s = {.beta1 = a[7].f,
                     .beta2 = a[8].f,
                     .eps = a[9].f,
                     .weight_decay = decoupled ? 0 : weight_decay,
                     .keep = decoupled ? 1 - lr * weight_decay : 1,
                     .sign = a[12].b ? -1 : 1,
                     .step_size = lr / (1 - pow(a[7].f, t)),
                     .root_scale = 1 / sqrt(1 - pow(a[8].f, t))};
    if (in[4].dtype == DT_NONE) {
        const View *const operand[] = {&in[0], &in[2], &in[3], &in[1]};
        return step(table->adam, &s, operand, 4, ADAM_COST);
    }
    const View *const operand[] = {&in[0], &in[2], &in[3], &in[4], &in[1]};
    return step(table->amsgrad, &s, operand, 5, ADAM_COST);
}

/* found_inf, grads, inv_scale */
static bool cpu_amp_unscale(const KernelCall *c) {
    atomic_bool found = false;
    UnscaleNumbers s = {.inv_scale = c->arg[2].f, .found = &found};
    for (int i = 1; i < c->n_in; i++) {
        const View *const operand[] = {&c->in[i]};
        DenseOp op = {.loop = ISA_PICK(optim_table)->unscale[c->in[i].dtype == DT_FLOAT64],
                      .ctx = &s,
                      .cost = SGD_COST,
                      .updates = 1,
                      .widen = true};
        dense_run(&op, operand, 1, 1);
    }
    if (atomic_load(&found)) {
        *(float *)c->in[0].data = 1;
    }
    return true;
}

const KernelRow cpu_optim_rows[] = {{"sgd_step", cpu_sgd_step},
                                    {"adam_step", cpu_adam_step},
                                    {"amp_unscale", cpu_amp_unscale},
                                    {NULL, NULL}};
