/* Hermitian matrices as L D L^H, with the symmetric swaps of Bunch and Kaufman (Some stable methods
 * for calculating inertia and solving symmetric linear systems, Math. Comp. 1977): cuSOLVER has
 * this factorisation for real and for complex symmetric matrices alone. Pivots and factors are
 * those of LAPACK's hetrf: a block of D of two rows has the same negative number for both. */
#include "gpu/group.cuh"
#include "gpu/matrices.cuh"

namespace {

enum { WIDTH = 256 };

__device__ Complex128 conj_of(Complex128 z) { return f_make_c128(z.re, -z.im); }
__device__ Complex128 sum_of(Complex128 a, Complex128 b) {
    return f_make_c128(a.re + b.re, a.im + b.im);
}
__device__ Complex128 scaled(Complex128 z, double by) { return f_make_c128(z.re * by, z.im * by); }
__device__ double size_of(Complex128 z) { return fabs(z.re) + fabs(z.im); }

/* One matrix of a stack; its lower triangle counts. */
struct Lower {
    StackView a;
    int64_t base;
    __device__ Lower(const StackView &stack, int64_t i) : a(stack), base(i * stack.step) {}
    __device__ int64_t at(int64_t r, int64_t j) const { return base + j * a.lead + r; }
    __device__ Complex128 get(int64_t r, int64_t j) const { return a.get(at(r, j)); }
    __device__ void set(int64_t r, int64_t j, Complex128 z) const { a.set(at(r, j), z); }
    __device__ double diagonal(int64_t k) const { return get(k, k).re; }
    __device__ void set_diagonal(int64_t k, double x) const { set(k, k, f_make_c128(x, 0)); }
};

/* A block of D of two rows, {{p, conj(e)}, {e, q}} * d with |e| = 1, and what it is divided by. */
struct Pair {
    double p, q, by;
    Complex128 e;
    __device__ Pair(const Lower &m, int64_t k) {
        Complex128 below = m.get(k + 1, k);
        double d = length(below);
        p = m.diagonal(k) / d;
        q = m.diagonal(k + 1) / d;
        e = scaled(below, 1 / d);
        by = 1 / (p * q - 1) / d;
    }
    /* D z = {a, b} */
    __device__ Complex128 first(Complex128 a, Complex128 b) const {
        return scaled(sum_of(scaled(a, q), scaled(f_mul_c128(conj_of(e), b), -1)), by);
    }
    __device__ Complex128 second(Complex128 a, Complex128 b) const {
        return scaled(sum_of(scaled(b, p), scaled(f_mul_c128(e, a), -1)), by);
    }
};

/* The largest size and, of those as large, the first place. */
struct Largest {
    double size;
    int64_t place;
    __device__ void join(const Largest &o) {
        *this = o.size > size || (o.size == size && o.place < place) ? o : *this;
    }
    template <class F> __device__ Largest each(F f) const { return Largest{f(size), f(place)}; }
};

/* The size and the row of the largest element of column k below the diagonal. */
__device__ Largest largest_below(const Lower &m, int64_t k, Largest *shared) {
    Largest most = {0, m.a.rows};
    for (int64_t r = k + 1 + threadIdx.x; r < m.a.rows; r += WIDTH) {
        most.join(Largest{size_of(m.get(r, k)), r});
    }
    return join_group(most, WIDTH, shared);
}

/* The size of the largest element beside the diagonal in the row, from column k on, of the whole
 * matrix. */
__device__ double largest_beside(const Lower &m, int64_t k, int64_t row, Largest *shared) {
    Largest most = {0, 0};
    for (int64_t i = k + threadIdx.x; i < m.a.rows; i += WIDTH) {
        if (i != row) {
            most.join(Largest{size_of(i < row ? m.get(row, i) : m.get(i, row)), 0});
        }
    }
    return join_group(most, WIDTH, shared).size;
}

struct Choice {
    int64_t row; /* that goes to the end of the block */
    int rows;    /* of the block; 0: nothing is to be eliminated */
};

__device__ Choice choose(const Lower &m, int64_t k, Largest *shared) {
    const double alpha = 0.6403882032022076; /* (1 + sqrt(17)) / 8 */
    Largest most = largest_below(m, k, shared);
    double own = fabs(m.diagonal(k)), below = most.size;
    if (!(fmax(own, below) > 0) || isnan(own)) {
        return Choice{k, 0};
    }
    if (own >= alpha * below) {
        return Choice{k, 1};
    }
    double beside = largest_beside(m, k, most.place, shared);
    if (own >= alpha * below * (below / beside)) {
        return Choice{k, 1};
    }
    return Choice{most.place, fabs(m.diagonal(most.place)) >= alpha * beside ? 1 : 2};
}

__device__ void swap_elements(const Lower &m, int64_t r, int64_t j, int64_t r2, int64_t j2,
                              bool conjugated) {
    Complex128 x = m.get(r, j), y = m.get(r2, j2);
    m.set(r, j, conjugated ? conj_of(y) : y);
    m.set(r2, j2, conjugated ? conj_of(x) : x);
}

/* Swaps rows and columns i < j of the matrix from row and column k on. */
__device__ void swap_both(const Lower &m, int64_t k, int64_t i, int64_t j) {
    for (int64_t r = k + threadIdx.x; r < m.a.rows; r += WIDTH) {
        if (r < i) {
            swap_elements(m, i, r, j, r, false);
        } else if (r > j) {
            swap_elements(m, r, i, r, j, false);
        } else if (r > i && r < j) {
            swap_elements(m, r, i, j, r, true);
        } else if (r == i) {
            double x = m.diagonal(i);
            m.set_diagonal(i, m.diagonal(j));
            m.set_diagonal(j, x);
        } else {
            m.set(j, i, conj_of(m.get(j, i)));
        }
    }
    __syncthreads();
}

/* Subtracts what the block at k of so many rows stands for from the rest of the matrix, and puts
 * its columns of L in their place. kept: room for two columns. */
__device__ void eliminate(const Lower &m, int64_t k, int rows, Complex128 *kept) {
    int64_t n = m.a.rows, first = k + rows, left = n - first;
    for (int64_t r = first + threadIdx.x; r < n; r += WIDTH) {
        Complex128 a = m.get(r, k);
        if (rows == 1) {
            kept[r] = scaled(a, 1 / m.diagonal(k));
            continue;
        }
        /* A row times the inverse: D is the same from the right with e conjugated. */
        Pair d(m, k);
        Complex128 b = m.get(r, k + 1);
        kept[r] = conj_of(d.first(conj_of(a), conj_of(b)));
        kept[n + r] = conj_of(d.second(conj_of(a), conj_of(b)));
    }
    __syncthreads();
    for (int64_t i = threadIdx.x; i < left * left; i += WIDTH) {
        int64_t r = first + i % left, j = first + i / left;
        if (r < j) {
            continue;
        }
        Complex128 off = f_mul_c128(kept[r], conj_of(m.get(j, k)));
        if (rows == 2) {
            off = sum_of(off, f_mul_c128(kept[n + r], conj_of(m.get(j, k + 1))));
        }
        Complex128 z = sum_of(m.get(r, j), scaled(off, -1));
        m.set(r, j, r == j ? f_make_c128(z.re, 0) : z);
    }
    __syncthreads();
    for (int64_t r = first + threadIdx.x; r < n; r += WIDTH) {
        m.set(r, k, kept[r]);
        if (rows == 2) {
            m.set(r, k + 1, kept[n + r]);
        }
    }
    __syncthreads();
}

/* A block of threads for each matrix. */
__global__ void factor_kernel(StackView a, int *pivots, int *info, Complex128 *room) {
    __shared__ Largest shared[MOST_WARPS];
    int64_t n = a.rows;
    Complex128 *kept = room + blockIdx.x * 2 * n;
    for (int64_t i = blockIdx.x; i < a.count; i += gridDim.x) {
        Lower m(a, i);
        int *mine = pivots + i * n;
        for (int64_t k = 0; k < n;) {
            Choice to = choose(m, k, shared);
            int rows = to.rows ? to.rows : 1;
            int64_t last = k + rows - 1;
            __syncthreads(); /* all have read the diagonal */
            if (threadIdx.x == 0) {
                for (int64_t r = k; r <= last; r++) {
                    m.set_diagonal(r, m.diagonal(r));
                    mine[r] = rows == 2 ? -(int)(to.row + 1) : (int)(to.row + 1);
                }
                if (to.rows == 0 && info[i] == 0) {
                    info[i] = (int)(k + 1);
                }
            }
            __syncthreads();
            if (to.row != last) {
                swap_both(m, k, last, to.row);
            }
            if (to.rows) {
                eliminate(m, k, rows, kept);
            }
            k += rows;
        }
    }
}

__device__ void swap_rows(const StackView &x, int64_t at, int64_t r, int64_t other) {
    if (threadIdx.x == 0 && r != other) {
        Complex128 z = x.get(at + r);
        x.set(at + r, x.get(at + other));
        x.set(at + other, z);
    }
    __syncthreads();
}

/* A column without what row k of the solution stands for in the rows from first on. */
__device__ void take_off(const Lower &m, const StackView &x, int64_t at, int64_t k, int64_t first) {
    Complex128 by = x.get(at + k);
    for (int64_t r = first + threadIdx.x; r < m.a.rows; r += WIDTH) {
        Complex128 off = f_mul_c128(m.get(r, k), by);
        x.set(at + r, sum_of(x.get(at + r), scaled(off, -1)));
    }
    __syncthreads();
}

struct Sum {
    Complex128 z;
    __device__ void join(const Sum &o) { z = sum_of(z, o.z); }
    template <class F> __device__ Sum each(F f) const { return Sum{f_make_c128(f(z.re), f(z.im))}; }
};

/* Row k of a column without the rows behind the block that ends with `last`, by column k of L. */
__device__ void take_in(const Lower &m, const StackView &x, int64_t at, int64_t k, int64_t last,
                        Sum *shared) {
    Sum sum = {f_make_c128(0, 0)};
    for (int64_t r = last + 1 + threadIdx.x; r < m.a.rows; r += WIDTH) {
        sum.join(Sum{f_mul_c128(conj_of(m.get(r, k)), x.get(at + r))});
    }
    sum = join_group(sum, WIDTH, shared);
    if (threadIdx.x == 0) {
        x.set(at + k, sum_of(x.get(at + k), scaled(sum.z, -1)));
    }
    __syncthreads();
}

/* D L^-1 P x, block by block from the first. */
__device__ void go_down(const Lower &m, const int64_t *pivots, const StackView &x, int64_t at) {
    for (int64_t k = 0, rows; k < m.a.rows; k += rows) {
        rows = pivots[k] < 0 ? 2 : 1;
        int64_t last = k + rows - 1;
        swap_rows(x, at, last, (pivots[k] < 0 ? -pivots[k] : pivots[k]) - 1);
        for (int64_t r = k; r <= last; r++) {
            take_off(m, x, at, r, last + 1);
        }
        if (threadIdx.x == 0) {
            Complex128 a = x.get(at + k);
            if (rows == 1) {
                x.set(at + k, scaled(a, 1 / m.diagonal(k)));
            } else {
                Pair d(m, k);
                Complex128 b = x.get(at + k + 1);
                x.set(at + k, d.first(a, b));
                x.set(at + k + 1, d.second(a, b));
            }
        }
        __syncthreads();
    }
}

/* P L^-H x, block by block from the last. */
__device__ void go_up(const Lower &m, const int64_t *pivots, const StackView &x, int64_t at,
                      Sum *shared) {
    for (int64_t k = m.a.rows - 1, rows; k >= 0; k -= rows) {
        rows = pivots[k] < 0 ? 2 : 1;
        for (int64_t r = k; r > k - rows; r--) {
            take_in(m, x, at, r, k, shared);
        }
        swap_rows(x, at, k, (pivots[k] < 0 ? -pivots[k] : pivots[k]) - 1);
    }
}

/* A block of threads for each column. */
__global__ void solve_kernel(StackView a, const int64_t *pivots, StackView x) {
    __shared__ Sum shared[MOST_WARPS];
    for (int64_t i = blockIdx.x; i < x.count * x.columns; i += gridDim.x) {
        int64_t matrix = i / x.columns;
        Lower m(a, matrix);
        go_down(m, pivots + matrix * a.rows, x, x.at(matrix, 0, i % x.columns));
        go_up(m, pivots + matrix * a.rows, x, x.at(matrix, 0, i % x.columns), shared);
    }
}

} // namespace

bool matrices_ldl_hermitian(Scratch *s, const Stack *a, int *pivots, int *info) {
    Launch l = launch_for_each(s->c, a->count, WIDTH);
    size_t bytes = (size_t)l.grid.x * 2 * (size_t)a->rows * sizeof(Complex128);
    Complex128 *room = (Complex128 *)scratch_take(s, bytes);
    if (room) {
        launch(l, factor_kernel, numbers(a), pivots, info, room);
    }
    return room != NULL;
}

bool matrices_ldl_hermitian_solve(const KernelCall *c, const Stack *a, const int64_t *pivots,
                                  const Stack *x) {
    launch(launch_for_each(c, x->count * x->columns, WIDTH), solve_kernel, numbers(a), pivots,
           numbers(x));
    return true;
}
