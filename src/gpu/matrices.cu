/* What is done to batches of matrices besides what the libraries do. */
#include "gpu/matrices.cuh"

__global__ void find_infinite_kernel(StackView a, int part, int *state) {
    for (int64_t i = first_of(); i < a.numel(); i += step_of()) {
        MatrixPlace p(a, i);
        bool seen = part == WHOLE || (part == LOWER ? p.row >= p.column : p.row <= p.column);
        if (seen && !is_finite(a.get(a.at(p.matrix, p.row, p.column)))) {
            atomicExch(&state[p.matrix], (int)MATRIX_NOT_FINITE);
        }
    }
}

bool matrices_find_infinite(const KernelCall *c, const Stack *a, Triangle part, int *state) {
    if (numel(a) > 0) {
        launch(launch_over(c, numel(a)), find_infinite_kernel, numbers(a), (int)part, state);
    }
    return true;
}

__global__ void find_zeros_kernel(StackView a, int *state) {
    int64_t n = a.rows;
    for (int64_t i = first_of(); i < n * a.count; i += step_of()) {
        if (!f_is_true_c128(a.get(a.at(i / n, i % n, i % n)))) {
            atomicExch(&state[i / n], (int)MATRIX_SINGULAR);
        }
    }
}

bool matrices_find_zeros(const KernelCall *c, const Stack *a, int *state) {
    if (numel(a) > 0) {
        launch(launch_over(c, a->rows * a->count), find_zeros_kernel, numbers(a), state);
    }
    return true;
}

__global__ void find_nan_pivots_kernel(StackView a, int *state) {
    for (int64_t i = first_of(); i < a.count; i += step_of()) {
        for (int64_t j = 0; j < a.rows && state[i] == 0; j++) {
            if (!(a.get(a.at(i, j, j)).re > 0)) {
                state[i] = (int)j + 1;
            }
        }
    }
}

bool matrices_find_nan_pivots(const KernelCall *c, const Stack *a, int *state) {
    launch(launch_over(c, a->count), find_nan_pivots_kernel, numbers(a), state);
    return true;
}

__global__ void spoil_kernel(StackView a, const int *state) {
    for (int64_t i = first_of(); i < a.numel(); i += step_of()) {
        MatrixPlace p(a, i);
        if (state[p.matrix] != 0) {
            a.set(a.at(p.matrix, p.row, p.column), f_make_c128(NAN, NAN));
        }
    }
}

bool matrices_spoil(const KernelCall *c, const Stack *a, const int *state) {
    if (numel(a) > 0) {
        launch(launch_over(c, numel(a)), spoil_kernel, numbers(a), state);
    }
    return true;
}

/* from.data == NULL: the identity. */
__global__ void permute_kernel(StackView a, StackView from, const int64_t *order) {
    for (int64_t i = first_of(); i < a.numel(); i += step_of()) {
        MatrixPlace p(a, i);
        int64_t row = order ? order[p.matrix * a.rows + p.row] - 1 : p.row;
        Complex128 z = from.data ? from.get(from.at(p.matrix, row, p.column))
                                 : f_make_c128(row == p.column, 0);
        a.set(a.at(p.matrix, p.row, p.column), z);
    }
}

bool matrices_permute(const KernelCall *c, const Stack *a, const Stack *from,
                      const int64_t *order) {
    if (numel(a) > 0) {
        launch(launch_over(c, numel(a)), permute_kernel, numbers(a),
               from ? numbers(from) : StackView(), order);
    }
    return true;
}

__global__ void triangle_kernel(StackView a, StackView from, int part) {
    for (int64_t i = first_of(); i < a.numel(); i += step_of()) {
        MatrixPlace p(a, i);
        bool kept = part == UPPER ? p.row <= p.column : p.row >= p.column;
        Complex128 z = kept ? from.get(from.at(p.matrix, p.row, p.column)) : f_make_c128(0, 0);
        a.set(a.at(p.matrix, p.row, p.column), z);
    }
}

bool matrices_triangle(const KernelCall *c, const Stack *a, const Stack *from, Triangle part) {
    if (numel(a) > 0) {
        launch(launch_over(c, numel(a)), triangle_kernel, numbers(a), numbers(from), (int)part);
    }
    return true;
}

/* A thread for each matrix: swaps have to be made one after the other. */
__global__ void order_kernel(const int *pivots, int64_t k, int64_t rows, int64_t count,
                             int64_t *order) {
    for (int64_t i = first_of(); i < count; i += step_of()) {
        int64_t *mine = order + i * rows;
        for (int64_t r = 0; r < rows; r++) {
            mine[r] = r + 1;
        }
        for (int64_t r = 0; r < k; r++) {
            int64_t other = pivots[i * k + r] - 1, moved = mine[r];
            mine[r] = mine[other];
            mine[other] = moved;
        }
    }
}

