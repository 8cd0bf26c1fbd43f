#ifndef TOCHA_FORMULA_COMPLEX_FUNCTIONS_H
#define TOCHA_FORMULA_COMPLEX_FUNCTIONS_H

/* Functions of complex numbers: f_exp_c128, f_exp_c64, ... with the branch cuts, signed zeros and
 * infinities of C (ISO 9899, annex G). complex64 is computed in double, whose spare digits hide
 * what cancels on the way. */

#include "tensor/formulas/complex.h"
#include "tensor/formulas/exact.h"
#include "tensor/formulas/hyper.h"
#include "tensor/formulas/inverse.h"
#include "tensor/formulas/trig.h"

#define F_LN2     0x1.62e42fefa39efp-1
#define F_LN10    0x1.26bb1bbb55516p+1
#define F_PI_C128 0x1.921fb54442d18p+1

/* Neither infinite nor NaN. */
TOCHA_HD int f_is_finite(double x) { return f_abs_f64(x) <= DBL_MAX; }

/* sin y + i cos y. */
TOCHA_HD_CALL Complex128 f_sin_and_cos(double y) { return f_make_c128(f_sin_f64(y), f_cos_f64(y)); }

/* log |x + i y|; around 1 by x^2 + y^2 - 1, which takes products in pairs. */
TOCHA_HD_CALL double f_log_length(double x, double y) {
    double a = f_abs_f64(x), b = f_abs_f64(y);
    double most = a > b ? a : b, least = a > b ? b : a;
    if ((most > 0.5) & (most < 2.0)) {
        FPairF64 p = f_two_prod_f64(most, most), q = f_two_prod_f64(least, least);
        FPairF64 sum = f_two_sum_f64(p.hi - 1.0, q.hi);
        return 0.5 * f_log1p_f64(sum.hi + (sum.lo + p.lo + q.lo));
    }
    double up = most > 0x1p1000 ? 0x1p-600 : (most < 0x1p-900) & (most > 0.0) ? 0x1p600 : 1.0;
    double shift = up < 1.0 ? 600.0 * F_LN2 : up > 1.0 ? -600.0 * F_LN2 : 0.0;
    return f_log_f64(f_hypot_f64(x * up, y * up)) + shift;
}

/* Beyond 700 in parts, as e^x may overflow where its product with a cosine does not. */
TOCHA_HD_CALL Complex128 f_exp_c128(Complex128 z) {
    const double e_to_700 = 0x1.d945df4f8ec8ep+1009;
    double x = z.re, y = z.im;
    if (y == 0.0) {
        return f_make_c128(f_exp_f64(x), y);
    }
    if (!f_is_finite(y) & (f_abs_f64(x) > DBL_MAX)) {
        return f_make_c128(x > 0.0 ? x : 0.0, x > 0.0 ? y - y : f_copysign_f64(0.0, y));
    }
    Complex128 turn = f_sin_and_cos(y);
    for (int k = 0; k < 2 && x > 700.0; k++) {
        x -= 700.0;
        turn = f_make_c128(turn.re * e_to_700, turn.im * e_to_700);
    }
    double factor = f_exp_f64(x);
    return f_make_c128(factor * turn.im, factor * turn.re);
}

/* e^|x| / 2 as the size, where cosh x and |sinh x| are the same. */
TOCHA_HD Complex128 f_half_exp_c128(double x, double y) {
    const double half_e = 0x1.5bf0a8b145769p+0;
    Complex128 w = f_exp_c128(f_make_c128(f_abs_f64(x) - 1.0, y));
    return f_make_c128(w.re * half_e, w.im * half_e);
}

