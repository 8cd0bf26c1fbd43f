/* Conversions between real dtypes; those of complex numbers are in cast_complex.cu. */
#include "gpu/walk.cuh"
#include "tensor/formulas/integer.h"

namespace {

struct IsTrue {
    template <class M> __device__ __forceinline__ uint8_t operator()(M x) const { return x != 0; }
};

/* To an integer, of which the low bits are stored. wide: to int64, else as to int32, since that is
 * where the formulas say what becomes of floats out of range. */
struct ToInt {
    bool wide;
    __device__ int64_t operator()(int64_t x) const { return x; }
    __device__ int64_t operator()(float x) const {
        return wide ? f_to_i64_f32(x) : f_to_i32_f32(x);
    }
    __device__ int64_t operator()(double x) const {
        return wide ? f_to_i64_f64(x) : f_to_i32_f64(x);
    }
};

template <class M> struct To {
    template <class From> __device__ __forceinline__ M operator()(From x) const { return (M)x; }
};

} // namespace

bool gpu_cast_view(const KernelCall *c, const View *dst, const View *src) {
    int to = dst->dtype;
    if (dtype_is_complex(to) || dtype_is_complex(src->dtype)) {
        return gpu_cast_complex_view(c, dst, src);
    }
    return for_any(src->dtype, [&](auto zero) {
        typedef decltype(zero) From;
        switch (to) {
        case DT_BOOL: return map1<uint8_t, From>(c, dst, src, IsTrue());
        case DT_FLOAT64: return map1<double, From>(c, dst, src, To<double>());
        case DT_FLOAT32:
        case DT_FLOAT16:
        case DT_BFLOAT16: return map1<AnyFloat, From>(c, dst, src, To<float>());
        default: return map1<AnyInt, From>(c, dst, src, ToInt{to == DT_INT64});
        }
    });
}
