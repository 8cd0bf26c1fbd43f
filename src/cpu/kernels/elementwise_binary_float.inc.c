/* Functions of two floats, included once per type: T, NAME(x) which gives x_<type>, LIBM(x) the
 * maths library's name for the type, WHOLE up to which quotients have all their whole digits. */

EW_INLINE T NAME(add_of)(T a, T b) { return a + b; }
EW_INLINE T NAME(sub_of)(T a, T b) { return a - b; }
EW_INLINE T NAME(mul_of)(T a, T b) { return a * b; }
EW_INLINE T NAME(div_of)(T a, T b) { return a / b; }
EW_INLINE T NAME(pow_of)(T a, T b) { return NAME(f_pow)(a, b); }
/* The second comparison lets NaN through from either side. */
EW_INLINE T NAME(maximum_of)(T a, T b) { return (a > b) | (a != a) ? a : b; }
EW_INLINE T NAME(minimum_of)(T a, T b) { return (a < b) | (a != a) ? a : b; }
EW_INLINE T NAME(tanh_backward_of)(T g, T y) { return g * (1 - y * y); }
EW_INLINE T NAME(sigmoid_backward_of)(T g, T y) { return g * (y * (1 - y)); }
EW_INLINE T NAME(relu_backward_of)(T g, T y) { return y > 0 ? g : (T)0; }
EW_INLINE uint8_t NAME(eq_of)(T a, T b) { return a == b; }
EW_INLINE uint8_t NAME(ne_of)(T a, T b) { return a != b; }
EW_INLINE uint8_t NAME(lt_of)(T a, T b) { return a < b; }
EW_INLINE uint8_t NAME(le_of)(T a, T b) { return a <= b; }
EW_INLINE uint8_t NAME(logical_and_of)(T a, T b) { return (a != 0) & (b != 0); }
EW_INLINE uint8_t NAME(logical_or_of)(T a, T b) { return (a != 0) | (b != 0); }
EW_INLINE uint8_t NAME(logical_xor_of)(T a, T b) { return (a != 0) ^ (b != 0); }

/* value where rest lies on the other side of 0 than b, else 0: by masks, since the compiler makes
 * branches of such selections, one behind the other, and then does not vectorise. */
EW_INLINE T NAME(if_across)(T rest, T b, T value) {
    typedef __typeof__(NAME(f_bits)(rest)) Bits;
    Bits differ = (Bits)(rest != 0) & (Bits)(NAME(f_copysign)((T)1, rest) * b < 0);
    return NAME(f_from_bits)(NAME(f_bits)(value) & ((Bits)0 - differ));
}

/* The rest of a / b towards zero, exactly, for |a / b| < WHOLE: rounding can lift the quotient to
 * the next whole number, never let it fall below one, and what either leaves of a is representable.
 */
EW_INLINE T NAME(rest_near)(T a, T b) {
#if F_HAS_FMA
    T rest = NAME(f_fma)(-LIBM(trunc)(a / b), b, a);
    return rest + NAME(if_across)(rest, a, NAME(f_copysign)(b, a));
#else
    return LIBM(fmod)(a, b);
#endif
}

/* From the rest towards zero to that with the sign of b, also where it is 0. */
EW_INLINE T NAME(rest_down)(T rest, T b) {
    return NAME(f_copysign)(rest + NAME(if_across)(rest, b, b), b);
}

/* The whole quotient below a / b, given the rest towards zero. */
EW_INLINE T NAME(quotient_down)(T a, T b, T rest) {
    T quotient = (a - rest) / b;
    quotient -= NAME(if_across)(rest, b, 1);
    T whole = LIBM(floor)(quotient);
    whole += quotient - whole > (T)0.5 ? (T)1 : (T)0;
    T exact = a / b;
    whole = quotient == 0 ? NAME(f_copysign)((T)0, exact) : whole;
    return b == 0 ? exact : whole;
}

/* A rest of 0 has the sign of a. */
EW_INLINE T NAME(fmod_near)(T a, T b) { return NAME(f_copysign)(NAME(rest_near)(a, b), a); }
EW_INLINE T NAME(fmod_any)(T a, T b) { return LIBM(fmod)(a, b); }
EW_INLINE T NAME(trunc_divide_of)(T a, T b) { return LIBM(trunc)(a / b); }
EW_INLINE T NAME(remainder_near)(T a, T b) { return NAME(rest_down)(NAME(rest_near)(a, b), b); }
EW_INLINE T NAME(remainder_any)(T a, T b) { return NAME(rest_down)(LIBM(fmod)(a, b), b); }
EW_INLINE T NAME(floor_divide_near)(T a, T b) {
    return NAME(quotient_down)(a, b, NAME(rest_near)(a, b));
}
EW_INLINE T NAME(floor_divide_any)(T a, T b) { return NAME(quotient_down)(a, b, LIBM(fmod)(a, b)); }

/* An infinite b gives a quotient of 0 but would spoil the product with it. */
EW_INLINE uint8_t NAME(is_far)(T a, T b) {
    return !((NAME(f_abs)(a / b) < WHOLE) & (NAME(f_abs)(b) < (T)INFINITY));
}

/* Blocks whose quotients are all small take the function without a branch. */
EW_INLINE void NAME(division)(char *const *ptr, const int64_t *stride, int64_t n, T (*near)(T, T),
                              T (*anywhere)(T, T)) {
    enum { BLOCK = 256 };
    char far[BLOCK];
    for (int64_t begin = 0; begin < n; begin += BLOCK) {
        int64_t m = n - begin < BLOCK ? n - begin : BLOCK;
        char *const in[] = {far, ptr[1] + begin * stride[1], ptr[2] + begin * stride[2]};
        char *const part[] = {ptr[0] + begin * (int64_t)sizeof(T), in[1], in[2]};
        NAME(compare)(in, stride, m, NAME(is_far));
        if (memchr(far, 1, (size_t)m)) {
            NAME(zip)(part, stride, m, anywhere);
        } else {
            NAME(zip)(part, stride, m, near);
        }
    }
}

EW_INLINE void NAME(add_scaled_loop)(char *const *ptr, const int64_t *stride, int64_t n,
                                     const EwNumbers *numbers) {
    T *out = (T *)ptr[0];
    const T *x = (const T *)ptr[1], *y = (const T *)ptr[2];
    const T alpha = (T)numbers->a;
    const int64_t dx = stride[1] != 0, dy = stride[2] != 0;
    if (dx + dy == 2) {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++) {
            out[i] = x[i] + alpha * y[i];
        }
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        out[i] = x[i * dx] + alpha * y[i * dy];
    }
}
