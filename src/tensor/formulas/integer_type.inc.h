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

TOCHA_HD T NAME(fmax)(T a, T b) { return a > b ? a : b; }
TOCHA_HD T NAME(fmin)(T a, T b) { return a < b ? a : b; }
TOCHA_HD T NAME(heaviside)(T x, T at_zero) { return x == 0 ? at_zero : NEGATIVE(x) ? (T)0 : (T)1; }

/* |a|, where that of the smallest value is one more than the largest. */
TOCHA_HD U NAME(magnitude)(T a) { return NEGATIVE(a) ? (U)0 - (U)a : (U)a; }

/* By Euclid; 0 where both are 0. What does not fit wraps around. */
TOCHA_HD T NAME(gcd)(T a, T b) {
    U x = NAME(magnitude)(a), y = NAME(magnitude)(b);
    while (y != 0) {
        U rest = x % y;
        x = y;
        y = rest;
    }
    return (T)x;
}

TOCHA_HD T NAME(lcm)(T a, T b) {
    U x = NAME(magnitude)(a), y = NAME(magnitude)(b), common = NAME(magnitude)(NAME(gcd)(a, b));
    T product = (T)(x / (common == 0 ? (U)1 : common) * y);
    return NAME(abs)(product);
}

/* Shifts by a negative count or beyond the width move all bits out; to the right the sign comes
 * in. */
TOCHA_HD T NAME(bitwise_left_shift)(T a, T count) {
    int out = NEGATIVE(count) | (count >= (T)(8 * sizeof(T)));
    return (T)(out ? (U)0 : (U)a << (out ? (U)0 : (U)count));
}
TOCHA_HD T NAME(bitwise_right_shift)(T a, T count) {
    int out = NEGATIVE(count) | (count >= (T)(8 * sizeof(T)));
    T rest = (T)(a >> (out ? (U)0 : (U)count));
    return (T)(out ? (NEGATIVE(a) ? -1 : 0) : rest);
}

TOCHA_HD T NAME(addcmul)(T x, T y, T z, T value) {
    return NAME(add)(x, NAME(mul)(value, NAME(mul)(y, z)));
}
TOCHA_HD T NAME(clamp__tensor)(T x, T low, T high, T unused) {
    (void)unused;
    T y = x < low ? low : x;
    return y > high ? high : y;
}
