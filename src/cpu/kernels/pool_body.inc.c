/* Pooling of one element type T; LOWEST is its smallest value and IS_NAN
 * whether one is nan. A row of results is made tap by tap
 * along stretches of CHUNK positions, which vectorises. See cpu/pool_kernels.h. */

/* Two by two without padding: the usual case, one pass. */
static void NAME(max_pairs)(const PoolMap *m, const T *plane, int64_t y, T *values,
                            int64_t *places) {
    const T *upper = plane + 2 * y * m->in[1], *lower = upper + m->in[1];
    int32_t place[CHUNK], below = (int32_t)m->in[1];
    for (int64_t x = 0; x < m->out[1]; x += CHUNK) {
        int64_t n = m->out[1] - x < CHUNK ? m->out[1] - x : CHUNK;
        const T *a = upper + 2 * x, *b = lower + 2 * x;
        for (int64_t i = 0; i < n; i++) {
            T top = a[2 * i], v = a[2 * i + 1];
            int32_t at = (int32_t)(2 * i);
            bool better = v > top || IS_NAN(v);
            top = better ? v : top;
            at = better ? (int32_t)(2 * i + 1) : at;
            v = b[2 * i];
            better = v > top || IS_NAN(v);
            top = better ? v : top;
            at = better ? (int32_t)(2 * i) + below : at;
            v = b[2 * i + 1];
            better = v > top || IS_NAN(v);
            values[x + i] = better ? v : top;
            place[i] = better ? (int32_t)(2 * i + 1) + below : at;
        }
        int64_t first = 2 * y * m->in[1] + 2 * x + 1;
        for (int64_t i = 0; i < n; i++) {
            places[x + i] = first + place[i];
        }
    }
}

/* Positions [x, x + n) of row y. */
static void NAME(max_chunk)(const PoolMap *m, const T *plane, int64_t y, int64_t x, int64_t n,
                            T *values, int64_t *places) {
    int32_t place[CHUNK];
    Taps rows = pool_taps(m, 0, y);
    Span reach = pool_reach(m, x, n);
    for (int64_t i = 0; i < n; i++) {
        Taps columns = pool_taps(m, 1, x + i);
        values[i] = LOWEST;
        place[i] = (int32_t)(rows.at * m->in[1] + columns.at);
    }
    for (int64_t ky = 0; ky < rows.count; ky++) {
        int64_t row = rows.at + ky * m->dilation[0];
        for (int64_t kx = reach.first; kx < reach.end; kx++) {
            Span s = pool_span(m, kx, x, n);
            const T *from = plane + row * m->in[1] + s.at;
            int32_t base = (int32_t)(row * m->in[1] + s.at), step = (int32_t)m->stride[1];
            for (int64_t i = s.first; i < s.end; i++) {
                T v = from[(i - s.first) * m->stride[1]];
                bool better = v > values[i] || IS_NAN(v);
                values[i] = better ? v : values[i];
                place[i] = better ? base + (int32_t)(i - s.first) * step : place[i];
            }
        }
    }
    for (int64_t i = 0; i < n; i++) {
        places[i] = (int64_t)place[i] + 1;
    }
}

static void NAME(max)(const PoolMap *m, const void *plane, void *values, int64_t *places) {
    T *to = values;
    for (int64_t y = 0; y < m->out[0]; y++, to += m->out[1], places += m->out[1]) {
        if (pool_is_pairs(m)) {
            NAME(max_pairs)(m, plane, y, to, places);
            continue;
        }
        for (int64_t x = 0; x < m->out[1]; x += CHUNK) {
            int64_t n = m->out[1] - x < CHUNK ? m->out[1] - x : CHUNK;
            NAME(max_chunk)(m, plane, y, x, n, to + x, places + x);
        }
    }
}

static int64_t NAME(max_backward)(const void *grad, const int64_t *places, int64_t n, void *plane,
                                  int64_t size) {
    T *to = plane;
    for (int64_t i = 0; i < n; i++) {
        if (places[i] < 1 || places[i] > size) {
            return i;
        }
        to[places[i] - 1] += ((const T *)grad)[i];
    }
    return -1;
}
