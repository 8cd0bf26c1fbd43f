/* Reductions. The elements of one result are shared out to the threads of a block, and long ones to
 * several blocks, by sizes alone and joined in a fixed order, so that a call always gives the same
 * bits. */
#include "gpu/axes.cuh"
#include "gpu/kinds.cuh"

enum { IN, VALUE, POSITION }; /* operands of an axis */
enum { CHUNK = 16384, MOST_CHUNKS = 1024 };

namespace {

struct Plan {
    const void *in;
    int dtype;
    void *value; /* NULL: not wanted */
    int value_dtype;
    int64_t *position; /* NULL: not wanted */
    Axes kept, reduced;
    int64_t results, count; /* count elements to each result */
    int64_t chunk, chunks;  /* of the elements of a result */
    int across, down;       /* a block has across results and down threads to each */
    bool down_first;        /* neighbouring threads share a result, else they have neighbours */
    double divisor;         /* of means, else 1 */
    void *parts;            /* results * chunks accumulators; NULL with one chunk */
};

/* Sums carry what rounding lost beside them. */
template <class N> struct Sum {
    N sum, lost;
    static __device__ Sum start() { return Sum{(N)0, (N)0}; }
    __device__ void add(N x, int64_t) {
        N total = sum + x, of_x = total - sum;
        lost += (sum - (total - of_x)) + (x - of_x);
        sum = total;
    }
    __device__ void join(const Sum &o) {
        add(o.sum, 0);
        lost += o.lost;
    }
    __device__ double value() const {
        double v = (double)sum;
        return v - v == 0 ? v + (double)lost : v; /* an infinite or nan sum has lost nonsense */
    }
    __device__ void finish(const Plan &p, int64_t at, int64_t) const {
        put(p.value, at, p.value_dtype, value() / p.divisor);
    }
};
template <> struct Sum<int64_t> {
    uint64_t sum;
    static __device__ Sum start() { return Sum{0}; }
    __device__ void add(int64_t x, int64_t) { sum += (uint64_t)x; }
    __device__ void join(const Sum &o) { sum += o.sum; }
    __device__ void finish(const Plan &p, int64_t value, int64_t) const {
        put(p.value, value, p.value_dtype, (int64_t)sum);
    }
};
template <> struct Sum<Complex128> {
    Sum<double> re, im;
    static __device__ Sum start() { return Sum{Sum<double>::start(), Sum<double>::start()}; }
    __device__ void add(Complex128 x, int64_t i) {
        re.add(x.re, i);
        im.add(x.im, i);
    }
    __device__ void join(const Sum &o) {
        re.join(o.re);
        im.join(o.im);
    }
    __device__ void finish(const Plan &p, int64_t value, int64_t) const {
        Complex128 v = f_make_c128(re.value() / p.divisor, im.value() / p.divisor);
        put(p.value, value, p.value_dtype, v);
    }
};

template <class N> struct NanSum : Sum<N> {
    static __device__ NanSum start() {
        NanSum s;
        (Sum<N> &)s = Sum<N>::start();
        return s;
    }
    __device__ void add(N x, int64_t at) {
        if (x == x) {
            Sum<N>::add(x, at);
        }
    }
};

template <class N> struct Squares : Sum<N> {
    static __device__ Squares start() {
        Squares s;
        (Sum<N> &)s = Sum<N>::start();
        return s;
    }
    __device__ void add(N x, int64_t at) { Sum<N>::add(x * x, at); }
};

/* Of floats in double, as on the CPU. */
template <class N> struct Product {
    double product;
    static __device__ Product start() { return Product{1}; }
    __device__ void add(N x, int64_t) { product *= (double)x; }
    __device__ void join(const Product &o) { product *= o.product; }
    __device__ void finish(const Plan &p, int64_t value, int64_t) const {
        put(p.value, value, p.value_dtype, product);
    }
};
template <> struct Product<int64_t> {
    uint64_t product;
    static __device__ Product start() { return Product{1}; }
    __device__ void add(int64_t x, int64_t) { product *= (uint64_t)x; }
    __device__ void join(const Product &o) { product *= o.product; }
    __device__ void finish(const Plan &p, int64_t value, int64_t) const {
        put(p.value, value, p.value_dtype, (int64_t)product);
    }
};
template <> struct Product<Complex128> {
    Complex128 product;
    static __device__ Product start() { return Product{f_make_c128(1, 0)}; }
    __device__ void add(Complex128 x, int64_t) { product = f_mul_c128(product, x); }
    __device__ void join(const Product &o) { product = f_mul_c128(product, o.product); }
    __device__ void finish(const Plan &p, int64_t value, int64_t) const {
        put(p.value, value, p.value_dtype, product);
    }
};

/* The largest (sign 1) or smallest (-1) element and where it stands: the first of equals, and a nan
 * before all others. position < 0: there is none yet. */
template <class N, int sign> struct Pick {
    N best;
    int64_t position;
    static __device__ Pick start() { return Pick{(N)0, -1}; }
    static __device__ bool is_nan(N x) { return x != x; }
    static __device__ bool beats(N x, N y) {
        return (sign > 0 ? x > y : x < y) || (is_nan(x) && !is_nan(y));
    }
    __device__ void add(N x, int64_t i) {
        if (position < 0 || beats(x, best)) {
            best = x;
            position = i;
        }
    }
    __device__ void join(const Pick &o) {
        bool equal = !beats(o.best, best) && !beats(best, o.best);
        if (o.position >= 0 &&
            (position < 0 || beats(o.best, best) || (equal && o.position < position))) {
            *this = o;
        }
    }
    __device__ void finish(const Plan &p, int64_t value, int64_t at) const {
        if (p.value) {
            put(p.value, value, p.value_dtype, best);
        }
        if (p.position) {
            p.position[at] = position + 1;
        }
    }
};

template <class N> __device__ __forceinline__ int is_true(N x) { return x != 0; }
__device__ __forceinline__ int is_true(Complex128 x) { return f_is_true_c128(x); }

/* Whether all (every = 1) or some (0) elements are true. */
template <class N, int every> struct Truth {
    int truth;
    static __device__ Truth start() { return Truth{every}; }
    __device__ void add(N x, int64_t) { truth = every ? truth & is_true(x) : truth | is_true(x); }
    __device__ void join(const Truth &o) { truth = every ? truth & o.truth : truth | o.truth; }
    __device__ void finish(const Plan &p, int64_t value, int64_t) const {
        put(p.value, value, p.value_dtype, (int64_t)truth);
    }
};

} // namespace

