/* Functions of two integers, included once per type: T and NAME(x), which gives x_<type>. */

EW_INLINE T NAME(add_of)(T a, T b) { return NAME(f_add)(a, b); }
EW_INLINE T NAME(sub_of)(T a, T b) { return NAME(f_sub)(a, b); }
EW_INLINE T NAME(mul_of)(T a, T b) { return NAME(f_mul)(a, b); }
EW_INLINE T NAME(pow_of)(T a, T b) { return NAME(f_pow)(a, b); }
EW_INLINE T NAME(maximum_of)(T a, T b) { return a > b ? a : b; }
EW_INLINE T NAME(minimum_of)(T a, T b) { return a < b ? a : b; }
EW_INLINE T NAME(floor_divide_of)(T a, T b) { return NAME(f_floordiv)(a, b); }
EW_INLINE T NAME(remainder_of)(T a, T b) { return NAME(f_floormod)(a, b); }
EW_INLINE T NAME(fmod_of)(T a, T b) { return NAME(f_truncmod)(a, b); }
EW_INLINE T NAME(trunc_divide_of)(T a, T b) { return NAME(f_truncdiv)(a, b); }
EW_INLINE T NAME(bitwise_and_of)(T a, T b) { return (T)(a & b); }
EW_INLINE T NAME(bitwise_or_of)(T a, T b) { return (T)(a | b); }
EW_INLINE T NAME(bitwise_xor_of)(T a, T b) { return (T)(a ^ b); }
EW_INLINE uint8_t NAME(eq_of)(T a, T b) { return a == b; }
EW_INLINE uint8_t NAME(ne_of)(T a, T b) { return a != b; }
EW_INLINE uint8_t NAME(lt_of)(T a, T b) { return a < b; }
EW_INLINE uint8_t NAME(le_of)(T a, T b) { return a <= b; }
EW_INLINE uint8_t NAME(logical_and_of)(T a, T b) { return (a != 0) & (b != 0); }
EW_INLINE uint8_t NAME(logical_or_of)(T a, T b) { return (a != 0) | (b != 0); }
EW_INLINE uint8_t NAME(logical_xor_of)(T a, T b) { return (a != 0) ^ (b != 0); }

EW_INLINE void NAME(add_scaled_loop)(char *const *ptr, const int64_t *stride, int64_t n,
                                     const EwNumbers *numbers) {
    T *out = (T *)ptr[0];
    const T *x = (const T *)ptr[1], *y = (const T *)ptr[2];
    const T alpha = (T)numbers->ia;
    const int64_t dx = stride[1] != 0, dy = stride[2] != 0;
    if (dx + dy == 2) {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++) {
            out[i] = NAME(f_add)(x[i], NAME(f_mul)(alpha, y[i]));
        }
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        out[i] = NAME(f_add)(x[i * dx], NAME(f_mul)(alpha, y[i * dy]));
    }
}
