#ifndef TOCHA_FORMULA_GAMMA_H
#define TOCHA_FORMULA_GAMMA_H

/* The gamma function and its kin: lgamma, digamma, zeta (Hurwitz's), polygamma, and the regularised
 * incomplete gamma functions. Floats pass through double.
 *
 * Names in _inside are branch-free and right for x > 0 (and NaN); the plain ones are right
 * everywhere. */

#include "tensor/formulas/erf.h"
#include "tensor/formulas/power.h"
#include "tensor/formulas/special.h"

#define F_PI_F64 0x1.921fb54442d18p+1
/* Beyond, the incomplete gamma functions have too many terms, and a limit is as good. */
#define F_IGAMMA_LARGE 2e5

/* Small x is moved into [1.5, 2.5), where log gamma is a polynomial, by the product of what lies
 * between; from 8.5 on Stirling's series serves. Either way one logarithm is enough. */
TOCHA_HD double f_lgamma_inside_f64(double x) {
    int small = x < 8.5;
    double y = small ? x : 2.0;
    double product = 1.0;
    product = y < 1.5 ? y : product;
    product = y < 0.5 ? y * (y + 1.0) : product;
    double up = y < 0.5 ? 2.0 : y < 1.5 ? 1.0 : 0.0;
    double down = 0.0;
    for (int k = 1; k <= 6; k++) {
        int more = y >= 1.5 + k;
        product = more ? product * (y - k) : product;
        down = more ? (double)k : down;
    }
    double t = (y + up - down) - 2.0;
    double q = 0x1.11fa5e7c86f7bp-24;
    q = f_fma_f64(q, t, -0x1.2009c1a550d0dp-23);
    q = f_fma_f64(q, t, 0x1.b40adb09a1e12p-23);
    q = f_fma_f64(q, t, -0x1.ce17528bcf46p-22);
    q = f_fma_f64(q, t, 0x1.012012be3900ap-20);
    q = f_fma_f64(q, t, -0x1.1276ebd557fbp-19);
    q = f_fma_f64(q, t, 0x1.258f3057730fap-18);
    q = f_fma_f64(q, t, -0x1.3cb3be36ad88bp-17);
    q = f_fma_f64(q, t, 0x1.580e0afa5585p-16);
    q = f_fma_f64(q, t, -0x1.78de9ab752b81p-15);
    q = f_fma_f64(q, t, 0x1.a127afee53e7dp-14);
    q = f_fma_f64(q, t, -0x1.d3fd4b679c1c4p-13);
    q = f_fma_f64(q, t, 0x1.0b36af8779cap-11);
    q = f_fma_f64(q, t, -0x1.38ac5c2d48207p-10);
    q = f_fma_f64(q, t, 0x1.7add6eadb5317p-9);
    q = f_fma_f64(q, t, -0x1.e404fc218dbaep-8);
    q = f_fma_f64(q, t, 0x1.51322ac7d848ap-6);
    q = f_fma_f64(q, t, -0x1.13e001a55760ap-4);
    q = f_fma_f64(q, t, 0x1.4a34cc4a60fa6p-2);
    q = f_fma_f64(q, t, 0x1.b0ee6072093cep-2);
    double log = f_log_f64(small ? product : x);
    double near = f_fma_f64(t, q, up > 0.0 ? -log : log);
    double r = 1.0 / (small ? 8.5 : x);
    double z = r * r;
    double s = -0x1.e4286cb0f5398p-6;
    s = f_fma_f64(s, z, 0x1.a41a41a41a41ap-8);
    s = f_fma_f64(s, z, -0x1.f6ab0d9993c7dp-10);
    s = f_fma_f64(s, z, 0x1.b951e2b18ff23p-11);
    s = f_fma_f64(s, z, -0x1.3813813813814p-11);
    s = f_fma_f64(s, z, 0x1.a01a01a01a01ap-11);
    s = f_fma_f64(s, z, -0x1.6c16c16c16c17p-9);
    s = f_fma_f64(s, z, 0x1.5555555555555p-4);
    double far = f_fma_f64(x - 0.5, log - 1.0, f_fma_f64(r, s, 0x1.acfe390c97d69p-2));
    far = x <= DBL_MAX ? far : x;
    return small ? near : far;
}

