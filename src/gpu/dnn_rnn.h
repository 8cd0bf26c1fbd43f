#ifndef TOCHA_GPU_DNN_RNN_H
#define TOCHA_GPU_DNN_RNN_H
/* What cuDNN knows of a recurrent network: its descriptors, where the weights stand in the one
 * block that they are in, and how much memory it wants. */
#include "gpu/dnn.h"

/* Rows of a weight, or entries of a bias, that stand together: those from row `row` on of tensor
 * number param among the network's params, four for each layer and direction, be there biases or
 * not. at: bytes from the block's start. */
typedef struct DnnWeights {
    int32_t param;
    int64_t row, rows;
    size_t at, bytes;
} DnnWeights;

/* A network for sequences of any length and number. */
typedef struct DnnNetwork DnnNetwork;

/* A network with the sequences of one call; the thread has cuDNN for itself meanwhile. */
typedef struct DnnRnn {
    cudnnHandle_t handle;
    DnnNetwork *network;
    cudnnRNNDescriptor_t rnn;
    cudnnRNNDataDescriptor_t x, y;
    cudnnTensorDescriptor_t state;      /* of h and of c */
    size_t weights, workspace, reserve; /* bytes */
} DnnRnn;

/* Unless DNN_DONE, nothing is to be ended. DNN_UNSUPPORTED: cuDNN is missing, switched off or does
 * not take the network; without an error. */
DnnResult dnn_rnn_begin(DnnRnn *r, Device d, const RnnNetwork *n);
void dnn_rnn_end(DnnRnn *r);

/* Where the parts of params stand in the weights' block, which begins at `block`; how many, 0 with
 * an error. They live as long as the call, and the block has bytes besides where *gaps. */
int dnn_rnn_weights(DnnRnn *r, const void *block, const DnnWeights **parts, bool *gaps);

#endif
