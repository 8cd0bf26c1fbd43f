/* Recording graphs of cuDNN. A record is its type, whether it is an operation, how many words of
 * attributes follow, and these: name, type, count, values. */
#include <string.h>

#include "gpu/dnn.h"
#include "gpu/dnn_plan.h"

void dnn_begin(DnnGraph *g) {
    g->words = g->records = g->last = g->bound = 0;
    g->full = g->float32 = false;
}

static int64_t *take(DnnGraph *g, int words) {
    if (g->words + words > DNN_WORDS) {
        g->full = true;
        return NULL;
    }
    g->words += words;
    return &g->word[g->words - words];
}

int dnn_record(DnnGraph *g, cudnnBackendDescriptorType_t type, bool operation) {
    int at = g->words;
    int64_t *w = take(g, DNN_HEAD);
    if (!w || g->records == DNN_RECORDS) {
        g->full = true;
        return 0;
    }
    w[0] = type;
    w[1] = operation;
    w[2] = 0;
    g->last = at;
    return g->records++;
}

void dnn_set(DnnGraph *g, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
             int count, const int64_t *values) {
    int64_t *w = take(g, DNN_HEAD + count);
    if (w) {
        w[0] = name;
        w[1] = type;
        w[2] = count;
        memcpy(w + DNN_HEAD, values, (size_t)count * sizeof *values);
        g->word[g->last + 2] += DNN_HEAD + count;
    }
}

void dnn_set_one(DnnGraph *g, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                 int64_t value) {
    dnn_set(g, name, type, 1, &value);
}

void dnn_set_double(DnnGraph *g, cudnnBackendAttributeName_t name, double value) {
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    dnn_set_one(g, name, CUDNN_TYPE_DOUBLE, bits);
}

void dnn_set_record(DnnGraph *g, cudnnBackendAttributeName_t name, int record) {
    dnn_set_one(g, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, record);
}

cudnnDataType_t dnn_type(int dtype) {
    switch (dtype) {
    case DT_FLOAT16: return CUDNN_DATA_HALF;
    case DT_BFLOAT16: return CUDNN_DATA_BFLOAT16;
    case DT_FLOAT64: return CUDNN_DATA_DOUBLE;
    case DT_INT8: return CUDNN_DATA_INT8;
    case DT_INT32: return CUDNN_DATA_INT32;
    case DT_INT64: return CUDNN_DATA_INT64;
    case DT_UINT8: return CUDNN_DATA_UINT8;
    case DT_BOOL: return CUDNN_DATA_BOOLEAN;
    default: return CUDNN_DATA_FLOAT;
    }
}

/* Every record has a uid, for tensors alone to use. */
static int tensor(DnnGraph *g, cudnnDataType_t type, int dim, const int64_t *shape,
                  const int64_t *stride, int64_t alignment) {
    int record = dnn_record(g, CUDNN_BACKEND_TENSOR_DESCRIPTOR, false);
    g->type[record] = (int8_t)type;
    dnn_set_one(g, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, type);
    dnn_set(g, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, dim, shape);
    dnn_set(g, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, dim, stride);
    dnn_set_one(g, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, record + 1);
    dnn_set_one(g, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, alignment);
    return record;
}

static void bind(DnnGraph *g, int record, const void *data) {
    if (g->bound == DNN_BOUND) {
        g->full = true;
        return;
    }
    g->uid[g->bound] = record + 1;
    g->data[g->bound++] = (void *)data;
}

enum { MOST_ALIGNED = 16 };

/* What the place in memory is a multiple of. */
static int64_t alignment_of(const void *data) {
    uintptr_t at = (uintptr_t)data | MOST_ALIGNED;
    return (int64_t)(at & -at);
}

int dnn_tensor(DnnGraph *g, int dtype, int dim, const int64_t *shape, const int64_t *stride,
               const void *data) {
    int record = tensor(g, dnn_type(dtype), dim, shape, stride, alignment_of(data));
    bind(g, record, data);
    return record;
}

int dnn_between(DnnGraph *g, cudnnDataType_t type, int dim, const int64_t *shape,
                const int64_t *stride) {
    int64_t own[MAX_DIMS], step = 1;
    for (int d = dim - 1; d >= 0; d--) {
        own[d] = step;
        step *= shape[d];
    }
    int record = tensor(g, type, dim, shape, stride ? stride : own, MOST_ALIGNED);
    dnn_set_one(g, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, true);
    return record;
}

int dnn_number(DnnGraph *g, float value, int dim) {
    static const int64_t ones[MAX_DIMS] = {1, 1, 1, 1, 1, 1, 1, 1};
    int record = tensor(g, CUDNN_DATA_FLOAT, dim, ones, ones, MOST_ALIGNED), at = g->bound;
    dnn_set_one(g, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, true);
    if (at < DNN_BOUND) {
        g->number[at] = value;
    }
    bind(g, record, at < DNN_BOUND ? &g->number[at] : NULL);
    return record;
}