/* By reflection below 0; inf at 0 and at negative whole numbers. */
TOCHA_HD double f_lgamma_f64(double x) {
    if (!(x <= 0.0)) return f_lgamma_inside_f64(x);
    if (x < -DBL_MAX || x == 0.0) return (double)INFINITY;
    double s = f_abs_f64(f_sinpi_f64(x));
    if (s == 0.0) return (double)INFINITY;
    return f_log_f64(F_PI_F64 / (s * -x)) - f_lgamma_inside_f64(-x);
}

/* psi(x): the sum of 1 / (x + k) up to 10, gathered in one fraction, and the asymptotic series. */
TOCHA_HD double f_digamma_inside_f64(double x) {
    int small = x < 10.0;
    double over = 0.0, under = 1.0, y = small ? x : 1.0;
    F_UNROLL
    for (int k = 0; k < 10; k++) {
        over = f_fma_f64(over, y, under);
        under = under * y;
        y += 1.0;
    }
    y = small ? y : x;
    double r = 1.0 / y;
    double z = r * r;
    double s = 0x1.5555555555555p-4;
    s = f_fma_f64(s, z, -0x1.5995995995996p-6);
    s = f_fma_f64(s, z, 0x1.f07c1f07c1f08p-8);
    s = f_fma_f64(s, z, -0x1.1111111111111p-8);
    s = f_fma_f64(s, z, 0x1.0410410410410p-8);
    s = f_fma_f64(s, z, -0x1.1111111111111p-7);
    s = f_fma_f64(s, z, 0x1.5555555555555p-4);
    double series = f_log_f64(y) - f_fma_f64(s, z, 0.5 * r);
    return small ? series - over / under : series;
}

/* By reflection below 0; -inf at 0 (inf at -0), NaN at negative whole numbers. */
TOCHA_HD double f_digamma_f64(double x) {
    if (x == 0.0) return f_copysign_f64((double)INFINITY, -x);
    if (!(x < 0.0)) return f_digamma_inside_f64(x);
    double s = f_sinpi_f64(x);
    if (s == 0.0 || x < -DBL_MAX) return (double)NAN;
    return f_digamma_inside_f64(1.0 - x) - F_PI_F64 * f_sinpi_f64(x + 0.5) / s;
}

TOCHA_HD float f_lgamma_inside_f32(float x) { return (float)f_lgamma_inside_f64((double)x); }
TOCHA_HD float f_lgamma_f32(float x) { return (float)f_lgamma_f64((double)x); }
TOCHA_HD float f_digamma_inside_f32(float x) { return (float)f_digamma_inside_f64((double)x); }
TOCHA_HD float f_digamma_f32(float x) { return (float)f_digamma_f64((double)x); }

/* The sum of (q + k)^-s over k >= 0 for s > 1 and q > 0, by Euler and Maclaurin: a dozen terms, the
 * integral of the rest and its corrections. */
TOCHA_HD double f_zeta_inside(double s, double q) {
    /* (2k)! / B2k for k from 1. */
    const double corrections[] = {12.0,
                                  -720.0,
                                  30240.0,
                                  -1209600.0,
                                  47900160.0,
                                  -1.8924375803183791606e9,
                                  7.47242496e10,
                                  -2.950130727918164224e12,
                                  1.1646782814350067249e14,
                                  -4.5979787224074726105e15,
                                  1.8152105401943546773e17,
                                  -7.1661652561756670113e18};
    double sum = 0.0, a = q;
    for (int k = 0; k < 12; k++) {
        double term = f_pow_f64(a, -s);
        sum += term;
        if (term <= sum * 0x1p-60) return sum;
        a += 1.0;
    }
    double power = f_pow_f64(a, -s);
    sum += power * a / (s - 1.0) + 0.5 * power;
    double factor = 1.0;
    for (int k = 0; k < 12; k++) {
        factor *= s + 2 * k;
        power /= a;
        double term = factor * power / corrections[k];
        sum += term;
        if (f_abs_f64(term) <= sum * 0x1p-56) break;
        factor *= s + 2 * k + 1;
        power /= a;
    }
    return sum;
}

/* Hurwitz's zeta function. Below 0 the terms up to 0 are the difference of two sums of their
 * magnitudes. inf for s = 1 and at the poles q = 0, -1, ..., NaN where s < 1 and where a negative
 * q + k has no real power. */
TOCHA_HD double f_special_zeta_f64(double s, double q) {
    if (s == 1.0) return (double)INFINITY;
    if (!(s > 1.0) || q != q) return (double)NAN;
    if (q > 0.0) return f_zeta_inside(s, q);
    double part = q - floor(q);
    if (part == 0.0) return (double)INFINITY;
    if (s != floor(s) || q < -DBL_MAX) return (double)NAN;
    double below = f_zeta_inside(s, 1.0 - part) - f_zeta_inside(s, 1.0 - q);
    return f_zeta_inside(s, part) + (floor(0.5 * s) * 2.0 == s ? below : -below);
}