TOCHA_HD_CALL Complex128 f_sinh_c128(Complex128 z) {
    double x = z.re, y = z.im;
    if (y == 0.0) {
        return f_make_c128(f_sinh_f64(x), y);
    }
    if (!f_is_finite(y)) {
        return f_make_c128((x == 0.0) | (f_abs_f64(x) > DBL_MAX) ? x : y - y, y - y);
    }
    if (f_abs_f64(x) > 22.0) {
        Complex128 w = f_half_exp_c128(x, y);
        return f_make_c128(x < 0.0 ? -w.re : w.re, w.im);
    }
    Complex128 turn = f_sin_and_cos(y);
    return f_make_c128(f_sinh_f64(x) * turn.im, f_cosh_f64(x) * turn.re);
}

TOCHA_HD_CALL Complex128 f_cosh_c128(Complex128 z) {
    double x = z.re, y = z.im;
    if (y == 0.0) {
        return f_make_c128(f_cosh_f64(x), f_copysign_f64(1.0, x) * y);
    }
    if (!f_is_finite(y)) {
        int endless = f_abs_f64(x) > DBL_MAX;
        return f_make_c128(endless ? f_abs_f64(x) : y - y, x == 0.0 ? x : y - y);
    }
    if (f_abs_f64(x) > 22.0) {
        Complex128 w = f_half_exp_c128(x, y);
        return f_make_c128(w.re, x < 0.0 ? -w.im : w.im);
    }
    Complex128 turn = f_sin_and_cos(y);
    return f_make_c128(f_cosh_f64(x) * turn.im, f_sinh_f64(x) * turn.re);
}

/* With t = tan y and s = sinh x: (s sqrt(1 + s^2) (1 + t^2) + i t) / (1 + s^2 (1 + t^2)). */
TOCHA_HD_CALL Complex128 f_tanh_c128(Complex128 z) {
    double x = z.re, y = z.im;
    if (f_abs_f64(x) > DBL_MAX && !f_is_finite(y)) {
        return f_make_c128(f_copysign_f64(1.0, x), f_copysign_f64(0.0, y));
    }
    if (x != x || !f_is_finite(y)) {
        return f_make_c128(x == 0.0 ? x : y - y + x, y == 0.0 ? y : y - y + x);
    }
    if (f_abs_f64(x) > 22.0) {
        double rest = f_exp_f64(-f_abs_f64(x));
        Complex128 turn = f_sin_and_cos(y);
        return f_make_c128(f_copysign_f64(1.0, x), 4.0 * turn.re * turn.im * rest * rest);
    }
    double t = f_tan_f64(y), s = f_sinh_f64(x), beta = 1.0 + t * t;
    double over = 1.0 + beta * s * s;
    return f_make_c128(beta * f_sqrt_f64(1.0 + s * s) * s / over, t / over);
}

/* A function f of z as -i g(i z), which sin is of sinh, and so on. */
TOCHA_HD Complex128 f_times_i(Complex128 z) { return f_make_c128(-z.im, z.re); }
TOCHA_HD Complex128 f_over_i(Complex128 z) { return f_make_c128(z.im, -z.re); }

TOCHA_HD Complex128 f_sin_c128(Complex128 z) { return f_over_i(f_sinh_c128(f_times_i(z))); }
TOCHA_HD Complex128 f_cos_c128(Complex128 z) { return f_cosh_c128(f_times_i(z)); }
TOCHA_HD Complex128 f_tan_c128(Complex128 z) { return f_over_i(f_tanh_c128(f_times_i(z))); }

TOCHA_HD_CALL Complex128 f_log_c128(Complex128 z) {
    return f_make_c128(f_log_length(z.re, z.im), f_atan2_f64(z.im, z.re));
}

TOCHA_HD Complex128 f_log2_c128(Complex128 z) {
    Complex128 w = f_log_c128(z);
    return f_make_c128(w.re / F_LN2, w.im / F_LN2);
}
TOCHA_HD Complex128 f_log10_c128(Complex128 z) {
    Complex128 w = f_log_c128(z);
    return f_make_c128(w.re / F_LN10, w.im / F_LN10);
}

