/* Largest (or smallest) of a block, for one compute type. The includer defines T, V and V_UNALIGNED
 * (its vector types), BITS (the mask type), NAN_OF(v) and VECTOR_NAN(v) (whether v is NaN), OVER
 * (the comparison) and NAME. */

enum { NAME(lanes) = LANE_BYTES / sizeof(T), NAME(width) = VECTOR_BYTES / sizeof(T) };

static inline bool NAME(better)(T v, T than) { return v OVER than || NAN_OF(v); }

static inline V NAME(pick_vector)(V a, V b) {
    BITS take = (BITS)(b OVER a) | VECTOR_NAN(b);
    return (V)((take & (BITS)b) | (~take & (BITS)a));
}

static T NAME(pick_lanes)(V m) {
    T lane[NAME(width)];
    memcpy(lane, &m, sizeof lane);
#pragma GCC unroll 8
    for (int w = NAME(width) / 2; w >= 1; w /= 2) {
#pragma GCC unroll 16
        for (int j = 0; j < w; j++) {
            T a = lane[j], b = lane[j + w];
            lane[j] = (b OVER a) | NAN_OF(b) ? b : a;
        }
    }
    return lane[0];
}

static V NAME(load)(const T *x) { return *(const V_UNALIGNED *)x; }

/* n >= width. */
static V NAME(pick_vectors)(const T *x, int64_t n) {
    V m[LANE_VECTORS];
    int64_t i = 0;
    m[0] = NAME(load)(x);
    if (n >= NAME(lanes)) {
        for (int k = 1; k < LANE_VECTORS; k++) m[k] = NAME(load)(x + k * NAME(width));
        for (i = NAME(lanes); i + NAME(lanes) <= n; i += NAME(lanes)) {
#pragma GCC unroll 16
            for (int k = 0; k < LANE_VECTORS; k++) {
                m[k] = NAME(pick_vector)(m[k], NAME(load)(x + i + k * NAME(width)));
            }
        }
        for (int k = 1; k < LANE_VECTORS; k++) m[0] = NAME(pick_vector)(m[0], m[k]);
    }
    for (; i + NAME(width) <= n; i += NAME(width)) {
        m[0] = NAME(pick_vector)(m[0], NAME(load)(x + i));
    }
    return i < n ? NAME(pick_vector)(m[0], NAME(load)(x + n - NAME(width))) : m[0];
}

/* n >= 1; NaN if there is one. */
static T NAME(block)(const T *x, int64_t n) {
    if (n >= NAME(width)) {
        return NAME(pick_lanes)(NAME(pick_vectors)(x, n));
    }
    T best = x[0];
    for (int64_t i = 1; i < n; i++) best = NAME(better)(x[i], best) ? x[i] : best;
    return best;
}
