#ifndef TOCHA_FORMULA_PATTERNS_H
#define TOCHA_FORMULA_PATTERNS_H

/* Element i of windows and of logspace; last: the largest i, 0 for a single element. */

#include "tensor/formulas/complex_functions.h"
#include "tensor/formulas/power.h"
#include "tensor/formulas/trig.h"

#define F_PATTERN_PI 0x1.921fb54442d18p+1

/* From one end and from the other, so that both are met exactly. */
TOCHA_HD double f_on_the_way(double i, double last, double from, double to) {
    double step = last > 0.0 ? (to - from) / last : 0.0;
    return (2.0 * i < last) | (last == 0.0) ? from + f_mul_rn_f64(i, step)
                                            : to - f_mul_rn_f64(last - i, step);
}

TOCHA_HD double f_logspace(double i, double last, double from, double to, double base) {
    return f_pow_f64(base, f_on_the_way(i, last, from, to));
}

TOCHA_HD Complex128 f_logspace_complex(double i, double last, Complex128 from, Complex128 to,
                                       double base) {
    Complex128 z =
        f_make_c128(f_on_the_way(i, last, from.re, to.re), f_on_the_way(i, last, from.im, to.im));
    return (z.im == 0.0) & (base > 0.0) ? f_make_c128(f_pow_f64(base, z.re), 0.0)
                                        : f_pow_c128(f_make_c128(base, 0.0), z);
}

/* a - b cos(x) + c cos(2 x). With c all is from 0 on, but for rounding. */
TOCHA_HD double f_window_cosines(double i, double last, double a, double b, double c) {
    double x = 2.0 * F_PATTERN_PI * i / last;
    double y = last > 0.0 ? a - b * f_cos_f64(x) + c * f_cos_f64(2.0 * x) : 1.0;
    return (c > 0.0) & (y < 0.0) ? 0.0 : y;
}

TOCHA_HD double f_window_triangle(double i, double last) {
    return last > 0.0 ? 1.0 - f_abs_f64(2.0 * i / last - 1.0) : 1.0;
}

/* e to the -x times the modified Bessel function of order 0, for x from 0 on: its series, or where
 * that would overflow the asymptotic one. */
TOCHA_HD_CALL double f_scaled_i0(double x) {
    double sum = 1.0, term = 1.0;
    if (x < 40.0) {
        for (int k = 1; k < 200 && term > sum * 1e-18; k++) {
            term *= x * x / (4.0 * k * k);
            sum += term;
        }
        return sum * f_exp_f64(-x);
    }
    for (int k = 1; k < 40 && term > 1e-18; k++) {
        term *= (2 * k - 1) * (2 * k - 1) / (8 * k * x);
        sum += term;
    }
    return sum / f_sqrt_f64(2.0 * F_PATTERN_PI * x);
}

/* whole: f_scaled_i0(beta). */
TOCHA_HD double f_window_kaiser(double i, double last, double beta, double whole) {
    double x = last > 0.0 ? 2.0 * i / last - 1.0 : 0.0, rest = 1.0 - x * x;
    double part = beta * f_sqrt_f64(rest > 0.0 ? rest : 0.0);
    return f_scaled_i0(part) / whole * f_exp_f64(part - beta);
}

#endif
