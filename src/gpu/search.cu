/* searchsorted and histc. */
#include "gpu/fault.cuh"
#include "gpu/kinds.cuh"
#include "gpu/walk.cuh"

namespace {

/* A view whose rows, along the last dim, are numbered in row-major order. */
struct Lines {
    const char *data;
    int dim, dtype;
    int64_t shape[MAX_DIMS], stride[MAX_DIMS], width, step; /* width, step: of the last dim */
};

} // namespace

static Lines lines_of(const View *v) {
    Lines l = Lines();
    l.data = (const char *)v->data;
    l.dtype = v->dtype;
    l.dim = v->dim ? v->dim - 1 : 0;
    for (int d = 0; d < l.dim; d++) {
        l.shape[d] = v->shape[d];
        l.stride[d] = v->stride[d];
    }
    l.width = v->dim ? v->shape[l.dim] : 1;
    l.step = v->dim ? v->stride[l.dim] : 0;
    return l;
}

static __device__ __forceinline__ int64_t line_start(const Lines &l, int64_t row) {
    int64_t at = 0;
    for (int d = l.dim - 1; d >= 0; d--) {
        at += row % l.shape[d] * l.stride[d];
        row /= l.shape[d];
    }
    return at;
}

namespace {

struct Search {
    Lines sequence, input, sorter; /* sorter without data: there is none */
    bool one, right;               /* one: all of the input searches the same row */
    int64_t numel;
    void *out;
    int out_dtype;
};

} // namespace

/* Element i of a row of the sequence in order. A sorter's wrong positions are reported elsewhere.
 */
template <class In>
__device__ __forceinline__ typename In::Number nth(const Search &s, int64_t line, int64_t order,
                                                   int64_t i) {
    if (s.sorter.data) {
        i = ((const int64_t *)s.sorter.data)[order + i * s.sorter.step] - 1;
        i = i < 0 || i >= s.sequence.width ? 0 : i;
    }
    return In::get(s.sequence.data, line + i * s.sequence.step, s.sequence.dtype);
}

template <class In> __global__ void search_kernel(Search s) {
    typedef typename In::Number N;
    for (int64_t k = first_of(); k < s.numel; k += step_of()) {
        int64_t row = k / s.input.width, within = k % s.input.width;
        int64_t at = line_start(s.input, row) + within * s.input.step;
        N v = In::get(s.input.data, at, s.input.dtype);
        int64_t line = s.one ? 0 : line_start(s.sequence, row);
        int64_t order = s.one || !s.sorter.data ? 0 : line_start(s.sorter, row);
        int64_t low = 0, n = s.sequence.width;
        while (n > 0) {
            int64_t half = n / 2;
            N x = nth<In>(s, line, order, low + half);
            bool before = s.right ? !(x > v) : !(x >= v);
            low += before ? half + 1 : 0;
            n = before ? n - half - 1 : half;
        }
        put(s.out, k, s.out_dtype, low + 1);
    }
}

static __global__ void check_kernel(Lines sorter, int64_t n, int64_t size, GpuFaultSite site) {
    for (int64_t i = first_of(); i < n; i += step_of()) {
        int64_t at = line_start(sorter, i / sorter.width) + i % sorter.width * sorter.step;
        checked_offset(site, ((const int64_t *)sorter.data)[at], size, i, false);
    }
}

static bool searchsorted(const KernelCall *c) {
    const View *sequence = &c->in[0], *input = &c->in[1], *sorter = &c->in[2];
    Search s = Search();
    s.sequence = lines_of(sequence);
    s.input = lines_of(input);
    s.one = sequence->dim == 1;
    s.right = c->arg[3].b || (c->arg[4].kind == ARG_STRING && *c->arg[4].s == 'r');
    s.numel = input->numel;
    s.out = c->out[0].data;
    s.out_dtype = c->out[0].dtype;
    if (sorter->dtype != DT_NONE && sorter->numel > 0) {
        s.sorter = lines_of(sorter);
        launch(launch_over(c, sorter->numel), check_kernel, s.sorter, sorter->numel,
               s.sequence.width, gpu_fault_site(c, "sorter", sorter));
    }
    return s.numel == 0 || for_real_kind(sequence->dtype, [&](auto in) {
               launch(launch_over(c, s.numel), search_kernel<decltype(in)>, s);
               return true;
           });
}

enum { SHARED_BINS = 4096, RANGE_BLOCKS = 256 };

namespace {

/* What is counted: elements of the walk, in bins of the range. */
struct Bins {
    int dtype;
    double low, high;
    int64_t bins;
    unsigned long long *counts;
};

} // namespace

static __device__ __forceinline__ double float_at(const char *p, int dtype) {
    return dtype == DT_FLOAT64 ? DoubleIn::get(p, 0, dtype) : (double)FloatIn::get(p, 0, dtype);
}

static __device__ __forceinline__ double element_of(const Walk<1> &w, uint32_t i, int dtype) {
    int64_t offset[1];
    walk_offsets(w, i, offset);
    return float_at(w.data[0] + offset[0], dtype);
}

static __device__ __forceinline__ void widen(double *range, double low, double high) {
    range[0] = low < range[0] || low != low ? low : range[0];
    range[1] = high > range[1] || high != high ? high : range[1];
}

