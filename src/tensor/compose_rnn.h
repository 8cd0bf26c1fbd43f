#ifndef TOCHA_COMPOSE_RNN_H
#define TOCHA_COMPOSE_RNN_H
/* What the files of recurrent networks share. */
#include "tensor/op.h"

/* Sequences of different lengths, packed: the first step of all, then the second of all that have
 * one, and so on; the longest sequence comes first. */
typedef struct Packing {
    int64_t steps, batch; /* T and N */
    Tensor *rows;         /* where each packed row stands among the T * N of a padded tensor */
    Tensor *places;       /* where each of these comes from; padding from one row behind the data */
    Tensor *turn;         /* the rows with each sequence turned round */
    Tensor *ends;         /* (N): the rows of the sequences' last steps */
} Packing;

/* Reads how many sequences go on at each step, a vector, for data of that many rows in all; false
 * with an error in the name of an op. */
bool packing_read(Packing *p, const char *name, Tensor *data, Tensor *batch_sizes);
/* (T, N, ...) with zeros behind the sequences' ends, of packed data. */
Tensor *packing_padded(const Packing *p, Tensor *data);
/* The reverse. */
Tensor *packing_packed(const Packing *p, Tensor *padded);
/* x (T, N, H) with each sequence turned round. */
Tensor *packing_turned(const Packing *p, Tensor *x);
/* The last step (N, H) of each sequence in x (T, N, H). */
Tensor *packing_ends(const Packing *p, Tensor *x);

/* What rnn_network computes with these arguments, on rnn_sequence: output, h_n and, for lstm, c_n.
 * in: its tensors as they follow one another, of which the first three are input, h0 and c0, which
 * may be NULL. False: error recorded. */
bool rnn_network_by_layers(const Arg *a, Tensor *const *in, int n_params, Tensor **out);
#endif
