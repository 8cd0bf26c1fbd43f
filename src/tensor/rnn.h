#ifndef TOCHA_RNN_H
#define TOCHA_RNN_H
/* What the kinds of recurrent layers differ in. */
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { RNN_TANH, RNN_RELU, RNN_LSTM, RNN_GRU, RNN_BAD } RnnMode;

/* By the name of a mode; RNN_BAD with an error of op. */
RnnMode rnn_mode(const char *op, const char *name);

/* Blocks of H among the gates, and among the activations that are kept. */
static inline int64_t rnn_gates(RnnMode m) { return m == RNN_LSTM ? 4 : m == RNN_GRU ? 3 : 1; }
static inline int64_t rnn_kept(RnnMode m) { return m == RNN_LSTM || m == RNN_GRU ? 4 : 0; }

#ifdef __cplusplus
}
#endif
#endif
