/* The cumulative ops. A row is scanned by a block, a tile at a time (along), or by one thread,
 * where neighbours stand in other rows or rows are short (across). Long rows are cut into chunks,
 * by sizes alone: a first run adds up each chunk, a second starts each from those before it. */
#include "gpu/axes.cuh"
#include "gpu/block.cuh"
#include "gpu/kinds.cuh"

enum { OUT, PLACE, IN }; /* operands of an axis */
enum { ITEMS = 4, TILE = THREADS * ITEMS };
enum { SHORT = 256, MOST_CHUNKS = 1024, BUSY_BLOCKS = 256 };

namespace {

struct Scan {
    const void *in;
    void *out;
    int64_t *place; /* NULL: not wanted */
    int in_dtype, out_dtype;
    bool flip; /* the smallest is the largest of what is turned round */
    Axes kept;
    int64_t rows, size, step[AXIS_OPERANDS];
    int64_t chunk, chunks;
    void *parts; /* chunks * rows accumulators; NULL with one chunk */
    bool add_up; /* only to fill parts */
};

static __device__ __forceinline__ float turned(float x) { return -x; }
static __device__ __forceinline__ double turned(double x) { return -x; }
static __device__ __forceinline__ int64_t turned(int64_t x) { return ~x; }

/* What numbers are added and multiplied up as. */
template <class N> struct Wide { typedef double type; };
template <> struct Wide<int64_t> { typedef int64_t type; };
template <> struct Wide<Complex128> { typedef Complex128 type; };

struct Sum {
    static __device__ void start(double *a) { *a = 0; }
    static __device__ void start(int64_t *a) { *a = 0; }
    static __device__ void start(Complex128 *a) { *a = f_make_c128(0, 0); }
    static __device__ double join(double a, double b) { return a + b; }
    static __device__ int64_t join(int64_t a, int64_t b) {
        return (int64_t)((uint64_t)a + (uint64_t)b);
    }
    static __device__ Complex128 join(Complex128 a, Complex128 b) { return f_add_c128(a, b); }
};
struct Product {
    static __device__ void start(double *a) { *a = 1; }
    static __device__ void start(int64_t *a) { *a = 1; }
    static __device__ void start(Complex128 *a) { *a = f_make_c128(1, 0); }
    static __device__ double join(double a, double b) { return a * b; }
    static __device__ int64_t join(int64_t a, int64_t b) {
        return (int64_t)((uint64_t)a * (uint64_t)b);
    }
    static __device__ Complex128 join(Complex128 a, Complex128 b) { return f_mul_c128(a, b); }
};
struct LogSum {
    static __device__ void start(double *a) { *a = -(double)INFINITY; }
    static __device__ double join(double a, double b) {
        double high = a > b ? a : b, low = a > b ? b : a;
        if (a != a || b != b) {
            return a + b;
        }
        return high - high != 0 ? high : high + log1p(exp(low - high));
    }
};

/* Elements so far, joined by J. */
template <class J, class N> struct Fold {
    typedef typename Wide<N>::type W;
    W so_far;
    static __device__ __forceinline__ Fold start() {
        Fold f;
        J::start(&f.so_far);
        return f;
    }
    static __device__ __forceinline__ Fold of(const Scan &, N x, int64_t) { return Fold{(W)x}; }
    __device__ __forceinline__ void join(const Fold &later) {
        so_far = J::join(so_far, later.so_far);
    }
    __device__ __forceinline__ void store(const Scan &s, const int64_t *at) const {
        put(s.out, at[OUT], s.out_dtype, so_far);
    }
};
template <class N> using Sums = Fold<Sum, N>;
template <class N> using Products = Fold<Product, N>;
template <class N> using LogSums = Fold<LogSum, N>;

/* The largest so far, and the last place where it stands; from a nan on all are nan. place < 0:
 * there is none yet. */
template <class N> struct Largest {
    N best;
    int64_t place;
    static __device__ __forceinline__ Largest start() { return Largest{(N)0, -1}; }
    static __device__ __forceinline__ Largest of(const Scan &s, N x, int64_t i) {
        return Largest{s.flip ? turned(x) : x, i};
    }
    __device__ __forceinline__ void join(const Largest &later) {
        bool nan = later.best != later.best, nan_before = best != best;
        bool better = place < 0 || nan || (!nan_before && later.best >= best);
        if (later.place >= 0 && better) {
            *this = later;
        }
    }
    __device__ __forceinline__ void store(const Scan &s, const int64_t *at) const {
        put(s.out, at[OUT], s.out_dtype, s.flip ? turned(best) : best);
        s.place[at[PLACE]] = place + 1;
    }
};

} // namespace

