/* Dense loops of complex elements over the functions of the C library. complex64 is computed in
 * double, whose spare digits hide what cancels on the way. */
#include <complex.h>

#include "cpu/kernels/elementwise_complex.h"

typedef double _Complex Z;

static Z from_64(Complex64 a) { return CMPLX(a.re, a.im); }
static Z from_128(Complex128 a) { return CMPLX(a.re, a.im); }
static Complex64 to_64(Z z) { return (Complex64){(float)creal(z), (float)cimag(z)}; }
static Complex128 to_128(Z z) { return (Complex128){creal(z), cimag(z)}; }

static Z sigmoid(Z z) { return 1 / (1 + cexp(-z)); }

static Z sgn(Z z) {
    double length = cabs(z);
    return length == 0 ? 0 : CMPLX(creal(z) / length, cimag(z) / length);
}

static Z power(Z a, Z b) {
    if (b == 0) {
        return 1;
    }
    return a == 0 && creal(b) > 0 ? 0 : cpow(a, b);
}

#define LOOP(name)                                                                        \
    void name(char *const *ptr, const int64_t *stride __attribute__((unused)), int64_t n, \
              const void *ctx __attribute__((unused)))
#define UNARY(op, f, bits)                                      \
    LOOP(ew_##op##_c##bits) {                                   \
        Complex##bits *out = (Complex##bits *)ptr[0];           \
        const Complex##bits *x = (const Complex##bits *)ptr[1]; \
        for (int64_t i = 0; i < n; i++) {                       \
            out[i] = to_##bits(f(from_##bits(x[i])));           \
        }                                                       \
    }
#define FUNCTION(op, f) UNARY(op, f, 64) UNARY(op, f, 128)
FUNCTION(exp, cexp)
FUNCTION(log, clog)
FUNCTION(sqrt, csqrt)
FUNCTION(sin, csin)
FUNCTION(cos, ccos)
FUNCTION(tanh, ctanh)
FUNCTION(sigmoid, sigmoid)
FUNCTION(sgn, sgn)

#define ANGLE(bits, P)                                          \
    LOOP(ew_angle_c##bits) {                                    \
        P *out = (P *)ptr[0];                                   \
        const Complex##bits *x = (const Complex##bits *)ptr[1]; \
        for (int64_t i = 0; i < n; i++) {                       \
            out[i] = (P)carg(from_##bits(x[i]));                \
        }                                                       \
    }
ANGLE(64, float)
ANGLE(128, double)

#define POWER(bits)                                                                    \
    LOOP(ew_pow_c##bits) {                                                             \
        Complex##bits *out = (Complex##bits *)ptr[0];                                  \
        const Complex##bits *x = (const Complex##bits *)ptr[1];                        \
        const Complex##bits *y = (const Complex##bits *)ptr[2];                        \
        const int64_t dx = stride[1] != 0, dy = stride[2] != 0;                        \
        for (int64_t i = 0; i < n; i++) {                                              \
            out[i] = to_##bits(power(from_##bits(x[i * dx]), from_##bits(y[i * dy]))); \
        }                                                                              \
    }
POWER(64)
POWER(128)
