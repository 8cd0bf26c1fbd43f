/* Arithmetic of two elements. */
#include "gpu/elements.cuh"
#include "gpu/fault.cuh"
#include "gpu/walk.cuh"

OVERLOAD2_REALS(add_of)
OVERLOAD2_REALS(sub_of)
OVERLOAD2_REALS(mul_of)
OVERLOAD2_FLOATS(div_of)
OVERLOAD2_REALS(pow_of)
OVERLOAD2_REALS(maximum_of)
OVERLOAD2_REALS(minimum_of)
OVERLOAD2_INTS(floor_divide_of)
OVERLOAD2_INTS(remainder_of)
OVERLOAD2_INTS(bitwise_and_of)
OVERLOAD2_INTS(bitwise_or_of)
OVERLOAD2_INTS(bitwise_xor_of)
OVERLOAD2_FLOATS(tanh_backward_of)
OVERLOAD2_FLOATS(sigmoid_backward_of)
OVERLOAD2_FLOATS(relu_backward_of)
OVERLOAD2(uint8_t, float, f32, is_far)
OVERLOAD2(uint8_t, double, f64, is_far)
OVERLOAD2_FLOATS(remainder_near)
OVERLOAD2_FLOATS(remainder_any)
OVERLOAD2_FLOATS(floor_divide_near)
OVERLOAD2_FLOATS(floor_divide_any)

FUNCTION2(Add, add_of)
FUNCTION2(Sub, sub_of)
FUNCTION2(Mul, mul_of)
FUNCTION2(Div, div_of)
FUNCTION2(Maximum, maximum_of)
FUNCTION2(Minimum, minimum_of)
FUNCTION2(Pow, pow_of)
FUNCTION2(BitwiseAnd, bitwise_and_of)
FUNCTION2(BitwiseOr, bitwise_or_of)
FUNCTION2(BitwiseXor, bitwise_xor_of)
FUNCTION2(TanhBackward, tanh_backward_of)
FUNCTION2(SigmoidBackward, sigmoid_backward_of)
FUNCTION2(ReluBackward, relu_backward_of)

struct FloorDivide {
    template <class T> __device__ T operator()(T a, T b) const {
        return is_far(a, b) ? floor_divide_any(a, b) : floor_divide_near(a, b);
    }
};

struct Remainder {
    template <class T> __device__ T operator()(T a, T b) const {
        return is_far(a, b) ? remainder_any(a, b) : remainder_near(a, b);
    }
};

/* Integers: an other that has no result is reported. */
struct FloorDivideInt {
    GpuFaultSite site;
    template <class T> __device__ T operator()(T a, T b) const {
        if (b == 0) {
            fault_report(site, FAULT_TEXT, 0, 0, 0);
        }
        return floor_divide_of(a, b);
    }
};

struct RemainderInt {
    GpuFaultSite site;
    template <class T> __device__ T operator()(T a, T b) const {
        if (b == 0) {
            fault_report(site, FAULT_TEXT, 0, 0, 0);
        }
        return remainder_of(a, b);
    }
};

struct PowInt {
    GpuFaultSite site;
    template <class T> __device__ T operator()(T a, T b) const {
        if (f_sign_of(b) < 0) {
            fault_report(site, FAULT_TEXT, 0, 0, 0);
        }
        return pow_of(a, b);
    }
    static __device__ int f_sign_of(uint8_t) { return 1; }
    template <class T> static __device__ int f_sign_of(T x) { return x < 0 ? -1 : 1; }
};

/* input + alpha * other. */
template <class M> struct AddScaled {
    M alpha;
    __device__ M operator()(M a, M b) const { return add_of(a, mul_of(alpha, b)); }
};

template <class T, class F> static bool pair(const KernelCall *c, F f) {
    return map2<T, T, T>(c, &c->out[0], &c->in[0], &c->in[1], f);
}

template <class F> static bool of_wrapping_ints(const KernelCall *c) {
    return for_wrapping_int(c->out[0].dtype,
                            [&](auto zero) { return pair<decltype(zero)>(c, F()); });
}

template <class F> static bool of_reals(const KernelCall *c) {
    return for_real(c->out[0].dtype, [&](auto zero) { return pair<decltype(zero)>(c, F()); });
}

/* ints: for bool, whose arithmetic is logic. */
template <class F, class Bool> static bool arithmetic(const KernelCall *c) {
    if (dtype_is_float(c->out[0].dtype)) {
        return of_two_floats<F>(c);
    }
    return c->out[0].dtype == DT_BOOL ? pair<uint8_t>(c, Bool()) : of_wrapping_ints<F>(c);
}

template <class T> static bool add_scaled(const KernelCall *c, double alpha, int64_t whole) {
    bool is_float = dtype_is_float(c->out[0].dtype);
    AddScaled<Math<T>> f = {is_float ? (Math<T>)alpha : (Math<T>)whole};
    return pair<T>(c, f);
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
        return alpha.i != 0 ? pair<uint8_t>(c, BitwiseOr())
                            : gpu_copy_view(c, &c->out[0], &c->in[0]);
    }
    double real = sign * (alpha.kind == ARG_FLOAT ? alpha.f : (double)alpha.i);
    int64_t whole = sign < 0 ? (int64_t)(0 - (uint64_t)alpha.i) : alpha.i;
    if (dtype_is_float(dtype)) {
        return for_float(dtype,
                         [&](auto zero) { return add_scaled<decltype(zero)>(c, real, whole); });
    }
    return for_wrapping_int(dtype,
                            [&](auto zero) { return add_scaled<decltype(zero)>(c, real, whole); });
}

static const char *const zero_divisor =
    "other has a 0, and integers cannot be divided by it; convert to float";
static const char *const negative_power =
    "integers cannot have negative powers; convert input to float";

/* Of floats F, of integers Int, which reports what has no result with that sentence. */
template <class F, class Int> static bool reporting(const KernelCall *c, const char *sentence) {
    if (dtype_is_float(c->out[0].dtype)) {
        return of_two_floats<F>(c);
    }
    Int f = {gpu_fault_site(c, sentence, NULL)};
    return for_int(c->out[0].dtype, [&](auto zero) { return pair<decltype(zero)>(c, f); });
}

static bool floor_divide(const KernelCall *c) {
    return reporting<FloorDivide, FloorDivideInt>(c, zero_divisor);
}

static bool remainder_rows(const KernelCall *c) {
    return reporting<Remainder, RemainderInt>(c, zero_divisor);
}

static bool pow_rows(const KernelCall *c) { return reporting<Pow, PowInt>(c, negative_power); }

const KernelRow gpu_binary_rows[] = {{"add", add_alpha<Add, 1>},
                                     {"sub", add_alpha<Sub, -1>},
                                     {"mul", arithmetic<Mul, BitwiseAnd>},
                                     {"div", of_two_floats<Div>},
                                     {"pow", pow_rows},
                                     {"maximum", of_reals<Maximum>},
                                     {"minimum", of_reals<Minimum>},
                                     {"floor_divide", floor_divide},
                                     {"remainder", remainder_rows},
                                     {"bitwise_and", of_wrapping_ints<BitwiseAnd>},
                                     {"bitwise_or", of_wrapping_ints<BitwiseOr>},
                                     {"bitwise_xor", of_wrapping_ints<BitwiseXor>},
                                     {"tanh_backward", of_two_floats<TanhBackward>},
                                     {"sigmoid_backward", of_two_floats<SigmoidBackward>},
                                     {"relu_backward", of_two_floats<ReluBackward>},
                                     {NULL, NULL}};
