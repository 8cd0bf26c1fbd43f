/* Cross entropy of rows of logits by labels: a group of threads to each row. Logarithms of sums are
 * kept as double: those of large logits would lose the digits that the loss is made of. */
#include <math.h>

#include "gpu/dense.h"
#include "gpu/fault.cuh"
#include "gpu/kept.cuh"
#include "tensor/formulas/explog.h"

namespace {

struct Rows {
    const void *x, *weight, *grad; /* weight: NULL, all are 1 */
    const int64_t *target;
    void *loss, *counts, *out;
    double *lse, *weight_sum; /* weight_sum: of all classes */
    int64_t rows, classes, ignore;
    double smoothing;
    bool whole; /* packs may be moved whole */
    int width;  /* threads that share a row */
    GpuFaultSite site;
};

static __device__ float exp_of(float x) { return f_exp_f32(x); }
static __device__ double exp_of(double x) { return f_exp_f64(x); }

/* The largest x so far, and the sum of e^(x - most); the largest itself counts as 1 even where it
 * is infinite. */
template <class M> struct Total {
    M most, sum;
    static __device__ Total start() { return Total{(M)-INFINITY, (M)0}; }
    template <class F> __device__ Total each(F f) const { return Total{f(most), f(sum)}; }
    static __device__ M part(M x, M most) { return x == most ? (M)1 : exp_of(x - most); }
    __device__ void join(const Total &o) {
        M high = o.most > most ? o.most : most;
        sum = sum * part(most, high) + o.sum * part(o.most, high);
        most = high;
    }
    __device__ double logarithm() const {
        if (most - most == 0) {
            return (double)most + log((double)sum);
        }
        return sum == sum && sum > 0 ? (double)most : sum == 0 ? -INFINITY : (double)NAN;
    }
};

/* Of a thread's elements of the n of a row, of which base are done. */
template <class T>
__device__ __forceinline__ Total<T> total_of(const Kept<T> &kept, int64_t base, int self, int width,
                                             int64_t n) {
    Total<T> all = Total<T>::start();
#pragma unroll
    for (int j = 0; j < Kept<T>::PACKS; j++) {
        int count = pack_count<T>(pack_at<T>(base, self, width, j), n);
        for (int e = 0; e < Pack<T>::N; e++) {
            all.most = e < count && kept.x[j][e] > all.most ? kept.x[j][e] : all.most;
        }
    }
#pragma unroll
    for (int j = 0; j < Kept<T>::PACKS; j++) {
        int count = pack_count<T>(pack_at<T>(base, self, width, j), n);
        for (int e = 0; e < Pack<T>::N; e++) {
            all.sum += e < count ? Total<T>::part(kept.x[j][e], all.most) : (T)0;
        }
    }
    return all;
}

template <class M> struct Plain {
    M sum;
    template <class F> __device__ Plain each(F f) const { return Plain{f(sum)}; }
    __device__ void join(const Plain &o) { sum += o.sum; }
};

/* What a row's label makes of it: the class, from 0 on, and the share of the label itself; -1: the
 * row counts for nothing. even: the share that each class gets times its weight. all: of all. */
struct Label {
    int64_t number;
    double weight, own, even, all;
};

template <class T> __device__ Label label_of(const Rows &r, int64_t row, bool report) {
    Label l = {-1, 0, 0, 0, 0};
    int64_t label = row < r.rows ? r.target[row] : r.ignore;
    if (label == r.ignore) {
        return l;
    }
    if (label < 1 || label > r.classes) {
        if (report) {
            fault_report(r.site, FAULT_LABEL, label, r.classes, row);
        }
        return l;
    }
    l.number = label - 1;
    l.weight = r.weight ? (double)((const T *)r.weight)[l.number] : 1;
    l.own = (1 - r.smoothing) * l.weight;
    l.even = r.smoothing / (double)r.classes;
    l.all = l.own + l.even * (r.weight ? *r.weight_sum : (double)r.classes);
    return l;
}

/* What a group's thread has of row: the sum of the weights times what lse is above x. */
template <class T>
__device__ __forceinline__ T above(const Rows &r, const T *x, int self, double lse) {
    const T *weight = (const T *)r.weight;
    T high = (T)lse, low = (T)(lse - (double)high), sum = 0;
    low = low == low ? low : 0; /* inf - inf */
    for (int64_t c = self; c < r.classes; c += r.width) {
        sum += (weight ? weight[c] : (T)1) * ((high - x[c]) + low);
    }
    return sum;
}

template <class T> __global__ void __launch_bounds__(1024) forward_kernel(Rows r) {
    __shared__ Total<T> shared[MOST_WARPS];
    __shared__ Plain<T> sums[MOST_WARPS];
    int groups = (int)blockDim.x / r.width, self = (int)threadIdx.x % r.width;
    for (int64_t first = blockIdx.x * (int64_t)groups; first < r.rows;
         first += gridDim.x * (int64_t)groups) {
        int64_t row = first + (int)threadIdx.x / r.width, n = row < r.rows ? r.classes : 0;
        const T *x = (const T *)r.x + (row < r.rows ? row : 0) * r.classes;
        Total<T> total = Total<T>::start();
        for (int64_t base = 0; base < n; base += kept_by<T>(r.width)) {
            Kept<T> kept;
            kept_load(x, n, base, self, r.width, r.whole, &kept);
            total.join(total_of(kept, base, self, r.width, n));
        }
        double lse = join_group(total, r.width, shared).logarithm();
        Label l = label_of<T>(r, row, self == 0);
        T even = 0;
        if (r.smoothing != 0) {
            even = n > 0 && l.number >= 0 ? above(r, x, self, lse) : (T)0;
            even = join_group(Plain<T>{even}, r.width, sums).sum;
        }
        if (self == 0 && row < r.rows) {
            double own = l.own == 0 ? 0 : l.own * (lse - (double)x[l.number]);
            r.lse[row] = lse;
            ((T *)r.loss)[row] = (T)(own + (l.even == 0 ? 0 : l.even * (double)even));
            ((T *)r.counts)[row] = (T)l.weight;
        }
    }
}

template <class T> __global__ void backward_kernel(Rows r) {
    enum { N = Pack<T>::N };
    int groups = (int)blockDim.x / r.width, self = (int)threadIdx.x % r.width;
    const T *weight = (const T *)r.weight;
    for (int64_t row = blockIdx.x * (int64_t)groups + (int)threadIdx.x / r.width; row < r.rows;
         row += gridDim.x * (int64_t)groups) {
        const T *x = (const T *)r.x + row * r.classes;
        T *out = (T *)r.out + row * r.classes;
        Label l = label_of<T>(r, row, self == 0);
        double g = (double)((const T *)r.grad)[row], lse = r.lse[row];
        /* lse in two parts, of which the large one goes off exactly. */
        T high = (T)lse, low = (T)(lse - (double)high), scale = (T)(g * l.all);
        T even = (T)(g * l.even), own = (T)(g * l.own);
        low = low == low ? low : 0; /* inf - inf */
        for (int64_t at = (int64_t)self * N; at < r.classes; at += (int64_t)r.width * N) {
            T v[N];
            int count = pack_count<T>(at, r.classes);
            pack_load(x + at, count, r.whole, v);
            for (int e = 0; e < N; e++) {
                T y = scale * exp_of((v[e] - high) - low);
                y -= l.even == 0 || e >= count ? (T)0 : weight ? even * weight[at + e] : even;
                y -= at + e == l.number ? own : (T)0;
                v[e] = l.number < 0 ? (T)0 : y;
            }
            pack_store(out + at, count, r.whole, v);
        }
    }
}

template <class T> __global__ void weight_sum_kernel(Rows r) {
    __shared__ Plain<double> shared[MOST_WARPS];
    Plain<double> all = {0};
    for (int64_t c = threadIdx.x; c < r.classes; c += blockDim.x) {
        all.sum += (double)((const T *)r.weight)[c];
    }
    all = join_group(all, (int)blockDim.x, shared);
    if (threadIdx.x == 0) {
        *r.weight_sum = all.sum;
    }
}

/* Starts kernel over the rows; the operands from input, in[k], on are read here. */
template <class T>
static bool start(const KernelCall *c, int k, Rows r, Dense *d, void (*kernel)(Rows)) {
    const View *x = &c->in[k];
    r.rows = x->shape[0];
    r.classes = x->shape[1];
    r.x = dense_in(d, x);
    r.target = (const int64_t *)dense_in(d, &c->in[k + 1]);
    r.weight = dense_in(d, &c->in[k + 2]);
    r.site = gpu_fault_site(c, "target", &c->in[k + 1]);
    if (r.weight) {
        r.weight_sum = (double *)dense_room(d, sizeof(double));
    }
    if (d->failed || r.rows == 0) {
        return true;
    }
    if (r.weight) {
        launch(launch_of(c, dim3(1), dim3(THREADS)), weight_sum_kernel<T>, r);
    }
    r.whole = packs_fit<T>(r.x, r.classes) && packs_fit<T>(r.out, r.classes);
    r.width = group_width(divide_up(r.classes, Kept<T>::COUNT), LANES, 1024);
    int block = r.width < 128 ? 128 : r.width;
    launch(launch_of(c, blocks_for(c, r.rows, block / r.width, 16), dim3((unsigned)block)), kernel,
           r);
    return true;
}

} // namespace

