/* Kernels of the optimiser steps. */
#include <math.h>

#include "cpu/cpu.h"
#include "cpu/dense.h"
#include "cpu/kernels/optim.h"
#include "tensor/op.h"

enum { SGD_COST = 20, ADAM_COST = 60 };

/* One pass over operands, the first n - 1 of which are read and written: of parameter k, from the
 * lists in that order. */
static void step(const KernelCall *c, int k, IterLoop *const *loops, const void *numbers,
                 const int *lists, int n, int64_t cost) {
    const View *operand[5];
    for (int i = 0; i < n; i++) {
        operand[i] = &c->in[lists[i] * c->arg[0].count + k];
    }
    DenseOp op = {.loop = loops[operand[0]->dtype == DT_FLOAT64],
                  .ctx = numbers,
                  .cost = cost,
                  .updates = (1u << (n - 1)) - 1,
                  .widen = true};
    dense_run(&op, operand, n - 1, n);
}

/* Which step parameter k is at; a number alone stands for all. */
static int64_t step_at(Arg steps, int k) {
    Ints list = arg_as_ints(steps);
    return list.v[list.n == 1 ? 0 : k];
}

/* params, grads, momentum_buffers, lr, momentum, dampening, weight_decay, nesterov, maximize,
 * steps */
static bool cpu_sgd_step(const KernelCall *c) {
    static const int plain[] = {0, 1}, buffered[] = {0, 2, 1};
    const Arg *a = c->arg;
    const OptimTable *table = ISA_PICK(optim_table);
    IterLoop *const *momentum = a[7].b ? table->sgd_nesterov : table->sgd_momentum;
    int count = a[0].count;
    for (int k = 0; k < count; k++) {
        bool first = a[4].f != 0 && step_at(a[9], k) == 1;
        SgdNumbers s = {.lr = a[3].f,
                        .momentum = first ? 0 : a[4].f,
                        .fresh = first ? 1 : 1 - a[5].f,
                        .ahead = a[4].f,
                        .weight_decay = a[6].f,
                        .sign = a[8].b ? -1 : 1};
        if (a[4].f == 0) {
            step(c, k, table->sgd, &s, plain, 2, SGD_COST);
            continue;
        }
        if (first) {
            /* What stands in it does not count, not even a NaN. */
            dense_fill(&c->in[2 * count + k], arg_int(0));
        }
        step(c, k, momentum, &s, buffered, 3, SGD_COST);
    }
    return true;
}

/* params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps, lr, beta1, beta2, eps,
 * weight_decay, decoupled, maximize */
static bool cpu_adam_step(const KernelCall *c) {
    static const int plain[] = {0, 2, 3, 1}, largest[] = {0, 2, 3, 4, 1};
    const Arg *a = c->arg;
    const OptimTable *table = ISA_PICK(optim_table);
    double lr = a[6].f, weight_decay = a[10].f;
    bool decoupled = a[11].b;
    AdamNumbers s = {.beta1 = a[7].f,
                     .beta2 = a[8].f,
                     .eps = a[9].f,
                     .weight_decay = decoupled ? 0 : weight_decay,
                     .keep = decoupled ? 1 - lr * weight_decay : 1,
                     .sign = a[12].b ? -1 : 1};
    for (int k = 0; k < a[0].count; k++) {
        double t = (double)step_at(a[5], k);
        s.step_size = lr / (1 - pow(a[7].f, t));
        s.root_scale = 1 / sqrt(1 - pow(a[8].f, t));
        if (a[4].count == 0) {
            step(c, k, table->adam, &s, plain, 4, ADAM_COST);
        } else {
            step(c, k, table->amsgrad, &s, largest, 5, ADAM_COST);
        }
    }
    return true;
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
