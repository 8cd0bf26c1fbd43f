/* One scan that folds with JOIN from START on. */

/* One column. */
static void NAME(alone)(const ScanRun *r, int64_t c) {
    T buf[SCAN_BLOCK], done[SCAN_BLOCK];
    A so_far = START;
    for (int64_t i = 0; i < r->size; i += SCAN_BLOCK) {
        int64_t n = r->size - i < SCAN_BLOCK ? r->size - i : SCAN_BLOCK;
        const T *x = LOAD(load_at(r->x, c * r->col_step[2] + i * r->step[2], r->in_dtype),
                          r->in_dtype, r->step[2], n, buf);
        for (int64_t k = 0; k < n; k++) {
            so_far = JOIN(so_far, (A)x[k]);
            done[k] = (T)so_far;
        }
        STORE((void *)load_at(r->out, c * r->col_step[0] + i * r->step[0], r->out_dtype),
              r->out_dtype, r->step[0], n, done);
    }
}

/* SCAN_ABREAST columns from c on: their chains of operations do not wait for one another. */
static void NAME(abreast)(const ScanRun *r, int64_t c) {
    T buf[SCAN_ABREAST][SCAN_BLOCK], done[SCAN_ABREAST][SCAN_BLOCK];
    const T *x[SCAN_ABREAST];
    A so_far[SCAN_ABREAST] = {START, START, START, START};
    for (int64_t i = 0; i < r->size; i += SCAN_BLOCK) {
        int64_t n = r->size - i < SCAN_BLOCK ? r->size - i : SCAN_BLOCK;
        for (int64_t j = 0; j < SCAN_ABREAST; j++) {
            int64_t at = (c + j) * r->col_step[2] + i * r->step[2];
            x[j] = LOAD(load_at(r->x, at, r->in_dtype), r->in_dtype, r->step[2], n, buf[j]);
        }
        for (int64_t k = 0; k < n; k++) {
            for (int64_t j = 0; j < SCAN_ABREAST; j++) {
                so_far[j] = JOIN(so_far[j], (A)x[j][k]);
                done[j][k] = (T)so_far[j];
            }
        }
        for (int64_t j = 0; j < SCAN_ABREAST; j++) {
            int64_t at = (c + j) * r->col_step[0] + i * r->step[0];
            STORE((void *)load_at(r->out, at, r->out_dtype), r->out_dtype, r->step[0], n, done[j]);
        }
    }
}

static void NAME(along)(const ScanRun *r) {
    int64_t c = 0;
    for (; c + SCAN_ABREAST <= r->cols; c += SCAN_ABREAST) {
        NAME(abreast)(r, c);
    }
    for (; c < r->cols; c++) {
        NAME(alone)(r, c);
    }
}

static void NAME(across)(const ScanRun *r) {
    T buf[SCAN_TILE], done[SCAN_TILE];
    A so_far[SCAN_TILE];
    for (int64_t c = 0; c < r->cols; c++) {
        so_far[c] = START;
    }
    for (int64_t i = 0; i < r->size; i++) {
        const T *x = LOAD(load_at(r->x, i * r->step[2], r->in_dtype), r->in_dtype, r->col_step[2],
                          r->cols, buf);
        for (int64_t c = 0; c < r->cols; c++) {
            so_far[c] = JOIN(so_far[c], (A)x[c]);
            done[c] = (T)so_far[c];
        }
        STORE((void *)load_at(r->out, i * r->step[0], r->out_dtype), r->out_dtype, r->col_step[0],
              r->cols, done);
    }
}
