#ifndef TOCHA_KERNEL_RNN_H
#define TOCHA_KERNEL_RNN_H
/* What a step of a recurrent layer does to its gates, between the matrix products. Rows are those
 * of a batch, one after another. */
#include <stdint.h>

/* One step of some rows. Of k gates, gates and hidden have k * h entries a row; kept has 4 * h. */
typedef struct RnnStep {
    int64_t rows, h;
    const void *gates;  /* from the input; gru alone, else it is in hidden already */
    const void *hidden; /* from the state */
    const void *bias;   /* k * h */
    const void *h_before, *c_before;
    void *h_now, *c_now, *kept;
} RnnStep;

typedef struct RnnBack {
    int64_t rows, h;
    const void *h_before, *c_before, *h_now, *c_now, *kept;
    const void *grad, *c_grad, *kept_grad; /* of the step's outputs; c_grad and kept_grad or NULL */
    void *h_carry;        /* in: from the step behind; out: what goes back but through the weight */
    void *c_carry;        /* lstm */
    void *gates, *hidden; /* gradients; hidden: gru alone */
} RnnBack;

/* By the modes of tensor/rnn.h, then [double]. */
typedef struct RnnTable {
    void (*step[4][2])(const RnnStep *s);
    void (*back[4][2])(const RnnBack *s);
} RnnTable;
#endif
