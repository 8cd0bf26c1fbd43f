/* Loops along the rows of planes, continuing conv_body.inc.c. The last vector of a row reaches
 * beyond it: its excess is masked, so that nothing from there enters a sum. */

typedef struct NAME(Tail) {
    int64_t whole; /* elements of whole vectors */
    NAME(VI) mask; /* of the elements in the vector behind them */
} NAME(Tail);

static ALWAYS_INLINE NAME(Tail) NAME(tail_of)(int64_t columns) {
    NAME(Tail) t = {.whole = columns / VL * VL};
    for (int i = 0; i < VL; i++) {
        t.mask[i] = i < columns - t.whole ? -1 : 0;
    }
    return t;
}

static ALWAYS_INLINE V NAME(masked)(V x, NAME(VI) mask) { return (V)((NAME(VI))x & mask); }

/* to += factor * from. Both may be touched (to: rewritten as they were) up to reach elements. */
static ALWAYS_INLINE void NAME(add_row)(const T *from, T factor, int64_t columns,
                                        const NAME(Tail) * tail, bool reachable, T *to) {
    int64_t x = 0;
    for (; x < tail->whole; x += VL) {
        *(V *)(to + x) += factor * *(const V *)(from + x);
    }
    if (x == columns) {
        return;
    }
    if (reachable) {
        V more = NAME(masked)(*(const V *)(from + x), tail->mask);
        *(V *)(to + x) += NAME(masked)(factor * more, tail->mask);
        return;
    }
    for (; x < columns; x++) {
        to[x] += factor * from[x];
    }
}

/* Adds n rows to an image. The excess of a vector is written back as it was, and an addition that
 * reads what was just written partly has to wait: so rows that share a vector are kept apart. */
static ALWAYS_INLINE void NAME(add_rows)(const ConvMap *m, const T *from, int64_t y0, int64_t n,
                                         const NAME(Tail) * tail, T *to, const T *end) {
    int64_t apart = (VL + m->row_step - 1) / m->row_step;
    for (int64_t start = 0; start < apart; start++) {
        for (int64_t y = start; y < n; y += apart) {
            T *row = to + conv_corner(m, y0 + y);
            NAME(add_row)
            (from + y * m->columns, 1, m->columns, tail, row + tail->whole + VL <= end, row);
        }
    }
}

/* Channel after channel for each tap of the window, as neighbouring taps touch the same rows. */
static void NAME(scatter)(const ConvMap *m, const void *cols, int64_t first, int64_t count,
                          int64_t y0, int64_t y1, void *image, const void *end) {
    NAME(Tail) tail = NAME(tail_of)(m->columns);
    int64_t n = y1 - y0;
    for (int64_t t = 0; t < m->window; t++) {
        for (int64_t p = first + t; p < first + count; p += m->window) {
            NAME(add_rows)
            (m, (const T *)cols + (p - first) * n * m->columns, y0, n, &tail,
             (T *)image + m->tap[p], end);
        }
    }
}

static void NAME(plane_scatter)(const ConvMap *m, const void *grad, const void *grad_end,
                                const void *weights, void *image, const void *end) {
    NAME(Tail) tail = NAME(tail_of)(m->columns);
    const T *from = grad;
    for (int64_t y = 0; y < m->rows; y++, from += m->columns) {
        bool readable = from + tail.whole + VL <= (const T *)grad_end;
        for (int64_t p = 0; p < m->taps; p++) {
            T *to = (T *)image + m->tap[p] + conv_corner(m, y);
            bool writable = to + tail.whole + VL <= (const T *)end;
            NAME(add_row)
            (from, ((const T *)weights)[p], m->columns, &tail, readable && writable, to);
        }
    }
}

/* VL positions from image on. */
static ALWAYS_INLINE V NAME(plane_vector)(const int64_t taps, const int64_t *tap, const T *image,
                                          const T *weights, T bias) {
    V sum = bias - (V){0};
#pragma GCC unroll 9
    for (int64_t p = 0; p < taps; p++) {
        sum += weights[p] * *(const V *)(image + tap[p]);
    }
    return sum;
}

/* One row; what a vector has too much goes into positions that come later, up to out_end. */
static ALWAYS_INLINE void NAME(plane_row)(const int64_t taps, const ConvMap *m, const T *image,
                                          const T *end, const T *weights, T bias, T *out,
                                          const T *out_end) {
    int64_t tap[TAPS_OF_PLANE], columns = m->columns;
    T w[TAPS_OF_PLANE];
    memcpy(tap, m->tap, (size_t)taps * sizeof *tap);
    memcpy(w, weights, (size_t)taps * sizeof *w);
    int64_t x = 0;
    for (; x < columns && image + x + VL <= end && out + x + VL <= out_end; x += VL) {
        *(V *)(out + x) = NAME(plane_vector)(taps, tap, image + x, w, bias);
    }
    for (; x < columns; x++) {
        out[x] = bias;
        for (int64_t p = 0; p < taps; p++) {
            out[x] += w[p] * image[tap[p] + x];
        }
    }
}