/* |1 + z|^2 = 1 + x^2 + 2 x + y^2, in pairs. */
TOCHA_HD_CALL Complex128 f_log1p_c128(Complex128 z) {
    double x = z.re, y = z.im;
    FPairF64 p = f_two_prod_f64(x, x), q = f_two_prod_f64(y, y);
    FPairF64 sum = f_two_sum_f64(2.0 * x, p.hi);
    FPairF64 all = f_two_sum_f64(sum.hi, q.hi);
    double more = all.hi + (all.lo + sum.lo + p.lo + q.lo);
    if (more > -0.75 && more < 4.0) {
        return f_make_c128(0.5 * f_log1p_f64(more), f_atan2_f64(y, 1.0 + x));
    }
    return f_log_c128(f_make_c128(1.0 + x, y));
}

/* e^x cos y - 1 = (e^x - 1) cos y - 2 sin^2 (y / 2) */
TOCHA_HD_CALL Complex128 f_expm1_c128(Complex128 z) {
    double x = z.re, y = z.im;
    if (y == 0.0) {
        return f_make_c128(f_expm1_f64(x), y);
    }
    Complex128 w = f_exp_c128(z);
    if (!(f_abs_f64(x) < 40.0)) {
        return f_make_c128(w.re - 1.0, w.im);
    }
    double s = f_sin_f64(0.5 * y);
    return f_make_c128(f_expm1_f64(x) * f_cos_f64(y) - 2.0 * s * s, w.im);
}

TOCHA_HD Complex128 f_exp2_c128(Complex128 z) {
    return f_exp_c128(f_make_c128(z.re * F_LN2, z.im * F_LN2));
}

/* In the half plane to the right the length and the real part add up without loss. */
TOCHA_HD_CALL Complex128 f_sqrt_c128(Complex128 z) {
    double x = z.re, y = z.im, a = f_abs_f64(x), b = f_abs_f64(y);
    if ((x == 0.0) & (y == 0.0)) {
        return f_make_c128(0.0, y);
    }
    if (b > DBL_MAX) {
        return f_make_c128(b, y);
    }
    if (a > DBL_MAX) {
        double none = y != y ? y : 0.0;
        return x > 0.0 ? f_make_c128(x, f_copysign_f64(none, y))
                       : f_make_c128(none, f_copysign_f64(a, y));
    }
    double most = a > b ? a : b;
    double scale = most > 0x1p1000 ? 0x1p-200 : most < 0x1p-900 ? 0x1p200 : 1.0;
    double back = most > 0x1p1000 ? 0x1p100 : most < 0x1p-900 ? 0x1p-100 : 1.0;
    double t = f_sqrt_f64(0.5 * (a * scale + f_hypot_f64(a * scale, b * scale))) * back;
    double u = b / (2.0 * t);
    return f_make_c128(x < 0.0 ? u : t, f_copysign_f64(x < 0.0 ? t : u, y));
}

TOCHA_HD Complex128 f_rsqrt_c128(Complex128 z) {
    return f_div_c128(f_make_c128(1.0, 0.0), f_sqrt_c128(z));
}

/* By the exponential that does not overflow. */
TOCHA_HD Complex128 f_sigmoid_c128(Complex128 z) {
    int left = z.re < 0.0;
    Complex128 e = f_exp_c128(left ? z : f_make_c128(-z.re, -z.im));
    Complex128 sum = f_make_c128(1.0 + e.re, e.im);
    return f_div_c128(left ? e : f_make_c128(1.0, 0.0), sum);
}

TOCHA_HD Complex128 f_sinc_c128(Complex128 z) {
    Complex128 w = f_make_c128(F_PI_C128 * z.re, F_PI_C128 * z.im);
    return f_is_true_c128(z) ? f_div_c128(f_sin_c128(w), w) : f_make_c128(1.0, 0.0);
}

/* z over its length; 0 for 0. */
TOCHA_HD Complex128 f_sgn_c128(Complex128 z) {
    double length = f_hypot_f64(z.re, z.im);
    return length == 0.0 ? f_make_c128(0.0, 0.0) : f_make_c128(z.re / length, z.im / length);
}

