/* What is done to singular values, eigenvalues and their vectors. */
#include "gpu/matrices.cuh"

namespace {

struct Lines {
    StackView in;
    int64_t count, length, step, next;
    __device__ __forceinline__ int64_t at(int64_t matrix, int64_t vector, int64_t k) const {
        return matrix * in.step + vector * next + k * step;
    }
};

static Lines lines(Vectors v) {
    Lines l = Lines();
    if (v.stack) {
        l = Lines{numbers(v.stack), v.count, v.length, v.step, v.next};
    }
    return l;
}

enum { WIDTH = 128 };

static __device__ double largest(const double *mine, double *shared) {
    shared[threadIdx.x] = *mine;
    __syncthreads();
    for (int width = WIDTH / 2; width > 0; width /= 2) {
        if ((int)threadIdx.x < width) {
            shared[threadIdx.x] = fmax(shared[threadIdx.x], shared[threadIdx.x + width]);
        }
        __syncthreads();
    }
    double most = shared[0];
    __syncthreads();
    return most;
}

static __device__ int64_t least(int64_t mine, int64_t *shared) {
    shared[threadIdx.x] = mine;
    __syncthreads();
    for (int width = WIDTH / 2; width > 0; width /= 2) {
        int64_t *a = &shared[threadIdx.x];
        if ((int)threadIdx.x < width && a[width] < *a) {
            *a = a[width];
        }
        __syncthreads();
    }
    int64_t first = shared[0];
    __syncthreads();
    return first;
}

/* What turns a vector so that its first large element becomes positive; all threads of a block. */
static __device__ Complex128 phase_of(const Lines &v, int64_t matrix, int64_t vector) {
    __shared__ double sizes[WIDTH];
    __shared__ int64_t places[WIDTH];
    double most = 0;
    for (int64_t k = threadIdx.x; k < v.length; k += WIDTH) {
        most = fmax(most, length(v.in.get(v.at(matrix, vector, k))));
    }
    most = largest(&most, sizes);
    int64_t first = v.length;
    for (int64_t k = threadIdx.x; k < v.length && first == v.length; k += WIDTH) {
        if (length(v.in.get(v.at(matrix, vector, k))) * 2 >= most) {
            first = k;
        }
    }
    first = least(first, places);
    if (!(most > 0) || first == v.length) {
        return f_make_c128(1, 0);
    }
    Complex128 z = v.in.get(v.at(matrix, vector, first));
    double size = length(z);
    return f_make_c128(z.re / size, -z.im / size);
}

static __device__ void turn(const Lines &v, int64_t matrix, int64_t vector, Complex128 phase) {
    for (int64_t k = threadIdx.x; k < v.length; k += WIDTH) {
        int64_t at = v.at(matrix, vector, k);
        v.in.set(at, f_mul_c128(v.in.get(at), phase));
    }
}

/* A block for each pair of vectors. */
__global__ void fix_phases_kernel(Lines u, Lines v, int64_t vectors, int64_t all) {
    for (int64_t i = blockIdx.x; i < all; i += gridDim.x) {
        int64_t matrix = i / vectors, vector = i % vectors;
        bool paired = vector < u.count;
        Complex128 phase = phase_of(paired ? u : v, matrix, vector);
        __syncthreads();
        if (paired) {
            turn(u, matrix, vector, phase);
        }
        if (vector < v.count) {
            turn(v, matrix, vector, paired ? f_conj_c128(phase) : phase);
        }
        __syncthreads();
    }
}

} // namespace

bool matrices_fix_phases(const KernelCall *c, Vectors u, Vectors v) {
    int64_t vectors = u.count > v.count ? u.count : v.count;
    int64_t all = vectors * (u.stack ? u.stack : v.stack)->count;
    if (all > 0) {
        launch(launch_for_each(c, all, WIDTH), fix_phases_kernel, lines(u), lines(v), vectors, all);
    }
    return true;
}

/* Of a pair of conjugate values the first has the positive imaginary part; its column holds the
 * real parts of both vectors, the next one the imaginary parts of its own. */