static int64_t NAME(farthest)(const ConvMap *m) {
    int64_t last = 0;
    for (int64_t p = 0; p < m->taps; p++) {
        last = m->tap[p] > last ? m->tap[p] : last;
    }
    return last;
}

/* Large windows, tap by tap. */
static void NAME(plane_row_long)(const ConvMap *m, const T *image, const T *weights, T bias,
                                 T *out) {
    for (int64_t x = 0; x < m->columns; x++) {
        out[x] = bias;
    }
    for (int64_t p = 0; p < m->taps; p++) {
        const T *from = image + m->tap[p];
        for (int64_t x = 0; x < m->columns; x++) {
            out[x] += weights[p] * from[x];
        }
    }
}

static void NAME(plane)(const ConvMap *m, const void *image, const void *end, const void *weights,
                        const void *bias, void *out) {
    const T *last = (const T *)end - NAME(farthest)(m);
    T start = bias ? *(const T *)bias : 0;
    T *to = out, *to_end = to + m->rows * m->columns;
    for (int64_t y = 0; y < m->rows; y++, to += m->columns) {
        const T *from = (const T *)image + conv_corner(m, y);
        if (m->taps == 9) {
            NAME(plane_row)(9, m, from, last, weights, start, to, to_end);
        } else if (m->taps <= TAPS_OF_PLANE) {
            NAME(plane_row)(m->taps, m, from, last, weights, start, to, to_end);
        } else {
            NAME(plane_row_long)(m, from, weights, start, to);
        }
    }
}

/* Adds a row of one plane to the vectors of sums of taps taps. */
static ALWAYS_INLINE void NAME(plane_products)(const int64_t taps, const ConvMap *m,
                                               const int64_t *tap, const T *image, const T *grad,
                                               const NAME(Tail) * tail, bool reachable, V *sum) {
    int64_t x = 0;
    for (; x < tail->whole; x += VL) {
        V g = *(const V *)(grad + x);
#pragma GCC unroll 9
        for (int64_t p = 0; p < taps; p++) {
            sum[p] += g * *(const V *)(image + tap[p] + x);
        }
    }
    if (x < m->columns && reachable) {
        V g = NAME(masked)(*(const V *)(grad + x), tail->mask);
#pragma GCC unroll 9
        for (int64_t p = 0; p < taps; p++) {
            sum[p] += g * NAME(masked)(*(const V *)(image + tap[p] + x), tail->mask);
        }
        return;
    }
    for (int64_t i = 0; x < m->columns; x++, i++) {
        for (int64_t p = 0; p < taps; p++) {
            sum[p][i] += grad[x] * image[tap[p] + x];
        }
    }
}

/* taps of the plane's taps, at most TAPS_AT_ONCE. */
static ALWAYS_INLINE void NAME(plane_sums)(const int64_t taps, const ConvMap *m, const int64_t *tap,
                                           const T *image, const T *end, const T *grad,
                                           const T *grad_end, T *sums) {
    NAME(Tail) tail = NAME(tail_of)(m->columns);
    V sum[TAPS_AT_ONCE];
#pragma GCC unroll 9
    for (int64_t p = 0; p < taps; p++) {
        sum[p] = (V){0};
    }
    for (int64_t y = 0; y < m->rows; y++, grad += m->columns) {
        const T *from = image + conv_corner(m, y);
        bool reachable = from + tail.whole + VL <= end && grad + tail.whole + VL <= grad_end;
        NAME(plane_products)(taps, m, tap, from, grad, &tail, reachable, sum);
    }
    for (int64_t p = 0; p < taps; p++) {
        T total = 0;
        for (int i = 0; i < VL; i++) {
            total += sum[p][i];
        }
        sums[p] += total;
    }
}

static void NAME(plane_weights)(const ConvMap *m, const void *image, const void *end,
                                const void *grad, const void *grad_end, void *sums) {
    const T *last = (const T *)end - NAME(farthest)(m);
    int64_t p = 0;
    for (; p + TAPS_AT_ONCE <= m->taps; p += TAPS_AT_ONCE) {
        NAME(plane_sums)(TAPS_AT_ONCE, m, m->tap + p, image, last, grad, grad_end, (T *)sums + p);
    }
    for (; p < m->taps; p++) {
        NAME(plane_sums)(1, m, m->tap + p, image, last, grad, grad_end, (T *)sums + p);
    }
}
