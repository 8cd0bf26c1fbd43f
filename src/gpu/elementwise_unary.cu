/* One element in, one element out. */
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
OVERLOAD1_TEST_FLOATS(logical_not_of)
OVERLOAD1_TEST_INTS(logical_not_of)

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
    return for_real(c->in[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map1<T, T>(c, &c->out[0], &c->in[0], F());
    });
}

/* For functions that treat signed and unsigned bytes alike. */
template <class F> static bool of_wrapping_ints(const KernelCall *c) {
    return for_wrapping_int(c->in[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        return map1<T, T>(c, &c->out[0], &c->in[0], F());
    });
}

template <class F> static bool of_wrapping(const KernelCall *c) {
    return dtype_is_float(c->in[0].dtype) ? of_floats<F>(c) : of_wrapping_ints<F>(c);
}

/* Rounding, which leaves integers as they are. */
template <class F> static bool rounding(const KernelCall *c) {
    return dtype_is_float(c->in[0].dtype) ? of_floats<F>(c)
                                          : gpu_copy_view(c, &c->out[0], &c->in[0]);
}

static bool bitwise_not(const KernelCall *c) {
    if (c->in[0].dtype == DT_BOOL) {
        return map1<uint8_t, uint8_t>(c, &c->out[0], &c->in[0], LogicalNot());
    }
    return of_wrapping_ints<BitwiseNot>(c);
}

template <class F> static bool test_floats(const KernelCall *c) {
    return for_float(c->in[0].dtype, [&](auto zero) {
        return map1<uint8_t, decltype(zero)>(c, &c->out[0], &c->in[0], F());
    });
}

/* A test of floats that all integers answer alike. */
template <class F, int answer> static bool float_test(const KernelCall *c) {
    if (dtype_is_float(c->in[0].dtype)) {
        return test_floats<F>(c);
    }
    Arg number = Arg();
    number.kind = ARG_INT;
    number.i = answer;
    return gpu_fill_view(c, &c->out[0], number);
}

static bool logical_not(const KernelCall *c) {
    if (dtype_is_float(c->in[0].dtype)) {
        return test_floats<LogicalNot>(c);
    }
    return for_wrapping_int(c->in[0].dtype, [&](auto zero) {
        return map1<uint8_t, decltype(zero)>(c, &c->out[0], &c->in[0], LogicalNot());
    });
}

const KernelRow gpu_unary_rows[] = {{"neg", of_wrapping<Neg>},
                                    {"abs", of_reals<Abs>},
                                    {"sign", of_reals<Sign>},
                                    {"exp", of_floats<Exp>},
                                    {"log", of_floats<Log>},
                                    {"sqrt", of_floats<Sqrt>},
                                    {"tanh", of_floats<Tanh>},
                                    {"sigmoid", of_floats<Sigmoid>},
                                    {"relu", of_reals<Relu>},
                                    {"sin", of_floats<Sin>},
                                    {"cos", of_floats<Cos>},
                                    {"square", of_wrapping<Square>},
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
                                    {"logical_not", logical_not},
                                    {NULL, NULL}};
