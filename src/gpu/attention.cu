/* attend: the softmax goes along with the walk over the keys (Milakov and Gimelshein, 2018), so
 * that what was summed shrinks whenever a larger score turns up. */
#include "gpu/attention.cuh"
#include "gpu/attention_dnn.h"

namespace {

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

} // namespace

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

namespace {

/* Where there are too few queries to keep the device busy, blocks share out the keys. found,
 * (count, batch, heads, queries, width + 2), has what each part has summed, its largest score, and
 * its sum of e^(score - largest). */
struct Parts {
    int64_t count, keys; /* keys: of a part */
    void *found;         /* NULL where there is one part */
};

} // namespace

template <class M>
static __device__ Matrix<M> found_of(const Attention &a, const Parts &p, int64_t part,
                                     int64_t batch, int64_t head) {
    int64_t row = a.width + 2, at = (part * a.batch + batch) * a.heads + head;
    return Matrix<M>{(M *)p.found + at * a.queries * row, row, 1, a.queries, a.width, false};
}

/* Leaves results as they are, and what has to be known of them, to join_kernel. */
template <int WIDE, class M>
static __device__ void leave(const Place<M> &at, const Softmax<M> &state, int64_t row,
                             int64_t first, const Matrix<M> &found,
                             const M (&result)[TILE][WIDE * TILE]) {
    store<WIDE>(at, found, row, first, result);
#pragma unroll
    for (int i = 0; i < TILE; i++) {
        int64_t query = row + at.row + i;
        if (first == 0 && at.column == 0 && query < found.rows) {
            M *end = found.data + query * found.row + found.columns;
            end[0] = state.most[i];
            end[1] = state.sum[i];
        }
    }
}

/* Divides results by their sums, and writes them and the logarithms of these. */
template <int WIDE, class T, class M>
static __device__ void finish(const Place<M> &at, const Softmax<M> &state, int64_t row,
                              int64_t first, const Matrix<T> &out, const Matrix<M> &lse,
                              M (&result)[TILE][WIDE * TILE]) {
#pragma unroll
    for (int i = 0; i < TILE; i++) {
        M scale = state.sum[i] == 0 ? (M)0 : 1 / state.sum[i];
        int64_t query = row + at.row + i;
#pragma unroll
        for (int j = 0; j < WIDE * TILE; j++) {
            result[i][j] = scale == 0 ? (M)0 : result[i][j] * scale;
        }
        if (first == 0 && at.column == 0 && query < lse.rows) {
            lse.data[query * lse.row] = state.most[i] + log_of(state.sum[i]);
        }
    }
    store<WIDE>(at, out, row, first, result);
}

template <class T, int WIDE>
__global__ void __launch_bounds__(Place<Math<T>>::ALL, 2)
    attend_kernel(Attention a, Parts parts, int64_t tiles, int64_t tasks) {
    typedef Math<T> M;
    enum { SIDE = Place<M>::SIDE };
    __shared__ Room<M> room;
    const Place<M> at;
    int64_t group = a.heads / a.key_heads;
    for (int64_t i = blockIdx.x; i < tasks; i += gridDim.x) {
        Task t = task_of(a, i / parts.count, a.heads, tiles, SIDE, a.causal);
        int64_t b = t.batch, h = t.head, first = t.slice * WIDE * SIDE, part = i % parts.count;
        Matrix<T> query = matrix_of<T>(a.query, b, h, a.queries, a.depth);
        Matrix<T> key = matrix_of<T>(a.key, b, h / group, a.keys, a.depth);
        Matrix<T> value = matrix_of<T>(a.value, b, h / group, a.keys, a.width);
        Matrix<T> bias = matrix_of<T>(a.bias, b, h, a.queries, a.keys);
        int64_t end = a.causal && t.row + SIDE < a.keys ? t.row + SIDE : a.keys;
        end = (part + 1) * parts.keys < end ? (part + 1) * parts.keys : end;
        Softmax<M> state;
        M x[TILE][TILE], result[TILE][WIDE * TILE];
        clear(result);
        for (int64_t k = part * parts.keys; k < end; k += SIDE) {
            products(at, room, query, t.row, key, k, x);
            score<false>(at, a, bias, t.row, k, x);
            weigh(state, x, result);
            give_weights(at, room, x);
            add_found<WIDE>(at, room, value, k, first, result);
        }
#pragma unroll
        for (int r = 0; r < TILE; r++) {
            state.sum[r] = sum_across(state.sum[r]);
        }
        if (parts.found) {
            leave<WIDE>(at, state, t.row, first, found_of<M>(a, parts, part, b, h), result);
        } else {
            finish<WIDE>(at, state, t.row, first, matrix_of<T>(a.out, b, h, a.queries, a.width),
                         matrix_of<M>(a.lse, b, h, a.queries, 1), result);
        }
    }
}

