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

/* Blocks whose elements all lie inside take the branch-free formula. */
EW_INLINE void NAME(trig)(char *const *ptr, int64_t n, T (*inside)(T), T (*anywhere)(T)) {
    enum { BLOCK = 256 };
    for (int64_t begin = 0; begin < n; begin += BLOCK) {
        int64_t m = n - begin < BLOCK ? n - begin : BLOCK;
        char *const part[] = {ptr[0] + begin * (int64_t)sizeof(T),
                              ptr[1] + begin * (int64_t)sizeof(T)};
        const T *x = (const T *)part[1];
        int outside = 0;
        for (int64_t i = 0; i < m; i++) {
            outside |= NAME(f_abs)(x[i]) > (T)F_TRIG_INSIDE;
        }
        if (outside) {
            NAME(map)(part, m, anywhere);
        } else {
            NAME(map)(part, m, inside);
        }
    }
}
