/* Loops over one float, included once per type: T and NAME(x), which gives x_<type>. */

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
