/* Functions of three elements. */
#include "gpu/numbers.cuh"
#include "tensor/formulas/elements.h"
#include "tensor/formulas/maths.h"
#include "tensor/number.h"

NUMBERS_FUNCTION3(Addcmul, f_addcmul)
NUMBERS_FUNCTION3(Addcdiv, f_addcdiv)
NUMBERS_FUNCTION3(Lerp, f_lerp)
NUMBERS_FUNCTION3(Between, f_clamp__tensor)

namespace {

struct AddcmulInt {
    int64_t value;
    __device__ int64_t operator()(int64_t x, int64_t y, int64_t z) const {
        return f_addcmul_i64(x, y, z, value);
    }
};

struct BetweenInts {
    __device__ int64_t operator()(int64_t x, int64_t low, int64_t high) const {
        return f_clamp__tensor_i64(x, low, high, 0);
    }
};

struct AtLeast {
    __device__ int64_t operator()(int64_t x, int64_t low) const { return maximum_of_i64(x, low); }
    __device__ float operator()(float x, float low) const { return maximum_of_f32(x, low); }
    __device__ double operator()(double x, double low) const { return maximum_of_f64(x, low); }
};

struct AtMost {
    __device__ int64_t operator()(int64_t x, int64_t high) const { return minimum_of_i64(x, high); }
    __device__ float operator()(float x, float high) const { return minimum_of_f32(x, high); }
    __device__ double operator()(double x, double high) const { return minimum_of_f64(x, high); }
};

} // namespace

template <class T, class F> static bool three(const KernelCall *c, F f) {
    return map3<T, T, T, T>(c, &c->out[0], &c->in[0], &c->in[1], &c->in[2], f);
}

template <class F> static bool three_floats(const KernelCall *c, F f) {
    return for_any_float(c->out[0].dtype, [&](auto zero) { return three<decltype(zero)>(c, f); });
}

template <class F> static bool three_ints(const KernelCall *c, F f) {
    return for_any_int(c->out[0].dtype, [&](auto zero) { return three<decltype(zero)>(c, f); });
}

static double real_of(Arg a) { return a.kind == ARG_FLOAT ? a.f : (double)a.i; }

static bool addcdiv(const KernelCall *c) {
    return three_floats(c, Addcdiv{{real_of(c->arg[3]), 0, 0}});
}

static bool addcmul(const KernelCall *c) {
    Arg value = c->arg[3];
    int dtype = c->out[0].dtype;
    if (dtype_is_float(dtype)) {
        return three_floats(c, Addcmul{{real_of(value), 0, 0}});
    }
    if (value.kind == ARG_FLOAT) {
        return fail("%s: value must be an integer for %s tensors, got %g", c->name,
                    dtype_name(dtype), value.f);
    }
    return three_ints(c, AddcmulInt{value.i});
}

static bool lerp(const KernelCall *c) { return three_floats(c, Lerp{{0, 0, 0}}); }

template <class F> static bool bound(const KernelCall *c, const View *by) {
    return for_any(c->out[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map2<T, T, T>(c, &c->out[0], &c->in[0], by, F());
    });
}

/* With one bound the larger or the smaller of the two. */
static bool clamp_tensor(const KernelCall *c) {
    const View *min = &c->in[1], *max = &c->in[2];
    if (max->dtype == DT_NONE) {
        return bound<AtLeast>(c, min);
    }
    if (min->dtype == DT_NONE) {
        return bound<AtMost>(c, max);
    }
    return dtype_is_float(c->out[0].dtype) ? three_floats(c, Between{{0, 0, 0}})
                                           : three_ints(c, BetweenInts());
}

const KernelRow gpu_maths_ternary_rows[] = {{"addcmul", addcmul},
                                            {"addcdiv", addcdiv},
                                            {"lerp", lerp},
                                            {"clamp__tensor", clamp_tensor},
                                            {NULL, NULL}};