static __device__ __forceinline__ void step_to(const Scan &s, const int64_t *base, int64_t i,
                                               int64_t *at) {
    for (int k = 0; k < AXIS_OPERANDS; k++) {
        at[k] = base[k] + i * s.step[k];
    }
}

/* Scans a chunk of one row from carry on; all threads of the block. Returns carry and the chunk. */
template <class In, class A>
__device__ A scan_chunk(const Scan &s, const int64_t *base, int64_t first, int64_t last, A carry,
                        A *warps) {
    for (int64_t tile = first; tile < last; tile += TILE) {
        int64_t own = tile + threadIdx.x * (int64_t)ITEMS;
        A item[ITEMS], sum = A::start(), total;
#pragma unroll
        for (int j = 0; j < ITEMS; j++) {
            item[j] = A::start();
            if (own + j < last) {
                int64_t at = base[IN] + (own + j) * s.step[IN];
                item[j] = A::of(s, In::get(s.in, at, s.in_dtype), own + j);
            }
            sum.join(item[j]);
        }
        A before = scan_before(sum, warps, &total), here = carry;
        here.join(before);
        carry.join(total);
#pragma unroll
        for (int j = 0; j < ITEMS; j++) {
            here.join(item[j]);
            if (!s.add_up && own + j < last) {
                int64_t at[AXIS_OPERANDS];
                step_to(s, base, own + j, at);
                here.store(s, at);
            }
        }
    }
    return carry;
}

/* The chunks of a row before this one, joined by all threads of the block. */
template <class A> __device__ A chunks_before(const Scan &s, int64_t row, int64_t chunk, A *warps) {
    A carry = A::start(), total;
    for (int64_t first = 0; first < chunk; first += THREADS) {
        int64_t k = first + threadIdx.x;
        A own = k < chunk ? ((const A *)s.parts)[k * s.rows + row] : A::start();
        scan_before(own, warps, &total);
        carry.join(total);
    }
    return carry;
}

template <class In, class A> __global__ void along_kernel(Scan s) {
    __shared__ A warps[WARPS];
    int64_t chunk = blockIdx.y, first = chunk * s.chunk;
    int64_t last = first + s.chunk < s.size ? first + s.chunk : s.size;
    for (int64_t row = blockIdx.x; row < s.rows; row += gridDim.x) {
        int64_t base[AXIS_OPERANDS] = {0, 0, 0};
        locate(s.kept, row, base);
        A start = s.add_up || !s.parts ? A::start() : chunks_before(s, row, chunk, warps);
        A all = scan_chunk<In, A>(s, base, first, last, start, warps);
        if (s.add_up && threadIdx.x == 0) {
            ((A *)s.parts)[chunk * s.rows + row] = all;
        }
    }
}

template <class In, class A> __global__ void across_kernel(Scan s) {
    for (int64_t t = first_of(); t < s.rows * s.chunks; t += step_of()) {
        int64_t row = t % s.rows, chunk = t / s.rows, first = chunk * s.chunk;
        int64_t last = first + s.chunk < s.size ? first + s.chunk : s.size;
        int64_t base[AXIS_OPERANDS] = {0, 0, 0}, at[AXIS_OPERANDS];
        locate(s.kept, row, base);
        A here = A::start();
        for (int64_t k = 0; k < chunk && !s.add_up; k++) {
            here.join(((const A *)s.parts)[k * s.rows + row]);
        }
        for (int64_t i = first; i < last; i++) {
            step_to(s, base, i, at);
            here.join(A::of(s, In::get(s.in, at[IN], s.in_dtype), i));
            if (!s.add_up) {
                here.store(s, at);
            }
        }
        if (s.add_up) {
            ((A *)s.parts)[t] = here;
        }
    }
}

