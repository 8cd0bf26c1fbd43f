/* The body of elementwise_complex.c, included once per complex type C with parts of type P: NAME(x)
 * gives x_<type>, PART(x) x_<part's type>, LENGTH(a) is the absolute value. */

#define T    C
#define R    C
#define LOOP NAME(map)
#define PAIR NAME(zip)
#include "cpu/kernels/elementwise_pair.inc.c"
#undef R
#undef LOOP
#undef PAIR

#define R    P
#define LOOP NAME(measure)
#define PAIR NAME(measure_pair)
#include "cpu/kernels/elementwise_pair.inc.c"
#undef R
#undef LOOP
#undef PAIR

#define R    uint8_t
#define LOOP NAME(test)
#define PAIR NAME(compare)
#include "cpu/kernels/elementwise_pair.inc.c"
#undef R
#undef LOOP
#undef PAIR
#undef T

EW_INLINE P NAME(abs_of)(C a) { return LENGTH(a); }
EW_INLINE C NAME(square_of)(C a) { return NAME(f_mul)(a, a); }
EW_INLINE C NAME(reciprocal_of)(C a) { return NAME(f_div)(NAME(f_make)(1, 0), a); }
EW_INLINE C NAME(tanh_backward_of)(C g, C y) {
    return NAME(f_mul)(g, NAME(f_sub)(NAME(f_make)(1, 0), NAME(f_mul)(y, y)));
}
EW_INLINE C NAME(sigmoid_backward_of)(C g, C y) {
    return NAME(f_mul)(g, NAME(f_mul)(y, NAME(f_sub)(NAME(f_make)(1, 0), y)));
}
EW_INLINE uint8_t NAME(isnan_of)(C a) { return (a.re != a.re) | (a.im != a.im); }
EW_INLINE uint8_t NAME(isinf_of)(C a) {
    return (PART(f_abs)(a.re) == (P)INFINITY) | (PART(f_abs)(a.im) == (P)INFINITY);
}
EW_INLINE uint8_t NAME(isfinite_of)(C a) {
    return (PART(f_abs)(a.re) < (P)INFINITY) & (PART(f_abs)(a.im) < (P)INFINITY);
}
EW_INLINE uint8_t NAME(logical_not_of)(C a) { return !NAME(f_is_true)(a); }
EW_INLINE uint8_t NAME(eq_of)(C a, C b) { return NAME(f_equal)(a, b); }
EW_INLINE uint8_t NAME(ne_of)(C a, C b) { return !NAME(f_equal)(a, b); }
EW_INLINE uint8_t NAME(logical_and_of)(C a, C b) { return NAME(f_is_true)(a) & NAME(f_is_true)(b); }
EW_INLINE uint8_t NAME(logical_or_of)(C a, C b) { return NAME(f_is_true)(a) | NAME(f_is_true)(b); }
EW_INLINE uint8_t NAME(logical_xor_of)(C a, C b) { return NAME(f_is_true)(a) ^ NAME(f_is_true)(b); }

#define ONE(op, loop, f) \
    void ISA_NAME(NAME(op))(EW_LOOP_PARAMS) { NAME(loop)(ptr, n, NAME(f)); }
#define TWO(op, loop, f) \
    void ISA_NAME(NAME(op))(EW_LOOP_PARAMS) { NAME(loop)(ptr, stride, n, NAME(f)); }
ONE(neg, map, f_neg)
ONE(conj, map, f_conj)
ONE(abs, measure, abs_of)
ONE(square, map, square_of)
ONE(reciprocal, map, reciprocal_of)
ONE(isnan, test, isnan_of)
ONE(isinf, test, isinf_of)
ONE(isfinite, test, isfinite_of)
ONE(logical_not, test, logical_not_of)
TWO(add, zip, f_add)
TWO(sub, zip, f_sub)
TWO(mul, zip, f_mul)
TWO(div, zip, f_div)
TWO(tanh_backward, zip, tanh_backward_of)
TWO(sigmoid_backward, zip, sigmoid_backward_of)
TWO(eq, compare, eq_of)
TWO(ne, compare, ne_of)
TWO(logical_and, compare, logical_and_of)
TWO(logical_or, compare, logical_or_of)
TWO(logical_xor, compare, logical_xor_of)
#undef ONE
#undef TWO

void ISA_NAME(NAME(add_scaled))(char *const *ptr, const int64_t *stride, int64_t n,
                                const void *ctx) {
    C *out = (C *)ptr[0];
    const C *x = (const C *)ptr[1], *y = (const C *)ptr[2];
    const EwNumbers *numbers = ctx;
    const C alpha = NAME(f_make)((P)numbers->a, (P)numbers->b);
    const int64_t dx = stride[1] != 0, dy = stride[2] != 0;
    if (alpha.im != 0) {
        for (int64_t i = 0; i < n; i++) {
            out[i] = NAME(f_add)(x[i * dx], NAME(f_mul)(y[i * dy], alpha));
        }
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        out[i] = NAME(f_add)(x[i * dx], NAME(f_scale_by)(y[i * dy], alpha.re));
    }
}
