/* Arithmetic of complex numbers. */
#include "gpu/complex.cuh"

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

/* Formulas with a real number at the end. */
struct ComplexAddScaled {
    double alpha;
    __device__ Complex64 operator()(Complex64 a, Complex64 b) const {
        return f_add_scaled_c64(a, b, (float)alpha);
    }
    __device__ Complex128 operator()(Complex128 a, Complex128 b) const {
        return f_add_scaled_c128(a, b, alpha);
    }
};

struct ComplexAddcmul {
    double value;
    __device__ Complex64 operator()(Complex64 x, Complex64 y, Complex64 z) const {
        return f_addcmul_c64(x, y, z, (float)value);
    }
    __device__ Complex128 operator()(Complex128 x, Complex128 y, Complex128 z) const {
        return f_addcmul_c128(x, y, z, value);
    }
};

struct ComplexAddcdiv {
    double value;
    __device__ Complex64 operator()(Complex64 x, Complex64 y, Complex64 z) const {
        return f_addcdiv_c64(x, y, z, (float)value);
    }
    __device__ Complex128 operator()(Complex128 x, Complex128 y, Complex128 z) const {
        return f_addcdiv_c128(x, y, z, value);
    }
};

struct ComplexLerp {
    __device__ Complex64 operator()(Complex64 x, Complex64 y, Complex64 z) const {
        return f_lerp_c64(x, y, z);
    }
    __device__ Complex128 operator()(Complex128 x, Complex128 y, Complex128 z) const {
        return f_lerp_c128(x, y, z);
    }
};

} // namespace

static double real_of(Arg a) { return a.kind == ARG_FLOAT ? a.f : (double)a.i; }

/* input + sign * alpha * other; alpha is argument 2. */
template <class Plain, int sign> static bool add_alpha(const KernelCall *c) {
    double alpha = sign * real_of(c->arg[2]);
    return alpha == sign ? of_two_complex<Plain>(c) : zip_complex(c, ComplexAddScaled{alpha});
}

template <class F> static bool three(const KernelCall *c, F f) {
    return for_complex(c->out[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map3<T, T, T, T>(c, &c->out[0], &c->in[0], &c->in[1], &c->in[2], f);
    });
}

static bool addcmul(const KernelCall *c) { return three(c, ComplexAddcmul{real_of(c->arg[3])}); }
static bool addcdiv(const KernelCall *c) { return three(c, ComplexAddcdiv{real_of(c->arg[3])}); }
static bool lerp(const KernelCall *c) { return three(c, ComplexLerp()); }

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
    {NULL, NULL}};
