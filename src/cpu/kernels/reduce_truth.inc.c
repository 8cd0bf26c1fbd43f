/* all and any, for one compute type. The includer defines T, LOAD and NAME. */

/* Whether some element is (not) zero, for zero = true (false). */
static bool NAME(some)(const T *x, int64_t n, bool zero) {
    int64_t i = 0;
    for (; i + 64 <= n; i += 64) {
        int hit = 0;
        for (int j = 0; j < 64; j++) hit |= (x[i + j] == 0) == zero;
        if (hit) {
            return true;
        }
    }
    int hit = 0;
    for (; i < n; i++) hit |= (x[i] == 0) == zero;
    return hit;
}

static bool NAME(some_in_column)(const ReduceRun *r, int64_t c, bool zero) {
    T buf[REDUCE_BLOCK];
    for (int64_t i = 0; i < r->rows; i += REDUCE_BLOCK) {
        int64_t n = r->rows - i < REDUCE_BLOCK ? r->rows - i : REDUCE_BLOCK;
        const void *at = load_at(r->x, c * r->col_step + i * r->row_step, r->dtype);
        if (NAME(some)(LOAD(at, r->dtype, r->row_step, n, buf), n, zero)) {
            return true;
        }
    }
    return false;
}

static void NAME(all_along)(const ReduceRun *r) {
    for (int64_t c = 0; c < r->cols; c++) {
        r->a[c].i = r->a[c].i && !NAME(some_in_column)(r, c, true);
    }
}

static void NAME(any_along)(const ReduceRun *r) {
    for (int64_t c = 0; c < r->cols; c++) {
        r->a[c].i = r->a[c].i || NAME(some_in_column)(r, c, false);
    }
}

static void NAME(all_across)(const ReduceRun *r) {
    T buf[REDUCE_TILE];
    for (int64_t i = 0; i < r->rows; i++) {
        const void *at = load_at(r->x, i * r->row_step, r->dtype);
        const T *x = LOAD(at, r->dtype, r->col_step, r->cols, buf);
        for (int64_t c = 0; c < r->cols; c++) r->a[c].i &= x[c] != 0;
    }
}

static void NAME(any_across)(const ReduceRun *r) {
    T buf[REDUCE_TILE];
    for (int64_t i = 0; i < r->rows; i++) {
        const void *at = load_at(r->x, i * r->row_step, r->dtype);
        const T *x = LOAD(at, r->dtype, r->col_step, r->cols, buf);
        for (int64_t c = 0; c < r->cols; c++) r->a[c].i |= x[c] != 0;
    }
}
