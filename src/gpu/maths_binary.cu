/* Mathematical functions of two floats, and those of integers too. */
#include "gpu/elements.cuh"
#include "gpu/numbers.cuh"
#include "tensor/formulas/integer.h"
#include "tensor/formulas/inverse.h"
#include "tensor/formulas/maths.h"

#define PLAIN(X) \
    X(atan2) X(hypot) X(copysign) X(nextafter) X(logaddexp) X(logaddexp2) X(xlogy) X(prelu_kernel)
#define BOTH(X) \
    X(fmax)     \
    X(fmin)     \
    X(heaviside)
#define INTEGERS(X)       \
    X(gcd)                \
    X(bitwise_left_shift) \
    X(bitwise_right_shift)

#define FUNCTION(name)         \
    OVERLOAD2_FLOATS(f_##name) \
    FUNCTION2(Maths_##name, f_##name)
PLAIN(FUNCTION)

#define FUNCTION_BOTH(name)   \
    OVERLOAD2_REALS(f_##name) \
    FUNCTION2(Maths_##name, f_##name)
BOTH(FUNCTION_BOTH)

#define FUNCTION_INTEGERS(name) \
    OVERLOAD2_INTS(f_##name)    \
    FUNCTION2(Maths_##name, f_##name)
INTEGERS(FUNCTION_INTEGERS)

namespace {

/* What does not fit into the dtype wraps around before its sign is dropped. */
struct Lcm {
    int unused; /* of 64 bits */
    __device__ int64_t operator()(int64_t a, int64_t b) const {
        int64_t product = (int64_t)((uint64_t)f_lcm_i64(a, b) << unused) >> unused;
        return f_abs_i64(product);
    }
};

} // namespace

static bool lcm(const KernelCall *c) {
    int dtype = c->out[0].dtype;
    return zip_ints(c, Lcm{dtype == DT_UINT8 ? 0 : 64 - 8 * (int)dtype_size(dtype)});
}

#define ROW(name)         {#name, of_two_floats<Maths_##name>},
#define ROW_BOTH(name)    {#name, of_two<Maths_##name>},
#define ROW_INTEGER(name) {#name, of_two_ints<Maths_##name>},
const KernelRow gpu_maths_binary_rows[] = {
    PLAIN(ROW) BOTH(ROW_BOTH) INTEGERS(ROW_INTEGER){"lcm", lcm}, {NULL, NULL}};
