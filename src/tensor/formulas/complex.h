#ifndef TOCHA_FORMULA_COMPLEX_H
#define TOCHA_FORMULA_COMPLEX_H
/* Arithmetic of complex numbers, shared by CPU and CUDA kernels. */
#include "tensor/dtype.h"
#include "tensor/formulas/formula.h"

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
#endif
