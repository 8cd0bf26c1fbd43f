/* Largest (or smallest) of a block, for one compute type. The includer defines T, V and V_UNALIGNED
 * (its vector types), BITS (the mask type), NAN_OF(v) and VECTOR_NAN(v) (whether v is NaN), OVER
 * (the comparison) and NAME. */

enum { NAME(lanes) = LANE_BYTES / sizeof(T), NAME(width) = VECTOR_BYTES / sizeof(T) };

static inline bool NAME(better)(T v, T than) { return v OVER than || NAN_OF(v); }

static inline V NAME(pick_vector)(V a, V b) {
    BITS take = (BITS)(b OVER a) | VECTOR_NAN(b);
    return (V)((take & (BITS)b) | (~take & (BITS)a));
}

/* n >= 1; NaN if there is one. */
static T NAME(block)(const T *x, int64_t n) {
    T best = x[0];
    int64_t i = 0;
    if (n >= NAME(lanes)) {
        V m[LANE_VECTORS];
        for (int k = 0; k < LANE_VECTORS; k++) {
            m[k] = *(const V_UNALIGNED *)(x + k * NAME(width));
        }
        for (i = NAME(lanes); i + NAME(lanes) <= n; i += NAME(lanes)) {
#pragma GCC unroll 16
            for (int k = 0; k < LANE_VECTORS; k++) {
                m[k] = NAME(pick_vector)(m[k], *(const V_UNALIGNED *)(x + i + k * NAME(width)));
            }
        }
        for (int k = 1; k < LANE_VECTORS; k++) {
            m[0] = NAME(pick_vector)(m[0], m[k]);
        }
        T lane[NAME(width)];
        memcpy(lane, &m[0], sizeof lane);
#pragma GCC unroll 8
        for (int w = NAME(width) / 2; w >= 1; w /= 2) {
            for (int j = 0; j < w; j++) {
                lane[j] = NAME(better)(lane[j + w], lane[j]) ? lane[j + w] : lane[j];
            }
        }
        best = lane[0];
    }
    for (; i < n; i++) {
        best = NAME(better)(x[i], best) ? x[i] : best;
    }
    return best;
}
