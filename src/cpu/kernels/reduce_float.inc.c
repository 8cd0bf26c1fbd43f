/* Products of floats, for one compute type T, whose elements LOAD brings, and DOUBLES_AT a vector
 * of them as doubles. */

/* The product of a block, in lanes that are then multiplied in halves. */
static double NAME(prod_block)(const T *x, int64_t n) {
    enum { LANES = 32, WIDTH = VECTOR_BYTES / sizeof(double), VECTORS = LANES / WIDTH };
    VectorF64 product[VECTORS];
    double lane[LANES];
    int64_t i = 0;
    for (int v = 0; v < VECTORS; v++) product[v] = (VectorF64){0} + 1;
    for (; i + LANES <= n; i += LANES) {
#pragma GCC unroll 16
        for (int v = 0; v < VECTORS; v++) product[v] *= DOUBLES_AT(x + i + v * WIDTH);
    }
#pragma GCC unroll 16
    for (int v = 0; v < VECTORS; v++) {
        if (i + WIDTH <= n) {
            product[v] *= DOUBLES_AT(x + i);
            i += WIDTH;
        }
    }
    memcpy(lane, product, sizeof lane);
    for (int64_t k = n % LANES / WIDTH * WIDTH; i < n; i++, k++) lane[k] *= (double)x[i];
    for (int w = LANES / 2; w >= 1; w /= 2) {
        for (int k = 0; k < w; k++) lane[k] *= lane[k + w];
    }
    return lane[0];
}

static void NAME(prod_along)(const ReduceRun *r) {
    T buf[REDUCE_BLOCK];
    for (int64_t c = 0; c < r->cols; c++) {
        for (int64_t i = 0; i < r->rows; i += REDUCE_BLOCK) {
            int64_t n = r->rows - i < REDUCE_BLOCK ? r->rows - i : REDUCE_BLOCK;
            const void *at = load_at(r->x, c * r->col_step + i * r->row_step, r->dtype);
            r->a[c].f *= NAME(prod_block)(LOAD(at, r->dtype, r->row_step, n, buf), n);
        }
    }
}

static void NAME(prod_across)(const ReduceRun *r) {
    T buf[4][REDUCE_TILE];
    int64_t cols = r->cols, i = 0;
    Number *restrict a = r->a;
    for (; i + 4 <= r->rows; i += 4) {
        const T *row[4];
        for (int k = 0; k < 4; k++) {
            const void *at = load_at(r->x, (i + k) * r->row_step, r->dtype);
            row[k] = LOAD(at, r->dtype, r->col_step, cols, buf[k]);
        }
        const T *restrict x = row[0], *restrict y = row[1];
        const T *restrict z = row[2], *restrict w = row[3];
#pragma GCC ivdep
        for (int64_t c = 0; c < cols; c++) {
            a[c].f *= ((double)x[c] * (double)y[c]) * ((double)z[c] * (double)w[c]);
        }
    }
    for (; i < r->rows; i++) {
        const void *at = load_at(r->x, i * r->row_step, r->dtype);
        const T *restrict x = LOAD(at, r->dtype, r->col_step, cols, buf[0]);
#pragma GCC ivdep
        for (int64_t c = 0; c < cols; c++) a[c].f *= (double)x[c];
    }
}
