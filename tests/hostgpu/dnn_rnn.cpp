/* cuDNN's recurrent networks, in plain loops over doubles. What cuDNN does not promise is as
 * inconvenient as can be: weights stand in an order of their own with nan between them, what is
 * kept for the way back is changed by the first half of it, and workspaces are written all over. As
 * there outputs are rounded to their type before the next step reads them, and float32 is rounded
 * to TF32 unless that was ruled out. */
#include <math.h>

#include <algorithm>

#include "dnn.h"
#include "library.h"

namespace hostgpu {

struct Rnn {
    bool set;
    cudnnRNNMode_t mode;
    cudnnDataType_t type;
    bool tf32;
    int64_t input, hidden, layers, directions;
    int64_t gates() const { return mode == CUDNN_LSTM ? 4 : mode == CUDNN_GRU ? 3 : 1; }
    int64_t stacks() const { return layers * directions; }
    int64_t width(int64_t stack) const { return stack < directions ? input : directions * hidden; }
    int64_t columns(int64_t stack, int64_t number) const {
        return number < gates() ? width(stack) : hidden;
    }
};

struct RnnData {
    bool set;
    cudnnDataType_t type;
    int64_t steps, batch, size;
};

struct TensorNd {
    cudnnDataType_t type;
    std::vector<int> shape;
};

struct Dropout {
    bool set;
};

enum { GAP = 5, WORKSPACE = 777 };

static size_t bytes_of(cudnnDataType_t type) {
    return type == CUDNN_DATA_DOUBLE ? 8 : type == CUDNN_DATA_FLOAT ? 4 : 2;
}

/* Where a gate's weight and bias stand, in elements; for no gate: how many there are in all. */
static int64_t place_of(const Rnn &r, int64_t stack, int64_t number, int64_t *bias) {
    int64_t at = GAP;
    for (int64_t s = r.stacks() - 1; s >= 0; s--) {
        for (int64_t g = 2 * r.gates() - 1; g >= 0; g--) {
            if (s == stack && g == number) {
                *bias = at;
                return at + r.hidden + GAP;
            }
            at += r.hidden + GAP + r.hidden * r.columns(s, g);
        }
    }
    return at;
}

static int64_t all_weights(const Rnn &r) { return place_of(r, -1, -1, nullptr); }

template <class T, class D> static cudnnStatus_t create(D *d) {
    *d = (D) new T();
    return CUDNN_STATUS_SUCCESS;
}

template <class T, class D> static cudnnStatus_t destroy(D d) {
    delete (T *)d;
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t set_dropout(cudnnDropoutDescriptor_t d, cudnnHandle_t handle, float p,
                                 void *states, size_t, unsigned long long) {
    if (!handle || p != 0 || states) {
        return CUDNN_STATUS_NOT_SUPPORTED;
    }
    ((Dropout *)d)->set = true;
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t set_tensor(cudnnTensorDescriptor_t d, cudnnDataType_t type, int dims,
                                const int *shape, const int *stride) {
    int step = 1;
    for (int i = dims - 1; i >= 0; i--) {
        if (shape[i] < 1 || stride[i] != step) {
            return CUDNN_STATUS_BAD_PARAM;
        }
        step *= shape[i];
    }
    *(TensorNd *)d = {type, std::vector<int>(shape, shape + dims)};
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t get_tensor(cudnnTensorDescriptor_t d, int wanted, cudnnDataType_t *type,
                                int *dims, int *shape, int *stride) {
    const TensorNd &t = *(const TensorNd *)d;
    *type = t.type;
    *dims = (int)t.shape.size();
    for (int i = *dims - 1, step = 1; i >= 0 && *dims <= wanted; step *= shape[i--]) {
        shape[i] = t.shape[i];
        stride[i] = step;
    }
    return *dims <= wanted ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

static cudnnStatus_t set_rnn(cudnnRNNDescriptor_t d, cudnnRNNAlgo_t algo, cudnnRNNMode_t mode,
                             cudnnRNNBiasMode_t bias, cudnnDirectionMode_t directions,
                             cudnnRNNInputMode_t input_mode, cudnnDataType_t type,
                             cudnnDataType_t computed, cudnnMathType_t math, int32_t input,
                             int32_t hidden, int32_t projected, int32_t layers,
                             cudnnDropoutDescriptor_t dropout, uint32_t flags) {
    bool half = type == CUDNN_DATA_HALF || type == CUDNN_DATA_BFLOAT16;
    bool is_known = half || type == CUDNN_DATA_FLOAT || type == CUDNN_DATA_DOUBLE;
    if (input < 1 || hidden < 1 || layers < 1 || projected != hidden || !dropout ||
        !((Dropout *)dropout)->set || flags != CUDNN_RNN_PADDED_IO_ENABLED) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    if (has_no_engines() || !is_known || algo != CUDNN_RNN_ALGO_STANDARD ||
        bias != CUDNN_RNN_DOUBLE_BIAS || input_mode != CUDNN_LINEAR_INPUT ||
        computed != (half ? CUDNN_DATA_FLOAT : type)) {
        return CUDNN_STATUS_NOT_SUPPORTED;
    }
    bool tf32 = type == CUDNN_DATA_FLOAT && math != CUDNN_FMA_MATH;
    int64_t ways = directions == CUDNN_BIDIRECTIONAL ? 2 : 1;
    *(Rnn *)d = {true, mode, type, tf32, input, hidden, layers, ways};
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t set_data(cudnnRNNDataDescriptor_t d, cudnnDataType_t type,
                              cudnnRNNDataLayout_t layout, int steps, int batch, int size,
                              const int *lengths, void *) {
    if (steps < 1 || batch < 1 || size < 1 || layout != CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    if (!std::all_of(lengths, lengths + batch, [=](int n) { return n == steps; })) {
        return CUDNN_STATUS_NOT_SUPPORTED;
    }
    *(RnnData *)d = {true, type, steps, batch, size};
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t weights_size(cudnnHandle_t, cudnnRNNDescriptor_t d, size_t *size) {
    const Rnn &r = *(const Rnn *)d;
    *size = (size_t)all_weights(r) * bytes_of(r.type);
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t weight_params(cudnnHandle_t, cudnnRNNDescriptor_t d, int32_t stack,
                                   size_t size, const void *space, int32_t number,
                                   cudnnTensorDescriptor_t weight, void **weight_at,
                                   cudnnTensorDescriptor_t bias, void **bias_at) {
    const Rnn &r = *(const Rnn *)d;
    if (stack < 0 || stack >= r.stacks() || number < 0 || number >= 2 * r.gates() ||
        size != (size_t)all_weights(r) * bytes_of(r.type) || !space) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    int64_t bias_place, place = place_of(r, stack, number, &bias_place);
    *weight_at = (char *)space + place * (int64_t)bytes_of(r.type);
    *bias_at = (char *)space + bias_place * (int64_t)bytes_of(r.type);
    *(TensorNd *)weight = {r.type, {1, (int)r.hidden, (int)r.columns(stack, number)}};
    *(TensorNd *)bias = {r.type, {1, (int)r.hidden, 1}};
    return CUDNN_STATUS_SUCCESS;
}

typedef std::vector<double> Doubles;

/* The arguments of a call, and what is worked out of them. */
struct Task {
    Rnn r;
    int64_t steps, batch;
    const void *x, *y, *hx, *cx, *dy, *dhy, *dcy, *weights;
    void *y_out, *hy, *cy, *dx, *dhx, *dcx, *dweights;
    double *reserve;
    void *workspace;
    bool train;
    Doubles w;

    int64_t rows() const { return steps * batch; }
    int64_t wide() const { return r.directions * r.hidden; }
    /* What is kept: whose turn it is, and by stack gates and cells, by layer outputs. */
    double *kept_gates(int64_t stack) const { return reserve + 1 + stack * rows() * 5 * r.hidden; }
    double *kept_cells(int64_t stack) const { return kept_gates(stack) + rows() * 4 * r.hidden; }
    double *kept_output(int64_t layer) const {
        return kept_gates(r.stacks()) + layer * rows() * wide();
    }
};

static int64_t reserve_size(const Rnn &r, int64_t steps, int64_t batch) {
    int64_t rows = steps * batch;
    return 1 + r.stacks() * rows * 5 * r.hidden + r.layers * rows * r.directions * r.hidden;
}

static cudnnStatus_t spaces(cudnnHandle_t, cudnnRNNDescriptor_t d, cudnnForwardMode_t mode,
                            cudnnRNNDataDescriptor_t x, size_t *workspace, size_t *reserve) {
    const Rnn &r = *(const Rnn *)d;
    const RnnData &data = *(const RnnData *)x;
    if (!r.set || !data.set || data.size != r.input || data.type != r.type) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    *workspace = WORKSPACE;
    if (reserve) {
        *reserve = mode == CUDNN_FWD_MODE_TRAINING
                       ? (size_t)reserve_size(r, data.steps, data.batch) * sizeof(double)
                       : 0;
    }
    return CUDNN_STATUS_SUCCESS;
}

static double rounded(const Rnn &r, double v) {
    char as[sizeof(double)];
    set_element(as, 0, r.type, v);
    return element_at(as, 0, r.type);
}

static Doubles load(const Rnn &r, const void *p, int64_t n) {
    Doubles v(n, 0);
    for (int64_t i = 0; p && i < n; i++) {
        double e = element_at(p, i, r.type);
        v[i] = r.tf32 ? as_tf32(e) : e;
    }
    return v;
}

static void store(const Rnn &r, void *p, int64_t from, const double *v, int64_t n) {
    for (int64_t i = 0; p && i < n; i++) {
        set_element(p, from + i, r.type, v[i]);
    }
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* Gate `number` of a stack for entry j, from a row of its input or state. */
static double gate(const Task &t, int64_t stack, int64_t number, const double *row, int64_t j) {
    int64_t bias, at = place_of(t.r, stack, number, &bias), n = t.r.columns(stack, number);
    double sum = t.w[bias + j];
    for (int64_t k = 0; k < n; k++) {
        sum += t.w[at + j * n + k] * row[k];
    }
    return sum;
}

/* One entry of a step: gates gets what is kept of it, c is the cell before and then after. */
static double entry(const Task &t, int64_t stack, const double *x, const double *h, int64_t j,
                    double *gates, double *c) {
    const Rnn &r = t.r;
    int64_t k = r.gates();
    auto both = [&](int64_t g) { return gate(t, stack, g, x, j) + gate(t, stack, k + g, h, j); };
    if (r.mode == CUDNN_LSTM) {
        double i = sigmoid(both(0)), f = sigmoid(both(1)), g = tanh(both(2)), o = sigmoid(both(3));
        *c = f * *c + i * g;
        std::copy_n(std::begin({i, f, g, o}), 4, gates);
        return o * tanh(*c);
    }
    if (r.mode == CUDNN_GRU) {
        double reset = sigmoid(both(0)), z = sigmoid(both(1)), q = gate(t, stack, k + 2, h, j);
        double n = tanh(gate(t, stack, 2, x, j) + reset * q);
        std::copy_n(std::begin({reset, z, n, q}), 4, gates);
        return (1 - z) * n + z * h[j];
    }
    double sum = both(0);
    return r.mode == CUDNN_RNN_TANH ? tanh(sum) : sum > 0 ? sum : 0;
}

static int64_t step_at(const Task &t, int64_t direction, int64_t i) {
    return direction ? t.steps - 1 - i : i;
}

static Doubles state_of(const Task &t, const void *p, int64_t stack) {
    int64_t state = t.batch * t.r.hidden;
    return load(t.r, p ? (const char *)p + stack * state * (int64_t)bytes_of(t.r.type) : nullptr,
                state);
}

/* x: (steps * batch, width); out: (steps * batch, wide). */
static void run_stack(const Task &t, int64_t stack, const Doubles &x, Doubles &out) {
    const Rnn &r = t.r;
    int64_t d = stack % r.directions, h = r.hidden, state = t.batch * h;
    Doubles before = state_of(t, t.hx, stack), cell = state_of(t, t.cx, stack);
    Doubles now(state);
    for (int64_t i = 0; i < t.steps; i++) {
        for (int64_t b = 0; b < t.batch; b++) {
            int64_t row = step_at(t, d, i) * t.batch + b;
            for (int64_t j = 0; j < h; j++) {
                double gates[4] = {NAN, NAN, NAN, NAN};
                now[b * h + j] = rounded(r, entry(t, stack, &x[row * r.width(stack)],
                                                  &before[b * h], j, gates, &cell[b * h + j]));
                out[row * t.wide() + d * h + j] = now[b * h + j];
                for (int g = 0; t.train && g < 4; g++) {
                    t.kept_gates(stack)[(row * h + j) * 4 + g] = gates[g];
                }
                if (t.train) {
                    t.kept_cells(stack)[row * h + j] = cell[b * h + j];
                }
            }
        }
        before = now;
    }
    store(r, t.hy, stack * state, now.data(), state);
    store(r, t.cy, stack * state, cell.data(), state);
}

static void forward(Task t) {
    memset(t.workspace, 0xff, WORKSPACE);
    t.w = load(t.r, t.weights, all_weights(t.r));
    Doubles x = load(t.r, t.x, t.rows() * t.r.input);
    for (int64_t layer = 0; layer < t.r.layers; layer++) {
        Doubles out(t.rows() * t.wide());
        for (int64_t d = 0; d < t.r.directions; d++) {
            run_stack(t, layer * t.r.directions + d, x, out);
        }
        if (t.train) {
            std::copy(out.begin(), out.end(), t.kept_output(layer));
        }
        x = out;
    }
    store(t.r, t.y_out, 0, x.data(), (int64_t)x.size());
    if (t.train) {
        t.reserve[0] = 1;
    }
}

/* The gradients of an entry's gates, from those of its output and cell, into the gates' place: of
 * GRU what the state added to the new gate goes last. */
static void entry_back(const Rnn &r, double *k, double now, double before, double cell_before,
                       double cell, double dh, double *dc, double *dh_before) {
    *dh_before = 0;
    if (r.mode == CUDNN_LSTM) {
        double i = k[0], f = k[1], g = k[2], o = k[3], s = tanh(cell);
        double d = *dc + dh * o * (1 - s * s);
        k[0] = d * g * i * (1 - i);
        k[1] = d * cell_before * f * (1 - f);
        k[2] = d * i * (1 - g * g);
        k[3] = dh * s * o * (1 - o);
        *dc = d * f;
    } else if (r.mode == CUDNN_GRU) {
        double reset = k[0], z = k[1], n = k[2], q = k[3], dn = dh * (1 - z) * (1 - n * n);
        k[0] = dn * q * reset * (1 - reset);
        k[1] = dh * (before - n) * z * (1 - z);
        k[2] = dn;
        k[3] = dn * reset;
        *dh_before = dh * z;
    } else {
        k[0] = r.mode == CUDNN_RNN_TANH ? dh * (1 - now * now) : now > 0 ? dh : 0;
    }
}

/* The gradient that gate `number` passes on to its weight. */
static double gate_grad(const Rnn &r, const double *k, int64_t number) {
    return number < r.gates()                   ? k[number]
           : r.mode == CUDNN_GRU && number == 5 ? k[3]
                                                : k[number - r.gates()];
}

/* to[row] += what the gates of the input (or of the state) pass on. */
static void pass_on(const Task &t, int64_t stack, bool to_state, const double *k, int64_t j,
                    double *to) {
    const Rnn &r = t.r;
    for (int64_t g = 0; g < r.gates(); g++) {
        int64_t bias, number = to_state ? r.gates() + g : g, n = r.columns(stack, number);
        int64_t at = place_of(r, stack, number, &bias);
        for (int64_t c = 0; c < n; c++) {
            to[c] += gate_grad(r, k, number) * t.w[at + j * n + c];
        }
    }
}

/* The states before each step, and cells. */
static double before_of(const Task &t, const Doubles &first, const double *all, int64_t i,
                        int64_t d, int64_t b, int64_t j, int64_t row_size, int64_t column) {
    return i == 0 ? first[b * t.r.hidden + j]
                  : all[(step_at(t, d, i - 1) * t.batch + b) * row_size + column + j];
}

/* dy: (rows, wide), dx: (rows, width), added to. */
static void stack_back(const Task &t, int64_t stack, const Doubles &dy, Doubles &dx) {
    const Rnn &r = t.r;
    int64_t d = stack % r.directions, h = r.hidden, state = t.batch * h;
    const double *out = t.kept_output(stack / r.directions), *cells = t.kept_cells(stack);
    Doubles h0 = state_of(t, t.hx, stack), c0 = state_of(t, t.cx, stack);
    Doubles dh = state_of(t, t.dhy, stack), dc = state_of(t, t.dcy, stack);
    for (int64_t i = t.steps - 1; i >= 0; i--) {
        Doubles carry(state, 0);
        for (int64_t b = 0; b < t.batch; b++) {
            int64_t row = step_at(t, d, i) * t.batch + b;
            for (int64_t j = 0; j < h; j++) {
                double *k = t.kept_gates(stack) + (row * h + j) * 4, direct;
                entry_back(r, k, out[row * t.wide() + d * h + j],
                           before_of(t, h0, out, i, d, b, j, t.wide(), d * h),
                           before_of(t, c0, cells, i, d, b, j, h, 0), cells[row * h + j],
                           dh[b * h + j] + dy[row * t.wide() + d * h + j], &dc[b * h + j], &direct);
                carry[b * h + j] += direct;
                pass_on(t, stack, true, k, j, &carry[b * h]);
                pass_on(t, stack, false, k, j, &dx[row * r.width(stack)]);
            }
        }
        dh = carry;
    }
    store(r, t.dhx, stack * state, dh.data(), state);
    store(r, t.dcx, stack * state, dc.data(), state);
}

/* The last layer's outputs are those that the caller has. */
static void take_output(const Task &t) {
    Doubles y = load(t.r, t.y, t.rows() * t.wide());
    std::copy(y.begin(), y.end(), t.kept_output(t.r.layers - 1));
}

static void backward_data(Task t) {
    memset(t.workspace, 0xff, WORKSPACE);
    take_output(t);
    t.w = load(t.r, t.weights, all_weights(t.r));
    Doubles dy = load(t.r, t.dy, t.rows() * t.wide());
    for (int64_t layer = t.r.layers - 1; layer >= 0; layer--) {
        Doubles dx(t.rows() * t.r.width(layer * t.r.directions), t.reserve[0] == 1 ? 0 : NAN);
        for (int64_t d = 0; d < t.r.directions; d++) {
            stack_back(t, layer * t.r.directions + d, dy, dx);
        }
        dy = dx;
    }
    store(t.r, t.dx, 0, dy.data(), (int64_t)dy.size());
    t.reserve[0] = t.reserve[0] == 1 ? 2 : NAN;
}

/* The gradients of one gate's weight and bias. x: (rows, width) */
static void gate_back(const Task &t, int64_t stack, int64_t number, const Doubles &x) {
    const Rnn &r = t.r;
    int64_t d = stack % r.directions, h = r.hidden, n = r.columns(stack, number), bias;
    int64_t at = place_of(r, stack, number, &bias);
    const double *out = t.kept_output(stack / r.directions);
    bool of_state = number >= r.gates();
    Doubles h0 = state_of(t, t.hx, stack), sum(h * n, 0), sum_bias(h, t.reserve[0] == 2 ? 0 : NAN);
    for (int64_t i = 0; i < t.steps; i++) {
        for (int64_t b = 0; b < t.batch; b++) {
            int64_t row = step_at(t, d, i) * t.batch + b;
            for (int64_t j = 0; j < h; j++) {
                double g = gate_grad(r, t.kept_gates(stack) + (row * h + j) * 4, number);
                sum_bias[j] += g;
                for (int64_t c = 0; c < n; c++) {
                    double from = of_state ? before_of(t, h0, out, i, d, b, c, t.wide(), d * h)
                                           : x[row * n + c];
                    sum[j * n + c] += g * from;
                }
            }
        }
    }
    sum.insert(sum.end(), sum_bias.begin(), sum_bias.end());
    for (int64_t i = 0; i < h * n + h; i++) {
        int64_t to = i < h * n ? at + i : bias + i - h * n;
        set_element(t.dweights, to, r.type, element_at(t.dweights, to, r.type) + sum[i]);
    }
}

static void backward_weights(Task t) {
    memset(t.workspace, 0xff, WORKSPACE);
    take_output(t);
    for (int64_t stack = 0; stack < t.r.stacks(); stack++) {
        int64_t layer = stack / t.r.directions, n = t.rows() * t.wide();
        Doubles x = layer == 0 ? load(t.r, t.x, t.rows() * t.r.input)
                               : Doubles(t.kept_output(layer - 1), t.kept_output(layer - 1) + n);
        for (int64_t number = 0; number < 2 * t.r.gates(); number++) {
            gate_back(t, stack, number, x);
        }
    }
}

/* What all calls say of the sequences. */
static bool fits(const Rnn &r, const RnnData &x, const RnnData &y, cudnnTensorDescriptor_t state) {
    std::vector<int> shape = {(int)r.stacks(), (int)x.batch, (int)r.hidden};
    return r.set && x.set && y.set && x.type == r.type && y.type == r.type && x.size == r.input &&
           y.size == r.directions * r.hidden && x.steps == y.steps && x.batch == y.batch && state &&
           ((const TensorNd *)state)->type == r.type && ((const TensorNd *)state)->shape == shape;
}

static bool sizes_fit(const Rnn &r, const RnnData &x, size_t weights, size_t workspace,
                      const void *work, size_t reserve, bool train) {
    size_t wanted = train ? (size_t)reserve_size(r, x.steps, x.batch) * sizeof(double) : 0;
    return weights == (size_t)all_weights(r) * bytes_of(r.type) && workspace == WORKSPACE && work &&
           reserve == wanted;
}

static Task task_of(const Rnn &r, const RnnData &x, const void *hx, void *workspace,
                    void *reserve) {
    Task t = Task();
    t.r = r;
    t.steps = x.steps;
    t.batch = x.batch;
    t.hx = hx;
    t.workspace = workspace;
    t.reserve = (double *)reserve;
    return t;
}

static cudnnStatus_t queue(cudnnHandle_t handle, void (*run)(Task), const Task &t) {
    return enqueue(((DnnHandle *)handle)->stream, [=]() { run(t); }) ? CUDNN_STATUS_EXECUTION_FAILED
                                                                     : CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t run_forward(cudnnHandle_t handle, cudnnRNNDescriptor_t d,
                                 cudnnForwardMode_t mode, const int32_t *lengths,
                                 cudnnRNNDataDescriptor_t xd, const void *x,
                                 cudnnRNNDataDescriptor_t yd, void *y, cudnnTensorDescriptor_t hd,
                                 const void *hx, void *hy, cudnnTensorDescriptor_t cd,
                                 const void *cx, void *cy, size_t n_weights, const void *weights,
                                 size_t workspace, void *work, size_t reserve, void *kept) {
    const Rnn &r = *(const Rnn *)d;
    const RnnData &data = *(const RnnData *)xd;
    bool train = mode == CUDNN_FWD_MODE_TRAINING, lstm = r.mode == CUDNN_LSTM;
    if (lengths || !fits(r, data, *(const RnnData *)yd, hd) || lstm != (cd && cx && cy) || !x ||
        !y || !hx || !hy || !weights || (train && !kept) ||
        !sizes_fit(r, data, n_weights, workspace, work, reserve, train)) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    Task t = task_of(r, data, hx, work, kept);
    t.x = x;
    t.y_out = y;
    t.hy = hy;
    t.cx = cx;
    t.cy = cy;
    t.weights = weights;
    t.train = train;
    return queue(handle, forward, t);
}

static cudnnStatus_t run_data(cudnnHandle_t handle, cudnnRNNDescriptor_t d, const int32_t *lengths,
                              cudnnRNNDataDescriptor_t yd, const void *y, const void *dy,
                              cudnnRNNDataDescriptor_t xd, void *dx, cudnnTensorDescriptor_t hd,
                              const void *hx, const void *dhy, void *dhx,
                              cudnnTensorDescriptor_t cd, const void *cx, const void *dcy,
                              void *dcx, size_t n_weights, const void *weights, size_t workspace,
                              void *work, size_t reserve, void *kept) {
    const Rnn &r = *(const Rnn *)d;
    const RnnData &data = *(const RnnData *)xd;
    bool lstm = r.mode == CUDNN_LSTM;
    if (lengths || !fits(r, data, *(const RnnData *)yd, hd) || lstm != (cd && cx && dcx) || !y ||
        !dy || !dx || !hx || !dhx || !weights || !kept ||
        !sizes_fit(r, data, n_weights, workspace, work, reserve, true)) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    Task t = task_of(r, data, hx, work, kept);
    t.y = y;
    t.dy = dy;
    t.dx = dx;
    t.dhy = dhy;
    t.dhx = dhx;
    t.cx = cx;
    t.dcy = dcy;
    t.dcx = dcx;
    t.weights = weights;
    return queue(handle, backward_data, t);
}

static cudnnStatus_t run_weights(cudnnHandle_t handle, cudnnRNNDescriptor_t d,
                                 cudnnWgradMode_t mode, const int32_t *lengths,
                                 cudnnRNNDataDescriptor_t xd, const void *x,
                                 cudnnTensorDescriptor_t hd, const void *hx,
                                 cudnnRNNDataDescriptor_t yd, const void *y, size_t n_weights,
                                 void *dweights, size_t workspace, void *work, size_t reserve,
                                 void *kept) {
    const Rnn &r = *(const Rnn *)d;
    const RnnData &data = *(const RnnData *)xd;
    if (lengths || mode != CUDNN_WGRAD_MODE_ADD || !fits(r, data, *(const RnnData *)yd, hd) || !x ||
        !hx || !y || !dweights || !kept ||
        !sizes_fit(r, data, n_weights, workspace, work, reserve, true)) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    Task t = task_of(r, data, hx, work, kept);
    t.x = x;
    t.y = y;
    t.dweights = dweights;
    return queue(handle, backward_weights, t);
}

static const StandIns
    functions({{"cudnnCreateTensorDescriptor", create<TensorNd, cudnnTensorDescriptor_t>},
               {"cudnnDestroyTensorDescriptor", destroy<TensorNd, cudnnTensorDescriptor_t>},
               {"cudnnSetTensorNdDescriptor", set_tensor},
               {"cudnnGetTensorNdDescriptor", get_tensor},
               {"cudnnCreateDropoutDescriptor", create<Dropout, cudnnDropoutDescriptor_t>},
               {"cudnnDestroyDropoutDescriptor", destroy<Dropout, cudnnDropoutDescriptor_t>},
               {"cudnnSetDropoutDescriptor", set_dropout},
               {"cudnnCreateRNNDescriptor", create<Rnn, cudnnRNNDescriptor_t>},
               {"cudnnDestroyRNNDescriptor", destroy<Rnn, cudnnRNNDescriptor_t>},
               {"cudnnSetRNNDescriptor_v8", set_rnn},
               {"cudnnCreateRNNDataDescriptor", create<RnnData, cudnnRNNDataDescriptor_t>},
               {"cudnnDestroyRNNDataDescriptor", destroy<RnnData, cudnnRNNDataDescriptor_t>},
               {"cudnnSetRNNDataDescriptor", set_data},
               {"cudnnGetRNNWeightSpaceSize", weights_size},
               {"cudnnGetRNNWeightParams", weight_params},
               {"cudnnGetRNNTempSpaceSizes", spaces},
               {"cudnnRNNForward", run_forward},
               {"cudnnRNNBackwardData_v8", run_data},
               {"cudnnRNNBackwardWeights_v8", run_weights}});

} // namespace hostgpu
