#ifndef TOCHA_KERNELS_OPTIM_H
#define TOCHA_KERNELS_OPTIM_H
/* The inner loops of the optimiser steps, compiled once per instruction set: dense loops
 * (cpu/kernels/elementwise.h) whose outputs are read and written and stand before grad. */
#include <stdatomic.h>

#include "cpu/kernels/isa_name.h"
#include "tensor/iter.h"

typedef struct SgdNumbers {
    double lr, momentum;
    double fresh; /* what the gradient counts in the buffer: 1 - dampening, 1 in the first step */
    double ahead; /* what the buffer counts beside the gradient with nesterov */
    double weight_decay;
    double sign; /* -1 to maximize */
} SgdNumbers;

typedef struct AdamNumbers {
    double beta1, beta2, eps, weight_decay, sign;
    double keep;       /* what decoupled weight decay leaves of param */
    double step_size;  /* lr / (1 - beta1^t) */
    double root_scale; /* 1 / sqrt(1 - beta2^t) */
} AdamNumbers;

typedef struct UnscaleNumbers {
    double inv_scale;
    atomic_bool *found; /* set where there is an inf or a nan */
} UnscaleNumbers;

/* [0] is for float, [1] for double. */
typedef struct OptimTable {
    IterLoop *sgd[2];          /* param, grad */
    IterLoop *sgd_momentum[2]; /* param, buffer, grad */
    IterLoop *sgd_nesterov[2]; /* the same */
    IterLoop *adam[2];         /* param, exp_avg, exp_avg_sq, grad */
    IterLoop *amsgrad[2];      /* param, exp_avg, exp_avg_sq, max_exp_avg_sq, grad */
    IterLoop *unscale[2];      /* grad */
} OptimTable;

ISA_DECLARE(const OptimTable, optim_table);

#endif
