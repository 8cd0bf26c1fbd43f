/* Operations on each element. */
#include <math.h>

#include "dnn.h"

namespace hostgpu {

/* Element number i of y's shape in x, which is broadcast; 0 where there is no x. */
static double broadcast(const Values &x, const std::vector<int64_t> &shape, int64_t i) {
    int64_t at = 0, step = 1;
    for (size_t d = x.shape.size(); d-- > 0; i /= shape[d]) {
        at += x.shape[d] == 1 ? 0 : i % shape[d] * step;
        step *= x.shape[d];
    }
    return x.at.empty() ? 0 : x.at[at];
}

static bool compute(int64_t mode, double x, double b, double *y) {
    switch (mode) {
    case CUDNN_POINTWISE_ADD: *y = x + b; return true;
    default: return false;
    }
}

static cudnnStatus_t pointwise(const Node &op, const std::vector<Values> &in, Values &y) {
    const Node &how = *op.part(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
    int64_t mode = how.one(CUDNN_ATTR_POINTWISE_MODE);
    for (size_t i = 0; i < y.at.size(); i++) {
        double x = broadcast(in[0], y.shape, (int64_t)i), b = broadcast(in[1], y.shape, (int64_t)i);
        if (!compute(mode, x, b, &y.at[i])) {
            return CUDNN_STATUS_BAD_PARAM;
        }
    }
    return CUDNN_STATUS_SUCCESS;
}

static const Operations
    operations({{CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR,
                 {CUDNN_ATTR_OPERATION_POINTWISE_XDESC, CUDNN_ATTR_OPERATION_POINTWISE_BDESC},
                 CUDNN_ATTR_OPERATION_POINTWISE_YDESC,
                 pointwise}});

} // namespace hostgpu
