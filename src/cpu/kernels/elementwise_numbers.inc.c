/* The body of elementwise_numbers.h, included once per type: T, NUMBERS and NAME(x), which gives
 * x_<type>. */

EW_INLINE NUMBERS NAME(numbers_of)(const void *ctx) {
    const EwNumbers3 *n = ctx;
    return (NUMBERS){(T)n->a, (T)n->b, (T)n->c};
}

EW_INLINE void NAME(map_with)(char *const *ptr, int64_t n, const void *ctx, T (*f)(T, NUMBERS)) {
    T *out = (T *)ptr[0];
    const T *x = (const T *)ptr[1];
    const NUMBERS numbers = NAME(numbers_of)(ctx);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
        out[i] = f(x[i], numbers);
    }
}

EW_INLINE void NAME(zip_with)(char *const *ptr, int64_t n, const void *ctx, T (*f)(T, T, NUMBERS)) {
    T *out = (T *)ptr[0];
    const T *x = (const T *)ptr[1], *y = (const T *)ptr[2];
    const NUMBERS numbers = NAME(numbers_of)(ctx);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) {
        out[i] = f(x[i], y[i], numbers);
    }
}
