/* Dense loops of complex elements: arithmetic and tests. */
#include "cpu/kernels/elementwise_complex.h"

#include "cpu/kernels/elementwise_loops.h"

#define C       Complex64
#define P       float
#define NAME(x) x##_c64
#define PART(x) x##_f32
#include "cpu/kernels/elementwise_complex.inc.c"
#undef C
#undef P
#undef NAME
#undef PART

#define C       Complex128
#define P       double
#define NAME(x) x##_c128
#define PART(x) x##_f64
#include "cpu/kernels/elementwise_complex.inc.c"
