#ifndef TOCHA_GPU_KINDS_CUH
#define TOCHA_GPU_KINDS_CUH
/* Elements whose dtype is known at run time alone, as the few kinds of numbers that they are
 * computed with: a kernel is made for each kind, not for each dtype. */
#include "gpu/kernel.cuh"
#include "tensor/formulas/complex.h"

/* Halves and floats as float, integers and bools as int64, complex numbers as complex128. */
struct FloatIn {
    typedef float Number;
    static __device__ __forceinline__ float get(const void *x, int64_t i, int dtype) {
        return dtype == DT_FLOAT32   ? ((const float *)x)[i]
               : dtype == DT_FLOAT16 ? f_from_f16(((const uint16_t *)x)[i])
                                     : f_from_bf16(((const uint16_t *)x)[i]);
    }
};
struct DoubleIn {
    typedef double Number;
    static __device__ __forceinline__ double get(const void *x, int64_t i, int) {
        return ((const double *)x)[i];
    }
};
struct IntIn {
    typedef int64_t Number;
    static __device__ __forceinline__ int64_t get(const void *x, int64_t i, int dtype) {
        switch (dtype) {
        case DT_INT8: return ((const int8_t *)x)[i];
        case DT_INT16: return ((const int16_t *)x)[i];
        case DT_INT32: return ((const int32_t *)x)[i];
        case DT_INT64: return ((const int64_t *)x)[i];
        default: return ((const uint8_t *)x)[i];
        }
    }
};
struct ComplexIn {
    typedef Complex128 Number;
    static __device__ __forceinline__ Complex128 get(const void *x, int64_t i, int dtype) {
        if (dtype == DT_COMPLEX128) {
            return ((const Complex128 *)x)[i];
        }
        const Complex64 z = ((const Complex64 *)x)[i];
        return f_make_c128(z.re, z.im);
    }
};

/* Element i of to, of a float dtype, becomes v, rounded once. */
static __device__ __forceinline__ void put(void *to, int64_t i, int dtype, double v) {
    switch (dtype) {
    case DT_FLOAT16: ((uint16_t *)to)[i] = f_to_f16((float)v); break;
    case DT_BFLOAT16: ((uint16_t *)to)[i] = f_to_bf16((float)v); break;
    case DT_FLOAT32: ((float *)to)[i] = (float)v; break;
    default: ((double *)to)[i] = v;
    }
}
static __device__ __forceinline__ void put(void *to, int64_t i, int dtype, float v) {
    put(to, i, dtype, (double)v);
}
/* Of an integer dtype or bool: the low bits, or whether it is not 0. */
static __device__ __forceinline__ void put(void *to, int64_t i, int dtype, int64_t v) {
    switch (dtype) {
    case DT_BOOL: ((uint8_t *)to)[i] = v != 0; break;
    case DT_INT16: ((int16_t *)to)[i] = (int16_t)v; break;
    case DT_INT32: ((int32_t *)to)[i] = (int32_t)v; break;
    case DT_INT64: ((int64_t *)to)[i] = v; break;
    default: ((uint8_t *)to)[i] = (uint8_t)v;
    }
}
static __device__ __forceinline__ void put(void *to, int64_t i, int dtype, Complex128 v) {
    if (dtype == DT_COMPLEX128) {
        ((Complex128 *)to)[i] = v;
    } else {
        ((Complex64 *)to)[i] = f_make_c64((float)v.re, (float)v.im);
    }
}

/* Calls f with a value of the kind of a real dtype, which decides nothing but the type. */
template <class F> bool for_real_kind(int dtype, F f) {
    if (dtype_is_complex(dtype)) {
        return no_kernel(dtype);
    }
    return dtype == DT_FLOAT64 ? f(DoubleIn()) : dtype_is_float(dtype) ? f(FloatIn()) : f(IntIn());
}

/* The same, complex dtypes among them. */
template <class F> bool for_kind(int dtype, F f) {
    return dtype_is_complex(dtype) ? f(ComplexIn()) : for_real_kind(dtype, f);
}

#endif
