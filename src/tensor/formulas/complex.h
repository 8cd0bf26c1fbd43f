#ifndef TOCHA_FORMULA_COMPLEX_H
#define TOCHA_FORMULA_COMPLEX_H
/* Arithmetic of complex numbers, shared by CPU and CUDA kernels; complex_functions.h has what takes
 * more. */
#include "tensor/dtype.h"
#include "tensor/formulas/hypot.h"

/* A float's square has all its bits in a double. */
TOCHA_HD float f_abs_c64(Complex64 a) {
    double re = (double)a.re, im = (double)a.im;
    return (float)f_sqrt_f64(re * re + im * im);
}
TOCHA_HD double f_abs_c128(Complex128 a) { return f_hypot_f64(a.re, a.im); }

/* X(name): the functions in complex_functions.h of one number that give one. */
#define F_COMPLEX_FUNCTIONS(X) \
    X(exp)                     \
    X(log)                     \
    X(sqrt)                    \
    X(sin)                     \
    X(cos)                     \
    X(tanh)                    \
    X(sigmoid)                 \
    X(sgn)                     \
    X(rsqrt)                   \
    X(sinc)                    \
    X(exp2)                    \
    X(expm1)                   \
    X(log2)                    \
    X(log10)                   \
    X(log1p)                   \
    X(tan)                     \
    X(asin)                    \
    X(acos)                    \
    X(atan)                    \
    X(sinh)                    \
    X(cosh)                    \
    X(asinh)                   \
    X(acosh)                   \
    X(atanh)                   \
    X(silu)                    \
    X(tanhshrink)              \
    X(softsign)

#define C       Complex64
#define T       float
#define NAME(x) x##_c64
#define PART(x) x##_f32
#include "tensor/formulas/complex_type.inc.h"
#undef C
#undef T
#undef NAME
#undef PART

#define C       Complex128
#define T       double
#define NAME(x) x##_c128
#define PART(x) x##_f64
#include "tensor/formulas/complex_type.inc.h"
#undef C
#undef T
#undef NAME
#undef PART

TOCHA_HD Complex128 f_wide_c64(Complex64 a) { return f_make_c128((double)a.re, (double)a.im); }
TOCHA_HD Complex64 f_narrow_c128(Complex128 a) { return f_make_c64((float)a.re, (float)a.im); }
#endif
