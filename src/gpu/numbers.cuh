#ifndef TOCHA_GPU_NUMBERS_CUH
#define TOCHA_GPU_NUMBERS_CUH
/* Formulas that take numbers besides their elements (tensor/formulas/numbers.h). */
#include "gpu/walk.cuh"
#include "tensor/formulas/numbers.h"

/* They are told as doubles, and rounded to the type that is computed with. */
struct Numbers {
    double a, b, c;
    __device__ __forceinline__ FNumbersF32 f32() const {
        return FNumbersF32{(float)a, (float)b, (float)c};
    }
    __device__ __forceinline__ FNumbersF64 f64() const { return FNumbersF64{a, b, c}; }
};

/* Name{numbers}(a), Name{numbers}(a, b) and Name{numbers}(a, b, c). */
#define NUMBERS_FUNCTION1(Name, function)                              \
    namespace {                                                        \
    struct Name {                                                      \
        Numbers n;                                                     \
        __device__ __forceinline__ float operator()(float a) const {   \
            return function##_f32(a, n.f32());                         \
        }                                                              \
        __device__ __forceinline__ double operator()(double a) const { \
            return function##_f64(a, n.f64());                         \
        }                                                              \
    };                                                                 \
    }
#define NUMBERS_FUNCTION2(Name, function)                                        \
    namespace {                                                                  \
    struct Name {                                                                \
        Numbers n;                                                               \
        __device__ __forceinline__ float operator()(float a, float b) const {    \
            return function##_f32(a, b, n.f32());                                \
        }                                                                        \
        __device__ __forceinline__ double operator()(double a, double b) const { \
            return function##_f64(a, b, n.f64());                                \
        }                                                                        \
    };                                                                           \
    }
#define NUMBERS_FUNCTION3(Name, function)                                                  \
    namespace {                                                                            \
    struct Name {                                                                          \
        Numbers n;                                                                         \
        __device__ __forceinline__ float operator()(float a, float b, float c) const {     \
            return function##_f32(a, b, c, n.f32());                                       \
        }                                                                                  \
        __device__ __forceinline__ double operator()(double a, double b, double c) const { \
            return function##_f64(a, b, c, n.f64());                                       \
        }                                                                                  \
    };                                                                                     \
    }

#endif
