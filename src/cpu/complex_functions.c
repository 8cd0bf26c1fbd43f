/* Dense loops of complex elements over the functions of the C library. complex64 is computed in
 * double, whose spare digits hide what cancels on the way. */
#include <complex.h>
#include <math.h>
#include <stdbool.h>

#include "cpu/kernels/elementwise_complex.h"

typedef double _Complex Z;

static Z from_64(Complex64 a) { return CMPLX(a.re, a.im); }
static Z from_128(Complex128 a) { return CMPLX(a.re, a.im); }
static Complex64 to_64(Z z) { return (Complex64){(float)creal(z), (float)cimag(z)}; }
static Complex128 to_128(Z z) { return (Complex128){creal(z), cimag(z)}; }

static Z rsqrt(Z z) { return 1 / csqrt(z); }
static Z exp2_of(Z z) { return cexp(z * M_LN2); }
static Z log2_of(Z z) { return clog(z) / M_LN2; }
static Z log10_of(Z z) { return clog(z) / M_LN10; }

/* e^x cos y - 1 = (e^x - 1) cos y - 2 sin^2 (y / 2) */
static Z expm1_of(Z z) {
    double x = creal(z), y = cimag(z), s = sin(y / 2);
    return CMPLX(expm1(x) * cos(y) - 2 * s * s, exp(x) * sin(y));
}

/* |1 + z|^2 = 1 + x (2 + x) + y^2 */
static Z log1p_of(Z z) {
    double x = creal(z), y = cimag(z);
    bool small = fabs(x) < 0.5 && fabs(y) < 0.5;
    return small ? CMPLX(log1p(x * (2 + x) + y * y) / 2, atan2(y, 1 + x)) : clog(1 + z);
}

static Z sigmoid(Z z) { return 1 / (1 + cexp(-z)); }

static Z silu(Z z) { return z * sigmoid(z); }
static Z tanhshrink(Z z) { return z - ctanh(z); }
static Z softsign(Z z) { return z / (1 + cabs(z)); }

static Z sinc(Z z) { return z == 0 ? 1 : csin(M_PI * z) / (M_PI * z); }

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

/* log(e^a + e^b), the one with the larger real part put in front. */
static Z logaddexp(Z a, Z b) {
    Z high = creal(a) < creal(b) ? b : a, low = creal(a) < creal(b) ? a : b;
    if (isnan(creal(a + b)) && !isinf(creal(high))) {
        return a + b;
    }
    if (isinf(creal(high)) && creal(high) == creal(low)) {
        return creal(high) < 0 ? low : clog(cexp(low) + cexp(high));
    }
    return high + log1p_of(cexp(low - high));
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
FUNCTION(silu, silu)
FUNCTION(tanhshrink, tanhshrink)
FUNCTION(softsign, softsign)
FUNCTION(rsqrt, rsqrt)
FUNCTION(sinc, sinc)
FUNCTION(exp2, exp2_of)
FUNCTION(expm1, expm1_of)
FUNCTION(log2, log2_of)
FUNCTION(log10, log10_of)
FUNCTION(log1p, log1p_of)
FUNCTION(tan, ctan)
FUNCTION(asin, casin)
FUNCTION(acos, cacos)
FUNCTION(atan, catan)
FUNCTION(sinh, csinh)
FUNCTION(cosh, ccosh)
FUNCTION(asinh, casinh)
FUNCTION(acosh, cacosh)
FUNCTION(atanh, catanh)

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

#define BINARY(op, f, bits)                                                        \
    LOOP(ew_##op##_c##bits) {                                                      \
        Complex##bits *out = (Complex##bits *)ptr[0];                              \
        const Complex##bits *x = (const Complex##bits *)ptr[1];                    \
        const Complex##bits *y = (const Complex##bits *)ptr[2];                    \
        const int64_t dx = stride[1] != 0, dy = stride[2] != 0;                    \
        for (int64_t i = 0; i < n; i++) {                                          \
            out[i] = to_##bits(f(from_##bits(x[i * dx]), from_##bits(y[i * dy]))); \
        }                                                                          \
    }
#define FUNCTION_OF_TWO(op, f) BINARY(op, f, 64) BINARY(op, f, 128)
FUNCTION_OF_TWO(pow, power)
FUNCTION_OF_TWO(logaddexp, logaddexp)
