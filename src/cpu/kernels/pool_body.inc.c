/* Pooling of one element type T, on top of turn_body.inc.c; LOWEST is its smallest value and IS_NAN
 * whether one is nan, ARE_NAN the same for vectors; INDEX is an integer type of its size. A row of
 * results is made tap by tap along stretches of CHUNK positions, which vectorises. See
 * cpu/pool_kernels.h. */

typedef int64_t NAME(Places)
    __attribute__((vector_size(8 * VECTOR_BYTES / sizeof(T)), aligned(8), may_alias));

/* Two vectors' elements with even or odd (odd = 1) numbers. */
static ALWAYS_INLINE V NAME(every_second)(const T *from, int odd) {
    NAME(VI) index;
    for (int i = 0; i < VL; i++) {
        index[i] = (INDEX)(2 * i + odd);
    }
    return __builtin_shuffle(*(const V *)from, *(const V *)(from + VL), index);
}

static ALWAYS_INLINE void NAME(take_better)(V v, NAME(VI) at, V *top, NAME(VI) * place) {
    NAME(VI) better = (v > *top) | ARE_NAN(v);
    *top = (V)(((NAME(VI))v & better) | ((NAME(VI)) * top & ~better));
    *place = (at & better) | (*place & ~better);
}

/* VL results of windows of two by two. */
static ALWAYS_INLINE void NAME(max_vector)(const T *upper, const T *lower, int64_t below,
                                           int64_t first, T *values, int64_t *places) {
    NAME(VI) left;
    for (int i = 0; i < VL; i++) {
        left[i] = (INDEX)(2 * i);
    }
    NAME(VI) under = left + (INDEX)below, place = left;
    V top = NAME(every_second)(upper, 0);
    NAME(take_better)(NAME(every_second)(upper, 1), left + 1, &top, &place);
    NAME(take_better)(NAME(every_second)(lower, 0), under, &top, &place);
    NAME(take_better)(NAME(every_second)(lower, 1), under + 1, &top, &place);
    *(V *)values = top;
    *(NAME(Places) *)places = first + __builtin_convertvector(place, NAME(Places));
}

/* Row y of windows of two by two without padding, the usual case. Vectors may spill over into rows
 * that come later: left says how many results there are from this row on. */
static void NAME(max_pairs)(const PoolMap *m, const T *plane, int64_t y, T *values, int64_t *places,
                            int64_t left) {
    const T *upper = plane + 2 * y * m->in[2], *lower = upper + m->in[2];
    const T *end = plane + m->in[1] * m->in[2];
    int64_t x = 0, below = m->in[2], first = 2 * y * m->in[2] + 1;
    for (; x < m->out[2] && x + VL <= left && lower + 2 * (x + VL) <= end; x += VL) {
        NAME(max_vector)
        (upper + 2 * x, lower + 2 * x, below, first + 2 * x, values + x, places + x);
    }
    for (; x < m->out[2]; x++) {
        int64_t at = 2 * x, place = at;
        for (int i = 1; i < 4; i++) {
            int64_t other = at + (i & 1) + (i & 2 ? below : 0);
            place = upper[other] > upper[place] || IS_NAN(upper[other]) ? other : place;
        }
        values[x] = upper[place];
        places[x] = first + place;
    }
}

/* Positions [x, x + n) of row y. */
static void NAME(max_chunk)(const PoolMap *m, const T *plane, int64_t y, int64_t x, int64_t n,
                            T *values, int64_t *places) {
    int32_t place[CHUNK];
    Rows rows = pool_rows(m, y);
    Span reach = pool_reach(m, x, n);
    for (int64_t i = 0; i < n; i++) {
        Taps columns = pool_taps(m, 2, x + i);
        values[i] = LOWEST;
        place[i] = (int32_t)(pool_row(m, &rows, 0) * m->in[2] + columns.at);
    }
    for (int64_t k = 0; k < rows.slices.count * rows.rows.count; k++) {
        int64_t row = pool_row(m, &rows, k);
        for (int64_t kx = reach.first; kx < reach.end; kx++) {
            Span s = pool_span(m, kx, x, n);
            const T *from = plane + row * m->in[2] + s.at;
            int32_t base = (int32_t)(row * m->in[2] + s.at), step = (int32_t)m->stride[2];
            for (int64_t i = s.first; i < s.end; i++) {
                T v = from[(i - s.first) * m->stride[2]];
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
    for (int64_t y = 0; y < m->out[0] * m->out[1]; y++, to += m->out[2], places += m->out[2]) {
        if (pool_is_pairs(m)) {
            NAME(max_pairs)(m, plane, y, to, places, (m->out[1] - y) * m->out[2]);
            continue;
        }
        for (int64_t x = 0; x < m->out[2]; x += CHUNK) {
            int64_t n = m->out[2] - x < CHUNK ? m->out[2] - x : CHUNK;
            NAME(max_chunk)(m, plane, y, x, n, to + x, places + x);
        }
    }
}

/* The place in the plane of the largest element of a window, from 0: the first of equals, and a nan
 * where there is one. first and end are the window's bounds along the three axes. */
static int64_t NAME(max_of_window)(const PoolWindows *w, const T *plane, const int64_t *first,
                                   const int64_t *end) {
    int64_t place = (first[0] * w->in[1] + first[1]) * w->in[2] + first[2];
    T best = plane[place];
    for (int64_t z = first[0]; z < end[0]; z++) {
        for (int64_t y = first[1]; y < end[1]; y++) {
            int64_t row = (z * w->in[1] + y) * w->in[2];
            for (int64_t x = first[2]; x < end[2]; x++) {
                T v = plane[row + x];
                if (v > best || IS_NAN(v)) {
                    best = v;
                    place = row + x;
                }
            }
        }
    }
    return place;
}

static void NAME(max_windows)(const PoolWindows *w, const void *plane, void *values,
                              int64_t *places) {
    int64_t i = 0;
    for (int64_t r = 0; r < w->out[0] * w->out[1]; r++) {
        int64_t z = r / w->out[1], y = r % w->out[1];
        for (int64_t x = 0; x < w->out[2]; x++, i++) {
            const int64_t first[] = {w->start[0][z], w->start[1][y], w->start[2][x]};
            const int64_t end[] = {w->end[0][z], w->end[1][y], w->end[2][x]};
            int64_t place = NAME(max_of_window)(w, plane, first, end);
            ((T *)values)[i] = ((const T *)plane)[place];
            places[i] = place + 1;
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
