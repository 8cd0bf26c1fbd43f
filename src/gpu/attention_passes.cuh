#ifndef TOCHA_GPU_ATTENTION_PASSES_CUH
#define TOCHA_GPU_ATTENTION_PASSES_CUH
/* attend_backward in three passes: weights come again from the scores and lse. With rows of queries
 * for the gradient of query, with rows of keys for those of key and value: each element is summed
 * by one thread, in one order. What is instantiated here takes long to compile, so that each dtype
 * has a file of its own. */
#include "gpu/attention_backward.cuh"

typedef enum { OF_QUERY, OF_KEY, OF_VALUE } Pass;

/* lse and delta of the queries of one head. */
template <class M> struct Sums { Matrix<M> lse, delta; };

template <class M>
static __device__ Sums<M> sums_of(const Attention &a, int64_t batch, int64_t head) {
    return Sums<M>{matrix_of<M>(a.lse, batch, head, a.queries, 1),
                   matrix_of<M>(a.delta, batch, head, a.queries, 1)};
}

/* An entry of lse or delta, 0 behind the end. */
template <class M>
static __device__ __forceinline__ M sum_at(const Matrix<M> &sums, int64_t query) {
    return query < sums.rows ? sums.data[query * sums.row] : (M)0;
}

/* Scores become weights, e^(score - lse). */
template <bool by_key, class M>
static __device__ void weigh(const Place<M> &at, const Matrix<M> &lse, int64_t query,
                             M (&x)[TILE][TILE]) {
    M shift[TILE];
#pragma unroll
    for (int i = 0; i < TILE; i++) {
        M of_query = sum_at(lse, query + (by_key ? at.column : at.row) + i);
        shift[i] = of_query == -(M)INFINITY ? (M)0 : of_query;
    }
#pragma unroll
    for (int i = 0; i < TILE; i++) {
#pragma unroll
        for (int j = 0; j < TILE; j++) {
            x[i][j] = exp_of(x[i][j] - shift[by_key ? j : i]);
        }
    }
}

/* Weights become the gradients of scores, given those of weights. */
template <bool by_key, class M>
static __device__ void to_gradient(const Place<M> &at, const Matrix<M> &delta, int64_t query,
                                   const M (&grad)[TILE][TILE], M (&x)[TILE][TILE]) {
    M shift[TILE];
#pragma unroll
    for (int i = 0; i < TILE; i++) {
        shift[i] = sum_at(delta, query + (by_key ? at.column : at.row) + i);
    }
#pragma unroll
    for (int i = 0; i < TILE; i++) {
#pragma unroll
        for (int j = 0; j < TILE; j++) {
            x[i][j] *= grad[i][j] - shift[by_key ? j : i];
        }
    }
}

/* What the pass does for one head of queries and rows from row on: adds to result, whose columns
 * begin at first. */
template <int pass, int WIDE, class T, class M>
static __device__ void walk(const Place<M> &at, Room<M> &room, const Attention &a, int64_t batch,
                            int64_t head, int64_t row, int64_t first,
                            M (&result)[TILE][WIDE * TILE]) {
    enum { SIDE = Place<M>::SIDE };
    constexpr bool by_key = pass != OF_QUERY;
    int64_t key_head = head / (a.heads / a.key_heads);
    const Matrix<T> query = matrix_of<T>(a.query, batch, head, a.queries, a.depth);
    const Matrix<T> key = matrix_of<T>(a.key, batch, key_head, a.keys, a.depth);
    const Matrix<T> value = matrix_of<T>(a.value, batch, key_head, a.keys, a.width);
    const Matrix<T> grad = matrix_of<T>(a.grad, batch, head, a.queries, a.width);
    const Matrix<T> bias = matrix_of<T>(a.bias, batch, head, a.queries, a.keys);
    const Sums<M> sums = sums_of<M>(a, batch, head);
    /* Keys see no query before them, queries no key behind. */
    int64_t column = by_key && a.causal ? row : 0, end = by_key ? a.queries : a.keys;
    end = !by_key && a.causal && row + SIDE < end ? row + SIDE : end;
    for (; column < end; column += SIDE) {
        int64_t q = by_key ? column : row;
        M x[TILE][TILE];
        products(at, room, by_key ? key : query, row, by_key ? query : key, column, x);
        score<by_key>(at, a, bias, row, column, x);
        weigh<by_key>(at, sums.lse, q, x);
        if (pass != OF_VALUE) {
            M of_weight[TILE][TILE];
            products(at, room, by_key ? value : grad, row, by_key ? grad : value, column,
                     of_weight);
            to_gradient<by_key>(at, sums.delta, q, of_weight, x);
        }
        give_weights(at, room, x);
        add_found<WIDE>(at, room,
                        pass == OF_QUERY ? key
                        : pass == OF_KEY ? query
                                         : grad,
                        column, first, result);
    }
}

/* a.out is the gradient that the pass is about. */
template <class T, int pass, int WIDE>
__global__ void __launch_bounds__(Place<Math<T>>::ALL, 2)
    backward_kernel(Attention a, int64_t tiles, int64_t tasks) {
    typedef Math<T> M;
    enum { SIDE = Place<M>::SIDE };
    __shared__ Room<M> room;
    const Place<M> at;
    int64_t heads = pass == OF_QUERY ? a.heads : a.key_heads;
    int64_t group = pass == OF_QUERY ? 1 : a.heads / a.key_heads;
    for (int64_t i = blockIdx.x; i < tasks; i += gridDim.x) {
        Task t = task_of(a, i, heads, tiles, SIDE, a.causal && pass == OF_QUERY);
        int64_t first = t.slice * WIDE * SIDE;
        M result[TILE][WIDE * TILE];
        clear(result);
        for (int64_t h = t.head * group; h < (t.head + 1) * group; h++) {
            walk<pass, WIDE, T>(at, room, a, t.batch, h, t.row, first, result);
        }
#pragma unroll
        for (int r = 0; pass != OF_VALUE && r < TILE; r++) {
#pragma unroll
            for (int j = 0; j < WIDE * TILE; j++) {
                result[r][j] *= (M)a.scale;
            }
        }
        Matrix<T> out = matrix_of<T>(a.out, t.batch, t.head, pass == OF_QUERY ? a.queries : a.keys,
                                     pass == OF_VALUE ? a.width : a.depth);
        store<WIDE>(at, out, t.row, first, result);
    }
}

template <class T, int pass, int WIDE>
static void start(const KernelCall *c, Attention a, const View *out) {
    typedef Place<Math<T>> At;
    int64_t tiles = divide_up(out->shape[2], At::SIDE);
    a.slices = divide_up(out->shape[3], WIDE * At::SIDE);
    int64_t tasks = a.batch * out->shape[1] * tiles * a.slices;
    launch(launch_of(c, blocks_for(tasks), dim3(At::ALL)), backward_kernel<T, pass, WIDE>, a, tiles,
           tasks);
}

template <class T, int pass> static void run_pass(const KernelCall *c, Attention a) {
    const View *out = &c->out[pass];
    a.out = heads_of(out);
    if (out->numel == 0) {
        return;
    }
    if (out->shape[3] > Place<Math<T>>::SIDE) {
        start<T, pass, 2>(c, a, out);
    } else {
        start<T, pass, 1>(c, a, out);
    }
}

template <class T> void attention_passes(const KernelCall *c, const Attention &a) {
    run_pass<T, OF_QUERY>(c, a);
    run_pass<T, OF_KEY>(c, a);
    run_pass<T, OF_VALUE>(c, a);
}

#endif
