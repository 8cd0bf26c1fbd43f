/* Conversions to and between complex dtypes, and to bool. A complex number never becomes a real
 * one: its imaginary part would be lost. */
#include "gpu/complex.cuh"

namespace {

struct ComplexIsTrue {
    __device__ uint8_t operator()(Complex64 a) const { return f_is_true_c64(a); }
    __device__ uint8_t operator()(Complex128 a) const { return f_is_true_c128(a); }
};

/* T: the type of its parts. */
template <class C, class T> struct ToComplex {
    __device__ C operator()(Complex64 a) const { return C{(T)a.re, (T)a.im}; }
    __device__ C operator()(Complex128 a) const { return C{(T)a.re, (T)a.im}; }
    template <class M> __device__ C operator()(M x) const { return C{(T)x, (T)0}; }
};

} // namespace

template <class From> static bool cast_from(const KernelCall *c, const View *dst, const View *src) {
    switch (dst->dtype) {
    case DT_COMPLEX64: return map1<Complex64, From>(c, dst, src, ToComplex<Complex64, float>());
    case DT_COMPLEX128: return map1<Complex128, From>(c, dst, src, ToComplex<Complex128, double>());
    default: return no_kernel(dst->dtype);
    }
}

bool gpu_cast_complex_view(const KernelCall *c, const View *dst, const View *src) {
    if (dst->dtype == DT_BOOL) {
        return for_complex(src->dtype, [&](auto zero) {
            return map1<uint8_t, decltype(zero)>(c, dst, src, ComplexIsTrue());
        });
    }
    if (dtype_is_complex(src->dtype)) {
        return src->dtype == DT_COMPLEX64 ? cast_from<Complex64>(c, dst, src)
                                          : cast_from<Complex128>(c, dst, src);
    }
    return for_any(src->dtype, [&](auto zero) { return cast_from<decltype(zero)>(c, dst, src); });
}
