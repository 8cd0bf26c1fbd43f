#ifndef TOCHA_GPU_ATTENTION_CUH
#define TOCHA_GPU_ATTENTION_CUH
/* Tiles of attention. A block of threads owns a square tile of scores, SIDE rows by SIDE columns,
 * each thread TILE by TILE of them, in registers. It walks over the columns of the whole matrix and
 * sums weights times what the columns have to give, in registers too. Rows are queries and columns
 * keys, or the other way round. Operands pass through shared memory, DEPTH of the inner dim at a
 * time, inner dim first, so that a thread finds its TILE rows beside one another. */
#include "gpu/kernel.cuh"
#include "tensor/formulas/explog.h"

enum { TILE = 4, DEPTH = 32 };

template <class M> struct Side;
template <> struct Side<float> {
    enum { SIDE = 64 };
};
template <> struct Side<double> {
    enum { SIDE = 32 };
};

template <class M> struct alignas(16) Four { M v[TILE]; };

/* Four elements as they stand in memory, which one load fetches. */
template <class T> struct alignas(sizeof(T) * TILE > 16 ? 16 : sizeof(T) * TILE) Packed {
    T v[TILE];
};

/* Matrices (batch, heads, rows, columns); steps in elements. packed: four columns lie side by side
 * wherever a column that 4 divides begins. */
struct Heads {
    void *data;
    int64_t batch, head, row, column;
    bool packed;
};

struct Attention {
    Heads query, key, value, bias, grad, lse, delta, out;
    int64_t batch, heads, key_heads, queries, keys;
    int64_t depth, width; /* of query and key, of value */
    int64_t slices;       /* parts of the columns of out, each the work of other blocks */
    double scale;
    bool causal;
};

static __device__ __forceinline__ float exp_of(float x) { return f_exp_f32(x); }
static __device__ __forceinline__ double exp_of(double x) { return f_exp_f64(x); }
static __device__ __forceinline__ float log_of(float x) { return f_log_f32(x); }
static __device__ __forceinline__ double log_of(double x) { return f_log_f64(x); }

/* One of those matrices, and how much of it there is. */
template <class T> struct Matrix {
    T *data;
    int64_t row, column, rows, columns;
    bool packed;
};

template <class T>
static __device__ Matrix<T> matrix_of(const Heads &h, int64_t batch, int64_t head, int64_t rows,
                                      int64_t columns) {
    T *data = (T *)h.data + batch * h.batch + head * h.head;
    return Matrix<T>{data, h.row, h.column, rows, columns, h.packed};
}

/* Entries (row, column) to (row, column + 3); 0 where there are none. */
template <class T>
static __device__ __forceinline__ Four<Math<T>> fetch(const Matrix<T> &m, int64_t row,
                                                      int64_t column) {
    Four<Math<T>> four;
    const T *from = m.data + row * m.row + column * m.column;
    bool inside = row < m.rows;
    if (m.packed && inside && column < m.columns) {
        Packed<T> packed = *(const Packed<T> *)from;
#pragma unroll
        for (int j = 0; j < TILE; j++) {
            four.v[j] = load(packed.v[j]);
        }
        return four;
    }
#pragma unroll
    for (int j = 0; j < TILE; j++) {
        bool has = inside && column + j < m.columns;
        four.v[j] = has ? load(from[j * m.column]) : (Math<T>)0;
    }
    return four;
}

/* Where a thread stands in the tile: its first row and column. */
template <class M> struct Place {
    enum { SIDE = Side<M>::SIDE, ACROSS = SIDE / TILE, ALL = ACROSS * ACROSS };
    int self, row, column;
    __device__ Place()
        : self((int)threadIdx.x), row(self / ACROSS * TILE), column(self % ACROSS * TILE) {}
};

/* The shared memory of a block. Rows of a plane are apart by a little more than SIDE, for the sake
 * of banks. */
template <class M> struct Room {
    enum { SIDE = Side<M>::SIDE, ROW = SIDE + 16 / sizeof(M) };
    struct Operands {
        M left[DEPTH][ROW], right[DEPTH][ROW];
    };
    union {
        Operands pair;
        M found[DEPTH][2 * ROW];
    };
    M weights[SIDE][ROW]; /* by column, then row */
};

