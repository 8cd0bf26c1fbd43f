/* Average pooling of one floating type T, continuing pool_body.inc.c. */

static void NAME(average_pairs)(const PoolMap *m, const T *plane, int64_t y, T *out) {
    const T *upper = plane + 2 * y * m->in[2], *lower = upper + m->in[2];
    T divisor = (T)(m->divisor != 0 ? m->divisor : 4);
    for (int64_t i = 0; i < m->out[2]; i++) {
        out[i] = ((upper[2 * i] + upper[2 * i + 1]) + (lower[2 * i] + lower[2 * i + 1])) / divisor;
    }
}

/* Sums of a window's rows are added in double: windows may be whole images. */
static void NAME(average_chunk)(const PoolMap *m, const T *plane, int64_t y, int64_t x, int64_t n,
                                T *out) {
    double sum[CHUNK] = {0};
    Rows rows = pool_rows(m, y);
    Span reach = pool_reach(m, x, n);
    for (int64_t k = 0; k < rows.slices.count * rows.rows.count; k++) {
        T part[CHUNK] = {0};
        for (int64_t kx = reach.first; kx < reach.end; kx++) {
            Span s = pool_span(m, kx, x, n);
            const T *from = plane + pool_row(m, &rows, k) * m->in[2] + s.at;
            for (int64_t i = s.first; i < s.end; i++) {
                part[i] += from[(i - s.first) * m->stride[2]];
            }
        }
        for (int64_t i = 0; i < n; i++) {
            sum[i] += (double)part[i];
        }
    }
    for (int64_t i = 0; i < n; i++) {
        out[i] = (T)(sum[i] / pool_divisor(m, y, x + i));
    }
}

static void NAME(average)(const PoolMap *m, const void *plane, void *out) {
    T *to = out;
    for (int64_t y = 0; y < m->out[0] * m->out[1]; y++, to += m->out[2]) {
        if (pool_is_pairs(m)) {
            NAME(average_pairs)(m, plane, y, to);
            continue;
        }
        for (int64_t x = 0; x < m->out[2]; x += CHUNK) {
            int64_t n = m->out[2] - x < CHUNK ? m->out[2] - x : CHUNK;
            NAME(average_chunk)(m, plane, y, x, n, to + x);
        }
    }
}

static void NAME(average_backward_chunk)(const PoolMap *m, const T *grad, int64_t y, int64_t x,
                                         int64_t n, T *plane) {
    T share[CHUNK];
    Rows rows = pool_rows(m, y);
    Span reach = pool_reach(m, x, n);
    for (int64_t i = 0; i < n; i++) {
        share[i] = (T)((double)grad[i] / pool_divisor(m, y, x + i));
    }
    for (int64_t k = 0; k < rows.slices.count * rows.rows.count; k++) {
        for (int64_t kx = reach.first; kx < reach.end; kx++) {
            Span s = pool_span(m, kx, x, n);
            T *to = plane + pool_row(m, &rows, k) * m->in[2] + s.at;
            for (int64_t i = s.first; i < s.end; i++) {
                to[(i - s.first) * m->stride[2]] += share[i];
            }
        }
    }
}

static void NAME(average_backward)(const PoolMap *m, const void *grad, void *plane) {
    const T *from = grad;
    for (int64_t y = 0; y < m->out[0] * m->out[1]; y++, from += m->out[2]) {
        for (int64_t x = 0; x < m->out[2]; x += CHUNK) {
            int64_t n = m->out[2] - x < CHUNK ? m->out[2] - x : CHUNK;
            NAME(average_backward_chunk)(m, from + x, y, x, n, plane);
        }
    }
}
