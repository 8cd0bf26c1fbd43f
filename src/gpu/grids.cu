/* Regular patterns: windows, powers, positions of triangles and combinations. */
#include "gpu/make.cuh"
#include "tensor/formulas/patterns.h"
#include "tensor/grids.h"
#include "tensor/number.h"

namespace {

struct Logspace {
    double last, from, to, base;
    __device__ double operator()(int64_t i) const {
        return f_logspace((double)i, last, from, to, base);
    }
};

} // namespace

namespace {

struct ComplexLogspace {
    double last;
    Complex128 from, to;
    double base;
    __device__ double operator()(int64_t i) const {
        Complex128 z = f_logspace_complex((double)(i / 2), last, from, to, base);
        return i % 2 ? z.im : z.re;
    }
};

} // namespace

static bool logspace(const KernelCall *c) {
    double last = (double)(c->out[0].numel - 1), base = c->arg[3].f;
    Complex128 from = number_complex(c->arg[0]), to = number_complex(c->arg[1]);
    return dtype_is_complex(c->out[0].dtype)
               ? make_elements(c, ComplexLogspace{last, from, to, base})
               : make_elements(c, Logspace{last, from.re, to.re, base});
}

namespace {

struct Cosines {
    double last, a, b, c;
    __device__ double operator()(int64_t i) const {
        return f_window_cosines((double)i, last, a, b, c);
    }
};

struct TriangleWindow {
    double last;
    __device__ double operator()(int64_t i) const { return f_window_triangle((double)i, last); }
};

struct Kaiser {
    double last, beta, whole;
    __device__ double operator()(int64_t i) const {
        return f_window_kaiser((double)i, last, beta, whole);
    }
};

} // namespace

/* The length that a window repeats after, or without the option that of its gaps. */
static double window_span(const KernelCall *c) {
    int64_t n = c->arg[0].i;
    return n > 1 ? (double)(c->arg[1].b ? n : n - 1) : 0;
}

static bool hann_window(const KernelCall *c) {
    return make_elements(c, Cosines{window_span(c), 0.5, 0.5, 0});
}

static bool hamming_window(const KernelCall *c) {
    return make_elements(c, Cosines{window_span(c), c->arg[2].f, c->arg[3].f, 0});
}

static bool blackman_window(const KernelCall *c) {
    return make_elements(c, Cosines{window_span(c), 0.42, 0.5, 0.08});
}

static bool bartlett_window(const KernelCall *c) {
    return make_elements(c, TriangleWindow{window_span(c)});
}

static bool kaiser_window(const KernelCall *c) {
    double beta = fabs(c->arg[2].f);
    return make_elements(c, Kaiser{window_span(c), beta, f_scaled_i0(beta)});
}

namespace {

/* Rows into the first n entries, columns into the next. */
struct TrianglePositions {
    int64_t rows, cols, offset, n;
    bool upper;
    __device__ int64_t operator()(int64_t i) const {
        int64_t k = i % n, low = 0, high = rows - 1, first, count;
        while (low < high) { /* the last row with at most k elements before it */
            int64_t middle = high - (high - low) / 2;
            bool reached = triangle_before(middle, cols, offset, upper) <= k;
            low = reached ? middle : low;
            high = reached ? high : middle - 1;
        }
        triangle_row(low, cols, offset, upper, &first, &count);
        int64_t before = (int64_t)triangle_before(low, cols, offset, upper);
        return i < n ? low + 1 : first + k - before + 1;
    }
};

} // namespace

static bool triangle_positions(const KernelCall *c, bool upper) {
    int64_t rows = c->arg[0].i, cols = c->arg[1].i, offset = c->arg[2].i;
    offset = offset < -rows ? -rows : offset > cols ? cols : offset;
    return make_elements(c, TrianglePositions{rows, cols, offset, c->out[0].numel / 2, upper});
}

static bool tril_indices(const KernelCall *c) { return triangle_positions(c, false); }
static bool triu_indices(const KernelCall *c) { return triangle_positions(c, true); }

/* Ways to choose m of n; no more than there are results. */
static __device__ int64_t ways(int64_t n, int64_t m) {
    int64_t count = n < m ? 0 : 1;
    for (int64_t k = 1; k <= m && count > 0; k++) {
        count = count * (n - m + k) / k;
    }
    return count;
}

namespace {

/* Row by row in lexicographic order. */
struct Combination {
    int64_t n, r;
    bool again; /* a position may be chosen again */
    /* Ways to choose the m last positions, all from v on. */
    __device__ int64_t rest(int64_t v, int64_t m) const {
        return ways(again && n > v ? n - v + m - 1 : n - v, m);
    }
    __device__ int64_t operator()(int64_t i) const {
        int64_t row = i / r, wanted = i % r, low = 0;
        for (int64_t k = 0;; k++) {
            int64_t m = r - k, all = rest(low, m), first = low, last = n - 1;
            while (first < last) { /* the last that is chosen in at most row ways by less */
                int64_t middle = last - (last - first) / 2;
                bool reached = all - rest(middle, m) <= row;
                first = reached ? middle : first;
                last = reached ? last : middle - 1;
            }
            if (k == wanted) {
                return first + 1;
            }
            row -= all - rest(first, m);
            low = first + (again ? 0 : 1);
        }
    }
};

} // namespace

static bool combination_positions(const KernelCall *c) {
    return c->out[0].numel == 0 ||
           make_elements(c, Combination{c->arg[0].i, c->out[0].shape[1], c->arg[2].b});
}

const KernelRow gpu_grids_rows[] = {{"logspace", logspace},
                                    {"hann_window", hann_window},
                                    {"hamming_window", hamming_window},
                                    {"blackman_window", blackman_window},
                                    {"bartlett_window", bartlett_window},
                                    {"kaiser_window", kaiser_window},
                                    {"tril_indices", tril_indices},
                                    {"triu_indices", triu_indices},
                                    {"combination_positions", combination_positions},
                                    {NULL, NULL}};
