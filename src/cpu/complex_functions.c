/* Dense loops of complex elements over functions, which are called: there is nothing to gain from
 * wider instruction sets. */
#include "tensor/formulas/complex_functions.h"
#include "cpu/kernels/elementwise_complex.h"

#define LOOP(name)                                                                        \
    void name(char *const *ptr, const int64_t *stride __attribute__((unused)), int64_t n, \
              const void *ctx __attribute__((unused)))
#define UNARY(op, bits, R)                                      \
    LOOP(ew_##op##_c##bits) {                                   \
        R *out = (R *)ptr[0];                                   \
        const Complex##bits *x = (const Complex##bits *)ptr[1]; \
        for (int64_t i = 0; i < n; i++) {                       \
            out[i] = f_##op##_c##bits(x[i]);                    \
        }                                                       \
    }
#define FUNCTION(op) UNARY(op, 64, Complex64) UNARY(op, 128, Complex128)
F_COMPLEX_FUNCTIONS(FUNCTION)
UNARY(angle, 64, float)
UNARY(angle, 128, double)

#define BINARY(op, bits)                                        \
    LOOP(ew_##op##_c##bits) {                                   \
        Complex##bits *out = (Complex##bits *)ptr[0];           \
        const Complex##bits *x = (const Complex##bits *)ptr[1]; \
        const Complex##bits *y = (const Complex##bits *)ptr[2]; \
        const int64_t dx = stride[1] != 0, dy = stride[2] != 0; \
        for (int64_t i = 0; i < n; i++) {                       \
            out[i] = f_##op##_c##bits(x[i * dx], y[i * dy]);    \
        }                                                       \
    }
BINARY(pow, 64)
BINARY(pow, 128)
BINARY(logaddexp, 64)
BINARY(logaddexp, 128)
