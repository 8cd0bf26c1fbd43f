#ifndef TOCHA_GPU_ELEMENTS_CUH
#define TOCHA_GPU_ELEMENTS_CUH
/* The formulas of tensor/formulas under one name for all types. */
#include "tensor/formulas/elements.h"

#define OVERLOAD1(R, T, S, name) \
    TOCHA_HD R name(T a) { return name##_##S(a); }
#define OVERLOAD2(R, T, S, name) \
    TOCHA_HD R name(T a, T b) { return name##_##S(a, b); }

/* name(a) of the type that it is computed with: of floats, of integers (AnyInt), of both. */
#define OVERLOAD1_FLOATS(name) \
    OVERLOAD1(float, float, f32, name) OVERLOAD1(double, double, f64, name)
#define OVERLOAD1_INTS(name)  OVERLOAD1(int64_t, int64_t, i64, name)
#define OVERLOAD1_REALS(name) OVERLOAD1_FLOATS(name) OVERLOAD1_INTS(name)
#define OVERLOAD2_FLOATS(name) \
    OVERLOAD2(float, float, f32, name) OVERLOAD2(double, double, f64, name)
#define OVERLOAD2_INTS(name)  OVERLOAD2(int64_t, int64_t, i64, name)
#define OVERLOAD2_REALS(name) OVERLOAD2_FLOATS(name) OVERLOAD2_INTS(name)
/* name(a) and name(a, b) that are true or false. */
#define OVERLOAD1_TEST_FLOATS(name) \
    OVERLOAD1(uint8_t, float, f32, name) OVERLOAD1(uint8_t, double, f64, name)
#define OVERLOAD1_TESTS(name) OVERLOAD1_TEST_FLOATS(name) OVERLOAD1(uint8_t, int64_t, i64, name)
#define OVERLOAD2_TESTS(name)             \
    OVERLOAD2(uint8_t, float, f32, name)  \
    OVERLOAD2(uint8_t, double, f64, name) \
    OVERLOAD2(uint8_t, int64_t, i64, name)

/* The function of one or two elements as a type, which a kernel is made for. */
#define FUNCTION1(Name, function)                                                  \
    namespace {                                                                    \
    struct Name {                                                                  \
        template <class T> __device__ __forceinline__ auto operator()(T a) const { \
            return function(a);                                                    \
        }                                                                          \
    };                                                                             \
    }
#define FUNCTION2(Name, function)                                                       \
    namespace {                                                                         \
    struct Name {                                                                       \
        template <class T> __device__ __forceinline__ auto operator()(T a, T b) const { \
            return function(a, b);                                                      \
        }                                                                               \
    };                                                                                  \
    }

#endif