/* Joins the accumulators of a block's threads, result by result; thread row 0 has the sum. */
template <class A> __device__ void join_down(A *shared, int row, int down, int self, int step) {
    for (int half = down / 2; half > 0; half /= 2) {
        __syncthreads();
        if (row < half) {
            shared[self].join(shared[self + half * step]);
        }
    }
}

template <class In, class A> __global__ void reduce_kernel(Plan p) {
    TOCHA_DYNAMIC_SHARED(A, shared);
    int t = (int)threadIdx.x;
    int row = p.down_first ? t % p.down : t / p.across;
    int column = p.down_first ? t / p.down : t % p.across;
    int64_t result = blockIdx.x * (int64_t)p.across + column;
    int64_t first = blockIdx.y * p.chunk;
    int64_t last = first + p.chunk < p.count ? first + p.chunk : p.count;
    A a = A::start();
    int64_t base[AXIS_OPERANDS] = {0, 0, 0};
    if (result < p.results) {
        locate(p.kept, result, base);
        for (int64_t i = first + row; i < last; i += p.down) {
            int64_t at[AXIS_OPERANDS] = {base[IN], 0, 0};
            locate(p.reduced, i, at);
            a.add(In::get(p.in, at[IN], p.dtype), i);
        }
    }
    shared[t] = a;
    join_down(shared, row, p.down, t, p.down_first ? 1 : p.across);
    if (row != 0 || result >= p.results) {
        return;
    }
    if (p.parts) {
        ((A *)p.parts)[result * p.chunks + blockIdx.y] = shared[t];
    } else {
        shared[t].finish(p, base[VALUE], base[POSITION]);
    }
}

