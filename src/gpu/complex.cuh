#ifndef TOCHA_GPU_COMPLEX_CUH
#define TOCHA_GPU_COMPLEX_CUH
/* Complex numbers. Rows of the families marked COMPLEX in families.def take the calls with complex
 * tensors (backend.c). */
#include "gpu/kernel.cuh"
#include "tensor/formulas/complex.h"

/* Calls f with a value of the complex type, which decides nothing but the type. */
template <class F> bool for_complex(int dtype, F f) {
    switch (dtype) {
    case DT_COMPLEX64: return f(Complex64());
    case DT_COMPLEX128: return f(Complex128());
    default: return no_kernel(dtype);
    }
}

/* The formulas of tensor/formulas/complex.h under one name for both types. */
#define COMPLEX_OVERLOAD1(R64, R128, name)                   \
    TOCHA_HD R64 name(Complex64 a) { return name##_c64(a); } \
    TOCHA_HD R128 name(Complex128 a) { return name##_c128(a); }
#define COMPLEX_OVERLOAD2(R64, R128, name)                                   \
    TOCHA_HD R64 name(Complex64 a, Complex64 b) { return name##_c64(a, b); } \
    TOCHA_HD R128 name(Complex128 a, Complex128 b) { return name##_c128(a, b); }

/* gpu_cast_view where one of the dtypes is complex. */
bool gpu_cast_complex_view(const KernelCall *c, const View *dst, const View *src);

#endif