static void pointwise(DnnGraph *g, int how, int x, int b, int t, int y) {
    dnn_record(g, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, true);
    dnn_set_record(g, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how);
    dnn_set_record(g, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
    if (b >= 0) {
        dnn_set_record(g, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b);
    }
    if (t >= 0) {
        dnn_set_record(g, CUDNN_ATTR_OPERATION_POINTWISE_TDESC, t);
    }
    dnn_set_record(g, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
}

static int pointwise_mode(DnnGraph *g, cudnnPointwiseMode_t mode, cudnnDataType_t type) {
    int how = dnn_record(g, CUDNN_BACKEND_POINTWISE_DESCRIPTOR, false);
    dnn_set_one(g, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, mode);
    dnn_set_one(g, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, type);
    return how;
}

void dnn_pointwise(DnnGraph *g, cudnnPointwiseMode_t mode, cudnnDataType_t type, int x, int b,
                   int t, int y) {
    pointwise(g, pointwise_mode(g, mode, type), x, b, t, y);
}

void dnn_places(DnnGraph *g, int x, int axis, int y) {
    int how = pointwise_mode(g, CUDNN_POINTWISE_GEN_INDEX, CUDNN_DATA_INT32);
    dnn_set_one(g, CUDNN_ATTR_POINTWISE_AXIS, CUDNN_TYPE_INT64, axis);
    pointwise(g, how, x, -1, -1, y);
}

static void multiplies(DnnGraph *g, int a, int b) {
    g->float32 = g->float32 || g->type[a] == CUDNN_DATA_FLOAT || g->type[b] == CUDNN_DATA_FLOAT;
}

void dnn_matmul(DnnGraph *g, int a, int b, int c) {
    multiplies(g, a, b);
    int how = dnn_record(g, CUDNN_BACKEND_MATMUL_DESCRIPTOR, false);
    dnn_set_one(g, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
    dnn_record(g, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR, true);
    dnn_set_record(g, CUDNN_ATTR_OPERATION_MATMUL_ADESC, a);
    dnn_set_record(g, CUDNN_ATTR_OPERATION_MATMUL_BDESC, b);
    dnn_set_record(g, CUDNN_ATTR_OPERATION_MATMUL_CDESC, c);
    dnn_set_record(g, CUDNN_ATTR_OPERATION_MATMUL_DESC, how);
}

void dnn_reduce(DnnGraph *g, cudnnReduceTensorOp_t op, int x, int y) {
    int how = dnn_record(g, CUDNN_BACKEND_REDUCTION_DESCRIPTOR, false);
    dnn_set_one(g, CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, op);
    dnn_set_one(g, CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
    dnn_record(g, CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR, true);
    dnn_set_record(g, CUDNN_ATTR_OPERATION_REDUCTION_XDESC, x);
    dnn_set_record(g, CUDNN_ATTR_OPERATION_REDUCTION_YDESC, y);
    dnn_set_record(g, CUDNN_ATTR_OPERATION_REDUCTION_DESC, how);
}

void dnn_reshape(DnnGraph *g, int x, int y) {
    dnn_record(g, CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR, true);
    dnn_set_record(g, CUDNN_ATTR_OPERATION_RESHAPE_XDESC, x);
    dnn_set_record(g, CUDNN_ATTR_OPERATION_RESHAPE_YDESC, y);
}

static int windows(DnnGraph *g, cudnnDataType_t type, const DnnWindows *s) {
    int how = dnn_record(g, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, false);
    dnn_set_one(g, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, type);
    dnn_set_one(g, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE,
                CUDNN_CROSS_CORRELATION);
    dnn_set_one(g, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, s->dims);
    dnn_set(g, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, s->dims, s->before);
    dnn_set(g, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, s->dims, s->after);
    dnn_set(g, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, s->dims, s->stride);
    dnn_set(g, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, s->dims, s->dilation);
    return how;
}

void dnn_conv(DnnGraph *g, DnnConv kind, cudnnDataType_t type, const DnnWindows *s, int x, int w,
              int y) {
    static const struct {
        cudnnBackendDescriptorType_t type;
        cudnnBackendAttributeName_t x, w, y, how;
    } kinds[] = {
        {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC},
        {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC},
        {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC}};
    int how = windows(g, type, s);
    multiplies(g, x, w);
    dnn_record(g, kinds[kind].type, true);
    dnn_set_record(g, kinds[kind].x, x);
    dnn_set_record(g, kinds[kind].w, w);
    dnn_set_record(g, kinds[kind].y, y);
    dnn_set_record(g, kinds[kind].how, how);
}
