/* Conversions between dtypes. */
#include "gpu/walk.cuh"
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
FROM_FLOATS(int16_t, i16)
FROM_FLOATS(int32_t, i32)
FROM_FLOATS(int64_t, i64)

struct IsTrue {
    template <class From> __device__ __forceinline__ uint8_t operator()(From x) const {
        return x != 0;
    }
};

template <class From> static bool cast_from(const KernelCall *c, const View *dst, const View *src) {
    switch (dst->dtype) {
    case DT_BOOL: return map1<uint8_t, From>(c, dst, src, IsTrue());
    case DT_INT16: return map1<int16_t, From>(c, dst, src, Convert<int16_t>());
    case DT_INT32: return map1<int32_t, From>(c, dst, src, Convert<int32_t>());
    case DT_INT64: return map1<int64_t, From>(c, dst, src, Convert<int64_t>());
    case DT_FLOAT16: return map1<f16, From>(c, dst, src, Convert<float>());
    case DT_BFLOAT16: return map1<bf16, From>(c, dst, src, Convert<float>());
    case DT_FLOAT32: return map1<float, From>(c, dst, src, Convert<float>());
    case DT_FLOAT64: return map1<double, From>(c, dst, src, Convert<double>());
    default: return map1<uint8_t, From>(c, dst, src, Convert<uint8_t>()); /* both bytes */
    }
}

bool gpu_cast_view(const KernelCall *c, const View *dst, const View *src) {
    return for_real(src->dtype, [&](auto zero) { return cast_from<decltype(zero)>(c, dst, src); });
}