/* SIDE rows of m from row on, DEPTH columns from column on, turned into to. */
template <class T, class M, int row_size>
static __device__ void load_turned(const Matrix<T> &m, int64_t row, int64_t column,
                                   M (&to)[DEPTH][row_size]) {
    typedef Place<M> At;
    enum { RUNS = DEPTH / TILE };
    for (int i = (int)threadIdx.x; i < At::SIDE * RUNS; i += At::ALL) {
        int r = i / RUNS, c = i % RUNS * TILE;
        Four<M> four = fetch(m, row + r, column + c);
#pragma unroll
        for (int j = 0; j < TILE; j++) {
            to[c + j][r] = four.v[j];
        }
    }
}

/* DEPTH rows of m from row on, WIDTH columns from column on. */
template <int WIDTH, class T, class M, int row_size>
static __device__ void load_straight(const Matrix<T> &m, int64_t row, int64_t column,
                                     M (&to)[DEPTH][row_size]) {
    enum { RUNS = WIDTH / TILE };
    for (int i = (int)threadIdx.x; i < DEPTH * RUNS; i += Place<M>::ALL) {
        int r = i / RUNS, c = i % RUNS * TILE;
        *(Four<M> *)&to[r][c] = fetch(m, row + r, column + c);
    }
}

/* sum += left^T right, over the first depth entries (a multiple of TILE) of the inner dim; the
 * WIDE parts of right lie SIDE apart. */
template <int WIDE, class M, int left_row, int right_row>
static __device__ __forceinline__ void multiply(const Place<M> &at, const M (*left)[left_row],
                                                const M (*right)[right_row], int depth,
                                                M (&sum)[TILE][WIDE * TILE]) {
    for (int k = 0; k < depth; k += TILE) {
#pragma unroll
        for (int step = 0; step < TILE; step++) {
            Four<M> a = *(const Four<M> *)&left[k + step][at.row];
#pragma unroll
            for (int part = 0; part < WIDE; part++) {
                Four<M> b = *(const Four<M> *)&right[k + step][part * Place<M>::SIDE + at.column];
#pragma unroll
                for (int i = 0; i < TILE; i++) {
#pragma unroll
                    for (int j = 0; j < TILE; j++) {
                        sum[i][part * TILE + j] += a.v[i] * b.v[j];
                    }
                }
            }
        }
    }
}

template <int N, class M> static __device__ __forceinline__ void clear(M (&sum)[TILE][N]) {
#pragma unroll
    for (int i = 0; i < TILE; i++) {
#pragma unroll
        for (int j = 0; j < N; j++) {
            sum[i][j] = 0;
        }
    }
}

static __device__ __forceinline__ int least(int64_t a, int b) { return a < b ? (int)a : b; }

/* The products of SIDE rows from row on with SIDE of the other matrix from column on. */
template <class T, class M>
static __device__ void products(const Place<M> &at, Room<M> &room, const Matrix<T> &rows,
                                int64_t row, const Matrix<T> &columns, int64_t column,
                                M (&sum)[TILE][TILE]) {
    clear(sum);
    for (int64_t k = 0; k < rows.columns; k += DEPTH) {
        __syncthreads();
        load_turned(rows, row, k, room.pair.left);
        load_turned(columns, column, k, room.pair.right);
        __syncthreads();
        int depth = least((rows.columns - k + TILE - 1) / TILE * TILE, DEPTH);
        multiply<1>(at, room.pair.left, room.pair.right, depth, sum);
    }
}

/* sum += weights times the SIDE rows of found from row on, WIDE * SIDE columns from column on. */
template <int WIDE, class T, class M>
static __device__ void add_found(const Place<M> &at, Room<M> &room, const Matrix<T> &found,
                                 int64_t row, int64_t column, M (&sum)[TILE][WIDE * TILE]) {
    enum { SIDE = Place<M>::SIDE };
    for (int k = 0; k < SIDE && row + k < found.rows; k += DEPTH) {
        __syncthreads();
        load_straight<WIDE * SIDE>(found, row + k, column, room.found);
        __syncthreads();
        int depth = least((found.rows - row - k + TILE - 1) / TILE * TILE, DEPTH);
        multiply<WIDE>(at, room.weights + k, room.found, depth, sum);
    }
}

/* Hands the weights of the tile over to the next product. */
template <class M>
static __device__ __forceinline__ void give_weights(const Place<M> &at, Room<M> &room,
                                                    const M (&weight)[TILE][TILE]) {
    __syncthreads();
#pragma unroll
    for (int j = 0; j < TILE; j++) {
        Four<M> four;
#pragma unroll
        for (int i = 0; i < TILE; i++) {
            four.v[i] = weight[i][j];
        }
        *(Four<M> *)&room.weights[at.column + j][at.row] = four;
    }
}

