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
TOCHA_HD uint8_t NAME(f_equal)(C a, C b) { return (a.re == b.re) & (a.im == b.im); }
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
