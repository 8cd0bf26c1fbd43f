#include "formulas_unary.h"
#include "tensor/formulas/activation.h"

static const FNumbersF32 none_f32 = {0};
static const FNumbersF64 none_f64 = {0};

#define WITHOUT_NUMBERS(name)                                                                     \
    static inline float f_plain_##name##_f32(float x) { return f_act_##name##_f32(x, none_f32); } \
    static inline double f_plain_##name##_f64(double x) {                                         \
        return f_act_##name##_f64(x, none_f64);                                                   \
    }                                                                                             \
    UNARY_LOOPS(plain_##name)
WITHOUT_NUMBERS(silu)
WITHOUT_NUMBERS(mish)
WITHOUT_NUMBERS(gelu_tanh)
WITHOUT_NUMBERS(hardswish)

extern const UnaryLoops ISA_NAME(activation_loops)[];
const UnaryLoops ISA_NAME(activation_loops)[] = {
    {plain_silu_f32_loop, plain_silu_f64_loop},
    {plain_mish_f32_loop, plain_mish_f64_loop},
    {plain_gelu_tanh_f32_loop, plain_gelu_tanh_f64_loop},
    {plain_hardswish_f32_loop, plain_hardswish_f64_loop},
};
