/* Sum of a block, for one floating compute type: in LANE_BYTES worth of lanes, which are then added
 * in pairs. The includer defines T, V and V_UNALIGNED (its vector types) and NAME. */

enum { NAME(lanes) = LANE_BYTES / sizeof(T), NAME(width) = VECTOR_BYTES / sizeof(T) };

static double NAME(sum_few)(const T *x, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)x[i];
    return sum;
}

static double NAME(sum_block)(const T *x, int64_t n) {
    if (n <= 16) {
        return NAME(sum_few)(x, n);
    }
    V s[LANE_VECTORS];
    for (int k = 0; k < LANE_VECTORS; k++) s[k] = (V){0};
    int64_t i = 0;
    for (; i + NAME(lanes) <= n; i += NAME(lanes)) {
#pragma GCC unroll 16
        for (int k = 0; k < LANE_VECTORS; k++) {
            s[k] += *(const V_UNALIGNED *)(x + i + k * NAME(width));
        }
    }
    T lane[NAME(lanes)];
    memcpy(lane, s, sizeof lane);
    for (int64_t j = 0; j < n - i; j++) lane[j] += x[i + j];
#pragma GCC unroll 8
    for (int w = NAME(lanes) / 2; w >= 1; w /= 2) {
#pragma GCC unroll 32
        for (int j = 0; j < w; j++) lane[j] += lane[j + w];
    }
    return (double)lane[0];
}
