/* Functions of one integer, included once per type: T and NAME(x), which gives x_<type>. */

EW_INLINE T NAME(neg_of)(T x) { return NAME(f_neg)(x); }
EW_INLINE T NAME(abs_of)(T x) { return NAME(f_abs)(x); }
EW_INLINE T NAME(sign_of)(T x) { return NAME(f_sign)(x); }
EW_INLINE T NAME(relu_of)(T x) { return x > 0 ? x : (T)0; }
EW_INLINE T NAME(square_of)(T x) { return NAME(f_mul)(x, x); }
EW_INLINE T NAME(bitwise_not_of)(T x) { return (T)~x; }
EW_INLINE T NAME(same_of)(T x) { return x; }
EW_INLINE uint8_t NAME(logical_not_of)(T x) { return x == 0; }

EW_INLINE uint8_t NAME(never_of)(T x) {
    (void)x;
    return 0;
}

EW_INLINE uint8_t NAME(always_of)(T x) {
    (void)x;
    return 1;
}

EW_INLINE void NAME(clamp_loop)(char *const *ptr, int64_t n, const EwNumbers *bounds) {
    T *out = (T *)ptr[0];
    const T *x = (const T *)ptr[1];
    const T low = (T)bounds->ia, high = (T)bounds->ib;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
        T v = x[i] < low ? low : x[i];
        out[i] = v > high ? high : v;
    }
}
