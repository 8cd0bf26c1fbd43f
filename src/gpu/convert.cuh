#ifndef TOCHA_GPU_CONVERT_CUH
#define TOCHA_GPU_CONVERT_CUH
/* From one type of numbers to another. */
#include "gpu/kernel.cuh"
#include "tensor/formulas/integer.h"

/* How an element that is computed with as From becomes one that is computed with as M. */
template <class M> struct Convert {
    template <class From> __device__ __forceinline__ M operator()(From x) const { return (M)x; }
};

/* Floats to integers go by the formulas, which say what becomes of those out of range. */
#define FROM_FLOATS(T, S)                                                                         \
    template <> template <> __device__ __forceinline__ T Convert<T>::operator()(float x) const {  \
        return f_to_##S##_f32(x);                                                                 \
    }                                                                                             \
    template <> template <> __device__ __forceinline__ T Convert<T>::operator()(double x) const { \
        return f_to_##S##_f64(x);                                                                 \
    }
FROM_FLOATS(uint8_t, u8)
FROM_FLOATS(int8_t, i8)
FROM_FLOATS(int16_t, i16)
FROM_FLOATS(int32_t, i32)
FROM_FLOATS(int64_t, i64)

#endif
