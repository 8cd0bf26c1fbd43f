/* Functions of complex numbers. */
#include "gpu/complex.cuh"
#include "tensor/formulas/complex_functions.h"

F_COMPLEX_FUNCTIONS(COMPLEX_FUNCTION1)
COMPLEX_FUNCTION1(angle)
COMPLEX_FUNCTION2(pow)
COMPLEX_FUNCTION2(logaddexp)

namespace {

/* Powers that are exact or cheaper without a logarithm. */
struct ComplexSimplePower {
    double exponent;
    __device__ Complex128 operator()(Complex128 z) const {
        return exponent == 1    ? z
               : exponent == 2  ? f_square_c128(z)
               : exponent == -1 ? f_reciprocal_c128(z)
                                : f_sqrt_c128(z);
    }
    __device__ Complex64 operator()(Complex64 z) const {
        return exponent == 2 ? f_square_c64(z) : f_narrow_c128((*this)(f_wide_c64(z)));
    }
};

} // namespace

/* A number on the host as complex128. */
static Complex128 number_on_host(const View *v) {
    Bits128 bits = number_of(v->data, v->dtype);
    return v->dtype == DT_COMPLEX64 ? f_wide_c64(number_as<Complex64>(bits))
                                    : number_as<Complex128>(bits);
}

static bool pow_rows(const KernelCall *c) {
    if (is_on_host(c, &c->in[1])) {
        Complex128 z = number_on_host(&c->in[1]);
        if (z.im == 0 && (z.re == 1 || z.re == 2 || z.re == -1 || z.re == 0.5)) {
            return map_complex(c, ComplexSimplePower{z.re});
        }
    }
    return of_two_complex<Complex_pow>(c);
}

#define ROW(name) {#name, of_complex<Complex_##name>},
const KernelRow gpu_complex_functions_rows[] = {
    F_COMPLEX_FUNCTIONS(ROW){"angle", of_parts<Complex_angle>},
    {"pow", pow_rows},
    {"logaddexp", of_two_complex<Complex_logaddexp>},
    {NULL, NULL}};