/* The least and the largest element into range, of each block's threads; nan where there is one. */
static __global__ void range_kernel(Walk<1> w, int dtype, double *range) {
    __shared__ double shared[THREADS][2];
    int t = (int)threadIdx.x;
    shared[t][0] = INFINITY;
    shared[t][1] = -INFINITY;
    for (int64_t i = first_of(); i < w.numel; i += step_of()) {
        double x = element_of(w, (uint32_t)i, dtype);
        widen(shared[t], x, x);
    }
    for (int half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (t < half) {
            widen(shared[t], shared[t + half][0], shared[t + half][1]);
        }
    }
    if (t == 0) {
        range[2 * blockIdx.x] = shared[0][0];
        range[2 * blockIdx.x + 1] = shared[0][1];
    }
}

static __device__ __forceinline__ int64_t bin_of(const Bins &b, double x) {
    if (!(x >= b.low && x <= b.high)) {
        return -1;
    }
    int64_t bin = (int64_t)((x - b.low) * (double)b.bins / (b.high - b.low));
    return bin < b.bins ? bin : b.bins - 1;
}

/* A block counts for itself first where its memory holds the bins. */
static __global__ void count_kernel(Walk<1> w, Bins b) {
    TOCHA_DYNAMIC_SHARED(unsigned, own);
    bool shared = b.bins <= SHARED_BINS;
    for (int64_t k = threadIdx.x; shared && k < b.bins; k += THREADS) {
        own[k] = 0;
    }
    __syncthreads();
    for (int64_t i = first_of(); i < w.numel; i += step_of()) {
        int64_t bin = bin_of(b, element_of(w, (uint32_t)i, b.dtype));
        if (bin >= 0 && shared) {
            atomicAdd(&own[bin], 1u);
        } else if (bin >= 0) {
            atomicAdd(&b.counts[bin], 1ull);
        }
    }
    __syncthreads();
    for (int64_t k = threadIdx.x; shared && k < b.bins; k += THREADS) {
        if (own[k]) {
            atomicAdd(&b.counts[k], (unsigned long long)own[k]);
        }
    }
}

static __global__ void store_counts_kernel(void *out, int dtype, int64_t n,
                                           const unsigned long long *counts) {
    for (int64_t k = first_of(); k < n; k += step_of()) {
        put(out, k, dtype, (double)counts[k]);
    }
}

/* Calls f(walk) for the parts of a view. */
template <class F> static void walk_view(const View *v, F f) {
    const Bits128 none[1] = {};
    const View *const operand[] = {v};
    Iter it;
    iter_init(&it, v->shape, v->dim, operand, 1);
    walk_parts(&it, [&](const Iter *part) { f(walk_of<1>(part, none)); });
}

static Launch few_blocks(const KernelCall *c, int64_t n, size_t shared) {
    int64_t blocks = divide_up(n, THREADS);
    blocks = blocks < RANGE_BLOCKS ? blocks : (int64_t)RANGE_BLOCKS;
    return launch_of(c, dim3((unsigned)blocks), dim3(THREADS), shared);
}

/* Reads the elements' own range back: that waits for the device. */
static bool own_range(const KernelCall *c, const View *in, double *low, double *high) {
    double range[2 * RANGE_BLOCKS];
    double *there = (double *)gpu_alloc(c->device, sizeof range);
    *low = INFINITY;
    *high = -INFINITY;
    if (!there) {
        return false;
    }
    bool ok = true;
    walk_view(in, [&](const Walk<1> &w) {
        Launch l = few_blocks(c, w.numel, 0);
        launch(l, range_kernel, w, in->dtype, there);
        Device host = {DEVICE_CPU, 0};
        ok = ok && gpu_copy(host, range, c->device, there, l.grid.x * 2 * sizeof *range);
        for (unsigned k = 0; ok && k < l.grid.x; k++) {
            *low = range[2 * k] < *low || isnan(range[2 * k]) ? range[2 * k] : *low;
            *high = range[2 * k + 1] > *high || isnan(range[2 * k + 1]) ? range[2 * k + 1] : *high;
        }
    });
    gpu_release(c->device, there, sizeof range);
    return ok;
}

static bool find_range(const KernelCall *c, Bins *b) {
    b->low = c->arg[2].f;
    b->high = c->arg[3].f;
    if (b->low == b->high && c->in[0].numel > 0 && !own_range(c, &c->in[0], &b->low, &b->high)) {
        return false;
    }
    if (b->low == b->high) {
        b->low -= 1;
        b->high += 1;
    }
    return isfinite(b->low) && isfinite(b->high)
               ? true
               : fail("%s: the range of the bins must be finite, got [%g, %g]; give min and max",
                      c->name, b->low, b->high);
}

static bool histc(const KernelCall *c) {
    const View *in = &c->in[0], *out = &c->out[0];
    Bins b = Bins();
    b.dtype = in->dtype;
    b.bins = c->arg[1].i;
    if (!find_range(c, &b)) {
        return false;
    }
    size_t bytes = (size_t)b.bins * sizeof *b.counts;
    b.counts = (unsigned long long *)gpu_alloc(c->device, bytes);
    if (!b.counts) {
        return false;
    }
    bool ok = gpu_ok(cudaMemsetAsync(b.counts, 0, bytes, gpu_stream(c->device)), c->name);
    if (ok && in->numel > 0) {
        size_t shared = b.bins <= SHARED_BINS ? (size_t)b.bins * sizeof(unsigned) : 0;
        walk_view(in, [&](const Walk<1> &w) {
            launch(few_blocks(c, w.numel, shared), count_kernel, w, b);
        });
    }
    if (ok) {
        launch(launch_over(c, b.bins), store_counts_kernel, out->data, out->dtype, b.bins,
               (const unsigned long long *)b.counts);
    }
    gpu_release(c->device, b.counts, bytes);
    return ok;
}

const KernelRow gpu_search_rows[] = {
    {"searchsorted", searchsorted}, {"histc", histc}, {NULL, NULL}};