__global__ void join_pairs_kernel(StackView to, StackView from, StackView values) {
    for (int64_t i = first_of(); i < to.numel(); i += step_of()) {
        MatrixPlace p(to, i);
        double sign = values.get(values.at(p.matrix, p.column, 0)).im;
        int64_t first = p.column - (sign < 0);
        double re = from.get(from.at(p.matrix, p.row, first)).re, im = 0;
        if (sign != 0) {
            im = from.get(from.at(p.matrix, p.row, first + 1)).re;
        }
        to.set(to.at(p.matrix, p.row, p.column), f_make_c128(re, sign < 0 ? -im : im));
    }
}

bool matrices_join_pairs(const KernelCall *c, const Stack *to, const Stack *from,
                         const Stack *values) {
    if (numel(to) > 0) {
        launch(launch_over(c, numel(to)), join_pairs_kernel, numbers(to), numbers(from),
               numbers(values));
    }
    return true;
}

/* Singular values descend, so that a thread for each matrix can stop at the first small one; it
 * goes on to write zeros. */
__global__ void invert_values_kernel(StackView s, double absolute, double relative, int64_t *rank) {
    for (int64_t i = first_of(); i < s.count; i += step_of()) {
        double tolerance = fmax(absolute, relative * s.get(s.at(i, 0, 0)).re);
        int64_t above = 0;
        for (int64_t k = 0; k < s.rows; k++) {
            int64_t at = s.at(i, k, 0);
            double value = s.get(at).re;
            above += value > tolerance;
            s.set(at, f_make_c128(value > tolerance ? 1 / value : 0, 0));
        }
        if (rank) {
            rank[i] = above;
        }
    }
}

bool matrices_invert_values(const KernelCall *c, const Stack *s, double absolute, double relative,
                            int64_t *rank) {
    launch(launch_over(c, s->count), invert_values_kernel, numbers(s), absolute, relative, rank);
    return true;
}

__global__ void scale_columns_kernel(StackView a, StackView by) {
    for (int64_t i = first_of(); i < a.numel(); i += step_of()) {
        MatrixPlace p(a, i);
        int64_t at = a.at(p.matrix, p.row, p.column);
        a.set(at, f_scale_by_c128(a.get(at), by.get(by.at(p.matrix, p.column, 0)).re));
    }
}

bool matrices_scale_columns(const KernelCall *c, const Stack *a, const Stack *by) {
    if (numel(a) > 0) {
        launch(launch_over(c, numel(a)), scale_columns_kernel, numbers(a), numbers(by));
    }
    return true;
}

/* The sign of the determinant of a real matrix from its LU factors. */
static __device__ double orientation(const StackView &lu, const int *pivots, int64_t i) {
    double sign = 1;
    for (int64_t k = 0; k < lu.rows; k++) {
        bool down = lu.get(lu.at(i, k, k)).re < 0, swapped = pivots[i * lu.rows + k] != k + 1;
        sign = down != swapped ? -sign : sign;
    }
    return sign;
}

/* Products of those before and of those behind; never a quotient, since values may be 0. */
__global__ void other_values_kernel(StackView s, StackView u, const int *u_pivots, StackView v,
                                    const int *v_pivots, double *before) {
    for (int64_t i = first_of(); i < s.count; i += step_of()) {
        double product = orientation(u, u_pivots, i) * orientation(v, v_pivots, i);
        for (int64_t k = 0; k < s.rows; k++) {
            before[i * s.rows + k] = product;
            product *= s.get(s.at(i, k, 0)).re;
        }
        product = 1;
        for (int64_t k = s.rows - 1; k >= 0; k--) {
            int64_t at = s.at(i, k, 0);
            double value = s.get(at).re;
            s.set(at, f_make_c128(before[i * s.rows + k] * product, 0));
            product *= value;
        }
    }
}

bool matrices_other_values(const KernelCall *c, const Stack *s, const Stack *lu[2],
                           int *const pivots[2]) {
    size_t bytes = (size_t)numel(s) * sizeof(double);
    double *before = (double *)gpu_alloc(c->device, bytes);
    if (!before) {
        return false;
    }
    launch(launch_over(c, s->count), other_values_kernel, numbers(s), numbers(lu[0]), pivots[0],
           numbers(lu[1]), pivots[1], before);
    gpu_release(c->device, before, bytes);
    return true;
}
