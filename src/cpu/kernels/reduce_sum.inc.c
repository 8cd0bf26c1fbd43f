/* Sums of floats, for one compute type T: BLOCK_SUM adds up a block, LOAD brings one, of ELEMENTs.
 * Block sums are added as doubles, keeping what each addition drops (Knuth's TwoSum). */

static void NAME(sum_along)(const ReduceRun *r) {
    T buf[REDUCE_BLOCK];
    for (int64_t c = 0; c < r->cols; c++) {
        double high = r->a[c].f, low = r->b[c].f;
        for (int64_t i = 0; i < r->rows; i += REDUCE_BLOCK) {
            int64_t n = r->rows - i < REDUCE_BLOCK ? r->rows - i : REDUCE_BLOCK;
            const void *at = load_at(r->x, c * r->col_step + i * r->row_step, r->dtype);
            add_keeping(&high, &low, BLOCK_SUM(LOAD(at, r->dtype, r->row_step, n, buf), n));
        }
        r->a[c].f = high;
        r->b[c].f = low;
    }
}

/* sums[c] += the rows of x, at most a few dozen. */
static void NAME(sum_rows)(const ReduceRun *r, int64_t first, int64_t rows, T *restrict sums) {
    T buf[4][REDUCE_TILE];
    int64_t cols = r->cols, i = 0;
    for (; i + 4 <= rows; i += 4) {
        const ELEMENT *row[4];
        for (int k = 0; k < 4; k++) {
            const void *at = load_at(r->x, (first + i + k) * r->row_step, r->dtype);
            row[k] = LOAD(at, r->dtype, r->col_step, cols, buf[k]);
        }
        const ELEMENT *x = row[0], *y = row[1], *z = row[2], *w = row[3];
#pragma GCC ivdep
        for (int64_t c = 0; c < cols; c++) {
            sums[c] += (FROM(x[c]) + FROM(y[c])) + (FROM(z[c]) + FROM(w[c]));
        }
    }
    for (; i < rows; i++) {
        const void *at = load_at(r->x, (first + i) * r->row_step, r->dtype);
        const ELEMENT *x = LOAD(at, r->dtype, r->col_step, cols, buf[0]);
#pragma GCC ivdep
        for (int64_t c = 0; c < cols; c++) sums[c] += FROM(x[c]);
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