bool matrices_order(const KernelCall *c, const int *pivots, int64_t k, int64_t rows, int64_t count,
                    int64_t *order) {
    launch(launch_over(c, count), order_kernel, pivots, k, rows, count, order);
    return true;
}

__global__ void take_pivots_kernel(const int64_t *from, int64_t k, int64_t rows, int64_t count,
                                   int *to, int *state) {
    for (int64_t i = first_of(); i < count; i += step_of()) {
        for (int64_t r = 0; r < k; r++) {
            int64_t pivot = from[i * k + r];
            bool good = pivot >= 1 && pivot <= rows;
            to[i * k + r] = (int)(good ? pivot : r + 1);
            state[i] = good || state[i] ? state[i] : (int)r + 1;
        }
    }
}

bool matrices_take_pivots(const KernelCall *c, const int64_t *from, int64_t k, int64_t rows,
                          int64_t count, int *to, int *state) {
    launch(launch_over(c, count), take_pivots_kernel, from, k, rows, count, to, state);
    return true;
}

__global__ void count_up_kernel(int *to, int64_t n, int64_t all) {
    for (int64_t i = first_of(); i < all; i += step_of()) {
        to[i] = (int)(i % n) + 1;
    }
}

bool matrices_count_up(const KernelCall *c, int *to, int64_t n, int64_t count) {
    if (n * count > 0) {
        launch(launch_over(c, n * count), count_up_kernel, to, n, n * count);
    }
    return true;
}

/* A warp's worth of threads for each matrix, whose products are joined in a fixed order. */
enum { LANES = 32 };

__global__ void determinant_kernel(StackView a, const int *pivots, void *det, void *log_abs,
                                   int part) {
    __shared__ Complex128 products[LANES];
    __shared__ double logarithms[LANES];
    int64_t lane = threadIdx.x;
    for (int64_t i = blockIdx.x; i < a.count; i += gridDim.x) {
        Complex128 product = f_make_c128(1, 0);
        double logarithm = 0;
        for (int64_t k = lane; k < a.rows; k += LANES) {
            Complex128 d = a.get(a.at(i, k, k));
            double size = length(d), sign = pivots[i * a.rows + k] == k + 1 ? 1 : -1;
            logarithm += log(size);
            sign = log_abs && size != 0 ? sign / size : sign;
            product = f_mul_c128(product, f_scale_by_c128(d, sign));
        }
        products[lane] = product;
        logarithms[lane] = logarithm;
        __syncthreads();
        for (int k = 1; lane == 0 && k < LANES; k++) {
            product = f_mul_c128(product, products[k]);
            logarithm += logarithms[k];
        }
        if (lane == 0) {
            StackView result = {det, a.dtype, 1, 1, a.count, 1, 1};
            result.set(i, product);
            if (log_abs) {
                put(log_abs, i, part, logarithm);
            }
        }
        __syncthreads();
    }
}

bool matrices_determinant(const KernelCall *c, const Stack *lu, const int *pivots, void *det,
                          void *log_abs) {
    launch(launch_for_each(c, lu->count, LANES), determinant_kernel, numbers(lu), pivots, det,
           log_abs, dtype_real_of(lu->dtype));
    return true;
}

__global__ void addresses_kernel(char *data, int64_t bytes, int64_t count, void **to) {
    for (int64_t i = first_of(); i < count; i += step_of()) {
        to[i] = data + i * bytes;
    }
}

bool matrices_addresses(const KernelCall *c, const Stack *a, void **to) {
    launch(launch_over(c, a->count), addresses_kernel, (char *)a->data,
           a->step * (int64_t)dtype_size(a->dtype), a->count, to);
    return true;
}

/* One thread for each matrix: 2 by 2 blocks have to be found one after the other. */
__global__ void check_ldl_kernel(StackView a, const int64_t *pivots, int *state) {
    int64_t n = a.rows;
    for (int64_t i = first_of(); i < a.count; i += step_of()) {
        const int64_t *mine = pivots + i * n;
        for (int64_t k = 0; k < n && state[i] == 0; k++) {
            int64_t p = mine[k];
            bool pair = p < 0;
            if (p == 0 || p > n || p < -n || (pair && (k + 1 == n || mine[k + 1] != p))) {
                state[i] = MATRIX_BAD_PIVOTS;
            } else if (!pair && !f_is_true_c128(a.get(a.at(i, k, k)))) {
                state[i] = MATRIX_SINGULAR;
            }
            k += pair;
        }
    }
}

bool matrices_check_ldl(const KernelCall *c, const Stack *a, const int64_t *pivots, int *state) {
    launch(launch_over(c, a->count), check_ldl_kernel, numbers(a), pivots, state);
    return true;
}
