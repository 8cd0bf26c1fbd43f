/* attend: the softmax goes along with the walk over the keys (Milakov and Gimelshein, 2018), so
 * that what was summed shrinks whenever a larger score turns up. */
#include "gpu/attention.cuh"

/* What a thread knows of its queries' keys before: the largest score, and its own part of the sum
 * of e^(score - largest). */
template <class M> struct Softmax {
    M most[TILE], sum[TILE];
    __device__ Softmax() {
        for (int i = 0; i < TILE; i++) {
            most[i] = -(M)INFINITY;
            sum[i] = 0;
        }
    }
};

/* Of the threads that share rows; all get the result. */
template <class M> static __device__ __forceinline__ M most_across(M x) {
    for (int step = Place<M>::ACROSS / 2; step > 0; step /= 2) {
        M other = __shfl_xor_sync(0xffffffffu, x, step);
        x = other > x ? other : x;
    }
    return x;
}

template <class M> static __device__ __forceinline__ M sum_across(M x) {
    for (int step = Place<M>::ACROSS / 2; step > 0; step /= 2) {
        x += __shfl_xor_sync(0xffffffffu, x, step);
    }
    return x;
}

/* Scores become e^(score - largest so far); what was summed before them is scaled to match. */
template <int N, class M>
static __device__ void weigh(Softmax<M> &state, M (&x)[TILE][TILE], M (&result)[TILE][N]) {
#pragma unroll
    for (int i = 0; i < TILE; i++) {
        M most = state.most[i];
#pragma unroll
        for (int j = 0; j < TILE; j++) {
            most = x[i][j] > most ? x[i][j] : most;
        }
        most = most_across(most);
        /* Where nothing was seen yet: e^(-inf - 0) is 0. */
        M safe = most == -(M)INFINITY ? (M)0 : most;
        M factor = exp_of(state.most[i] - safe);
        state.most[i] = most;
        state.sum[i] *= factor;
#pragma unroll
        for (int j = 0; j < TILE; j++) {
            x[i][j] = exp_of(x[i][j] - safe);
            state.sum[i] += x[i][j];
        }
#pragma unroll
        for (int j = 0; j < N; j++) {
            result[i][j] *= factor;
        }
    }
}

/* The results of queries from row on divided by their sums, and the logarithms of these into lse.
 */
template <int N, class M>
static __device__ void finish(const Place<M> &at, const Softmax<M> &state, int64_t row,
                              const Matrix<M> &lse, bool writes, M (&result)[TILE][N]) {
#pragma unroll
    for (int i = 0; i < TILE; i++) {
        M sum = sum_across(state.sum[i]), scale = sum == 0 ? (M)0 : 1 / sum;
        int64_t query = row + at.row + i;
#pragma unroll
        for (int j = 0; j < N; j++) {
            result[i][j] = scale == 0 ? (M)0 : result[i][j] * scale;
        }
        if (writes && at.column == 0 && query < lse.rows) {
            lse.data[query * lse.row] = state.most[i] + log_of(sum);
        }
    }
}

template <class T, int WIDE>
__global__ void __launch_bounds__(Place<Math<T>>::ALL, 2)
    attend_kernel(Attention a, int64_t tiles, int64_t tasks) {
    typedef Math<T> M;
    enum { SIDE = Place<M>::SIDE };
    __shared__ Room<M> room;
    const Place<M> at;
    int64_t group = a.heads / a.key_heads;
    for (int64_t i = blockIdx.x; i < tasks; i += gridDim.x) {
        Task t = task_of(a, i, a.heads, tiles, SIDE, a.causal);
        int64_t b = t.batch, h = t.head, first = t.slice * WIDE * SIDE;
        Matrix<T> query = matrix_of<T>(a.query, b, h, a.queries, a.depth);
        Matrix<T> key = matrix_of<T>(a.key, b, h / group, a.keys, a.depth);
        Matrix<T> value = matrix_of<T>(a.value, b, h / group, a.keys, a.width);
        Matrix<T> bias = matrix_of<T>(a.bias, b, h, a.queries, a.keys);
        int64_t end = a.causal && t.row + SIDE < a.keys ? t.row + SIDE : a.keys;
        Softmax<M> state;
        M x[TILE][TILE], result[TILE][WIDE * TILE];
        clear(result);
        for (int64_t k = 0; k < end; k += SIDE) {
            products(at, room, query, t.row, key, k, x);
            score<false>(at, a, bias, t.row, k, x);
            weigh(state, x, result);
            give_weights(at, room, x);
            add_found<WIDE>(at, room, value, k, first, result);
        }
        finish(at, state, t.row, matrix_of<M>(a.lse, b, h, a.queries, 1), t.slice == 0, result);
        store<WIDE>(at, matrix_of<T>(a.out, b, h, a.queries, a.width), t.row, first, result);
    }
}

template <class T, int WIDE> static void start(const KernelCall *c, Attention a) {
    typedef Place<Math<T>> At;
    int64_t tiles = divide_up(a.queries, At::SIDE);
    a.slices = a.width ? divide_up(a.width, WIDE * At::SIDE) : 1;
    int64_t tasks = a.batch * a.heads * tiles * a.slices;
    launch(launch_of(c, blocks_for(tasks), dim3(At::ALL)), attend_kernel<T, WIDE>, a, tiles, tasks);
}

static bool attend(const KernelCall *c) {
    Attention a = attention_of(c, 0, c->arg[4].f, c->arg[5].b);
    a.out = heads_of(&c->out[0]);
    a.lse = heads_of(&c->out[1]);
    return c->out[1].numel == 0 || for_float(c->out[0].dtype, [&](auto zero) {
               typedef decltype(zero) T;
               bool wide = a.width > Place<Math<T>>::SIDE;
               wide ? start<T, 2>(c, a) : start<T, 1>(c, a);
               return true;
           });
}

const KernelRow gpu_attention_rows[] = {{"attend", attend}, {NULL, NULL}};
