/* Sum of a block, for one floating compute type: in LANE_BYTES worth of lanes, which are then added
 * in pairs. The includer defines T, V and V_UNALIGNED (its vector types) and NAME; where elements
 * stand in memory as another type, also that type as ELEMENT, and FROM and VECTOR_AT, by which one
 * and a vector of them are read as T and V. */
#ifndef ELEMENT
    #define ELEMENT       T
    #define FROM(x)       (x)
    #define VECTOR_AT(at) (*(const V_UNALIGNED *)(at))
#endif

enum { NAME(lanes) = LANE_BYTES / sizeof(T), NAME(width) = VECTOR_BYTES / sizeof(T) };

static double NAME(sum_few)(const ELEMENT *x, int64_t n) {
    double a = 0, b = 0, c = 0, d = 0;
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
        a += (double)FROM(x[i]);
        b += (double)FROM(x[i + 1]);
        c += (double)FROM(x[i + 2]);
        d += (double)FROM(x[i + 3]);
    }
    for (; i < n; i++) a += (double)FROM(x[i]);
    return (a + b) + (c + d);
}

/* Lanes are added in halves, down to a group, so that the order is that of any vector width. */
enum { NAME(group) = 64 / sizeof(T), NAME(group_vectors) = 64 / VECTOR_BYTES };

static double NAME(sum_lanes)(const V *s) {
    T lane[NAME(group)];
    memcpy(lane, s, sizeof lane);
#pragma GCC unroll 4
    for (int w = NAME(group) / 2; w >= 1; w /= 2) {
#pragma GCC unroll 8
        for (int j = 0; j < w; j++) lane[j] += lane[j + w];
    }
    return (double)lane[0];
}

/* Adds a few turns of all lanes; their sum is built apart, so that no sum grows long in T. */
static inline void NAME(add_turns)(V *sums, const ELEMENT *x, int64_t turns) {
    V s[LANE_VECTORS];
    for (int k = 0; k < LANE_VECTORS; k++) s[k] = VECTOR_AT(x + k * NAME(width));
    for (int64_t t = 1; t < turns; t++) {
        x += NAME(lanes);
#pragma GCC unroll 16
        for (int k = 0; k < LANE_VECTORS; k++) s[k] += VECTOR_AT(x + k * NAME(width));
    }
    for (int k = 0; k < LANE_VECTORS; k++) sums[k] += s[k];
}

static double NAME(sum_block)(const ELEMENT *x, int64_t n) {
    if (n <= 32) {
        return NAME(sum_few)(x, n);
    }
    V s[LANE_VECTORS];
    for (int k = 0; k < LANE_VECTORS; k++) s[k] = (V){0};
    int64_t i = 0;
    while (i + NAME(lanes) <= n) {
        int64_t turns = (n - i) / NAME(lanes);
        turns = turns < SUM_TURNS ? turns : SUM_TURNS;
        NAME(add_turns)(s, x + i, turns);
        i += turns * NAME(lanes);
    }
#pragma GCC unroll 4
    for (int g = 0; g < LANE_VECTORS; g += NAME(group_vectors)) {
        if (i + NAME(group) <= n) {
#pragma GCC unroll 4
            for (int k = 0; k < NAME(group_vectors); k++) {
                s[g + k] += VECTOR_AT(x + i + k * NAME(width));
            }
            i += NAME(group);
        }
    }
#pragma GCC unroll 4
    for (int h = LANE_VECTORS / 2; h >= NAME(group_vectors); h /= 2) {
#pragma GCC unroll 8
        for (int k = 0; k < h; k++) s[k] += s[k + h];
    }
    return NAME(sum_lanes)(s) + NAME(sum_few)(x + i, n - i);
}
