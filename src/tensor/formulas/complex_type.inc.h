/* The formulas of one complex type: C, its parts' type T, NAME(x) for x_<complex type> and PART(x)
 * for x_<part's type>. Products and quotients are the textbook's: where a part is infinite or NaN
 * the others become so too. */

TOCHA_HD C NAME(f_make)(T re, T im) {
    C z;
    z.re = re;
    z.im = im;
    return z;
}
TOCHA_HD uint8_t NAME(f_is_true)(C a) { return (a.re != 0) | (a.im != 0); }
TOCHA_HD C NAME(f_neg)(C a) { return NAME(f_make)(-a.re, -a.im); }
TOCHA_HD C NAME(f_conj)(C a) { return NAME(f_make)(a.re, -a.im); }
TOCHA_HD C NAME(f_scale_by)(C a, T s) { return NAME(f_make)(a.re * s, a.im * s); }
TOCHA_HD C NAME(f_add)(C a, C b) { return NAME(f_make)(a.re + b.re, a.im + b.im); }
TOCHA_HD C NAME(f_sub)(C a, C b) { return NAME(f_make)(a.re - b.re, a.im - b.im); }
TOCHA_HD C NAME(f_mul)(C a, C b) {
    return NAME(f_make)(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re);
}
/* a + b * c */
TOCHA_HD C NAME(f_mul_add)(C a, C b, C c) {
    return NAME(f_make)(a.re + (b.re * c.re - b.im * c.im), a.im + (b.re * c.im + b.im * c.re));
}

/* By the ratio of b's smaller part to the larger one, so that no square overflows. */
TOCHA_HD C NAME(f_div)(C a, C b) {
    int upright = PART(f_abs)(b.re) >= PART(f_abs)(b.im);
    T large = upright ? b.re : b.im, small = upright ? b.im : b.re;
    T ratio = large == 0 ? small : small / large;
    T over = large + small * ratio;
    T re = upright ? a.re + a.im * ratio : a.re * ratio + a.im;
    T im = upright ? a.im - a.re * ratio : a.im * ratio - a.re;
    return NAME(f_make)(re / over, im / over);
}

TOCHA_HD C NAME(f_one)(void) { return NAME(f_make)((T)1, (T)0); }
TOCHA_HD C NAME(f_square)(C a) { return NAME(f_mul)(a, a); }
TOCHA_HD C NAME(f_reciprocal)(C a) { return NAME(f_div)(NAME(f_one)(), a); }
TOCHA_HD C NAME(f_tanh_backward)(C g, C y) {
    return NAME(f_mul)(g, NAME(f_sub)(NAME(f_one)(), NAME(f_mul)(y, y)));
}
TOCHA_HD C NAME(f_sigmoid_backward)(C g, C y) {
    return NAME(f_mul)(g, NAME(f_mul)(y, NAME(f_sub)(NAME(f_one)(), y)));
}
TOCHA_HD uint8_t NAME(f_isnan)(C a) { return (a.re != a.re) | (a.im != a.im); }
TOCHA_HD uint8_t NAME(f_isinf)(C a) {
    return (PART(f_abs)(a.re) == (T)INFINITY) | (PART(f_abs)(a.im) == (T)INFINITY);
}
TOCHA_HD uint8_t NAME(f_isfinite)(C a) {
    return (PART(f_abs)(a.re) < (T)INFINITY) & (PART(f_abs)(a.im) < (T)INFINITY);
}
TOCHA_HD uint8_t NAME(f_logical_not)(C a) { return !NAME(f_is_true)(a); }
TOCHA_HD uint8_t NAME(f_eq)(C a, C b) { return (a.re == b.re) & (a.im == b.im); }
TOCHA_HD uint8_t NAME(f_ne)(C a, C b) { return !NAME(f_eq)(a, b); }
TOCHA_HD uint8_t NAME(f_logical_and)(C a, C b) { return NAME(f_is_true)(a) & NAME(f_is_true)(b); }
TOCHA_HD uint8_t NAME(f_logical_or)(C a, C b) { return NAME(f_is_true)(a) | NAME(f_is_true)(b); }
TOCHA_HD uint8_t NAME(f_logical_xor)(C a, C b) { return NAME(f_is_true)(a) ^ NAME(f_is_true)(b); }

/* a + alpha * b; an alpha without an imaginary part only scales. */
TOCHA_HD C NAME(f_add_scaled)(C a, C b, C alpha) {
    C turned = NAME(f_mul)(b, alpha), scaled = NAME(f_scale_by)(b, alpha.re);
    return NAME(f_add)(a, alpha.im == 0 ? scaled : turned);
}
TOCHA_HD C NAME(f_addcmul)(C x, C y, C z, C value) {
    return NAME(f_add_scaled)(x, NAME(f_mul)(y, z), value);
}
TOCHA_HD C NAME(f_addcdiv)(C x, C y, C z, C value) {
    return NAME(f_add_scaled)(x, NAME(f_div)(y, z), value);
}

/* From the nearer end, so that weight 1 gives end itself. */
TOCHA_HD C NAME(f_lerp)(C start, C end, C weight, C unused) {
    (void)unused;
    C way = NAME(f_sub)(end, start), rest = NAME(f_sub)(NAME(f_one)(), weight);
    int near = weight.re * weight.re + weight.im * weight.im < (T)0.25;
    C first = NAME(f_add)(start, NAME(f_mul)(weight, way));
    C last = NAME(f_sub)(end, NAME(f_mul)(way, rest));
    return near ? first : last;
}
