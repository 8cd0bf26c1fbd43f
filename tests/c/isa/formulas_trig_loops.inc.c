/* sin and cos of type T as kernels use them: the branch-free form first, then what lies outside its
 * range. */

static void NAME(sin)(const T *restrict x, T *restrict y, size_t n) {
    size_t outside = 0;
    for (size_t i = 0; i < n; i++) outside += ABS(x[i]) > (T)F_TRIG_INSIDE;
    for (size_t i = 0; i < n; i++) y[i] = FORMULA(sin, inside)(x[i]);
    for (size_t i = 0; outside > 0 && i < n; i++)
        if (ABS(x[i]) > (T)F_TRIG_INSIDE) y[i] = FORMULA(sin, outside)(x[i]);
}

static void NAME(cos)(const T *restrict x, T *restrict y, size_t n) {
    size_t outside = 0;
    for (size_t i = 0; i < n; i++) outside += ABS(x[i]) > (T)F_TRIG_INSIDE;
    for (size_t i = 0; i < n; i++) y[i] = FORMULA(cos, inside)(x[i]);
    for (size_t i = 0; outside > 0 && i < n; i++)
        if (ABS(x[i]) > (T)F_TRIG_INSIDE) y[i] = FORMULA(cos, outside)(x[i]);
}
