#include "gpu/conv_graph.h"

#include <string.h>

bool conv_channels_last(int dtype, int modes) {
    return dtype != DT_FLOAT64 && (dtype != DT_FLOAT32 || modes & DNN_TF32);
}

bool conv_takes_relu(int dtype, int modes, const ConvShape *s) {
    return conv_channels_last(dtype, modes) && (s->groups == 1 || s->c > s->groups);
}

static cudnnDataType_t conv_sum_type(int dtype) {
    return dtype == DT_FLOAT64 ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT;
}

/* A tensor of `first` times `channels` images of the sizes in `image`, of which the last `dims`
 * count. */
static void image_tensor(const ConvGraph *c, int dims, int64_t first, int64_t channels,
                         const int64_t *image, int64_t *shape, int64_t *stride) {
    int64_t volume = 1;
    for (int d = dims - 1; d >= 0; d--) {
        shape[2 + d] = image[IMAGE_DIMS - dims + d];
        stride[2 + d] = c->channels_last ? volume * channels : volume;
        volume *= shape[2 + d];
    }
    shape[0] = first;
    shape[1] = channels;
    stride[1] = c->channels_last ? 1 : volume;
    stride[0] = channels * volume;
}

static int images(DnnGraph *g, const ConvGraph *c, int dims, int64_t first, int64_t channels,
                  const int64_t *image, const void *data) {
    int64_t shape[MAX_DIMS], stride[MAX_DIMS];
    image_tensor(c, dims, first, channels, image, shape, stride);
    return dnn_tensor(g, c->dtype, 2 + dims, shape, stride, data);
}

/* A tensor like y whose elements are in no memory. */
static int like_y(DnnGraph *g, const ConvGraph *c, const ConvShape *s, int64_t n, int dims,
                  cudnnDataType_t type) {
    int64_t shape[MAX_DIMS], stride[MAX_DIMS];
    image_tensor(c, dims, n, s->o, s->out, shape, stride);
    return dnn_between(g, type, 2 + dims, shape, stride);
}

/* y = sum, or 0 where that is not above 0, so that nan stays; gives sum. cuDNN's own relu makes 0
 * of a nan. */
static int rectified(DnnGraph *g, const ConvGraph *c, const ConvShape *s, int64_t n, int dims,
                     int y) {
    cudnnDataType_t type = conv_sum_type(c->dtype);
    int zero = dnn_number(g, 0, 2 + dims), sum = like_y(g, c, s, n, dims, type);
    int below = like_y(g, c, s, n, dims, CUDNN_DATA_BOOLEAN);
    dnn_pointwise(g, CUDNN_POINTWISE_CMP_LE, type, sum, zero, -1, below);
    dnn_pointwise(g, CUDNN_POINTWISE_BINARY_SELECT, type, zero, sum, below, y);
    return sum;
}

/* y = sum + bias; gives sum. */
static int biased(DnnGraph *g, const ConvGraph *c, const ConvShape *s, int64_t n, int dims, int y) {
    static const int64_t one[IMAGE_DIMS] = {1, 1, 1};
    cudnnDataType_t type = conv_sum_type(c->dtype);
    int bias = images(g, c, dims, 1, s->o, one, c->bias), sum = like_y(g, c, s, n, dims, type);
    dnn_pointwise(g, CUDNN_POINTWISE_ADD, type, sum, bias, -1, y);
    return sum;
}

void conv_graph(DnnGraph *g, const ConvGraph *c, const ConvShape *s, int64_t n) {
    int dims = s->dims == 3 ? 3 : 2, skip = IMAGE_DIMS - dims;
    size_t bytes = (size_t)dims * sizeof(int64_t);
    DnnWindows windows = {.dims = dims};
    memcpy(windows.before, s->padding + skip, bytes);
    memcpy(windows.after, s->padding + skip, bytes);
    memcpy(windows.stride, s->stride + skip, bytes);
    memcpy(windows.dilation, s->dilation + skip, bytes);
    dnn_begin(g);
    int x = images(g, c, dims, n, s->c, s->in, c->x);
    int w = images(g, c, dims, s->o, s->c / s->groups, s->kernel, c->w);
    int y = images(g, c, dims, n, s->o, s->out, c->y);
    y = c->relu ? rectified(g, c, s, n, dims, y) : y;
    y = c->biased ? biased(g, c, s, n, dims, y) : y;
    dnn_conv(g, c->kind, conv_sum_type(c->dtype), &windows, x, w, y);
}
