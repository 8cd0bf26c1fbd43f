/* Loops that move elements, included once per size: T, a type of that size, and NAME(x),
 * which gives x_<size>. */

static void NAME(where)(char *const *ptr, const int64_t *stride, int64_t n, const void *ctx) {
    (void)ctx;
    T *out = (T *)ptr[0];
    const uint8_t *condition = (const uint8_t *)ptr[1];
    const T *x = (const T *)ptr[2], *y = (const T *)ptr[3];
    const T a = *x, b = *y;
    if (stride[2] == 0 && stride[3] == 0) {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++) {
            out[i] = condition[i] ? a : b;
        }
    } else if (stride[2] == 0) {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++) {
            const T v = y[i];
            out[i] = condition[i] ? a : v;
        }
    } else if (stride[3] == 0) {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++) {
            const T v = x[i];
            out[i] = condition[i] ? v : b;
        }
    } else {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++) {
            const T v = x[i], w = y[i];
            out[i] = condition[i] ? v : w;
        }
    }
}

static void NAME(fill)(char *const *ptr, const int64_t *stride, int64_t n, const void *ctx) {
    (void)stride;
    T *out = (T *)ptr[0];
    const T value = *(const T *)ctx;
    for (int64_t i = 0; i < n; i++) {
        out[i] = value;
    }
}