TOCHA_HD float f_special_zeta_f32(float s, float q) {
    return (float)f_special_zeta_f64((double)s, (double)q);
}

/* m - log(1 + m), by its series where that would cancel. */
TOCHA_HD double f_log1p_rest(double m) {
    if (f_abs_f64(m) > 0.05) return m - f_log1p_f64(m);
    double q = 0.0;
    F_UNROLL
    for (int k = 13; k >= 2; k--) {
        q = 1.0 / k - m * q;
    }
    return m * m * q;
}

/* x^a e^-x / gamma(a), from Stirling's series where a is large. */
TOCHA_HD double f_igamma_weight(double a, double x) {
    if (a < 200.0) return f_exp_f64(a * f_log_f64(x) - x - f_lgamma_inside_f64(a));
    double r = 1.0 / a;
    double correction = r * (1.0 / 12 - r * r * (1.0 / 360 - r * r / 1260));
    double bend = a * f_log1p_rest((x - a) / a) + correction;
    return f_sqrt_f64(a / (2.0 * F_PI_F64)) * f_exp_f64(-bend);
}

/* The regularised lower incomplete gamma function for 0 < x < a + 1: the power series. */
TOCHA_HD double f_igamma_series(double a, double x) {
    double term = 1.0, sum = 1.0;
    for (int n = 1; n < 20000 && term > sum * 0x1p-55; n++) {
        term *= x / (a + n);
        sum += term;
    }
    return sum * f_igamma_weight(a, x) / a;
}

/* The upper one for x >= a + 1: the continued fraction, by Lentz's method. */
TOCHA_HD double f_igammac_fraction(double a, double x) {
    double b = x + 1.0 - a;
    double c = 0x1p900, d = 1.0 / b, value = d;
    for (int n = 1; n < 20000; n++) {
        double an = n * (a - n);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        value *= c * d;
        if (f_abs_f64(c * d - 1.0) < 0x1p-52) break;
    }
    return value * f_igamma_weight(a, x);
}

/* The upper one for large a (Temme, 1979): a normal distribution function and its first correction.
 */
TOCHA_HD double f_igammac_large(double a, double x) {
    double m = (x - a) / a;
    double eta = f_copysign_f64(f_sqrt_f64(2.0 * f_log1p_rest(m)), m);
    double near = -1.0 / 3 + eta * (1.0 / 12 - eta * (2.0 / 135 - eta / 864));
    double first = f_abs_f64(eta) < 0.05 ? near : 1.0 / m - 1.0 / eta;
    double density = f_exp_f64(-0.5 * a * eta * eta) / f_sqrt_f64(2.0 * F_PI_F64 * a);
    return 0.5 * f_erfc_f64(eta * f_sqrt_f64(0.5 * a)) + density * first;
}

/* The regularised incomplete gamma functions of a and x, which sum to 1; NaN where either is
 * negative, where both are 0 and where both are infinite. */
TOCHA_HD double f_igamma_part(double a, double x, int upper) {
    if (!(a >= 0.0) || !(x >= 0.0) || (a == 0.0 && x == 0.0)) return (double)NAN;
    if (a > DBL_MAX) return x > DBL_MAX ? (double)NAN : (double)upper;
    if (x == 0.0) return (double)upper;
    if (a == 0.0 || x > DBL_MAX) return (double)!upper;
    if (x < a + 1.0 && a <= F_IGAMMA_LARGE) {
        double lower = f_igamma_series(a, x);
        return upper ? 1.0 - lower : lower;
    }
    double rest = a > F_IGAMMA_LARGE ? f_igammac_large(a, x) : f_igammac_fraction(a, x);
    return upper ? rest : 1.0 - rest;
}

TOCHA_HD double f_igamma_f64(double a, double x) { return f_igamma_part(a, x, 0); }
TOCHA_HD double f_igammac_f64(double a, double x) { return f_igamma_part(a, x, 1); }
TOCHA_HD float f_igamma_f32(float a, float x) {
    return (float)f_igamma_part((double)a, (double)x, 0);
}
TOCHA_HD float f_igammac_f32(float a, float x) {
    return (float)f_igamma_part((double)a, (double)x, 1);
}

#endif
