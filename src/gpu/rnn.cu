/* rnn_sequence and its gradients: at each step a matrix product, and a thread for each entry of the
 * state. */
#include "tensor/rnn.h"

#include "gpu/blas.h"
#include "gpu/dense.h"
#include "gpu/elements.cuh"
#include "gpu/kernel.cuh"
#include "tensor/formulas/rnn.h"

namespace {

/* One step. State and cell are (N, H), gates and hidden (N, k * H), kept (N, 4 * H). */
template <class T> struct Step {
    int64_t numel, h;               /* of the state, of a row of it */
    const T *gates, *hidden, *bias; /* from the input and from the state; bias may be NULL */
    const T *h_before, *c_before;
    T *h_now, *c_now, *kept;
    /* backward; c_grad and kept_grad may be NULL */
    const T *grad, *c_grad, *kept_grad;
    T *h_carry, *c_carry, *gates_grad, *hidden_grad;
};

template <class T> struct Gates;
template <> struct Gates<float> {
    typedef FLstmF32 Lstm;
    typedef FGruF32 Gru;
};
template <> struct Gates<double> {
    typedef FLstmF64 Lstm;
    typedef FGruF64 Gru;
};

/* The formulas of tensor/formulas/rnn.h under one name for both types. */
#define OVERLOADS(T, S)                                                                          \
    TOCHA_HD T f_lstm_cell(T i, T f, T g, T before) { return f_lstm_cell_##S(i, f, g, before); } \
    TOCHA_HD T f_lstm_cell_back(T dh, T o, T t, T carry, T more) {                               \
        return f_lstm_cell_back_##S(dh, o, t, carry, more);                                      \
    }                                                                                            \
    TOCHA_HD Gates<T>::Lstm f_lstm_back(Gates<T>::Lstm k, T t, T before, T dh, T dc,             \
                                        Gates<T>::Lstm more) {                                   \
        return f_lstm_back_##S(k, t, before, dh, dc, more);                                      \
    }                                                                                            \
    TOCHA_HD T f_gru_state(T z, T n, T before) { return f_gru_state_##S(z, n, before); }         \
    TOCHA_HD Gates<T>::Gru f_gru_back(Gates<T>::Gru k, T before, T dh, Gates<T>::Gru more) {     \
        return f_gru_back_##S(k, before, dh, more);                                              \
    }
OVERLOADS(float, f32)
OVERLOADS(double, f64)
OVERLOAD1_FLOATS(f_tanh)
OVERLOAD1_FLOATS(f_sigmoid)
OVERLOAD1_FLOATS(f_rnn_relu)
OVERLOAD2_FLOATS(f_rnn_tanh_back)
OVERLOAD2_FLOATS(f_rnn_relu_back)

/* Entry i of the state is entry j of a row. */
template <class T> static __device__ void simple_step(const Step<T> &s, int64_t i, bool relu) {
    T x = s.gates[i] + s.hidden[i] + (s.bias ? s.bias[i % s.h] : (T)0);
    s.h_now[i] = relu ? f_rnn_relu(x) : f_tanh(x);
}

/* What gate k gets at entry j of row r; in GRU's last it goes two ways. */
template <class T>
static __device__ __forceinline__ T of_state(const Step<T> &s, int gates, int64_t i, int k) {
    int64_t r = i / s.h, j = i % s.h;
    return s.hidden[(r * gates + k) * s.h + j] + (s.bias ? s.bias[k * s.h + j] : (T)0);
}

/* Entry i's place in block k of a tensor that has n blocks a row. */
template <class T>
static __device__ __forceinline__ int64_t block_of(const Step<T> &s, int n, int64_t i, int k) {
    return (i / s.h * n + k) * s.h + i % s.h;
}

template <class T> static __device__ void lstm_step(const Step<T> &s, int64_t i) {
    T x[4];
    for (int k = 0; k < 4; k++) {
        T sum = s.gates[block_of(s, 4, i, k)] + of_state(s, 4, i, k);
        x[k] = k == 2 ? f_tanh(sum) : f_sigmoid(sum);
        s.kept[block_of(s, 4, i, k)] = x[k];
    }
    T c = f_lstm_cell(x[0], x[1], x[2], s.c_before[i]);
    s.c_now[i] = c;
    s.h_now[i] = x[3] * f_tanh(c);
}

template <class T> static __device__ void gru_step(const Step<T> &s, int64_t i) {
    T r = f_sigmoid(s.gates[block_of(s, 3, i, 0)] + of_state(s, 3, i, 0));
    T z = f_sigmoid(s.gates[block_of(s, 3, i, 1)] + of_state(s, 3, i, 1));
    T q = of_state(s, 3, i, 2), n = f_tanh(s.gates[block_of(s, 3, i, 2)] + r * q);
    const T x[4] = {r, z, n, q};
    for (int k = 0; k < 4; k++) {
        s.kept[block_of(s, 4, i, k)] = x[k];
    }
    s.h_now[i] = f_gru_state(z, n, s.h_before[i]);
}

template <class T, int mode> __global__ void step_kernel(Step<T> s) {
    for (int64_t i = first_of(); i < s.numel; i += step_of()) {
        switch (mode) {
        case RNN_LSTM: lstm_step(s, i); break;
        case RNN_GRU: gru_step(s, i); break;
        default: simple_step(s, i, mode == RNN_RELU);
        }
    }
}

/* Four blocks of entry i, 0 where there is no such tensor. */
template <class T, class G>
static __device__ __forceinline__ G four_blocks(const Step<T> &s, const T *x, int64_t i) {
    G g = {0, 0, 0, 0};
    if (x) {
        g = G{x[block_of(s, 4, i, 0)], x[block_of(s, 4, i, 1)], x[block_of(s, 4, i, 2)],
              x[block_of(s, 4, i, 3)]};
    }
    return g;
}

template <class T> static __device__ void lstm_back(const Step<T> &s, int64_t i) {
    typedef typename Gates<T>::Lstm G;
    G kept = four_blocks<T, G>(s, s.kept, i), more = four_blocks<T, G>(s, s.kept_grad, i);
    T t = f_tanh(s.c_now[i]), dh = s.grad[i] + s.h_carry[i];
    T dc = f_lstm_cell_back(dh, kept.o, t, s.c_carry[i], s.c_grad ? s.c_grad[i] : (T)0);
    G d = f_lstm_back(kept, t, s.c_before[i], dh, dc, more);
    s.gates_grad[block_of(s, 4, i, 0)] = d.i;
    s.gates_grad[block_of(s, 4, i, 1)] = d.f;
    s.gates_grad[block_of(s, 4, i, 2)] = d.g;
    s.gates_grad[block_of(s, 4, i, 3)] = d.o;
    s.c_carry[i] = dc * kept.f;
}

/* The carry is what goes back but through the weight, which the product adds to. */
template <class T> static __device__ void gru_back(const Step<T> &s, int64_t i) {
    typedef typename Gates<T>::Gru G;
    G kept = four_blocks<T, G>(s, s.kept, i), more = four_blocks<T, G>(s, s.kept_grad, i);
    T dh = s.grad[i] + s.h_carry[i];
    G d = f_gru_back(kept, s.h_before[i], dh, more);
    const T gates[3] = {d.r, d.z, d.n}, hidden[3] = {d.r, d.z, d.q};
    for (int k = 0; k < 3; k++) {
        s.gates_grad[block_of(s, 3, i, k)] = gates[k];
        s.hidden_grad[block_of(s, 3, i, k)] = hidden[k];
    }
    s.h_carry[i] = dh * kept.z;
}

template <class T, int mode> __global__ void back_kernel(Step<T> s) {
    for (int64_t i = first_of(); i < s.numel; i += step_of()) {
        T dh = mode < RNN_LSTM ? s.grad[i] + s.h_carry[i] : (T)0;
        switch (mode) {
        case RNN_LSTM: lstm_back(s, i); break;
        case RNN_GRU: gru_back(s, i); break;
        case RNN_RELU: s.gates_grad[i] = f_rnn_relu_back(dh, s.h_now[i]); break;
        default: s.gates_grad[i] = f_rnn_tanh_back(dh, s.h_now[i]);
        }
    }
}

/* The operands of all steps, one element after another. */
template <class T> struct Sequence {
    const KernelCall *call;
    RnnMode mode;
    int dtype;
    int64_t steps, n, h, gates_size, kept_size; /* sizes of a row */
    bool reverse;
    const T *weight, *gates, *bias, *h0, *c0, *grad, *cells_grad, *kept_grad;
    T *output, *cells, *kept, *gates_grad, *hidden_grad, *h_carry, *c_carry;
};

template <class T>
static Sequence<T> sequence_of(const KernelCall *c, RnnMode mode, const View *output,
                               bool reverse) {
    Sequence<T> q = Sequence<T>();
    q.call = c;
    q.mode = mode;
    q.dtype = output->dtype;
    q.steps = output->shape[0];
    q.n = output->shape[1];
    q.h = output->shape[2];
    q.gates_size = rnn_gates(mode) * q.h;
    q.kept_size = rnn_kept(mode) * q.h;
    q.reverse = reverse;
    return q;
}

/* Step t in a tensor of (T, N, width); NULL if x is. */
template <class T, class P>
static P *step_in(const Sequence<T> &q, P *x, int64_t t, int64_t width) {
    return x ? x + t * q.n * width : NULL;
}

/* The step that is taken at place i, and the state before it. */
template <class T> static int64_t step_at(const Sequence<T> &q, int64_t i) {
    return q.reverse ? q.steps - 1 - i : i;
}

template <class T>
static const T *before(const Sequence<T> &q, const T *states, const T *first, int64_t i) {
    return i == 0 || !first ? first : step_in(q, states, step_at(q, i - 1), q.h);
}

/* What forward and backward know of the step at place i. */
template <class T> static Step<T> step_of_sequence(const Sequence<T> &q, int64_t i) {
    int64_t t = step_at(q, i);
    Step<T> s = Step<T>();
    s.numel = q.n * q.h;
    s.h = q.h;
    s.h_before = before(q, (const T *)q.output, q.h0, i);
    s.c_before = before(q, (const T *)q.cells, q.c0, i);
    s.h_now = step_in(q, q.output, t, q.h);
    s.c_now = step_in(q, q.cells, t, q.h);
    s.kept = step_in(q, q.kept, t, q.kept_size);
    return s;
}

/* out (N, columns) = x (N, inner) times the weight, turned or not, plus keep * out. */
template <class T>
static bool times_weight(const Sequence<T> &q, const T *x, T *out, bool turned, bool keep) {
    GpuProduct p = GpuProduct();
    p.dtype = q.dtype;
    p.m = q.n;
    p.n = turned ? q.gates_size : q.h;
    p.k = turned ? q.h : q.gates_size;
    p.count = 1;
    p.alpha = 1;
    p.beta = keep;
    p.a.data = (void *)x;
    p.a.row = p.k;
    p.b.data = (void *)q.weight;
    p.b.row = q.h;
    p.b.transposed = turned;
    p.c.data = out;
    p.c.row = p.n;
    return gpu_blas_product(q.call->device, &p);
}

template <class T> using StepKernel = void (*)(Step<T>);

template <class T> static bool run_forward(const Sequence<T> &q, T *hidden) {
    static const StepKernel<T> kernels[] = {step_kernel<T, RNN_TANH>, step_kernel<T, RNN_RELU>,
                                            step_kernel<T, RNN_LSTM>, step_kernel<T, RNN_GRU>};
    for (int64_t i = 0; i < q.steps; i++) {
        Step<T> s = step_of_sequence(q, i);
        s.gates = step_in(q, q.gates, step_at(q, i), q.gates_size);
        s.hidden = hidden;
        s.bias = q.bias;
        if (!times_weight(q, s.h_before, hidden, true, false)) {
            return false;
        }
        launch(launch_over(q.call, s.numel), kernels[q.mode], s);
    }
    return true;
}

template <class T> static bool forward(const KernelCall *c) {
    const View *in = c->in;
    Sequence<T> q = sequence_of<T>(c, rnn_mode(c->name, c->arg[5].s), &c->out[0], c->arg[6].b);
    Dense d = Dense();
    d.call = c;
    q.gates = (const T *)dense_in(&d, &in[0]);
    q.weight = (const T *)dense_in(&d, &in[1]);
    q.bias = (const T *)dense_in(&d, &in[2]);
    q.h0 = (const T *)dense_in(&d, &in[3]);
    q.c0 = (const T *)dense_in(&d, &in[4]);
    q.output = (T *)c->out[0].data;
    q.cells = (T *)c->out[1].data;
    q.kept = (T *)c->out[2].data;
    T *hidden = (T *)dense_room(&d, (size_t)(q.n * q.gates_size) * sizeof(T));
    return dense_end(&d, !d.failed && run_forward(q, hidden));
}

template <class T> static bool run_backward(const Sequence<T> &q) {
    static const StepKernel<T> kernels[] = {back_kernel<T, RNN_TANH>, back_kernel<T, RNN_RELU>,
                                            back_kernel<T, RNN_LSTM>, back_kernel<T, RNN_GRU>};
    for (int64_t i = q.steps - 1; i >= 0; i--) {
        int64_t t = step_at(q, i);
        bool gru = q.mode == RNN_GRU;
        Step<T> s = step_of_sequence(q, i);
        s.grad = step_in(q, q.grad, t, q.h);
        s.c_grad = step_in(q, q.cells_grad, t, q.h);
        s.kept_grad = step_in(q, q.kept_grad, t, q.kept_size);
        s.h_carry = q.h_carry;
        s.c_carry = q.c_carry;
        s.gates_grad = step_in(q, q.gates_grad, t, q.gates_size);
        s.hidden_grad = gru ? step_in(q, q.hidden_grad, t, q.gates_size) : NULL;
        launch(launch_over(q.call, s.numel), kernels[q.mode], s);
        if (!times_weight(q, gru ? s.hidden_grad : s.gates_grad, q.h_carry, false, gru)) {
            return false;
        }
    }
    return true;
}

template <class T> static bool backward(const KernelCall *c) {
    const View *in = c->in;
    Sequence<T> q = sequence_of<T>(c, rnn_mode(c->name, c->arg[9].s), &in[0], c->arg[10].b);
    Dense d = Dense();
    d.call = c;
    q.grad = (const T *)dense_in(&d, &in[0]);
    q.cells_grad = (const T *)dense_in(&d, &in[1]);
    q.kept_grad = (const T *)dense_in(&d, &in[2]);
    q.weight = (const T *)dense_in(&d, &in[3]);
    q.h0 = (const T *)dense_in(&d, &in[4]);
    q.c0 = (const T *)dense_in(&d, &in[5]);
    q.output = (T *)dense_in(&d, &in[6]);
    q.cells = (T *)dense_in(&d, &in[7]);
    q.kept = (T *)dense_in(&d, &in[8]);
    q.gates_grad = (T *)c->out[0].data;
    q.hidden_grad = (T *)c->out[1].data;
    q.h_carry = (T *)c->out[2].data;
    q.c_carry = (T *)c->out[3].data;
    return dense_end(&d, !d.failed && run_backward(q));
}

static bool rnn_sequence(const KernelCall *c) {
    return c->out[0].numel == 0 ||
           (c->out[0].dtype == DT_FLOAT64 ? forward<double>(c) : forward<float>(c));
}

/* The carries are the gradients of h0 and c0 in the end. */
static bool rnn_sequence_backward(const KernelCall *c) {
    Arg zero = whole(0);
    return c->out[2].numel == 0 ||
           (gpu_fill_view(c, &c->out[2], zero) && gpu_fill_view(c, &c->out[3], zero) &&
            (c->out[0].dtype == DT_FLOAT64 ? backward<double>(c) : backward<float>(c)));
}

} // namespace

const KernelRow gpu_rnn_rows[] = {
    {"rnn_sequence", rnn_sequence}, {"rnn_sequence_backward", rnn_sequence_backward}, {NULL, NULL}};
