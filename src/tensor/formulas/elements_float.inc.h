/* The body of elements.h for floats, included once per type: T, NAME(x) which gives x_<type>,
 * LIBM(x) the maths library's name for the type, BITS the unsigned integer of its size, INFINITE,
 * WHOLE up to which quotients have all their whole digits. */

TOCHA_HD T NAME(neg_of)(T x) { return -x; }
/* The sum turns -0 into 0 and keeps NaN. */
TOCHA_HD T NAME(sign_of)(T x) { return x > 0 ? (T)1 : x < 0 ? (T)-1 : x + (T)0; }
TOCHA_HD T NAME(relu_of)(T x) { return x <= 0 ? (T)0 : x; }
TOCHA_HD T NAME(square_of)(T x) { return x * x; }
TOCHA_HD T NAME(cube_of)(T x) { return x * x * x; }
TOCHA_HD T NAME(reciprocal_of)(T x) { return (T)1 / x; }
TOCHA_HD T NAME(floor_of)(T x) { return LIBM(floor)(x); }
TOCHA_HD T NAME(ceil_of)(T x) { return LIBM(ceil)(x); }
TOCHA_HD T NAME(round_of)(T x) { return LIBM(rint)(x); }
TOCHA_HD T NAME(angle_of)(T x) { return x != x ? x : x < 0 ? (T)M_PI : (T)0; }
TOCHA_HD T NAME(trunc_of)(T x) { return LIBM(trunc)(x); }
TOCHA_HD uint8_t NAME(isnan_of)(T x) { return x != x; }
TOCHA_HD uint8_t NAME(isinf_of)(T x) { return NAME(f_abs)(x) == INFINITE; }
TOCHA_HD uint8_t NAME(isfinite_of)(T x) { return NAME(f_abs)(x) < INFINITE; }
TOCHA_HD uint8_t NAME(logical_not_of)(T x) { return x == 0; }

TOCHA_HD T NAME(add_of)(T a, T b) { return a + b; }
TOCHA_HD T NAME(sub_of)(T a, T b) { return a - b; }
TOCHA_HD T NAME(mul_of)(T a, T b) { return a * b; }
TOCHA_HD T NAME(div_of)(T a, T b) { return a / b; }
TOCHA_HD T NAME(pow_of)(T a, T b) { return NAME(f_pow)(a, b); }
/* The second comparison lets NaN through from either side. */
TOCHA_HD T NAME(maximum_of)(T a, T b) { return (a > b) | (a != a) ? a : b; }
TOCHA_HD T NAME(minimum_of)(T a, T b) { return (a < b) | (a != a) ? a : b; }
TOCHA_HD T NAME(tanh_backward_of)(T g, T y) { return g * (1 - y * y); }
TOCHA_HD T NAME(sigmoid_backward_of)(T g, T y) { return g * (y * (1 - y)); }
TOCHA_HD T NAME(relu_backward_of)(T g, T y) { return y > 0 ? g : (T)0; }
TOCHA_HD uint8_t NAME(eq_of)(T a, T b) { return a == b; }
TOCHA_HD uint8_t NAME(ne_of)(T a, T b) { return a != b; }
TOCHA_HD uint8_t NAME(lt_of)(T a, T b) { return a < b; }
TOCHA_HD uint8_t NAME(le_of)(T a, T b) { return a <= b; }
TOCHA_HD uint8_t NAME(logical_and_of)(T a, T b) { return (a != 0) & (b != 0); }
TOCHA_HD uint8_t NAME(logical_or_of)(T a, T b) { return (a != 0) | (b != 0); }
TOCHA_HD uint8_t NAME(logical_xor_of)(T a, T b) { return (a != 0) ^ (b != 0); }

/* value where rest lies on the other side of 0 than b, else 0: by masks, since the compiler makes
 * branches of such selections, one behind the other, and then does not vectorise. */
TOCHA_HD T NAME(if_across)(T rest, T b, T value) {
    BITS differ = (BITS)(rest != 0) & (BITS)(NAME(f_copysign)((T)1, rest) * b < 0);
    return NAME(f_from_bits)(NAME(f_bits)(value) & ((BITS)0 - differ));
}

/* The rest of a / b towards zero, exactly, for |a / b| < WHOLE: rounding can lift the quotient to
 * the next whole number, never let it fall below one, and what either leaves of a is representable.
 */
TOCHA_HD T NAME(rest_near)(T a, T b) {
#if F_HAS_FMA
    T rest = NAME(f_fma)(-LIBM(trunc)(a / b), b, a);
    return rest + NAME(if_across)(rest, a, NAME(f_copysign)(b, a));
#else
    return LIBM(fmod)(a, b);
#endif
}

/* From the rest towards zero to that with the sign of b, also where it is 0. */
TOCHA_HD T NAME(rest_down)(T rest, T b) {
    return NAME(f_copysign)(rest + NAME(if_across)(rest, b, b), b);
}

/* The whole quotient below a / b, given the rest towards zero. */
TOCHA_HD T NAME(quotient_down)(T a, T b, T rest) {
    T quotient = (a - rest) / b;
    quotient -= NAME(if_across)(rest, b, 1);
    T whole = LIBM(floor)(quotient);
    whole += quotient - whole > (T)0.5 ? (T)1 : (T)0;
    T exact = a / b;
    whole = quotient == 0 ? NAME(f_copysign)((T)0, exact) : whole;
    return b == 0 ? exact : whole;
}

/* A rest of 0 has the sign of a. */
TOCHA_HD T NAME(fmod_near)(T a, T b) { return NAME(f_copysign)(NAME(rest_near)(a, b), a); }
TOCHA_HD T NAME(fmod_any)(T a, T b) { return LIBM(fmod)(a, b); }
TOCHA_HD T NAME(trunc_divide_of)(T a, T b) { return LIBM(trunc)(a / b); }
TOCHA_HD T NAME(remainder_near)(T a, T b) { return NAME(rest_down)(NAME(rest_near)(a, b), b); }
TOCHA_HD T NAME(remainder_any)(T a, T b) { return NAME(rest_down)(LIBM(fmod)(a, b), b); }
TOCHA_HD T NAME(floor_divide_near)(T a, T b) {
    return NAME(quotient_down)(a, b, NAME(rest_near)(a, b));
}
TOCHA_HD T NAME(floor_divide_any)(T a, T b) { return NAME(quotient_down)(a, b, LIBM(fmod)(a, b)); }

/* An infinite b gives a quotient of 0 but would spoil the product with it. */
TOCHA_HD uint8_t NAME(is_far)(T a, T b) {
    return !((NAME(f_abs)(a / b) < WHOLE) & (NAME(f_abs)(b) < (T)INFINITY));
}