TOCHA_HD double f_angle_c128(Complex128 z) { return f_atan2_f64(z.im, z.re); }

TOCHA_HD_CALL Complex128 f_pow_c128(Complex128 a, Complex128 b) {
    if (!f_is_true_c128(b)) {
        return f_make_c128(1.0, 0.0);
    }
    if (!f_is_true_c128(a) && b.re > 0.0) {
        return f_make_c128(0.0, 0.0);
    }
    return f_exp_c128(f_mul_c128(b, f_log_c128(a)));
}

/* The arcs of x + i y in the quadrant to the right and above: with the distances r and s to -1 and
 * 1, a = (r + s) / 2 and b = x / a these are asin b, acos b and acosh a (Hull, Fairgrieve and Tang,
 * Implementing the complex arcsine and arccosine functions using exception handling, ACM TOMS 23,
 * 1997). */
typedef struct FArcs {
    double asin, acos, acosh;
} FArcs;

/* Where y is next to nothing beside the distance from 1. */
TOCHA_HD FArcs f_arcs_flat(double x, double y) {
    FArcs f;
    double root = f_sqrt_f64(f_abs_f64(x - 1.0) * (x + 1.0)), slope = y / root;
    f.asin = x < 1.0 ? f_asin_f64(x) : F_PI_C128 / 2;
    f.acos = x < 1.0 ? f_acos_f64(x) : slope;
    f.acosh = x < 1.0 ? slope : f_log1p_f64((x - 1.0) + root);
    return f;
}

TOCHA_HD FArcs f_arcs_near(double x, double y) {
    FArcs f;
    double r = f_hypot_f64(x + 1.0, y), s = f_hypot_f64(x - 1.0, y);
    double a = 0.5 * (r + s), b = x / a, square = y * y;
    double left = r + x + 1.0, inner = s + (1.0 - x), outer = s + (x - 1.0);
    double twice = square / left + (x < 1.0 ? square / inner : outer);
    double less = x <= 1.0 ? f_sqrt_f64(0.5 * (a + x) * (square / left + inner))
                           : y * f_sqrt_f64(0.5 * ((a + x) / left + (a + x) / outer));
    f.asin = b <= 0.6417 ? f_asin_f64(b) : f_atan2_f64(x, less);
    f.acos = b <= 0.6417 ? f_acos_f64(b) : f_atan2_f64(less, x);
    f.acosh = a <= 1.5 ? f_log1p_f64(0.5 * twice + f_sqrt_f64(twice * (0.5 * (a + 1.0))))
                       : f_log_f64(a + f_sqrt_f64(a * a - 1.0));
    return f;
}

TOCHA_HD_CALL FArcs f_arcs(Complex128 z) {
    double x = f_abs_f64(z.re), y = f_abs_f64(z.im);
    FArcs f;
    if ((x > 0x1p55) | (y > 0x1p55)) {
        f.asin = f_atan2_f64(x, y);
        f.acos = f_atan2_f64(y, x);
        f.acosh = f_log_length(x, y) + F_LN2;
    } else if (y < 0x1p-53 * f_abs_f64(x - 1.0)) {
        f = f_arcs_flat(x, y);
    } else {
        f = f_arcs_near(x, y);
    }
    f.asin = x == 0.0 ? 0.0 : f.asin;
    f.acos = x == 0.0 ? F_PI_C128 / 2 : f.acos;
    return f;
}

TOCHA_HD Complex128 f_asin_c128(Complex128 z) {
    FArcs f = f_arcs(z);
    return f_make_c128(f_copysign_f64(f.asin, z.re), f_copysign_f64(f.acosh, z.im));
}

TOCHA_HD Complex128 f_acos_c128(Complex128 z) {
    FArcs f = f_arcs(z);
    double re = f_bits_f64(z.re) >> 63 ? F_PI_C128 - f.acos : f.acos;
    return f_make_c128(re, f_copysign_f64(f.acosh, -z.im));
}

TOCHA_HD Complex128 f_asinh_c128(Complex128 z) { return f_over_i(f_asin_c128(f_times_i(z))); }