static void cut_chunks(Scan *s, int64_t wanted, int64_t least) {
    int64_t most = s->size / least;
    s->chunks = wanted < most ? wanted : most;
    s->chunks = s->chunks < MOST_CHUNKS ? s->chunks : (int64_t)MOST_CHUNKS;
    while (s->chunks * s->chunks > s->size) {
        s->chunks /= 2;
    }
    s->chunks = s->chunks < 1 ? 1 : s->chunks;
    s->chunk = divide_up(s->size, s->chunks);
    s->chunks = divide_up(s->size, s->chunk);
}

template <class In, class A> static void run_once(const KernelCall *c, const Scan &s, bool along) {
    if (along) {
        int64_t most = 1 << 20;
        dim3 grid((unsigned)(s.rows < most ? s.rows : most), (unsigned)s.chunks);
        launch(launch_of(c, grid, dim3(THREADS)), along_kernel<In, A>, s);
    } else {
        launch(launch_over(c, s.rows * s.chunks), across_kernel<In, A>, s);
    }
}

template <class In, class A> static bool run(const KernelCall *c, Scan s) {
    bool inner = s.kept.n == 0 || s.step[IN] <= s.kept.axis[0].step[IN];
    bool along = inner && s.size >= SHORT;
    if (along) {
        cut_chunks(&s, divide_up(BUSY_BLOCKS, s.rows), 4 * TILE);
    } else {
        cut_chunks(&s, divide_up(BUSY_BLOCKS * THREADS, s.rows), 64);
    }
    if (s.chunks == 1) {
        run_once<In, A>(c, s, along);
        return true;
    }
    size_t bytes = (size_t)(s.rows * s.chunks) * sizeof(A);
    s.parts = gpu_alloc(c->device, bytes);
    if (!s.parts) {
        return false;
    }
    s.add_up = true;
    run_once<In, A>(c, s, along);
    s.add_up = false;
    run_once<In, A>(c, s, along);
    gpu_release(c->device, s.parts, bytes);
    return true;
}

/* What is scanned; false: nothing. */
static bool plan(const KernelCall *c, Scan *s) {
    const View *in = &c->in[0], *out = &c->out[0], *place = c->n_out > 1 ? &c->out[1] : NULL;
    int64_t dim = c->arg[1].i;
    *s = Scan();
    s->in = in->data;
    s->out = out->data;
    s->place = place ? (int64_t *)place->data : NULL;
    s->in_dtype = in->dtype;
    s->out_dtype = out->dtype;
    s->size = in->dim ? in->shape[dim] : 1;
    for (int d = in->dim - 1; d >= 0; d--) {
        Axis a = {in->shape[d], {out->stride[d], place ? place->stride[d] : 0, in->stride[d]}};
        if (d == dim) {
            memcpy(s->step, a.step, sizeof s->step);
        } else if (a.size != 1) {
            s->kept.axis[s->kept.n++] = a;
        }
    }
    axes_sort(s->kept.axis, s->kept.n, IN);
    s->kept.n = axes_merge(s->kept.axis, s->kept.n);
    s->rows = in->numel ? in->numel / s->size : 0;
    return s->rows > 0;
}

template <template <class> class A> static bool scan(const KernelCall *c) {
    Scan s;
    return !plan(c, &s) || for_kind(s.in_dtype, [&](auto in) {
        typedef decltype(in) In;
        return run<In, A<typename In::Number>>(c, s);
    });
}

static bool largest(const KernelCall *c, bool flip) {
    Scan s;
    if (!plan(c, &s)) {
        return true;
    }
    s.flip = flip;
    return for_real_kind(s.in_dtype, [&](auto in) {
        typedef decltype(in) In;
        return run<In, Largest<typename In::Number>>(c, s);
    });
}

static bool cummax(const KernelCall *c) { return largest(c, false); }
static bool cummin(const KernelCall *c) { return largest(c, true); }

static bool logcumsumexp(const KernelCall *c) {
    Scan s;
    return !plan(c, &s) || (s.in_dtype == DT_FLOAT64 ? run<DoubleIn, LogSums<double>>(c, s)
                                                     : run<FloatIn, LogSums<float>>(c, s));
}

const KernelRow gpu_scan_rows[] = {
    {"cumsum", scan<Sums>}, {"cumprod", scan<Products>},    {"cummax", cummax},
    {"cummin", cummin},     {"logcumsumexp", logcumsumexp}, {NULL, NULL}};
