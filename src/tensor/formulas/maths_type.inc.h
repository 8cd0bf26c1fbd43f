/* The body of maths.h, included once per type: T, U (the unsigned integer of its size), NUMBERS,
 * NAME(x), which gives f_x_<type>, LIBM(x), LIMIT (the largest finite number) and SIGN (its sign
 * bit). */

TOCHA_HD T NAME(rsqrt)(T x) { return 1 / NAME(sqrt)(x); }
TOCHA_HD T NAME(deg2rad)(T x) { return x * (T)0x1.1df46a2529d39p-6; }
TOCHA_HD T NAME(rad2deg)(T x) { return x * (T)0x1.ca5dc1a63c1f8p+5; }
TOCHA_HD T NAME(frac)(T x) { return x - LIBM(trunc)(x); }

/* log(x / (1 - x)); around 1/2 as log1p((2 x - 1) / (1 - x)). With a >= 0, x is first clamped to
 * [a, 1 - a]. */
TOCHA_HD T NAME(logit)(T x, NUMBERS p) {
    T low = (p.a >= 0) & (x < p.a) ? p.a : x;
    T y = (p.a >= 0) & (low > 1 - p.a) ? 1 - p.a : low;
    T u = NAME(log1p)((y + y - 1) / (1 - y));
    T v = NAME(log)(y / (1 - y));
    return (y > (T)0.25) & (y < (T)0.75) ? u : v;
}

/* a in place of NaN, b of inf, c of -inf. */
TOCHA_HD T NAME(nan_to_num)(T x, NUMBERS p) {
    T y = x > LIMIT ? p.b : x < -LIMIT ? p.c : x;
    return x != x ? p.a : y;
}

/* To multiples of 1 / a, or of b where that is not 0. */
TOCHA_HD T NAME(round__decimals)(T x, NUMBERS p) {
    T fine = LIBM(rint)(x * p.a) / p.a, coarse = LIBM(rint)(x / p.b) * p.b;
    return p.b != 0 ? coarse : fine;
}

TOCHA_HD uint8_t NAME(signbit)(T x) { return (NAME(bits)(x) & SIGN) != 0; }
TOCHA_HD uint8_t NAME(isposinf)(T x) { return x > LIMIT; }
TOCHA_HD uint8_t NAME(isneginf)(T x) { return x < -LIMIT; }

/* A NaN yields to the other. */
TOCHA_HD T NAME(fmax)(T a, T b) { return (a >= b) | (b != b) ? a : b; }
TOCHA_HD T NAME(fmin)(T a, T b) { return (a <= b) | (b != b) ? a : b; }

/* The neighbour of a on the way to b. */
TOCHA_HD T NAME(nextafter)(T a, T b) {
    U bits = NAME(bits)(a);
    U up = bits + 1, down = bits - 1;
    T next = NAME(from_bits)((a < b) == (a > 0) ? up : down);
    next = a == 0 ? NAME(copysign)(NAME(from_bits)(1), b) : next;
    next = a == b ? b : next;
    return (a != a) | (b != b) ? a + b : next;
}

TOCHA_HD T NAME(heaviside)(T x, T at_zero) { return x == 0 ? at_zero : x > 0 ? (T)1 : (T)0; }

/* log(e^a + e^b), from the larger one. */
TOCHA_HD T NAME(logaddexp)(T a, T b) {
    T most = (a >= b) | (a != a) ? a : b;
    T rest = NAME(log1p_inside)(NAME(exp_below)(-NAME(abs)(a - b)));
    return (a == b) & (NAME(abs)(a) > LIMIT) ? a : most + rest;
}
TOCHA_HD T NAME(logaddexp2)(T a, T b) {
    T most = (a >= b) | (a != a) ? a : b;
    T rest = NAME(log1p_inside)(NAME(exp2)(-NAME(abs)(a - b))) * (T)F_LOG2E_F64;
    return (a == b) & (NAME(abs)(a) > LIMIT) ? a : most + rest;
}

TOCHA_HD T NAME(xlogy)(T x, T y) {
    T z = x == 0 ? (T)0 : x * NAME(log)(y);
    return y != y ? y : z;
}

TOCHA_HD T NAME(prelu_kernel)(T x, T slope) { return x > 0 ? x : x * slope; }

TOCHA_HD T NAME(addcmul)(T x, T y, T z, NUMBERS p) { return x + p.a * y * z; }
TOCHA_HD T NAME(addcdiv)(T x, T y, T z, NUMBERS p) { return x + p.a * (y / z); }

/* From the nearer end, so that weight 1 gives end itself. */
TOCHA_HD T NAME(lerp)(T start, T end, T weight, NUMBERS p) {
    (void)p;
    T way = end - start;
    return NAME(abs)(weight) < (T)0.5 ? start + weight * way : end - way * (1 - weight);
}

/* Comparisons let NaN through from each of the three. */
TOCHA_HD T NAME(clamp__tensor)(T x, T low, T high, NUMBERS p) {
    (void)p;
    T y = (x < low) | (low != low) ? low : x;
    return (y > high) | (high != high) ? high : y;
}
