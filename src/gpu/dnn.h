#ifndef TOCHA_GPU_DNN_H
#define TOCHA_GPU_DNN_H
/* cuDNN through its graph API: convolution (conv.c), attention and recurrent networks build on it.
 *
 * A graph is recorded as plain numbers, which cost next to nothing and are the key that its plan is
 * kept under; cuDNN sees the graph only where there is no plan yet. Records that stand for parts
 * and operations are named by the numbers that the functions return.
 *
 *     DnnGraph g;
 *     dnn_begin(&g);
 *     int a = dnn_tensor(&g, DT_FLOAT16, 3, shape_a, stride_a, data_a), b = ..., c = ...;
 *     dnn_matmul(&g, a, b, c);
 *     DnnResult result = dnn_run(call, &g);
 *
 * Operations may be recorded in any order. What cuDNN documents and no function here has is a
 * record of its own: dnn_record() and dnn_set(). */
#include <cudnn.h>

#include "gpu/gpu.h"

enum { DNN_WORDS = 4096, DNN_RECORDS = 256, DNN_BOUND = 48 };

typedef struct DnnGraph {
    int64_t word[DNN_WORDS];  /* the records, one after the other */
    int words, records, last; /* last: where the last record begins */
    int bound;                /* tensors with memory */
    int64_t uid[DNN_BOUND];
    void *data[DNN_BOUND];
    float number[DNN_BOUND];  /* what data of a dnn_number points at */
    bool full;                /* more than there is room for: dnn_run fails */
    bool float32;             /* multiplies float32, which tensor cores would round to TF32 */
    int8_t type[DNN_RECORDS]; /* of tensors: cudnnDataType_t */
} DnnGraph;

void dnn_begin(DnnGraph *g);

/* A new record: a descriptor of that type. */
int dnn_record(DnnGraph *g, cudnnBackendDescriptorType_t type, bool operation);
/* An attribute of the last record. Enums, booleans and records are given as their numbers, floats
 * and doubles as the bits of a double. */
void dnn_set(DnnGraph *g, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
             int count, const int64_t *values);
void dnn_set_one(DnnGraph *g, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                 int64_t value);
void dnn_set_double(DnnGraph *g, cudnnBackendAttributeName_t name, double value);
void dnn_set_record(DnnGraph *g, cudnnBackendAttributeName_t name, int record);

/* cuDNN's name of a dtype that has one: floats, int8, int32, int64, uint8, bool. */
cudnnDataType_t dnn_type(int dtype);

/* A tensor in memory, with strides in elements; in no memory, contiguous or with strides of its
 * own; and a number given with the call, of so many dims of size 1. */
int dnn_tensor(DnnGraph *g, int dtype, int dim, const int64_t *shape, const int64_t *stride,
               const void *data);
int dnn_between(DnnGraph *g, cudnnDataType_t type, int dim, const int64_t *shape,
                const int64_t *stride);
int dnn_number(DnnGraph *g, float value, int dim);

/* Operations; what they compute in is float, of doubles double (`type`). y = mode(x, b): b is -1
 * for a function of one; t, the mask of CUDNN_POINTWISE_BINARY_SELECT, is -1 otherwise. */
void dnn_pointwise(DnnGraph *g, cudnnPointwiseMode_t mode, cudnnDataType_t type, int x, int b,
                   int t, int y);
/* y has each element's place along dim axis. */
void dnn_places(DnnGraph *g, int x, int axis, int y);
void dnn_matmul(DnnGraph *g, int a, int b, int c);
/* y has size 1 where x is summed, or otherwise reduced. */
void dnn_reduce(DnnGraph *g, cudnnReduceTensorOp_t op, int x, int y);
/* y has x's elements, with another shape or strides. */
void dnn_reshape(DnnGraph *g, int x, int y);

typedef enum { DNN_FORWARD, DNN_INPUT_GRAD, DNN_WEIGHT_GRAD } DnnConv;
typedef struct DnnWindows {
    int dims; /* of an image: 2 or 3 */
    int64_t before[3], after[3], stride[3], dilation[3];
} DnnWindows;
/* Cross-correlation of x (n, c, sizes) with w (o, c / groups, sizes) to y, or the gradient of x or
 * w given that of y; what is computed is an argument too. */
void dnn_conv(DnnGraph *g, DnnConv kind, cudnnDataType_t type, const DnnWindows *s, int x, int w,
              int y);

/* What engines may be used (gpu/dnn_plan.h). */
enum {
    DNN_TF32 = 1,             /* float32 may be rounded to TF32 in products */
    DNN_NONDETERMINISTIC = 2, /* the same call need not give the same bits */
    DNN_OFF = 8,              /* convolutions and attention do without cuDNN */
    DNN_BENCHMARK = 4         /* a new graph's first engines are timed, and the fastest is kept */
};
/* What tocha.backends.cudnn says now. */
int dnn_modes(void);

/* DNN_UNSUPPORTED: cuDNN has no engine for the graph on this device that may be used, nothing has
 * been done and no error is recorded. DNN_FAILED: with an error. */
typedef enum { DNN_DONE, DNN_UNSUPPORTED, DNN_FAILED } DnnResult;

/* Runs the graph on the call's stream. */
DnnResult dnn_run(const KernelCall *c, const DnnGraph *g);

/* For cuDNN's functions outside graphs: the device's handle, on the thread's stream, for this
 * thread alone until dnn_leave(); NULL with an error. Functions are called as
 * DNN(cudnnGetVersion)(); a new one is added to gpu/dnn_library.h. */
cudnnHandle_t dnn_enter(Device d);
void dnn_leave(void);
/* True for CUDNN_STATUS_SUCCESS; else records "cuDNN: what: its reasons". */
bool dnn_ok(cudnnStatus_t status, const char *what);

#endif
