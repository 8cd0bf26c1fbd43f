/* Convolutions, forward and back, by the definition. */
#include "dnn.h"

namespace hostgpu {

typedef std::vector<int64_t> Sizes;

/* How windows lie on an image. */
struct Windows {
    Sizes padding, stride, dilation;
};

static Windows windows_of(const Node &how) {
    return {how.list(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS),
            how.list(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES),
            how.list(CUDNN_ATTR_CONVOLUTION_DILATIONS)};
}

/* Whether the sizes of y are those of the convolution of x with w. */
static bool fit(const Node &how, const Sizes &x, const Sizes &w, const Sizes &y) {
    const Sizes &after = how.list(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS);
    Windows s = windows_of(how);
    bool ok = x.size() == w.size() && x.size() == y.size() && x[0] == y[0] && w[0] == y[1] &&
              x[1] % w[1] == 0 && y[1] % (x[1] / w[1]) == 0 && s.stride.size() + 2 == x.size() &&
              how.one(CUDNN_ATTR_CONVOLUTION_CONV_MODE) == CUDNN_CROSS_CORRELATION;
    for (size_t d = 0; ok && d < s.stride.size(); d++) {
        int64_t room = x[2 + d] + s.padding[d] + after[d] - s.dilation[d] * (w[2 + d] - 1) - 1;
        ok = room >= 0 && y[2 + d] == room / s.stride[d] + 1;
    }
    return ok;
}

/* Element number i of a tensor, by its places. */
static Sizes places(int64_t i, const Sizes &shape) {
    Sizes at(shape.size());
    for (size_t d = shape.size(); d-- > 0; i /= shape[d]) {
        at[d] = i % shape[d];
    }
    return at;
}

static int64_t number_of(const Sizes &at, const Sizes &shape) {
    int64_t i = 0;
    for (size_t d = 0; d < shape.size(); d++) {
        i = i * shape[d] + at[d];
    }
    return i;
}

static int64_t product(const Sizes &shape) {
    int64_t n = 1;
    for (int64_t s : shape) {
        n *= s;
    }
    return n;
}

/* Calls f(i, j, k) for each product of element i of x with j of w that is part of k of y. */
template <class F>
static void meet(const Windows &s, const Sizes &x, const Sizes &w, const Sizes &y, F f) {
    Sizes filter(w.begin() + 1, w.end());
    int64_t taps = product(filter), outputs = product(y), each = y[1] / (x[1] / w[1]);
    for (int64_t k = 0; k < outputs; k++) {
        Sizes out = places(k, y);
        for (int64_t t = 0; t < taps; t++) {
            Sizes tap = places(t, filter), in = {out[0], out[1] / each * w[1] + tap[0]};
            bool inside = true;
            for (size_t d = 0; d < s.stride.size(); d++) {
                in.push_back(out[2 + d] * s.stride[d] + tap[1 + d] * s.dilation[d] - s.padding[d]);
                inside = inside && in.back() >= 0 && in.back() < x[2 + d];
            }
            if (inside) {
                f(number_of(in, x), out[1] * taps + t, k);
            }
        }
    }
}

static cudnnStatus_t forward(const Node &op, const std::vector<Values> &in, Values &y) {
    const Node &how = *op.part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);
    const Values &x = in[0], &w = in[1];
    if (!fit(how, x.shape, w.shape, y.shape)) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    meet(windows_of(how), x.shape, w.shape, y.shape,
         [&](int64_t i, int64_t j, int64_t k) { y.at[k] += x.at[i] * w.at[j]; });
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t input_grad(const Node &op, const std::vector<Values> &in, Values &x) {
    const Node &how = *op.part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC);
    const Values &w = in[0], &y = in[1];
    if (!fit(how, x.shape, w.shape, y.shape)) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    meet(windows_of(how), x.shape, w.shape, y.shape,
         [&](int64_t i, int64_t j, int64_t k) { x.at[i] += w.at[j] * y.at[k]; });
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t weight_grad(const Node &op, const std::vector<Values> &in, Values &w) {
    const Node &how = *op.part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC);
    const Values &x = in[0], &y = in[1];
    if (!fit(how, x.shape, w.shape, y.shape)) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    meet(windows_of(how), x.shape, w.shape, y.shape,
         [&](int64_t i, int64_t j, int64_t k) { w.at[j] += x.at[i] * y.at[k]; });
    return CUDNN_STATUS_SUCCESS;
}

static const Operations operations(
    {{CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
      {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W},
      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
      forward},
     {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
      {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY},
      CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
      input_grad},
     {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
      {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY},
      CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
      weight_grad}});

} // namespace hostgpu
