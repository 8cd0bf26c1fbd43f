/* Mathematical functions of one float. */
#include "gpu/elements.cuh"
#include "gpu/numbers.cuh"
#include "tensor/formulas/hyper.h"
#include "tensor/formulas/inverse.h"
#include "tensor/formulas/maths.h"
#include "tensor/formulas/trig.h"

#define PLAIN(X) \
    X(rsqrt)     \
    X(exp2)      \
    X(expm1)     \
    X(log2)      \
    X(log10)     \
    X(log1p)     \
    X(tan)       \
    X(asin)      \
    X(acos) X(atan) X(sinh) X(cosh) X(asinh) X(acosh) X(atanh) X(sinc) X(deg2rad) X(rad2deg) X(frac)
#define TESTS(X) \
    X(signbit)   \
    X(isposinf)  \
    X(isneginf)

#define FUNCTION(name)         \
    OVERLOAD1_FLOATS(f_##name) \
    FUNCTION1(Maths_##name, f_##name)
PLAIN(FUNCTION)

#define TEST(name)                  \
    OVERLOAD1_TEST_FLOATS(f_##name) \
    FUNCTION1(Maths_##name, f_##name)
TESTS(TEST)

NUMBERS_FUNCTION1(Logit, f_logit)
NUMBERS_FUNCTION1(NanToNum, f_nan_to_num)
NUMBERS_FUNCTION1(RoundDecimals, f_round__decimals)

static bool logit(const KernelCall *c) {
    Arg eps = c->arg[1];
    return map_floats(c, Logit{{eps.kind == ARG_NONE ? -1 : eps.f, 0, 0}});
}

static double number_or(Arg a, double otherwise) { return a.kind == ARG_NONE ? otherwise : a.f; }

static bool nan_to_num(const KernelCall *c) {
    int dtype = c->in[0].dtype;
    if (!dtype_is_inexact(dtype)) {
        return gpu_copy_view(c, &c->out[0], &c->in[0]);
    }
    double most = dtype_largest(dtype);
    return map_floats(c, NanToNum{{number_or(c->arg[1], 0), number_or(c->arg[2], most),
                                   number_or(c->arg[3], -most)}});
}

static bool round_decimals(const KernelCall *c) {
    double unit = pow(10, fabs((double)c->arg[1].i));
    return map_floats(c, RoundDecimals{{unit, c->arg[1].i < 0 ? unit : 0, 0}});
}

namespace {

struct Mantissa {
    int32_t exponent;
    __device__ float operator()(float x) { return f_frexp_f32(x, &exponent); }
    __device__ double operator()(double x) { return f_frexp_f64(x, &exponent); }
};

struct Exponent {
    template <class M> __device__ int32_t operator()(M x) const {
        Mantissa m = {0};
        m(x);
        return m.exponent;
    }
};

} // namespace

static bool frexp_rows(const KernelCall *c) {
    return map_floats(c, Mantissa{0}) && for_any_float(c->in[0].dtype, [&](auto zero) {
               return map1<int32_t, decltype(zero)>(c, &c->out[1], &c->in[0], Exponent());
           });
}

namespace {

/* Integers are below 0, or not; they are never infinite. */
struct IsNegative {
    __device__ uint8_t operator()(int64_t a) const { return a < 0; }
};

} // namespace

template <class F, bool sign> static bool test(const KernelCall *c) {
    int dtype = c->in[0].dtype;
    if (dtype_is_float(dtype)) {
        return for_any_float(dtype, [&](auto zero) {
            return map1<uint8_t, decltype(zero)>(c, &c->out[0], &c->in[0], F());
        });
    }
    return sign ? map1<uint8_t, AnyInt>(c, &c->out[0], &c->in[0], IsNegative())
                : gpu_fill_view(c, &c->out[0], whole(0));
}

#define ROW(name) {#name, of_floats<Maths_##name>},
const KernelRow gpu_maths_unary_rows[] = {PLAIN(ROW){"logit", logit},
                                          {"nan_to_num", nan_to_num},
                                          {"round__decimals", round_decimals},

                                          {"frexp", frexp_rows},
                                          {"signbit", test<Maths_signbit, true>},
                                          {"isposinf", test<Maths_isposinf, false>},
                                          {"isneginf", test<Maths_isneginf, false>},
                                          {NULL, NULL}};