/* The parts of a result, in their order; a block for each. */
template <class A> __global__ void join_kernel(Plan p) {
    TOCHA_DYNAMIC_SHARED(A, shared);
    int t = (int)threadIdx.x;
    int64_t result = blockIdx.x;
    const A *part = (const A *)p.parts + result * p.chunks;
    A a = A::start();
    for (int64_t i = t; i < p.chunks; i += THREADS) {
        a.join(part[i]);
    }
    shared[t] = a;
    join_down(shared, t, THREADS, t, 1);
    if (t == 0) {
        int64_t at[AXIS_OPERANDS] = {0, 0, 0};
        locate(p.kept, result, at);
        shared[0].finish(p, at[VALUE], at[POSITION]);
    }
}

/* Chunks where the results alone do not keep the device busy. */
static void cut_chunks(Plan *p, int64_t blocks, int processors) {
    int64_t wanted = divide_up((int64_t)processors * 4, blocks);
    int64_t most = p->count / CHUNK;
    most = most < MOST_CHUNKS ? most : (int64_t)MOST_CHUNKS;
    p->chunks = wanted < most ? wanted : most;
    p->chunks = p->chunks < 1 ? 1 : p->chunks;
    p->chunk = divide_up(p->count, p->chunks);
    p->chunks = p->count ? divide_up(p->count, p->chunk) : 1;
}

static void shape_block(Plan *p) {
    const Axis *kept = &p->kept.axis[0], *reduced = &p->reduced.axis[0];
    p->down_first = p->kept.n == 0 || p->reduced.n == 0 || reduced->step[IN] <= kept->step[IN];
    int most = (int)THREADS / (p->down_first ? 1 : 32);
    p->down = 1;
    while (p->down < most && p->down < p->count) {
        p->down *= 2;
    }
    p->across = THREADS / p->down;
}

template <class In, class A> static bool run(const KernelCall *c, Plan p) {
    shape_block(&p);
    int64_t blocks = divide_up(p.results, p.across);
    /* The number of chunks depends on sizes alone, so that all devices round alike. */
    cut_chunks(&p, blocks, 64);
    size_t bytes = (size_t)(p.results * p.chunks) * sizeof(A);
    p.parts = NULL;
    if (p.chunks > 1) {
        p.parts = gpu_alloc(c->device, bytes);
        if (!p.parts) {
            return false;
        }
    }
    size_t shared = THREADS * sizeof(A);
    dim3 grid((unsigned)blocks, (unsigned)p.chunks);
    launch(launch_of(c, grid, dim3(THREADS), shared), reduce_kernel<In, A>, p);
    if (p.parts) {
        launch(launch_of(c, dim3((unsigned)p.results), dim3(THREADS), shared), join_kernel<A>, p);
        gpu_release(c->device, p.parts, bytes);
    }
    return true;
}

/* The dims in argument 1 as bits; all where it was not given. */
static uint32_t dims_of(const KernelCall *c) {
    const Arg *a = &c->arg[1];
    uint32_t dims = 0;
    if (a->kind == ARG_INT) {
        return 1u << a->i;
    }
    for (int i = 0; a->kind == ARG_INTS && i < a->count; i++) {
        dims |= 1u << a->ints[i];
    }
    return dims ? dims : ~0u;
}

/* Positions count in row-major order; then the reduced dims keep theirs. */
static void make_axes(Plan *p, const View *in, const View *out, uint32_t dims, bool keep_order) {
    bool keepdim = out->dim == in->dim;
    for (int d = in->dim - 1, o = out->dim - 1; d >= 0; d--) {
        bool reduced = dims >> d & 1;
        Axis a = {in->shape[d], {in->stride[d], 0, 0}};
        if (!reduced || keepdim) {
            a.step[VALUE] = a.step[POSITION] = reduced ? 0 : out->stride[o];
            o--;
        }
        if (a.size != 1) {
            Axes *list = reduced ? &p->reduced : &p->kept;
            list->axis[list->n++] = a;
        }
    }
    if (!keep_order) {
        axes_sort(p->reduced.axis, p->reduced.n, IN);
    }
    axes_sort(p->kept.axis, p->kept.n, IN);
    p->kept.n = axes_merge(p->kept.axis, p->kept.n);
    p->reduced.n = axes_merge(p->reduced.axis, p->reduced.n);
}