/* A thread for each element of out, or where that has none for each of lse. */
template <class T> __global__ void join_kernel(Attention a, Parts parts, int64_t numel) {
    typedef Math<T> M;
    int64_t columns = a.width > 0 ? a.width : 1;
    for (int64_t i = first_of(); i < numel; i += step_of()) {
        int64_t column = i % columns, query = i / columns % a.queries;
        int64_t head = i / columns / a.queries, b = head / a.heads, h = head % a.heads;
        M most = -(M)INFINITY, sum = 0, result = 0;
        for (int64_t p = 0; p < parts.count; p++) {
            Matrix<M> found = found_of<M>(a, parts, p, b, h);
            M x = found.data[query * found.row + a.width];
            most = x > most ? x : most;
        }
        M safe = most == -(M)INFINITY ? (M)0 : most;
        for (int64_t p = 0; p < parts.count; p++) {
            Matrix<M> found = found_of<M>(a, parts, p, b, h);
            const M *from = found.data + query * found.row;
            M factor = exp_of(from[a.width] - safe);
            sum += from[a.width + 1] * factor;
            result += a.width > 0 ? from[column] * factor : (M)0;
        }
        if (a.width > 0) {
            Matrix<T> out = matrix_of<T>(a.out, b, h, a.queries, a.width);
            out.data[query * out.row + column * out.column] =
                Element<T>::store(sum == 0 ? (M)0 : result / sum);
        }
        if (column == 0) {
            matrix_of<M>(a.lse, b, h, a.queries, 1).data[query * a.lse.row] = most + log_of(sum);
        }
    }
}

/* Parts of two tiles of keys or more, so many that there are two blocks for each processor. */
static Parts parts_of(const KernelCall *c, const Attention &a, int64_t tasks, int side) {
    int64_t tiles = divide_up(a.keys, side), most = tiles / 2;
    int64_t count = divide_up(2 * (int64_t)gpu_processors(c->device), tasks);
    count = count < most ? count : most;
    if (count <= 1) {
        return Parts{1, a.keys, NULL};
    }
    int64_t each = divide_up(tiles, count);
    return Parts{divide_up(tiles, each), each * side, NULL};
}

template <class T, int WIDE> static bool start(const KernelCall *c, Attention a) {
    typedef Place<Math<T>> At;
    int64_t tiles = divide_up(a.queries, At::SIDE), rows = a.batch * a.heads * a.queries;
    a.slices = a.width ? divide_up(a.width, WIDE * At::SIDE) : 1;
    int64_t tasks = a.batch * a.heads * tiles * a.slices;
    Parts parts = parts_of(c, a, tasks, At::SIDE);
    size_t bytes = (size_t)(parts.count * rows * (a.width + 2)) * sizeof(Math<T>);
    if (parts.count > 1) {
        parts.found = gpu_alloc(c->device, bytes);
        if (!parts.found) {
            return false;
        }
    }
    tasks *= parts.count;
    launch(launch_of(c, blocks_for(tasks), dim3(At::ALL)), attend_kernel<T, WIDE>, a, parts, tiles,
           tasks);
    if (parts.found) {
        int64_t numel = rows * (a.width ? a.width : 1);
        launch(launch_over(c, numel), join_kernel<T>, a, parts, numel);
        gpu_release(c->device, parts.found, bytes);
    }
    return true;
}

static bool by_own_kernel(const KernelCall *c) {
    Attention a = attention_of(c, 0, c->arg[4].f, c->arg[5].b);
    a.out = heads_of(&c->out[0]);
    a.lse = heads_of(&c->out[1]);
    return for_float(c->out[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        bool wide = a.width > Place<Math<T>>::SIDE;
        return wide ? start<T, 2>(c, a) : start<T, 1>(c, a);
    });
}

static bool attend(const KernelCall *c) {
    bool done = c->out[1].numel == 0;
    return done || (attention_by_dnn(c, &done) && (done || by_own_kernel(c)));
}

const KernelRow gpu_attention_rows[] = {{"attend", attend}, {NULL, NULL}};
