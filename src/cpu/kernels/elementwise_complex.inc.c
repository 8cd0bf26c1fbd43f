/* The body of elementwise_complex.c, included once per complex type C with parts of type P: NAME(x)
 * gives x_<type>, PART(x) x_<part's type>. */

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

#define ONE(op, loop, f) \
    void ISA_NAME(NAME(op))(EW_LOOP_PARAMS) { NAME(loop)(ptr, n, NAME(f)); }
#define TWO(op, loop, f) \
    void ISA_NAME(NAME(op))(EW_LOOP_PARAMS) { NAME(loop)(ptr, stride, n, NAME(f)); }
ONE(neg, map, f_neg)
ONE(conj, map, f_conj)
ONE(abs, measure, f_abs)
ONE(square, map, f_square)
ONE(reciprocal, map, f_reciprocal)
ONE(isnan, test, f_isnan)
ONE(isinf, test, f_isinf)
ONE(isfinite, test, f_isfinite)
ONE(logical_not, test, f_logical_not)
TWO(add, zip, f_add)
TWO(sub, zip, f_sub)
TWO(mul, zip, f_mul)
TWO(div, zip, f_div)
TWO(tanh_backward, zip, f_tanh_backward)
TWO(sigmoid_backward, zip, f_sigmoid_backward)
TWO(eq, compare, f_eq)
TWO(ne, compare, f_ne)
TWO(logical_and, compare, f_logical_and)
TWO(logical_or, compare, f_logical_or)
TWO(logical_xor, compare, f_logical_xor)
#undef ONE
#undef TWO

void ISA_NAME(NAME(add_scaled))(char *const *ptr, const int64_t *stride, int64_t n,
                                const void *ctx) {
    C *out = (C *)ptr[0];
    const C *x = (const C *)ptr[1], *y = (const C *)ptr[2];
    const EwNumbers *numbers = ctx;
    const C alpha = NAME(f_make)((P)numbers->a, (P)numbers->b);
    const int64_t dx = stride[1] != 0, dy = stride[2] != 0;
    for (int64_t i = 0; i < n; i++) {
        out[i] = NAME(f_add_scaled)(x[i * dx], y[i * dy], alpha);
    }
}
