/* Arithmetic of complex numbers. */
#include "gpu/complex.cuh"
#include "gpu/numbers.cuh"
#include "tensor/formulas/maths.h"
#include "tensor/number.h"

COMPLEX_FUNCTION1(neg)
COMPLEX_FUNCTION1(conj)
COMPLEX_FUNCTION1(abs)
COMPLEX_FUNCTION1(square)
COMPLEX_FUNCTION1(reciprocal)
COMPLEX_FUNCTION2(add)
COMPLEX_FUNCTION2(sub)
COMPLEX_FUNCTION2(mul)
COMPLEX_FUNCTION2(div)
COMPLEX_FUNCTION2(tanh_backward)
COMPLEX_FUNCTION2(sigmoid_backward)

namespace {

/* Formulas with one more number at the end. */
struct ComplexAddScaled {
    Complex128 alpha;
    __device__ Complex64 operator()(Complex64 a, Complex64 b) const {
        return f_add_scaled_c64(a, b, f_narrow_c128(alpha));
    }
    __device__ Complex128 operator()(Complex128 a, Complex128 b) const {
        return f_add_scaled_c128(a, b, alpha);
    }
};

#define WITH_NUMBER(Name, name)                                                            \
    struct Name {                                                                          \
        Complex128 value;                                                                  \
        __device__ Complex64 operator()(Complex64 x, Complex64 y, Complex64 z) const {     \
            return f_##name##_c64(x, y, z, f_narrow_c128(value));                          \
        }                                                                                  \
        __device__ Complex128 operator()(Complex128 x, Complex128 y, Complex128 z) const { \
            return f_##name##_c128(x, y, z, value);                                        \
        }                                                                                  \
    };
WITH_NUMBER(ComplexAddcmul, addcmul)
WITH_NUMBER(ComplexAddcdiv, addcdiv)
WITH_NUMBER(ComplexLerp, lerp)

struct ComplexNanToNum {
    Numbers n;
    __device__ Complex64 operator()(Complex64 z) const {
        return f_make_c64(f_nan_to_num_f32(z.re, n.f32()), f_nan_to_num_f32(z.im, n.f32()));
    }
    __device__ Complex128 operator()(Complex128 z) const {
        return f_make_c128(f_nan_to_num_f64(z.re, n.f64()), f_nan_to_num_f64(z.im, n.f64()));
    }
};

} // namespace

/* input + sign * alpha * other; alpha is argument 2. */
template <class Plain, int sign> static bool add_alpha(const KernelCall *c) {
    Complex128 alpha = f_scale_by_c128(number_complex(c->arg[2]), sign);
    return number_is(c->arg[2], 1) ? of_two_complex<Plain>(c)
                                   : zip_complex(c, ComplexAddScaled{alpha});
}

static double number_or(Arg a, double otherwise) { return a.kind == ARG_NONE ? otherwise : a.f; }

static bool nan_to_num(const KernelCall *c) {
    double most = dtype_largest(dtype_real_of(c->in[0].dtype));
    return map_complex(c, ComplexNanToNum{{number_or(c->arg[1], 0), number_or(c->arg[2], most),
                                           number_or(c->arg[3], -most)}});
}

template <class F> static bool three(const KernelCall *c, F f) {
    return for_complex(c->out[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map3<T, T, T, T>(c, &c->out[0], &c->in[0], &c->in[1], &c->in[2], f);
    });
}

static bool addcmul(const KernelCall *c) {
    return three(c, ComplexAddcmul{number_complex(c->arg[3])});
}
static bool addcdiv(const KernelCall *c) {
    return three(c, ComplexAddcdiv{number_complex(c->arg[3])});
}
static bool lerp(const KernelCall *c) { return three(c, ComplexLerp{}); }

const KernelRow gpu_complex_rows[] = {
    {"neg", of_complex<Complex_neg>},
    {"conj_physical", of_complex<Complex_conj>},
    {"abs", of_parts<Complex_abs>},
    {"square", of_complex<Complex_square>},
    {"reciprocal", of_complex<Complex_reciprocal>},
    {"add", add_alpha<Complex_add, 1>},
    {"sub", add_alpha<Complex_sub, -1>},
    {"mul", of_two_complex<Complex_mul>},
    {"div", of_two_complex<Complex_div>},
    {"tanh_backward", of_two_complex<Complex_tanh_backward>},
    {"sigmoid_backward", of_two_complex<Complex_sigmoid_backward>},
    {"addcmul", addcmul},
    {"addcdiv", addcdiv},
    {"lerp", lerp},
    {"nan_to_num", nan_to_num},
    {NULL, NULL}};
