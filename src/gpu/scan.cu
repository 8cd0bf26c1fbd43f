/* The cumulative ops. */
#include "gpu/kinds.cuh"
#include "gpu/scan.cuh"
#include "tensor/formulas/complex_functions.h"

enum { OUT, PLACE, IN }; /* operands of an axis */

namespace {

struct Cumulated {
    const void *in;
    void *out;
    int64_t *place; /* NULL: not wanted */
    int in_dtype, out_dtype;
    bool flip; /* the smallest is the largest of what is turned round */
    int64_t step[AXIS_OPERANDS];
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
    static __device__ __forceinline__ Fold of(const Cumulated &, N x, int64_t) {
        return Fold{(W)x};
    }
    __device__ __forceinline__ void join(const Fold &later) {
        so_far = J::join(so_far, later.so_far);
    }
    __device__ __forceinline__ void store(const Cumulated &s, const int64_t *at) const {
        put(s.out, at[OUT], s.out_dtype, so_far);
    }
};
template <class N> using Sums = Fold<Sum, N>;
template <class N> using Products = Fold<Product, N>;
template <class N> using LogSums = Fold<LogSum, N>;

/* The same of complex numbers. No number stands for none of them: adding e^-inf may still turn the
 * sign of a zero. */
struct ComplexLogs {
    Complex128 so_far;
    int64_t any;
    static __device__ __forceinline__ ComplexLogs start() {
        return ComplexLogs{f_make_c128(0, 0), 0};
    }
    static __device__ __forceinline__ ComplexLogs of(const Cumulated &, Complex128 x, int64_t) {
        return ComplexLogs{x, 1};
    }
    __device__ __forceinline__ void join(const ComplexLogs &later) {
        if (any && later.any) {
            so_far = f_logaddexp_c128(later.so_far, so_far);
        } else if (later.any) {
            *this = later;
        }
    }
    __device__ __forceinline__ void store(const Cumulated &s, const int64_t *at) const {
        put(s.out, at[OUT], s.out_dtype, so_far);
    }
};

/* The largest so far, and the last place where it stands; from a nan on all are nan. place < 0:
 * there is none yet. */
template <class N> struct Largest {
    N best;
    int64_t place;
    static __device__ __forceinline__ Largest start() { return Largest{(N)0, -1}; }
    static __device__ __forceinline__ Largest of(const Cumulated &s, N x, int64_t i) {
        return Largest{s.flip ? turned(x) : x, i};
    }
    __device__ __forceinline__ void join(const Largest &later) {
        bool nan = later.best != later.best, nan_before = best != best;
        bool better = place < 0 || nan || (!nan_before && later.best >= best);
        if (later.place >= 0 && better) {
            *this = later;
        }
    }
    __device__ __forceinline__ void store(const Cumulated &s, const int64_t *at) const {
        put(s.out, at[OUT], s.out_dtype, s.flip ? turned(best) : best);
        s.place[at[PLACE]] = place + 1;
    }
};

/* The job of a scan that joins elements as A does. */
template <class In, class A> struct Elements {
    typedef A Item;
    Cumulated s;
    __device__ __forceinline__ A item(const int64_t *base, int64_t i) const {
        return A::of(s, In::get(s.in, base[IN] + i * s.step[IN], s.in_dtype), i);
    }
    __device__ __forceinline__ void done(const int64_t *base, int64_t i, const A &upto) const {
        int64_t at[AXIS_OPERANDS];
        for (int k = 0; k < AXIS_OPERANDS; k++) {
            at[k] = base[k] + i * s.step[k];
        }
        upto.store(s, at);
    }
};

} // namespace

/* What is scanned; false: nothing. */
static bool plan(const KernelCall *c, Cumulated *s, ScanRows *r) {
    const View *in = &c->in[0], *out = &c->out[0], *place = c->n_out > 1 ? &c->out[1] : NULL;
    int64_t dim = c->arg[1].i;
    *s = Cumulated();
    *r = ScanRows();
    s->in = in->data;
    s->out = out->data;
    s->place = place ? (int64_t *)place->data : NULL;
    s->in_dtype = in->dtype;
    s->out_dtype = out->dtype;
    r->size = in->dim ? in->shape[dim] : 1;
    for (int d = in->dim - 1; d >= 0; d--) {
        Axis a = {in->shape[d], {out->stride[d], place ? place->stride[d] : 0, in->stride[d]}};
        if (d == dim) {
            memcpy(s->step, a.step, sizeof s->step);
        } else if (a.size != 1) {
            r->kept.axis[r->kept.n++] = a;
        }
    }
    axes_sort(r->kept.axis, r->kept.n, IN);
    r->kept.n = axes_merge(r->kept.axis, r->kept.n);
    r->inner = r->kept.n == 0 || s->step[IN] <= r->kept.axis[0].step[IN];
    r->rows = in->numel ? in->numel / r->size : 0;
    return r->rows > 0;
}

template <class In, class A>
static bool run(const KernelCall *c, const Cumulated &s, const ScanRows &r) {
    return scan_rows(c, Elements<In, A>{s}, r);
}

template <template <class> class A> static bool scan(const KernelCall *c) {
    Cumulated s;
    ScanRows r;
    return !plan(c, &s, &r) || for_kind(s.in_dtype, [&](auto in) {
        typedef decltype(in) In;
        return run<In, A<typename In::Number>>(c, s, r);
    });
}

static bool largest(const KernelCall *c, bool flip) {
    Cumulated s;
    ScanRows r;
    if (!plan(c, &s, &r)) {
        return true;
    }
    s.flip = flip;
    return for_real_kind(s.in_dtype, [&](auto in) {
        typedef decltype(in) In;
        return run<In, Largest<typename In::Number>>(c, s, r);
    });
}

static bool cummax(const KernelCall *c) { return largest(c, false); }
static bool cummin(const KernelCall *c) { return largest(c, true); }

static bool logcumsumexp(const KernelCall *c) {
    Cumulated s;
    ScanRows r;
    if (!plan(c, &s, &r)) {
        return true;
    }
    if (dtype_is_complex(s.in_dtype)) {
        return run<ComplexIn, ComplexLogs>(c, s, r);
    }
    return s.in_dtype == DT_FLOAT64 ? run<DoubleIn, LogSums<double>>(c, s, r)
                                    : run<FloatIn, LogSums<float>>(c, s, r);
}

const KernelRow gpu_scan_rows[] = {
    {"cumsum", scan<Sums>}, {"cumprod", scan<Products>},    {"cummax", cummax},
    {"cummin", cummin},     {"logcumsumexp", logcumsumexp}, {NULL, NULL}};