/* Rows from row on and columns from column on of out. */
template <int WIDE, class T, class M>
static __device__ void store(const Place<M> &at, const Matrix<T> &out, int64_t row, int64_t column,
                             const M (&sum)[TILE][WIDE * TILE]) {
#pragma unroll
    for (int i = 0; i < TILE; i++) {
        int64_t r = row + at.row + i;
#pragma unroll
        for (int j = 0; j < WIDE * TILE; j++) {
            int64_t c = column + j / TILE * Place<M>::SIDE + at.column + j % TILE;
            if (r < out.rows && c < out.columns) {
                out.data[r * out.row + c * out.column] = Element<T>::store(sum[i][j]);
            }
        }
    }
}

/* Products become scores: scaled, with their bias; of keys that are hidden or not there, -infinity.
 * by_key: rows are keys. */
template <bool by_key, class T, class M>
static __device__ void score(const Place<M> &at, const Attention &a, const Matrix<T> &bias,
                             int64_t row, int64_t column, M (&x)[TILE][TILE]) {
    enum { SIDE = Place<M>::SIDE };
    int64_t query = by_key ? column : row, key = by_key ? row : column;
    bool all = query + SIDE <= a.queries && key + SIDE <= a.keys &&
               (!a.causal || key + SIDE - 1 <= query) && !bias.data;
#pragma unroll
    for (int i = 0; i < TILE; i++) {
#pragma unroll
        for (int j = 0; j < TILE; j++) {
            x[i][j] *= (M)a.scale;
            if (all) {
                continue;
            }
            int64_t q = query + (by_key ? at.column + j : at.row + i);
            int64_t k = key + (by_key ? at.row + i : at.column + j);
            bool seen = q < a.queries && k < a.keys && (!a.causal || k <= q);
            if (seen && bias.data) {
                x[i][j] += load(bias.data[q * bias.row + k * bias.column]);
            }
            x[i][j] = seen ? x[i][j] : -(M)INFINITY;
        }
    }
}

/* The tile of a block's work: a head, SIDE of its rows and a slice of out's columns. */
struct Task {
    int64_t batch, head, row, slice;
};

/* Task i of those of n heads; tiles: of a head. The longest of a causal mask come first. */
static inline __device__ Task task_of(const Attention &a, int64_t i, int64_t heads, int64_t tiles,
                                      int side, bool last_first) {
    Task t;
    t.slice = i % a.slices;
    i /= a.slices;
    int64_t tile = i % tiles;
    i /= tiles;
    t.row = (last_first ? tiles - 1 - tile : tile) * side;
    t.head = i % heads;
    t.batch = i / heads;
    return t;
}

static inline bool packs(const Heads &h, int64_t columns, size_t size) {
    size_t run = size * TILE > 16 ? 16 : size * TILE;
    return h.column == 1 && columns % TILE == 0 && h.row % TILE == 0 && h.head % TILE == 0 &&
           h.batch % TILE == 0 && (uintptr_t)h.data % run == 0;
}

/* v is (B, H, rows, columns) or, where columns are left out, (B, H, rows); sizes of 1 that are
 * broadcast have step 0. */
static inline Heads heads_of(const View *v) {
    Heads h = Heads();
    if (v->dtype == DT_NONE) {
        return h;
    }
    int64_t *const step[] = {&h.batch, &h.head, &h.row, &h.column};
    for (int d = 0; d < v->dim; d++) {
        *step[d] = v->shape[d] == 1 ? 0 : v->stride[d];
    }
    h.data = v->data;
    if (v->dim == 4) {
        h.packed = packs(h, v->shape[3], dtype_size(v->dtype));
    }
    return h;
}

/* A call's operands, whose query is argument k. */
static inline Attention attention_of(const KernelCall *c, int k, double scale, bool causal) {
    const View *query = &c->in[k], *key = &c->in[k + 1], *value = &c->in[k + 2];
    Attention a = Attention();
    a.query = heads_of(query);
    a.key = heads_of(key);
    a.value = heads_of(value);
    a.bias = heads_of(&c->in[k + 3]);
    a.batch = query->shape[0];
    a.heads = query->shape[1];
    a.key_heads = key->shape[1];
    a.queries = query->shape[2];
    a.keys = key->shape[2];
    a.depth = query->shape[3];
    a.width = value->shape[3];
    a.scale = scale;
    a.causal = causal;
    return a;
}

static inline dim3 blocks_for(int64_t tasks) {
    return dim3((unsigned)(tasks < INT32_MAX ? tasks : INT32_MAX));
}

#endif
