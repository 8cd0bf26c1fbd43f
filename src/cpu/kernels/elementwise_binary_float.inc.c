/* Loops over two floats, included once per type: T and NAME(x), which gives x_<type>. */

/* Blocks whose quotients are all small take the function without a branch. */
EW_INLINE void NAME(division)(char *const *ptr, const int64_t *stride, int64_t n, T (*near)(T, T),
                              T (*anywhere)(T, T)) {
    enum { BLOCK = 256 };
    char far[BLOCK];
    for (int64_t begin = 0; begin < n; begin += BLOCK) {
        int64_t m = n - begin < BLOCK ? n - begin : BLOCK;
        char *const in[] = {far, ptr[1] + begin * stride[1], ptr[2] + begin * stride[2]};
        char *const part[] = {ptr[0] + begin * (int64_t)sizeof(T), in[1], in[2]};
        NAME(compare)(in, stride, m, NAME(is_far));
        if (memchr(far, 1, (size_t)m)) {
            NAME(zip)(part, stride, m, anywhere);
        } else {
            NAME(zip)(part, stride, m, near);
        }
    }
}

EW_INLINE void NAME(add_scaled_loop)(char *const *ptr, const int64_t *stride, int64_t n,
                                     const EwNumbers *numbers) {
    T *out = (T *)ptr[0];
    const T *x = (const T *)ptr[1], *y = (const T *)ptr[2];
    const T alpha = (T)numbers->a;
    const int64_t dx = stride[1] != 0, dy = stride[2] != 0;
    if (dx + dy == 2) {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++) {
            out[i] = x[i] + alpha * y[i];
        }
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        out[i] = x[i * dx] + alpha * y[i * dy];
    }
}
