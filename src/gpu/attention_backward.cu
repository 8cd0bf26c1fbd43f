/* attend_backward: what is subtracted from the gradients of weights, then cuDNN or the passes of
 * attention_passes.cuh. */
#include "gpu/attention_backward.cuh"
#include "gpu/attention_dnn.h"
#include "gpu/group.cuh"

namespace {

template <class M> struct Sum {
    M of;
    __device__ void join(const Sum &other) { of += other.of; }
    template <class F> __device__ Sum each(F f) const { return Sum{f(of)}; }
};

} // namespace

/* delta: the sums of grad * output, less lse_grad. A warp for each query. */
template <class T>
__global__ void delta_kernel(Attention a, Heads output, Heads lse_grad, int64_t rows) {
    typedef Math<T> M;
    int64_t lane = threadIdx.x % LANES;
    for (int64_t row = first_of() / LANES; row < rows; row += step_of() / LANES) {
        int64_t query = row % a.queries, head = row / a.queries, b = head / a.heads,
                h = head % a.heads;
        Matrix<T> grad = matrix_of<T>(a.grad, b, h, a.queries, a.width);
        Matrix<T> out = matrix_of<T>(output, b, h, a.queries, a.width);
        Sum<M> sum = {0};
        for (int64_t i = lane; i < a.width; i += LANES) {
            sum.of += load(grad.data[query * grad.row + i * grad.column]) *
                      load(out.data[query * out.row + i * out.column]);
        }
        sum = join_lanes(sum, LANES);
        if (lane == 0) {
            Matrix<M> less = matrix_of<M>(lse_grad, b, h, a.queries, 1);
            matrix_of<M>(a.delta, b, h, a.queries, 1).data[query * a.delta.row] =
                sum.of - (lse_grad.data ? less.data[query * less.row] : (M)0);
        }
    }
}

static bool by_own_kernels(const KernelCall *c, Attention a) {
    int64_t rows = a.batch * a.heads * a.queries;
    Heads output = heads_of(&c->in[5]), lse_grad = heads_of(&c->in[7]);
    a.grad = heads_of(&c->in[0]);
    a.lse = heads_of(&c->in[6]);
    return for_float(c->out[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        if (rows > 0) {
            launch(launch_over(c, rows * LANES), delta_kernel<T>, a, output, lse_grad, rows);
        }
        attention_passes<T>(c, a);
        return true;
    });
}

static bool attend_backward(const KernelCall *c) {
    Attention a = attention_of(c, 1, c->arg[8].f, c->arg[9].b);
    size_t size = c->out[0].dtype == DT_FLOAT64 ? sizeof(double) : sizeof(float);
    size_t bytes = (size_t)c->in[6].numel * size;
    a.delta.data = bytes ? gpu_alloc(c->device, bytes) : NULL;
    if (bytes && !a.delta.data) {
        return false;
    }
    a.delta.row = 1;
    a.delta.head = a.queries;
    a.delta.batch = a.heads * a.queries;
    bool done;
    bool ok = attention_backward_by_dnn(c, (float *)a.delta.data, &done) &&
              (done || by_own_kernels(c, a));
    if (bytes) {
        gpu_release(c->device, a.delta.data, bytes);
    }
    return ok;
}

const KernelRow gpu_attention_backward_rows[] = {{"attend_backward", attend_backward},
                                                 {NULL, NULL}};
