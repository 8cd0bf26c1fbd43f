/* Elements that are moved, chosen or set. */
#include "gpu/walk.cuh"
#include "tensor/number.h"

namespace {

struct Same {
    template <class T> __device__ __forceinline__ T operator()(T x) const { return x; }
};

struct Choose {
    template <class T> __device__ __forceinline__ T operator()(uint8_t which, T a, T b) const {
        return which ? a : b;
    }
};

template <class T> struct Constant {
    T value;
    __device__ __forceinline__ T operator()() const { return value; }
};

template <class M> struct Clamp {
    M low, high;
    __device__ __forceinline__ M operator()(M x) const {
        M v = x < low ? low : x;
        return v > high ? high : v;
    }
};

} // namespace

bool gpu_copy_view(const KernelCall *c, const View *dst, const View *src) {
    if (dst->dtype != src->dtype) {
        return gpu_cast_view(c, dst, src);
    }
    return for_width(dst->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map1<T, T>(c, dst, src, Same());
    });
}

bool gpu_copy_doubles(const KernelCall *c, double *dst, const View *src) {
    int64_t stride[MAX_DIMS], run = 1;
    for (int d = src->dim - 1; d >= 0; d--) {
        stride[d] = run;
        run *= src->shape[d];
    }
    View doubles = *src;
    doubles.data = dst;
    doubles.stride = stride;
    doubles.dtype = DT_FLOAT64;
    return gpu_copy_view(c, &doubles, src);
}

bool gpu_fill_view(const KernelCall *c, const View *dst, Arg number) {
    return for_width(dst->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        Constant<T> f = {T()};
        number_store(&f.value, dst->dtype, number);
        return map0<T>(c, dst, f);
    });
}

static bool where(const KernelCall *c) {
    return for_width(c->out[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map3<T, uint8_t, T, T>(c, &c->out[0], &c->in[0], &c->in[1], &c->in[2], Choose());
    });
}

static bool fill(const KernelCall *c) { return gpu_fill_view(c, &c->out[0], c->arg[1]); }

static bool clone(const KernelCall *c) { return gpu_copy_view(c, &c->out[0], &c->in[0]); }

static bool copy(const KernelCall *c) { return gpu_copy_view(c, &c->out[0], &c->in[1]); }

static bool is_nan(Arg a) { return a.kind == ARG_FLOAT && a.f != a.f; }

static double real_of(Arg a) { return a.kind == ARG_FLOAT ? a.f : (double)a.i; }

static bool clamp_float(const KernelCall *c, const View *in, Arg min, Arg max) {
    return for_any_float(c->out[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        Clamp<Math<T>> f = {(Math<T>)(min.kind == ARG_NONE ? -INFINITY : real_of(min)),
                            (Math<T>)(max.kind == ARG_NONE ? INFINITY : real_of(max))};
        return map1<T, T>(c, &c->out[0], in, f);
    });
}

static int64_t between(int64_t x, int64_t least, int64_t most) {
    return x < least ? least : x > most ? most : x;
}

static bool clamp_int(const KernelCall *c, const View *in, Arg min, Arg max) {
    int64_t least, most;
    dtype_int_range(c->out[0].dtype, &least, &most);
    Clamp<int64_t> f = {min.kind == ARG_INT ? between(min.i, least, most) : least,
                        max.kind == ARG_INT ? between(max.i, least, most) : most};
    return map1<AnyInt, AnyInt>(c, &c->out[0], in, f);
}

static bool clamp(const KernelCall *c) {
    const View *out = &c->out[0], *in = &c->in[0];
    Arg min = c->arg[1], max = c->arg[2];
    if (is_nan(min) || is_nan(max)) {
        return gpu_fill_view(c, out, is_nan(min) ? min : max);
    }
    if (in->dtype != out->dtype) {
        if (!gpu_cast_view(c, out, in)) {
            return false;
        }
        in = out;
    }
    return dtype_is_float(out->dtype) ? clamp_float(c, in, min, max) : clamp_int(c, in, min, max);
}

const KernelRow gpu_move_rows[] = {{"where", where},         {"fill", fill},   {"clamp", clamp},
                                   {"copy", copy},           {"clone", clone}, {"cast", clone},
                                   {"conj_physical", clone}, {NULL, NULL}};
