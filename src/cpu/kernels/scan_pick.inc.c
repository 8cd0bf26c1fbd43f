/* One scan that keeps the best so far, which is OVER or UNDER others, and its position: the latest
 * of equals; nan is best.
 */

#if NANS
    #define IS_NAN(v) ((v) != (v))
#else
    #define IS_NAN(v) 0
#endif
#define BETTER(v, best) (IS_NAN(v) || (!IS_NAN(best) && (v)OVER(best)))

static void NAME(along)(const ScanRun *r) {
    T buf[SCAN_BLOCK], done[SCAN_BLOCK];
    for (int64_t c = 0; c < r->cols; c++) {
        T best = START;
        int64_t at = 0;
        for (int64_t i = 0; i < r->size; i += SCAN_BLOCK) {
            int64_t n = r->size - i < SCAN_BLOCK ? r->size - i : SCAN_BLOCK;
            const T *x = LOAD(load_at(r->x, c * r->col_step[2] + i * r->step[2], r->in_dtype),
                              r->in_dtype, r->step[2], n, buf);
            int64_t *place = r->place + c * r->col_step[1] + i * r->step[1];
            for (int64_t k = 0; k < n; k++) {
                /* A branch, since most elements change nothing. */
                if (__builtin_expect(!(x[k] UNDER best), 0) && BETTER(x[k], best)) {
                    best = x[k];
                    at = i + k;
                }
                done[k] = best;
                place[k * r->step[1]] = at + 1;
            }
            STORE((void *)load_at(r->out, c * r->col_step[0] + i * r->step[0], r->out_dtype),
                  r->out_dtype, r->step[0], n, done);
        }
    }
}

static void NAME(across)(const ScanRun *r) {
    T buf[SCAN_TILE], best[SCAN_TILE];
    int64_t at[SCAN_TILE];
    for (int64_t c = 0; c < r->cols; c++) {
        best[c] = START;
        at[c] = 0;
    }
    for (int64_t i = 0; i < r->size; i++) {
        const T *x = LOAD(load_at(r->x, i * r->step[2], r->in_dtype), r->in_dtype, r->col_step[2],
                          r->cols, buf);
        int64_t *place = r->place + i * r->step[1];
        for (int64_t c = 0; c < r->cols; c++) {
            bool better = BETTER(x[c], best[c]);
            best[c] = better ? x[c] : best[c];
            at[c] = better ? i : at[c];
            place[c * r->col_step[1]] = at[c] + 1;
        }
        STORE((void *)load_at(r->out, i * r->step[0], r->out_dtype), r->out_dtype, r->col_step[0],
              r->cols, best);
    }
}

#undef IS_NAN
#undef BETTER