/* i times acos or -i times it, whichever lies to the right. */
TOCHA_HD Complex128 f_acosh_c128(Complex128 z) {
    Complex128 w = f_acos_c128(z);
    return f_make_c128(f_abs_f64(w.im), f_copysign_f64(w.re, z.im));
}

/* log((1 + z) / (1 - z)) / 2, in the quadrant to the right and above. */
TOCHA_HD Complex128 f_atanh_quadrant(double x, double y) {
    double way = 1.0 - x;
    double re = (x == 1.0) & (y < 0x1p-53) ? 0.5 * (F_LN2 - f_log_f64(y))
                                           : 0.25 * f_log1p_f64(4.0 * x / (way * way + y * y));
    double im = 0.5 * f_atan2_f64(2.0 * y, way * (1.0 + x) - y * y);
    return f_make_c128(re, im);
}

TOCHA_HD_CALL Complex128 f_atanh_c128(Complex128 z) {
    double x = f_abs_f64(z.re), y = f_abs_f64(z.im);
    Complex128 w;
    double length = f_hypot_f64(x, y);
    if (length > 0x1p55) {
        int endless = length > DBL_MAX;
        w = f_make_c128(endless ? 0.0 : x / length / length, y != y ? y : F_PI_C128 / 2);
    } else if ((y == 0.0) & (x <= 1.0)) {
        w = f_make_c128(f_atanh_f64(x), y);
    } else if (x == 0.0) {
        w = f_make_c128(x, f_atan_f64(y));
    } else {
        w = f_atanh_quadrant(x, y);
    }
    return f_make_c128(f_copysign_f64(w.re, z.re), f_copysign_f64(w.im, z.im));
}

TOCHA_HD Complex128 f_atan_c128(Complex128 z) { return f_over_i(f_atanh_c128(f_times_i(z))); }

TOCHA_HD Complex128 f_silu_c128(Complex128 z) { return f_mul_c128(z, f_sigmoid_c128(z)); }
TOCHA_HD Complex128 f_tanhshrink_c128(Complex128 z) { return f_sub_c128(z, f_tanh_c128(z)); }
TOCHA_HD Complex128 f_softsign_c128(Complex128 z) {
    double over = 1.0 + f_abs_c128(z);
    return f_make_c128(z.re / over, z.im / over);
}

/* log(e^a + e^b), the one with the larger real part put in front. */
TOCHA_HD_CALL Complex128 f_logaddexp_c128(Complex128 a, Complex128 b) {
    int swap = a.re < b.re;
    Complex128 high = swap ? b : a, low = swap ? a : b;
    int endless = f_abs_f64(high.re) > DBL_MAX;
    if ((a.re != a.re || b.re != b.re) && !endless) {
        return f_add_c128(a, b);
    }
    if (endless && high.re == low.re) {
        return high.re < 0.0 ? low : f_log_c128(f_add_c128(f_exp_c128(low), f_exp_c128(high)));
    }
    return f_add_c128(high, f_log1p_c128(f_exp_c128(f_sub_c128(low, high))));
}

#define F_COMPLEX64(name)                                     \
    TOCHA_HD Complex64 f_##name##_c64(Complex64 z) {          \
        return f_narrow_c128(f_##name##_c128(f_wide_c64(z))); \
    }
F_COMPLEX_FUNCTIONS(F_COMPLEX64)
#undef F_COMPLEX64

TOCHA_HD float f_angle_c64(Complex64 z) { return (float)f_angle_c128(f_wide_c64(z)); }
TOCHA_HD Complex64 f_pow_c64(Complex64 a, Complex64 b) {
    return f_narrow_c128(f_pow_c128(f_wide_c64(a), f_wide_c64(b)));
}
TOCHA_HD Complex64 f_logaddexp_c64(Complex64 a, Complex64 b) {
    return f_narrow_c128(f_logaddexp_c128(f_wide_c64(a), f_wide_c64(b)));
}

#endif
