/* Products of matrices, reductions and other layouts. */
#include <math.h>

#include <algorithm>

#include "dnn.h"

namespace hostgpu {

/* (batch, rows, columns) of a tensor whose dims before these count as the batch. */
struct Matrices {
    const Values &v;
    int64_t rows() const { return v.shape[v.shape.size() - 2]; }
    int64_t columns() const { return v.shape.back(); }
    /* Matrix number i of c's batch: dims with fewer entries serve several neighbours each. */
    int64_t start(const Values &c, int64_t i) const {
        int64_t at = 0, step = 1;
        for (size_t d = v.shape.size() - 2; d-- > 0; i /= c.shape[d]) {
            int64_t share = c.shape[d] / v.shape[d];
            at += i % c.shape[d] / share * step;
            step *= v.shape[d];
        }
        return at * rows() * columns();
    }
    bool serves(const Values &c) const {
        bool fits = v.shape.size() == c.shape.size();
        for (size_t d = 0; fits && d + 2 < c.shape.size(); d++) {
            fits = c.shape[d] % v.shape[d] == 0;
        }
        return fits;
    }
};

static cudnnStatus_t matmul(const Node &, const std::vector<Values> &in, Values &y) {
    Matrices a = {in[0]}, b = {in[1]}, c = {y};
    if (!a.serves(y) || !b.serves(y) || a.rows() != c.rows() || b.columns() != c.columns() ||
        a.columns() != b.rows()) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    int64_t size = c.rows() * c.columns();
    for (int64_t i = 0; i < (int64_t)y.at.size(); i++) {
        int64_t matrix = i / size, row = i % size / c.columns(), column = i % c.columns();
        const double *x = &in[0].at[a.start(y, matrix) + row * a.columns()];
        const double *w = &in[1].at[b.start(y, matrix) + column];
        for (int64_t k = 0; k < a.columns(); k++) {
            y.at[i] += x[k] * w[k * b.columns()];
        }
    }
    return CUDNN_STATUS_SUCCESS;
}

/* Sums or largest elements over neighbours in the dims in which y is smaller. */
static cudnnStatus_t reduce(const Node &op, const std::vector<Values> &in, Values &y) {
    const Node &how = *op.part(CUDNN_ATTR_OPERATION_REDUCTION_DESC);
    int64_t mode = how.one(CUDNN_ATTR_REDUCTION_OPERATOR);
    bool most = mode == CUDNN_REDUCE_TENSOR_MAX;
    const Values &x = in[0];
    bool fits = x.shape.size() == y.shape.size() && (most || mode == CUDNN_REDUCE_TENSOR_ADD);
    for (size_t d = 0; fits && d < x.shape.size(); d++) {
        fits = x.shape[d] % y.shape[d] == 0;
    }
    if (!fits) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    std::fill(y.at.begin(), y.at.end(), most ? -INFINITY : 0);
    for (size_t i = 0; i < x.at.size(); i++) {
        int64_t at = 0, step = 1, rest = (int64_t)i;
        for (size_t d = x.shape.size(); d-- > 0; rest /= x.shape[d]) {
            at += rest % x.shape[d] / (x.shape[d] / y.shape[d]) * step;
            step *= y.shape[d];
        }
        y.at[at] = most ? std::max(y.at[at], x.at[i]) : y.at[at] + x.at[i];
    }
    return CUDNN_STATUS_SUCCESS;
}

/* y's elements are those that x has at the same offsets. */
static cudnnStatus_t reshape(const Node &op, const std::vector<Values> &in, Values &y) {
    std::vector<const double *> found; /* by offset */
    const double *next = in[0].at.data();
    each_element(*op.part(CUDNN_ATTR_OPERATION_RESHAPE_XDESC), [&](int64_t offset) {
        found.resize(std::max(found.size(), (size_t)offset + 1));
        found[(size_t)offset] = next++;
    });
    bool fits = in[0].at.size() == y.at.size();
    size_t i = 0;
    each_element(*op.part(CUDNN_ATTR_OPERATION_RESHAPE_YDESC), [&](int64_t offset) {
        const double *at = (size_t)offset < found.size() ? found[(size_t)offset] : nullptr;
        fits = fits && at;
        y.at[i++] = at ? *at : 0;
    });
    return fits ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

static const Operations
    operations({{CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR,
                 {CUDNN_ATTR_OPERATION_MATMUL_ADESC, CUDNN_ATTR_OPERATION_MATMUL_BDESC},
                 CUDNN_ATTR_OPERATION_MATMUL_CDESC,
                 matmul},
                {CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR,
                 {CUDNN_ATTR_OPERATION_REDUCTION_XDESC},
                 CUDNN_ATTR_OPERATION_REDUCTION_YDESC,
                 reduce},
                {CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR,
                 {CUDNN_ATTR_OPERATION_RESHAPE_XDESC},
                 CUDNN_ATTR_OPERATION_RESHAPE_YDESC,
                 reshape}});

} // namespace hostgpu
