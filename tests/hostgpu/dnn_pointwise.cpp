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

/* What a function of an element of x, of b and of the mask t is; place: of y's element along the
 * axis of a function that counts. */
static bool compute(int64_t mode, double x, double b, double t, int64_t place, double *y) {
    switch (mode) {
    case CUDNN_POINTWISE_ADD: *y = x + b; return true;
    case CUDNN_POINTWISE_SUB: *y = x - b; return true;
    case CUDNN_POINTWISE_MUL: *y = x * b; return true;
    case CUDNN_POINTWISE_DIV: *y = x / b; return true;
    case CUDNN_POINTWISE_EXP: *y = exp(x); return true;
    case CUDNN_POINTWISE_IDENTITY: *y = x; return true;
    case CUDNN_POINTWISE_LOG: *y = log(x); return true;
    case CUDNN_POINTWISE_CMP_GE: *y = x >= b; return true;
    case CUDNN_POINTWISE_CMP_LE: *y = x <= b; return true;
    case CUDNN_POINTWISE_BINARY_SELECT: *y = t != 0 ? x : b; return true;
    case CUDNN_POINTWISE_GEN_INDEX: *y = (double)place; return true;
    default: return false;
    }
}

/* Where element number i of a tensor of that shape stands along dim axis. */
static int64_t place_along(const std::vector<int64_t> &shape, int64_t axis, int64_t i) {
    for (size_t d = shape.size() - 1; d > (size_t)axis; d--) {
        i /= shape[d];
    }
    return i % shape[(size_t)axis];
}

static cudnnStatus_t pointwise(const Node &op, const std::vector<Values> &in, Values &y) {
    const Node &how = *op.part(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
    int64_t mode = how.one(CUDNN_ATTR_POINTWISE_MODE);
    int64_t axis = how.has(CUDNN_ATTR_POINTWISE_AXIS) ? how.one(CUDNN_ATTR_POINTWISE_AXIS) : 0;
    for (int64_t i = 0; i < (int64_t)y.at.size(); i++) {
        double x = broadcast(in[0], y.shape, i), b = broadcast(in[1], y.shape, i);
        double t = broadcast(in[2], y.shape, i);
        if (!compute(mode, x, b, t, place_along(y.shape, axis, i), &y.at[(size_t)i])) {
            return CUDNN_STATUS_BAD_PARAM;
        }
    }
    return CUDNN_STATUS_SUCCESS;
}

static const Operations
    operations({{CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR,
                 {CUDNN_ATTR_OPERATION_POINTWISE_XDESC, CUDNN_ATTR_OPERATION_POINTWISE_BDESC,
                  CUDNN_ATTR_OPERATION_POINTWISE_TDESC},
                 CUDNN_ATTR_OPERATION_POINTWISE_YDESC,
                 pointwise}});

} // namespace hostgpu
