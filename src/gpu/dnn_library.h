#ifndef TOCHA_GPU_DNN_LIBRARY_H
#define TOCHA_GPU_DNN_LIBRARY_H
/* The functions of cuDNN that the backend uses, opened at the first use of one. */
#include <cudnn.h>

#include "gpu/gpu.h"

#define DNN_FUNCTIONS(X)             \
    X(cudnnGetVersion)               \
    X(cudnnGetErrorString)           \
    X(cudnnGetLastErrorString)       \
    X(cudnnCreate)                   \
    X(cudnnSetStream)                \
    X(cudnnBackendCreateDescriptor)  \
    X(cudnnBackendDestroyDescriptor) \
    X(cudnnBackendSetAttribute)      \
    X(cudnnBackendGetAttribute)      \
    X(cudnnBackendFinalize)          \
    X(cudnnBackendExecute)

#define DNN_PLACE(function) DNN_##function,
enum { DNN_FUNCTIONS(DNN_PLACE) N_DNN_FUNCTIONS };
#undef DNN_PLACE

extern void (*dnn_found[N_DNN_FUNCTIONS])(void);

/* Of recurrent networks, which do without cuDNN where it lacks one. */
#define DNN_RNN_FUNCTIONS(X)         \
    X(cudnnCreateTensorDescriptor)   \
    X(cudnnDestroyTensorDescriptor)  \
    X(cudnnSetTensorNdDescriptor)    \
    X(cudnnGetTensorNdDescriptor)    \
    X(cudnnCreateDropoutDescriptor)  \
    X(cudnnDestroyDropoutDescriptor) \
    X(cudnnSetDropoutDescriptor)     \
    X(cudnnCreateRNNDescriptor)      \
    X(cudnnDestroyRNNDescriptor)     \
    X(cudnnSetRNNDescriptor_v8)      \
    X(cudnnCreateRNNDataDescriptor)  \
    X(cudnnDestroyRNNDataDescriptor) \
    X(cudnnSetRNNDataDescriptor)     \
    X(cudnnGetRNNWeightSpaceSize)    \
    X(cudnnGetRNNWeightParams)       \
    X(cudnnGetRNNTempSpaceSizes)     \
    X(cudnnRNNForward)               \
    X(cudnnRNNBackwardData_v8)       \
    X(cudnnRNNBackwardWeights_v8)

#define DNN_PLACE(function) DNN_##function,
enum { DNN_RNN_FUNCTIONS(DNN_PLACE) N_DNN_RNN_FUNCTIONS };
#undef DNN_PLACE

extern void (*dnn_rnn_found[N_DNN_RNN_FUNCTIONS])(void);

/* DNN_RNN(cudnnRNNForward)(handle, ...) */
#define DNN_RNN(function) ((__typeof__(&function))dnn_rnn_found[DNN_##function])

/* DNN(cudnnCreate)(&handle) */
#define DNN(function) ((__typeof__(&function))dnn_found[DNN_##function])

/* Whether it is installed; for what can do without. */
bool dnn_is_there(void);
/* Under the lock of dnn_enter(). */
bool dnn_library_open(void);
/* 91600 for 9.16.0; 0 with an error where it cannot be opened. */
size_t dnn_version(void);
/* The same for the functions of recurrent networks; without an error where one is missing. */
bool dnn_library_has_rnn(void);
/* False; records "cuDNN: what: its reasons". */
bool dnn_fail(cudnnStatus_t status, const char *what);

#endif
