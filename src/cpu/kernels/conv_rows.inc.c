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

static void NAME(scatter)(const ConvMap *m, const void *cols, int64_t first, int64_t count,
                          int64_t y0, int64_t y1, void *image, const void *end) {
    NAME(Tail) tail = NAME(tail_of)(m->columns);
    const T *from = cols;
    for (int64_t p = first; p < first + count; p++) {
        T *to = (T *)image + m->tap[p] + y0 * m->row_step;
        for (int64_t y = y0; y < y1; y++, to += m->row_step, from += m->columns) {
            NAME(add_row)(from, 1, m->columns, &tail, to + tail.whole + VL <= (const T *)end, to);
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
            T *to = (T *)image + m->tap[p] + y * m->row_step;
            bool writable = to + tail.whole + VL <= (const T *)end;
            NAME(add_row)
            (from, ((const T *)weights)[p], m->columns, &tail, readable && writable, to);
        }
    }
}

/* VL positions from image on. */
static ALWAYS_INLINE V NAME(plane_vector)(const ConvMap *m, const T *image, const T *weights,
                                          T bias) {
    V sum = bias - (V){0};
    for (int64_t p = 0; p < m->taps; p++) {
        sum += weights[p] * *(const V *)(image + m->tap[p]);
    }
    return sum;
}

static void NAME(plane)(const ConvMap *m, const void *image, const void *end, const void *weights,
                        const void *bias, void *out) {
    int64_t last = 0;
    for (int64_t p = 0; p < m->taps; p++) {
        last = m->tap[p] > last ? m->tap[p] : last;
    }
    const T *w = weights;
    T start = bias ? *(const T *)bias : 0;
    T *to = out, *to_end = to + m->rows * m->columns;
    for (int64_t y = 0; y < m->rows; y++) {
        for (int64_t x = 0; x < m->columns; x += VL) {
            const T *from = (const T *)image + y * m->row_step + x;
            int64_t width = m->columns - x < VL ? m->columns - x : VL;
            if (from + last + VL <= (const T *)end) {
                V sum = NAME(plane_vector)(m, from, w, start);
                if (to + VL <= to_end) {
                    *(V *)to = sum;
                } else {
                    memcpy(to, &sum, (size_t)width * sizeof(T));
                }
            } else {
                for (int64_t i = 0; i < width; i++) {
                    to[i] = start;
                    for (int64_t p = 0; p < m->taps; p++) {
                        to[i] += w[p] * from[m->tap[p] + i];
                    }
                }
            }
            to += width;
        }
    }
}

/* The sum over a row of what one tap meets times the gradient. */
static ALWAYS_INLINE V NAME(row_product)(const T *from, const T *grad, int64_t columns,
                                         const NAME(Tail) * tail, bool reachable, V sum) {
    int64_t x = 0;
    for (; x < tail->whole; x += VL) {
        sum += *(const V *)(grad + x) * *(const V *)(from + x);
    }
    if (x == columns) {
        return sum;
    }
    if (reachable) {
        return sum + NAME(masked)(*(const V *)(grad + x), tail->mask) *
                         NAME(masked)(*(const V *)(from + x), tail->mask);
    }
    for (int64_t i = 0; x < columns; x++, i++) {
        sum[i] += grad[x] * from[x];
    }
    return sum;
}

static void NAME(plane_weights)(const ConvMap *m, const void *image, const void *end,
                                const void *grad, const void *grad_end, void *sums) {
    NAME(Tail) tail = NAME(tail_of)(m->columns);
    for (int64_t p = 0; p < m->taps; p++) {
        const T *from = (const T *)image + m->tap[p], *g = grad;
        V sum = {0};
        for (int64_t y = 0; y < m->rows; y++, from += m->row_step, g += m->columns) {
            bool reachable = from + tail.whole + VL <= (const T *)end &&
                             g + tail.whole + VL <= (const T *)grad_end;
            sum = NAME(row_product)(from, g, m->columns, &tail, reachable, sum);
        }
        T total = 0;
        for (int i = 0; i < VL; i++) {
            total += sum[i];
        }
        ((T *)sums)[p] += total;
    }
}
