#ifndef TOCHA_GPU_COMPLEX_CUH
#define TOCHA_GPU_COMPLEX_CUH
/* Elementwise kernels of complex numbers. */
#include "gpu/walk.cuh"
#include "tensor/formulas/complex.h"

/* Calls f with a value of the complex type, which decides nothing but the type. */
template <class F> bool for_complex(int dtype, F f) {
    switch (dtype) {
    case DT_COMPLEX64: return f(Complex64());
    case DT_COMPLEX128: return f(Complex128());
    default: return no_kernel(dtype);
    }
}

/* The formula f_name of one or two complex numbers as a type Complex_name, which a kernel is made
 * for. */
#define COMPLEX_FUNCTION1(name)                                                       \
    namespace {                                                                       \
    struct Complex_##name {                                                           \
        __device__ auto operator()(Complex64 a) const { return f_##name##_c64(a); }   \
        __device__ auto operator()(Complex128 a) const { return f_##name##_c128(a); } \
    };                                                                                \
    }
#define COMPLEX_FUNCTION2(name)                                        \
    namespace {                                                        \
    struct Complex_##name {                                            \
        __device__ auto operator()(Complex64 a, Complex64 b) const {   \
            return f_##name##_c64(a, b);                               \
        }                                                              \
        __device__ auto operator()(Complex128 a, Complex128 b) const { \
            return f_##name##_c128(a, b);                              \
        }                                                              \
    };                                                                 \
    }

/* f of one and of two complex numbers, which gives one of their dtype. */
template <class F> bool map_complex(const KernelCall *c, F f) {
    return for_complex(c->in[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map1<T, T>(c, &c->out[0], &c->in[0], f);
    });
}

template <class F> bool zip_complex(const KernelCall *c, F f) {
    return for_complex(c->out[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map2<T, T, T>(c, &c->out[0], &c->in[0], &c->in[1], f);
    });
}

template <class F> bool of_complex(const KernelCall *c) { return map_complex(c, F()); }
template <class F> bool of_two_complex(const KernelCall *c) { return zip_complex(c, F()); }

/* F of complex numbers gives a real one of the type of their parts. */
template <class F> bool of_parts(const KernelCall *c) {
    return c->in[0].dtype == DT_COMPLEX64 ? map1<float, Complex64>(c, &c->out[0], &c->in[0], F())
                                          : map1<double, Complex128>(c, &c->out[0], &c->in[0], F());
}

#endif
