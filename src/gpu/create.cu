/* Tensors from nothing. Their outputs are new and without gaps, so that memory order is the order
 * of the elements. */
#include "gpu/make.cuh"
#include "tensor/number.h"

namespace {

/* Without a sign, as the way from one end to the other may not fit into an int64. */
struct WholeRange {
    int64_t first, step;
    __device__ int64_t operator()(int64_t i) const {
        return (int64_t)((uint64_t)first + (uint64_t)i * (uint64_t)step);
    }
};

/* Rounding does not lead beyond the last number. */
struct Range {
    double first, last, step;
    __device__ double operator()(int64_t i) const {
        double x = first + f_mul_rn_f64((double)i, step);
        return step > 0 ? fmin(x, last) : fmax(x, last);
    }
};

/* From both ends, so that both are met exactly. */
struct Linspace {
    double first, last, step;
    int64_t n;
    __device__ double operator()(int64_t i) const {
        return i < n / 2 || n == 1 ? first + f_mul_rn_f64((double)i, step)
                                   : last - f_mul_rn_f64((double)(n - 1 - i), step);
    }
};

} // namespace

static double number_of(Arg a) { return a.kind == ARG_FLOAT ? a.f : (double)a.i; }

static bool make_arange(const KernelCall *c, Arg first, Arg last, Arg step) {
    if (first.kind == ARG_FLOAT || last.kind == ARG_FLOAT || step.kind == ARG_FLOAT) {
        return make_elements(c, Range{number_of(first), number_of(last), number_of(step)});
    }
    return make_elements(c, WholeRange{first.i, step.i});
}

static bool arange(const KernelCall *c) { return make_arange(c, whole(1), c->arg[0], whole(1)); }

static bool arange_range(const KernelCall *c) {
    return make_arange(c, c->arg[0], c->arg[1], c->arg[2]);
}

static Linspace evenly(double first, double last, int64_t n) {
    return Linspace{first, last, n > 1 ? (last - first) / (double)(n - 1) : 0, n};
}

namespace {

struct ComplexLinspace {
    Linspace re, im;
    __device__ double operator()(int64_t i) const { return i % 2 ? im(i / 2) : re(i / 2); }
};

} // namespace

static bool linspace(const KernelCall *c) {
    int64_t n = c->out[0].numel;
    Complex128 first = number_complex(c->arg[0]), last = number_complex(c->arg[1]);
    Linspace re = evenly(first.re, last.re, n), im = evenly(first.im, last.im, n);
    return dtype_is_complex(c->out[0].dtype) ? make_elements(c, ComplexLinspace{re, im})
                                             : make_elements(c, re);
}

static bool zeros(const KernelCall *c) {
    const View *out = &c->out[0];
    size_t bytes = (size_t)out->numel * dtype_size(out->dtype);
    return gpu_ok(cudaMemsetAsync(out->data, 0, bytes, gpu_stream(c->device)), c->name);
}

static bool empty(const KernelCall *) { return true; }

static bool ones(const KernelCall *c) { return gpu_fill_view(c, &c->out[0], whole(1)); }

static bool full(const KernelCall *c) { return gpu_fill_view(c, &c->out[0], c->arg[1]); }

static bool eye(const KernelCall *c) {
    const View *out = &c->out[0];
    if (out->numel == 0) {
        return true; /* the other size may be any number */
    }
    int64_t n = out->shape[0], m = out->shape[1];
    int64_t shape = n < m ? n : m, stride = m + 1;
    View diagonal = View();
    diagonal.data = out->data;
    diagonal.shape = &shape;
    diagonal.stride = &stride;
    diagonal.numel = shape;
    diagonal.dim = 1;
    diagonal.dtype = out->dtype;
    return zeros(c) && gpu_fill_view(c, &diagonal, whole(1));
}

const KernelRow gpu_create_rows[] = {
    {"zeros", zeros},       {"ones", ones},     {"empty", empty},
    {"full", full},         {"arange", arange}, {"arange__range", arange_range},
    {"linspace", linspace}, {"eye", eye},       {NULL, NULL}};
