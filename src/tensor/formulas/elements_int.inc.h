/* The body of elements.h for integers, included once per type: T and NAME(x), which gives x_<type>.
 */

TOCHA_HD T NAME(neg_of)(T x) { return NAME(f_neg)(x); }
TOCHA_HD T NAME(abs_of)(T x) { return NAME(f_abs)(x); }
TOCHA_HD T NAME(sign_of)(T x) { return NAME(f_sign)(x); }
TOCHA_HD T NAME(relu_of)(T x) { return x > 0 ? x : (T)0; }
TOCHA_HD T NAME(square_of)(T x) { return NAME(f_mul)(x, x); }
TOCHA_HD T NAME(bitwise_not_of)(T x) { return (T)~x; }
TOCHA_HD T NAME(same_of)(T x) { return x; }
TOCHA_HD uint8_t NAME(logical_not_of)(T x) { return x == 0; }

TOCHA_HD uint8_t NAME(never_of)(T x) {
    (void)x;
    return 0;
}

TOCHA_HD uint8_t NAME(always_of)(T x) {
    (void)x;
    return 1;
}

TOCHA_HD T NAME(add_of)(T a, T b) { return NAME(f_add)(a, b); }
TOCHA_HD T NAME(sub_of)(T a, T b) { return NAME(f_sub)(a, b); }
TOCHA_HD T NAME(mul_of)(T a, T b) { return NAME(f_mul)(a, b); }
TOCHA_HD T NAME(pow_of)(T a, T b) { return NAME(f_pow)(a, b); }
TOCHA_HD T NAME(maximum_of)(T a, T b) { return a > b ? a : b; }
TOCHA_HD T NAME(minimum_of)(T a, T b) { return a < b ? a : b; }
TOCHA_HD T NAME(floor_divide_of)(T a, T b) { return NAME(f_floordiv)(a, b); }
TOCHA_HD T NAME(remainder_of)(T a, T b) { return NAME(f_floormod)(a, b); }
TOCHA_HD T NAME(fmod_of)(T a, T b) { return NAME(f_truncmod)(a, b); }
TOCHA_HD T NAME(trunc_divide_of)(T a, T b) { return NAME(f_truncdiv)(a, b); }
TOCHA_HD T NAME(bitwise_and_of)(T a, T b) { return (T)(a & b); }
TOCHA_HD T NAME(bitwise_or_of)(T a, T b) { return (T)(a | b); }
TOCHA_HD T NAME(bitwise_xor_of)(T a, T b) { return (T)(a ^ b); }
TOCHA_HD uint8_t NAME(eq_of)(T a, T b) { return a == b; }
TOCHA_HD uint8_t NAME(ne_of)(T a, T b) { return a != b; }
TOCHA_HD uint8_t NAME(lt_of)(T a, T b) { return a < b; }
TOCHA_HD uint8_t NAME(le_of)(T a, T b) { return a <= b; }
TOCHA_HD uint8_t NAME(logical_and_of)(T a, T b) { return (a != 0) & (b != 0); }
TOCHA_HD uint8_t NAME(logical_or_of)(T a, T b) { return (a != 0) | (b != 0); }
TOCHA_HD uint8_t NAME(logical_xor_of)(T a, T b) { return (a != 0) ^ (b != 0); }