static bool cross_entropy_rows(const KernelCall *c) {
    Dense d = Dense();
    d.call = c;
    Rows r = Rows();
    r.ignore = c->arg[3].i;
    r.smoothing = c->arg[4].f;
    r.loss = c->out[0].data;
    r.lse = (double *)c->out[1].data;
    r.counts = c->out[2].data;
    return dense_end(&d, c->in[0].dtype == DT_FLOAT64
                             ? start<double>(c, 0, r, &d, forward_kernel<double>)
                             : start<float>(c, 0, r, &d, forward_kernel<float>));
}

static bool cross_entropy_rows_backward(const KernelCall *c) {
    Dense d = Dense();
    d.call = c;
    Rows r = Rows();
    r.grad = dense_in(&d, &c->in[0]);
    r.lse = (double *)dense_in(&d, &c->in[4]);
    r.ignore = c->arg[5].i;
    r.smoothing = c->arg[6].f;
    r.out = c->out[0].data;
    return dense_end(&d, c->in[0].dtype == DT_FLOAT64
                             ? start<double>(c, 1, r, &d, backward_kernel<double>)
                             : start<float>(c, 1, r, &d, backward_kernel<float>));
}

const KernelRow gpu_cross_entropy_rows[] = {
    {"cross_entropy_rows", cross_entropy_rows},
    {"cross_entropy_rows_backward", cross_entropy_rows_backward},
    {NULL, NULL}};
