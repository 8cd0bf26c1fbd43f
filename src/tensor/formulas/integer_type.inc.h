/* The body of integer.h, included once per type. Takes T (the type), U (the unsigned type of its
 * arithmetic, no narrower than int), NEGATIVE(x), whether x < 0, and NAME(x), which gives
 * f_x_<type>. */

/* Wrap around, as two's complement does. */
TOCHA_HD T NAME(add)(T a, T b) { return (T)((U)a + (U)b); }
TOCHA_HD T NAME(sub)(T a, T b) { return (T)((U)a - (U)b); }
TOCHA_HD T NAME(mul)(T a, T b) { return (T)((U)a * (U)b); }
TOCHA_HD T NAME(neg)(T a) { return (T)((U)0 - (U)a); }

/* The smallest value is its own absolute value. */
TOCHA_HD T NAME(abs)(T a) { return NEGATIVE(a) ? NAME(neg)(a) : a; }

TOCHA_HD T NAME(sign)(T a) { return (T)((a > 0) - NEGATIVE(a)); }

/* Division towards zero; 0 for a zero divisor, which callers report; the smallest value divided by
 * -1 wraps around to itself. */
TOCHA_HD T NAME(truncdiv)(T a, T b) {
    T divisor = b == 0 ? (T)1 : b;
    int wraps = NEGATIVE(divisor) && divisor == (T)-1;
    T quotient = (T)(a / (wraps ? (T)1 : divisor));
    return b == 0 ? (T)0 : wraps ? NAME(neg)(a) : quotient;
}

/* What truncdiv leaves, with the sign of a: a - truncdiv(a, b) * b; 0 for a zero divisor. */
TOCHA_HD T NAME(truncmod)(T a, T b) {
    T divisor = b == 0 || (NEGATIVE(b) && b == (T)-1) ? (T)1 : b;
    return (T)(a % divisor);
}

/* Division towards minus infinity; a zero divisor and wrap-around as in truncdiv. */
TOCHA_HD T NAME(floordiv)(T a, T b) {
    T rest = NAME(truncmod)(a, b);
    int down = rest != 0 && NEGATIVE(rest) != NEGATIVE(b);
    return NAME(sub)(NAME(truncdiv)(a, b), (T)down);
}

/* What floordiv leaves, with the sign of b; 0 for a zero divisor. */
TOCHA_HD T NAME(floormod)(T a, T b) {
    T rest = NAME(truncmod)(a, b);
    int down = rest != 0 && NEGATIVE(rest) != NEGATIVE(b);
    return NAME(add)(rest, down ? b : (T)0);
}

/* base^exponent, wrapping around; for a negative exponent 1 and -1 have their exact answer and
 * every other base, 0 too, gives 0. */
TOCHA_HD T NAME(pow)(T base, T exponent) {
    int negative = NEGATIVE(exponent);
    T unit = base == (T)1 || (NEGATIVE(base) && base == (T)-1) ? base : (T)0;
    U result = 1;
    U square = (U)(negative ? unit : base);
    U bits = (U)(negative ? NAME(neg)(exponent) : exponent);
    for (; bits != 0; bits >>= 1) {
        result = bits & 1u ? result * square : result;
        square *= square;
    }
    return (T)result;
}
