/* Arithmetic of two elements. */
#include "gpu/elements.cuh"
#include "gpu/walk.cuh"

OVERLOAD2_REALS(add_of)
OVERLOAD2_REALS(sub_of)
OVERLOAD2_REALS(mul_of)
OVERLOAD2_FLOATS(div_of)
OVERLOAD2_REALS(maximum_of)
OVERLOAD2_REALS(minimum_of)
OVERLOAD2_INTS(bitwise_and_of)
OVERLOAD2_INTS(bitwise_or_of)
OVERLOAD2_INTS(bitwise_xor_of)
OVERLOAD2_FLOATS(tanh_backward_of)
OVERLOAD2_FLOATS(sigmoid_backward_of)
OVERLOAD2_FLOATS(relu_backward_of)

FUNCTION2(Add, add_of)
FUNCTION2(Sub, sub_of)
FUNCTION2(Mul, mul_of)
FUNCTION2(Div, div_of)
FUNCTION2(Maximum, maximum_of)
FUNCTION2(Minimum, minimum_of)
FUNCTION2(BitwiseAnd, bitwise_and_of)
FUNCTION2(BitwiseOr, bitwise_or_of)
FUNCTION2(BitwiseXor, bitwise_xor_of)
FUNCTION2(TanhBackward, tanh_backward_of)
FUNCTION2(SigmoidBackward, sigmoid_backward_of)
FUNCTION2(ReluBackward, relu_backward_of)

namespace {

/* input + alpha * other. */
template <class M> struct AddScaled {
    M alpha;
    __device__ M operator()(M a, M b) const { return add_of(a, mul_of(alpha, b)); }
};

} // namespace

/* Bool: for bool, whose arithmetic is logic. */
template <class F, class Bool> static bool arithmetic(const KernelCall *c) {
    return c->out[0].dtype == DT_BOOL ? of_two_ints<Bool>(c) : of_two<F>(c);
}

static bool add_scaled(const KernelCall *c, double alpha, int64_t whole) {
    bool is_float = dtype_is_float(c->out[0].dtype);
    return for_any(c->out[0].dtype, [&](auto zero) {
        typedef decltype(zero) T;
        AddScaled<Math<T>> f = {is_float ? (Math<T>)alpha : (Math<T>)whole};
        return map2<T, T, T>(c, &c->out[0], &c->in[0], &c->in[1], f);
    });
}

/* input + sign * alpha * other; alpha is argument 2. */
template <class Plain, int sign> static bool add_alpha(const KernelCall *c) {
    Arg alpha = c->arg[2];
    int dtype = c->out[0].dtype;
    if (alpha.kind != ARG_FLOAT && alpha.i == 1) {
        return arithmetic<Plain, BitwiseOr>(c);
    }
    if (alpha.kind == ARG_FLOAT && !dtype_is_float(dtype)) {
        return fail("%s: alpha must be an integer for %s tensors, got %g", c->name,
                    dtype_name(dtype), alpha.f);
    }
    if (dtype == DT_BOOL) {
        return alpha.i != 0 ? of_two_ints<BitwiseOr>(c) : gpu_copy_view(c, &c->out[0], &c->in[0]);
    }
    double real = sign * (alpha.kind == ARG_FLOAT ? alpha.f : (double)alpha.i);
    return add_scaled(c, real, sign < 0 ? (int64_t)(0 - (uint64_t)alpha.i) : alpha.i);
}

const KernelRow gpu_binary_rows[] = {{"add", add_alpha<Add, 1>},
                                     {"sub", add_alpha<Sub, -1>},
                                     {"mul", arithmetic<Mul, BitwiseAnd>},
                                     {"div", of_two_floats<Div>},
                                     {"maximum", of_two<Maximum>},
                                     {"minimum", of_two<Minimum>},
                                     {"bitwise_and", of_two_ints<BitwiseAnd>},
                                     {"bitwise_or", of_two_ints<BitwiseOr>},
                                     {"bitwise_xor", of_two_ints<BitwiseXor>},
                                     {"tanh_backward", of_two_floats<TanhBackward>},
                                     {"sigmoid_backward", of_two_floats<SigmoidBackward>},
                                     {"relu_backward", of_two_floats<ReluBackward>},
                                     {NULL, NULL}};
