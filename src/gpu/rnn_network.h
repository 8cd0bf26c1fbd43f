#ifndef TOCHA_GPU_RNN_NETWORK_H
#define TOCHA_GPU_RNN_NETWORK_H
/* Recurrent networks as a whole, by cuDNN. */
#include "gpu/gpu.h"

/* Backend.rnn_takes */
bool rnn_network_takes(Device d, const RnnNetwork *n, int64_t *kept);

#endif
