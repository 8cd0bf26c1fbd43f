/* Reduction to the largest (or smallest) element and its position, for one compute type. The
 * includer defines what block_pick.inc.c asks for, and I (an integer as wide as T), NUMBER (f or i)
 * and LOAD. */
#include "block_pick.inc.c"

/* Position of the first element equal to v (both NaN counts), which is there. */
static int64_t NAME(find)(const T *x, T v) {
    for (int64_t i = 0;; i++) {
        if (x[i] == v || (NAN_OF(v) && NAN_OF(x[i]))) {
            return i;
        }
    }
}

static int64_t NAME(find_in)(const T *x, int64_t n, T v) {
    int64_t i = 0;
    for (; i + 64 <= n && !NAN_OF(v); i += 64) {
        I hit = 0;
        for (int j = 0; j < 64; j++) {
            hit |= x[i + j] == v;
        }
        if (hit) {
            break;
        }
    }
    return i + NAME(find)(x + i, v);
}

static void NAME(along)(const ReduceRun *r) {
    T buf[REDUCE_BLOCK];
    for (int64_t c = 0; c < r->cols; c++) {
        T best = (T)r->a[c].NUMBER;
        for (int64_t i = 0; i < r->rows; i += REDUCE_BLOCK) {
            int64_t n = r->rows - i < REDUCE_BLOCK ? r->rows - i : REDUCE_BLOCK;
            const void *at = load_at(r->x, c * r->col_step + i * r->row_step, r->dtype);
            T v = NAME(block)(LOAD(at, r->dtype, r->row_step, n, buf), n);
            best = NAME(better)(v, best) ? v : best;
        }
        r->a[c].NUMBER = best;
    }
}

static void NAME(arg_along)(const ReduceRun *r) {
    T buf[REDUCE_BLOCK];
    for (int64_t c = 0; c < r->cols; c++) {
        T best = (T)r->a[c].NUMBER;
        int64_t found = r->b[c].i;
        for (int64_t i = 0; i < r->rows; i += REDUCE_BLOCK) {
            int64_t n = r->rows - i < REDUCE_BLOCK ? r->rows - i : REDUCE_BLOCK;
            const void *at = load_at(r->x, c * r->col_step + i * r->row_step, r->dtype);
            const T *x = LOAD(at, r->dtype, r->row_step, n, buf);
            T v = NAME(block)(x, n);
            if (found < 0 || (NAME(better)(v, best) && !NAN_OF(best))) {
                best = v;
                found = r->position + i + NAME(find_in)(x, n, v);
            }
        }
        r->a[c].NUMBER = best;
        r->b[c].i = found;
    }
}

static void NAME(across)(const ReduceRun *r) {
    T buf[REDUCE_TILE], best[REDUCE_TILE];
    int64_t cols = r->cols;
    for (int64_t c = 0; c < cols; c++) best[c] = (T)r->a[c].NUMBER;
    for (int64_t i = 0; i < r->rows; i++) {
        const void *at = load_at(r->x, i * r->row_step, r->dtype);
        const T *x = LOAD(at, r->dtype, r->col_step, cols, buf);
        for (int64_t c = 0; c < cols; c++) {
            best[c] = (x[c] OVER best[c]) | NAN_OF(x[c]) ? x[c] : best[c];
        }
    }
    for (int64_t c = 0; c < cols; c++) r->a[c].NUMBER = best[c];
}

/* At most 2^30 rows, so that I counts them. */
static void NAME(arg_rows)(const ReduceRun *r, int64_t first, int64_t rows) {
    T buf[REDUCE_TILE], best[REDUCE_TILE];
    I found[REDUCE_TILE];
    int64_t cols = r->cols;
    bool fresh = r->b[0].i < 0;
    for (int64_t c = 0; c < cols; c++) {
        best[c] = (T)r->a[c].NUMBER;
        found[c] = -1;
    }
    for (int64_t i = 0; i < rows; i++) {
        const void *at = load_at(r->x, (first + i) * r->row_step, r->dtype);
        const T *x = LOAD(at, r->dtype, r->col_step, cols, buf);
        if (fresh) {
            memcpy(best, x, (size_t)cols * sizeof *best);
            memset(found, 0, (size_t)cols * sizeof *found);
            fresh = false;
            continue;
        }
        for (int64_t c = 0; c < cols; c++) {
            bool take = (x[c] OVER best[c]) | (NAN_OF(x[c]) & !NAN_OF(best[c]));
            best[c] = take ? x[c] : best[c];
            found[c] = take ? (I)i : found[c];
        }
    }
    for (int64_t c = 0; c < cols; c++) {
        r->a[c].NUMBER = best[c];
        r->b[c].i = found[c] < 0 ? r->b[c].i : r->position + first + found[c];
    }
}

static void NAME(arg_across)(const ReduceRun *r) {
    const int64_t most = (int64_t)1 << 30;
    for (int64_t first = 0; first < r->rows; first += most) {
        NAME(arg_rows)(r, first, r->rows - first < most ? r->rows - first : most);
    }
}
