/* Conversions between dtypes. */
#include "gpu/convert.cuh"
#include "gpu/walk.cuh"

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
    case DT_UINT8:
    case DT_INT8: return map1<uint8_t, From>(c, dst, src, Convert<uint8_t>());
    default: return no_kernel(dst->dtype);
    }
}

bool gpu_cast_view(const KernelCall *c, const View *dst, const View *src) {
    return for_real(src->dtype, [&](auto zero) { return cast_from<decltype(zero)>(c, dst, src); });
}