/* A reduction of in[0] over dims; value and position are results that are wanted, of one layout. */
static bool plan(const KernelCall *c, const View *value, const View *position, uint32_t dims,
                 Plan *p) {
    const View *in = &c->in[0], *out = value ? value : position;
    *p = Plan();
    p->in = in->data;
    p->dtype = in->dtype;
    p->results = out->numel;
    p->divisor = 1;
    if (value) {
        p->value = value->data;
        p->value_dtype = value->dtype;
    }
    if (position) {
        p->position = (int64_t *)position->data;
    }
    if (p->results == 0) {
        return false;
    }
    p->count = in->numel / p->results;
    make_axes(p, in, out, dims, position != NULL);
    return true;
}

/* Runs with the accumulator for the input's kind of numbers. */
template <template <class> class A> static bool run_real(const KernelCall *c, const Plan &p) {
    return for_real_kind(p.dtype, [&](auto in) {
        typedef decltype(in) In;
        return run<In, A<typename In::Number>>(c, p);
    });
}

template <template <class> class A> static bool run_any(const KernelCall *c, const Plan &p) {
    return for_kind(p.dtype, [&](auto in) {
        typedef decltype(in) In;
        return run<In, A<typename In::Number>>(c, p);
    });
}

template <class N> using Largest = Pick<N, 1>;
template <class N> using Smallest = Pick<N, -1>;
template <class N> using Every = Truth<N, 1>;
template <class N> using Some = Truth<N, 0>;

template <template <class> class A> static bool reduce_dims(const KernelCall *c) {
    Plan p;
    return !plan(c, &c->out[0], NULL, dims_of(c), &p) || run_real<A>(c, p);
}

template <template <class> class A> static bool reduce_any(const KernelCall *c) {
    Plan p;
    return !plan(c, &c->out[0], NULL, dims_of(c), &p) || run_any<A>(c, p);
}

template <template <class> class A> static bool reduce_whole(const KernelCall *c) {
    Plan p;
    return !plan(c, &c->out[0], NULL, ~0u, &p) || run_real<A>(c, p);
}

template <template <class> class A> static bool reduce_position(const KernelCall *c) {
    Plan p;
    return !plan(c, NULL, &c->out[0], dims_of(c), &p) || run_real<A>(c, p);
}

template <template <class> class A> static bool reduce_both(const KernelCall *c) {
    Plan p;
    return !plan(c, &c->out[0], &c->out[1], dims_of(c), &p) || run_real<A>(c, p);
}

static bool mean(const KernelCall *c) {
    Plan p;
    if (!plan(c, &c->out[0], NULL, dims_of(c), &p)) {
        return true;
    }
    p.divisor = (double)p.count;
    return run_any<Sum>(c, p);
}

const KernelRow gpu_reduce_rows[] = {{"sum", reduce_any<Sum>},
                                     {"nansum", reduce_dims<NanSum>},
                                     {"sum_squares", reduce_dims<Squares>},
                                     {"mean", mean},
                                     {"prod", reduce_any<Product>},
                                     {"amax", reduce_dims<Largest>},
                                     {"amin", reduce_dims<Smallest>},
                                     {"all", reduce_any<Every>},
                                     {"any", reduce_any<Some>},
                                     {"max", reduce_whole<Largest>},
                                     {"min", reduce_whole<Smallest>},
                                     {"max__dim", reduce_both<Largest>},
                                     {"min__dim", reduce_both<Smallest>},
                                     {"argmax", reduce_position<Largest>},
                                     {"argmin", reduce_position<Smallest>},
                                     {NULL, NULL}};
