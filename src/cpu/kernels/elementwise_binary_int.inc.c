/* Loops over two integers, included once per type: T and NAME(x), which gives x_<type>. */

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
