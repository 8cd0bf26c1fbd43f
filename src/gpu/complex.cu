/* Arithmetic of complex numbers. */
#include "gpu/complex.cuh"

COMPLEX_FUNCTION1(Neg, neg)
COMPLEX_FUNCTION1(Conj, conj)
COMPLEX_FUNCTION1(Abs, abs)
COMPLEX_FUNCTION1(Square, square)
COMPLEX_FUNCTION1(Reciprocal, reciprocal)
COMPLEX_FUNCTION2(Add, add)
COMPLEX_FUNCTION2(Sub, sub)
COMPLEX_FUNCTION2(Mul, mul)
COMPLEX_FUNCTION2(Div, div)
COMPLEX_FUNCTION2(TanhBackward, tanh_backward)
COMPLEX_FUNCTION2(SigmoidBackward, sigmoid_backward)

/* Formulas with a real number at the end. */
struct AddScaled {
    double alpha;
    __device__ Complex64 operator()(Complex64 a, Complex64 b) const {
        return f_add_scaled_c64(a, b, (float)alpha);
    }
    __device__ Complex128 operator()(Complex128 a, Complex128 b) const {
        return f_add_scaled_c128(a, b, alpha);
    }
};

struct Addcmul {
    double value;
    __device__ Complex64 operator()(Complex64 x, Complex64 y, Complex64 z) const {
        return f_addcmul_c64(x, y, z, (float)value);
    }
    __device__ Complex128 operator()(Complex128 x, Complex128 y, Complex128 z) const {
        return f_addcmul_c128(x, y, z, value);
    }
};

struct Addcdiv {
    double value;
    __device__ Complex64 operator()(Complex64 x, Complex64 y, Complex64 z) const {
        return f_addcdiv_c64(x, y, z, (float)value);
    }
    __device__ Complex128 operator()(Complex128 x, Complex128 y, Complex128 z) const {
        return f_addcdiv_c128(x, y, z, value);
    }
};

struct Lerp {
    __device__ Complex64 operator()(Complex64 x, Complex64 y, Complex64 z) const {
        return f_lerp_c64(x, y, z);
    }
    __device__ Complex128 operator()(Complex128 x, Complex128 y, Complex128 z) const {
        return f_lerp_c128(x, y, z);
    }
};

static double real_of(Arg a) { return a.kind == ARG_FLOAT ? a.f : (double)a.i; }

/* input + sign * alpha * other; alpha is argument 2. */
template <class Plain, int sign> static bool add_alpha(const KernelCall *c) {
    double alpha = sign * real_of(c->arg[2]);
    return alpha == sign ? of_two_complex<Plain>(c) : zip_complex(c, AddScaled{alpha});
}

template <class F> static bool three(const KernelCall *c, F f) {
    return for_complex(c->out[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map3<T, T, T, T>(c, &c->out[0], &c->in[0], &c->in[1], &c->in[2], f);
    });
}

static bool addcmul(const KernelCall *c) { return three(c, Addcmul{real_of(c->arg[3])}); }
static bool addcdiv(const KernelCall *c) { return three(c, Addcdiv{real_of(c->arg[3])}); }
static bool lerp(const KernelCall *c) { return three(c, Lerp()); }

const KernelRow gpu_complex_rows[] = {{"neg", of_complex<Neg>},
                                      {"conj_physical", of_complex<Conj>},
                                      {"abs", of_parts<Abs>},
                                      {"square", of_complex<Square>},
                                      {"reciprocal", of_complex<Reciprocal>},
                                      {"add", add_alpha<Add, 1>},
                                      {"sub", add_alpha<Sub, -1>},
                                      {"mul", of_two_complex<Mul>},
                                      {"div", of_two_complex<Div>},
                                      {"tanh_backward", of_two_complex<TanhBackward>},
                                      {"sigmoid_backward", of_two_complex<SigmoidBackward>},
                                      {"addcmul", addcmul},
                                      {"addcdiv", addcdiv},
                                      {"lerp", lerp},
                                      {NULL, NULL}};
