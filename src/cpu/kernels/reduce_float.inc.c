/* Sums and products of floats, for one compute type. The includer defines what block_sum.inc.c asks
 * for, and LOAD. Block sums are added as doubles, keeping what each addition drops (Knuth's
 * TwoSum). */
#include "block_sum.inc.c"

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
