/* Pooling of one element type T; LOWEST is its smallest value and IS_NAN
 * whether one is nan, ARE_NAN the same for vectors; INDEX is an integer type of its size. A row of
 * results is made tap by tap along stretches of CHUNK positions, which vectorises. See
 * cpu/pool_kernels.h. */

typedef T NAME(V) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(T)), may_alias));
typedef INDEX NAME(VI) __attribute__((vector_size(VECTOR_BYTES)));
#define V  NAME(V)
#define VL ((int64_t)(VECTOR_BYTES / sizeof(T)))
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
    const T *upper = plane + 2 * y * m->in[1], *lower = upper + m->in[1];
    const T *end = plane + m->in[0] * m->in[1];
    int64_t x = 0, below = m->in[1], first = 2 * y * m->in[1] + 1;
    for (; x < m->out[1] && x + VL <= left && lower + 2 * (x + VL) <= end; x += VL) {
        NAME(max_vector)
        (upper + 2 * x, lower + 2 * x, below, first + 2 * x, values + x, places + x);
    }
    for (; x < m->out[1]; x++) {
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
            NAME(max_pairs)(m, plane, y, to, places, (m->out[0] - y) * m->out[1]);
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
