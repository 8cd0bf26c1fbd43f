/* Included once per type T of the inputs and type R of the output: the loop LOOP over a function of
 * one element and PAIR over one of two. */

EW_INLINE void LOOP(char *const *ptr, int64_t n, R (*f)(T)) {
    R *out = (R *)ptr[0];
    const T *x = (const T *)ptr[1];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
        out[i] = f(x[i]);
    }
}

EW_INLINE void PAIR(char *const *ptr, const int64_t *stride, int64_t n, R (*f)(T, T)) {
    R *out = (R *)ptr[0];
    const T *x = (const T *)ptr[1], *y = (const T *)ptr[2];
    if (stride[2] == 0) {
        const T b = *y;
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++) {
            out[i] = f(x[i], b);
        }
    } else if (stride[1] == 0) {
        const T a = *x;
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++) {
            out[i] = f(a, y[i]);
        }
    } else {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++) {
            out[i] = f(x[i], y[i]);
        }
    }
}
