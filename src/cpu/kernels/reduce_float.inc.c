/* Sums and products of floats, and the other kinds, for one compute type. The includer defines T,
 * V and V_UNALIGNED (its vector types), LOAD and NAME.
 *
 * A sum adds up a block in LANE_BYTES worth of lanes, which are then added in pairs; block sums are
 * added as doubles, keeping what each addition drops (Knuth's TwoSum). */

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

static void NAME(sum_along)(const ReduceRun *r) {
    T buf[REDUCE_BLOCK];
    for (int64_t c = 0; c < r->cols; c++) {
        double high = r->a[c].f, low = r->b[c].f;
        for (int64_t i = 0; i < r->rows; i += REDUCE_BLOCK) {
            int64_t n = r->rows - i < REDUCE_BLOCK ? r->rows - i : REDUCE_BLOCK;
            const void *at = load_at(r->x, c * r->col_step + i * r->row_step, r->dtype);
            add_keeping(&high, &low, NAME(sum_block)(LOAD(at, r->dtype, r->row_step, n, buf), n));
        }
        r->a[c].f = high;
        r->b[c].f = low;
    }
}

/* sums[c] += the rows of x, at most a few dozen. */
static void NAME(sum_rows)(const ReduceRun *r, int64_t first, int64_t rows, T *restrict sums) {
    T buf[REDUCE_TILE];
    int64_t cols = r->cols, i = 0;
    bool direct = r->col_step == 1 && dtype_size(r->dtype) == sizeof(T);
    for (; direct && i + 4 <= rows; i += 4) {
        const T *x = load_at(r->x, (first + i) * r->row_step, r->dtype);
        const T *y = x + r->row_step, *z = y + r->row_step, *w = z + r->row_step;
        for (int64_t c = 0; c < cols; c++) sums[c] += (x[c] + y[c]) + (z[c] + w[c]);
    }
    for (; i < rows; i++) {
        const void *at = load_at(r->x, (first + i) * r->row_step, r->dtype);
        const T *x = LOAD(at, r->dtype, r->col_step, cols, buf);
        for (int64_t c = 0; c < cols; c++) sums[c] += x[c];
    }
}

static void NAME(sum_across)(const ReduceRun *r) {
    enum { ROWS = 64 };
    T sums[REDUCE_TILE];
    for (int64_t i = 0; i < r->rows; i += ROWS) {
        memset(sums, 0, (size_t)r->cols * sizeof *sums);
        NAME(sum_rows)(r, i, r->rows - i < ROWS ? r->rows - i : ROWS, sums);
        for (int64_t c = 0; c < r->cols; c++) add_keeping(&r->a[c].f, &r->b[c].f, (double)sums[c]);
    }
}

static void NAME(prod_along)(const ReduceRun *r) {
    T buf[REDUCE_BLOCK];
    for (int64_t c = 0; c < r->cols; c++) {
        double even = r->a[c].f, odd = 1;
        for (int64_t i = 0; i < r->rows; i += REDUCE_BLOCK) {
            int64_t n = r->rows - i < REDUCE_BLOCK ? r->rows - i : REDUCE_BLOCK, j = 0;
            const void *at = load_at(r->x, c * r->col_step + i * r->row_step, r->dtype);
            const T *x = LOAD(at, r->dtype, r->row_step, n, buf);
            for (; j + 2 <= n; j += 2) {
                even *= (double)x[j];
                odd *= (double)x[j + 1];
            }
            even *= j < n ? (double)x[j] : 1;
        }
        r->a[c].f = even * odd;
    }
}

static void NAME(prod_across)(const ReduceRun *r) {
    T buf[REDUCE_TILE];
    for (int64_t i = 0; i < r->rows; i++) {
        const void *at = load_at(r->x, i * r->row_step, r->dtype);
        const T *x = LOAD(at, r->dtype, r->col_step, r->cols, buf);
        for (int64_t c = 0; c < r->cols; c++) r->a[c].f *= (double)x[c];
    }
}
