#include "cpu/kernels/optim.h"

#include <math.h>

#define T       float
#define NAME(x) x##_f32
#define SQRT    sqrtf
#include "cpu/kernels/optim.inc.c"
#undef T
#undef NAME
#undef SQRT

#define T       double
#define NAME(x) x##_f64
#define SQRT    sqrt
#include "cpu/kernels/optim.inc.c"
#undef T
#undef NAME
#undef SQRT

const OptimTable ISA_NAME(optim_table) = {.sgd = {sgd_f32, sgd_f64},
                                          .sgd_momentum = {sgd_momentum_f32, sgd_momentum_f64},
                                          .sgd_nesterov = {sgd_nesterov_f32, sgd_nesterov_f64},
                                          .adam = {adam_f32, adam_f64},
                                          .amsgrad = {amsgrad_f32, amsgrad_f64},
                                          .unscale = {unscale_f32, unscale_f64}};
