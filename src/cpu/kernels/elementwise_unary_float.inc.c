/* Functions of one float, included once per type: T, NAME(x) which gives x_<type>, LIBM(x) the
 * maths library's name for the type, INFINITE. */

EW_INLINE T NAME(neg_of)(T x) { return -x; }
/* The sum turns -0 into 0 and keeps NaN. */
EW_INLINE T NAME(sign_of)(T x) { return x > 0 ? (T)1 : x < 0 ? (T)-1 : x + (T)0; }
EW_INLINE T NAME(relu_of)(T x) { return x <= 0 ? (T)0 : x; }
EW_INLINE T NAME(square_of)(T x) { return x * x; }
EW_INLINE T NAME(cube_of)(T x) { return x * x * x; }
EW_INLINE T NAME(reciprocal_of)(T x) { return (T)1 / x; }
EW_INLINE T NAME(floor_of)(T x) { return LIBM(floor)(x); }
EW_INLINE T NAME(ceil_of)(T x) { return LIBM(ceil)(x); }
EW_INLINE T NAME(round_of)(T x) { return LIBM(rint)(x); }
EW_INLINE T NAME(angle_of)(T x) { return x != x ? x : x < 0 ? (T)M_PI : (T)0; }
EW_INLINE T NAME(trunc_of)(T x) { return LIBM(trunc)(x); }
EW_INLINE uint8_t NAME(isnan_of)(T x) { return x != x; }
EW_INLINE uint8_t NAME(isinf_of)(T x) { return NAME(f_abs)(x) == INFINITE; }
EW_INLINE uint8_t NAME(isfinite_of)(T x) { return NAME(f_abs)(x) < INFINITE; }
EW_INLINE uint8_t NAME(logical_not_of)(T x) { return x == 0; }

EW_INLINE void NAME(clamp_loop)(char *const *ptr, int64_t n, const EwNumbers *bounds) {
    T *out = (T *)ptr[0];
    const T *x = (const T *)ptr[1];
    const T low = (T)bounds->a, high = (T)bounds->b;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
        T v = x[i] < low ? low : x[i];
        out[i] = v > high ? high : v;
    }
}
