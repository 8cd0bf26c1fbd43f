/* Mathematical functions of two and three floats. */
#include "gpu/elements.cuh"
#include "gpu/numbers.cuh"
#include "tensor/formulas/inverse.h"
#include "tensor/formulas/maths.h"

#define PLAIN(X)    \
    X(atan2)        \
    X(hypot)        \
    X(copysign)     \
    X(nextafter)    \
    X(logaddexp)    \
    X(logaddexp2)   \
    X(xlogy)        \
    X(prelu_kernel) \
    X(special_zeta) \
    X(igamma)       \
    X(igammac)

#define FUNCTION(name)         \
    OVERLOAD2_FLOATS(f_##name) \
    FUNCTION2(Maths_##name, f_##name)
PLAIN(FUNCTION)

#define ROW(name) {#name, of_two_floats<Maths_##name>},
const KernelRow gpu_maths_binary_rows[] = {PLAIN(ROW){NULL, NULL}};
