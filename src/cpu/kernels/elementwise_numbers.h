#ifndef TOCHA_KERNELS_ELEMENTWISE_NUMBERS_H
#define TOCHA_KERNELS_ELEMENTWISE_NUMBERS_H
/* Dense loops over functions of floats that take numbers besides: map_with_S for one input,
 * zip_with_S for two, of which none has stride 0. */
#include "cpu/kernels/elementwise_loops.h"
#include "cpu/kernels/maths.h"
#include "tensor/formulas/numbers.h"

#define T       float
#define NUMBERS FNumbersF32
#define NAME(x) x##_f32
#include "cpu/kernels/elementwise_numbers.inc.c"
#undef T
#undef NUMBERS
#undef NAME

#define T       double
#define NUMBERS FNumbersF64
#define NAME(x) x##_f64
#include "cpu/kernels/elementwise_numbers.inc.c"
#undef T
#undef NUMBERS
#undef NAME

#endif
