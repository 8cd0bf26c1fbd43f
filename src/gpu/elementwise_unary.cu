/* One element in, one element out. */
#include "gpu/conv_layout.h"
#include "gpu/elements.cuh"
#include "gpu/walk.cuh"
#include "tensor/formulas/explog.h"
#include "tensor/formulas/hyper.h"
#include "tensor/formulas/trig.h"

OVERLOAD1_REALS(neg_of)
OVERLOAD1_INTS(abs_of)
OVERLOAD1_FLOATS(f_abs)
OVERLOAD1_REALS(sign_of)
OVERLOAD1_REALS(relu_of)
OVERLOAD1_REALS(square_of)
OVERLOAD1_FLOATS(reciprocal_of)
OVERLOAD1_FLOATS(floor_of)
OVERLOAD1_FLOATS(ceil_of)
OVERLOAD1_FLOATS(round_of)
OVERLOAD1_FLOATS(trunc_of)
OVERLOAD1_FLOATS(angle_of)
OVERLOAD1_FLOATS(f_exp)
OVERLOAD1_FLOATS(f_log)
OVERLOAD1_FLOATS(f_sqrt)
OVERLOAD1_FLOATS(f_tanh)
OVERLOAD1_FLOATS(f_sigmoid)
OVERLOAD1_FLOATS(f_sin)
OVERLOAD1_FLOATS(f_cos)
OVERLOAD1_INTS(bitwise_not_of)
OVERLOAD1_TEST_FLOATS(isnan_of)
OVERLOAD1_TEST_FLOATS(isinf_of)
OVERLOAD1_TEST_FLOATS(isfinite_of)
OVERLOAD1_TESTS(logical_not_of)

TOCHA_HD float abs_of(float a) { return f_abs(a); }
TOCHA_HD double abs_of(double a) { return f_abs(a); }

FUNCTION1(Neg, neg_of)
FUNCTION1(Abs, abs_of)
FUNCTION1(Sign, sign_of)
FUNCTION1(Relu, relu_of)
FUNCTION1(Square, square_of)
FUNCTION1(Reciprocal, reciprocal_of)
FUNCTION1(Floor, floor_of)
FUNCTION1(Ceil, ceil_of)
FUNCTION1(Round, round_of)
FUNCTION1(Trunc, trunc_of)
FUNCTION1(Angle, angle_of)
FUNCTION1(Exp, f_exp)
FUNCTION1(Log, f_log)
FUNCTION1(Sqrt, f_sqrt)
FUNCTION1(Tanh, f_tanh)
FUNCTION1(Sigmoid, f_sigmoid)
FUNCTION1(Sin, f_sin)
FUNCTION1(Cos, f_cos)
FUNCTION1(BitwiseNot, bitwise_not_of)
FUNCTION1(IsNan, isnan_of)
FUNCTION1(IsInf, isinf_of)
FUNCTION1(IsFinite, isfinite_of)
FUNCTION1(LogicalNot, logical_not_of)

template <class F> static bool of_reals(const KernelCall *c) {
    return for_any(c->in[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map1<T, T>(c, &c->out[0], &c->in[0], F());
    });
}

/* Rounding, which leaves integers as they are. */
template <class F> static bool rounding(const KernelCall *c) {
    return dtype_is_float(c->in[0].dtype) ? of_floats<F>(c)
                                          : gpu_copy_view(c, &c->out[0], &c->in[0]);
}

template <class F> static bool test(const KernelCall *c) {
    return for_any(c->in[0].dtype, [&](auto zero) {
        return map1<uint8_t, decltype(zero)>(c, &c->out[0], &c->in[0], F());
    });
}

static bool bitwise_not(const KernelCall *c) {
    return c->in[0].dtype == DT_BOOL ? test<LogicalNot>(c)
                                     : map1<AnyInt, AnyInt>(c, &c->out[0], &c->in[0], BitwiseNot());
}

/* A test of floats that all integers answer alike. */
template <class F, int answer> static bool float_test(const KernelCall *c) {
    if (!dtype_is_float(c->in[0].dtype)) {
        return gpu_fill_view(c, &c->out[0], whole(answer));
    }
    return for_any_float(c->in[0].dtype, [&](auto zero) {
        return map1<uint8_t, decltype(zero)>(c, &c->out[0], &c->in[0], F());
    });
}

bool gpu_conv_relu(const KernelCall *c, const View *x) {
    return for_any_float(x->dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map1<T, T>(c, x, x, Relu());
    });
}

const KernelRow gpu_unary_rows[] = {{"neg", of_reals<Neg>},
                                    {"abs", of_reals<Abs>},
                                    {"sign", of_reals<Sign>},
                                    {"sgn", of_reals<Sign>},
                                    {"exp", of_floats<Exp>},
                                    {"log", of_floats<Log>},
                                    {"sqrt", of_floats<Sqrt>},
                                    {"tanh", of_floats<Tanh>},
                                    {"sigmoid", of_floats<Sigmoid>},
                                    {"relu", of_reals<Relu>},
                                    {"sin", of_floats<Sin>},
                                    {"cos", of_floats<Cos>},
                                    {"square", of_reals<Square>},
                                    {"reciprocal", of_floats<Reciprocal>},
                                    {"floor", rounding<Floor>},
                                    {"ceil", rounding<Ceil>},
                                    {"round", rounding<Round>},
                                    {"trunc", rounding<Trunc>},
                                    {"angle", of_floats<Angle>},
                                    {"bitwise_not", bitwise_not},
                                    {"isnan", float_test<IsNan, 0>},
                                    {"isinf", float_test<IsInf, 0>},
                                    {"isfinite", float_test<IsFinite, 1>},
                                    {"logical_not", test<LogicalNot>},
                                    {NULL, NULL}};
