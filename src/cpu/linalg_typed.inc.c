/* Moving matrices between tensors and column-major scratch, for one type: REAL, NAME(x). */

static int64_t NAME(words)(int64_t n) {
    return (n * (int64_t)sizeof(REAL) + MEM_ALIGN - 1) / MEM_ALIGN * (MEM_ALIGN / 8);
}

/* Cuts n numbers off the scratch; words(n) is what that takes, in numbers of 8 bytes. */
static REAL *NAME(take)(char **scratch, int64_t n) {
    REAL *p = (REAL *)*scratch;
    *scratch += NAME(words)(n) * 8;
    return p;
}

/* The same for integers: as many of the type's numbers as hold them. */
static int *NAME(take_ints)(char **scratch, int64_t n) {
    return (int *)NAME(take)(scratch, n * (int64_t)sizeof(int) / (int64_t)sizeof(REAL) + 1);
}

static int64_t NAME(int_words)(int64_t n) {
    return NAME(words)(n * (int64_t)sizeof(int) / (int64_t)sizeof(REAL) + 1);
}

static void NAME(load)(REAL *to, int ld, const Batch *b, const View *v, int64_t i) {
    const REAL *from = (const REAL *)batch_at(b, v, 2, i);
    int64_t rows = v->shape[v->dim - 2], columns = v->shape[v->dim - 1];
    int64_t rs = v->stride[v->dim - 2], cs = v->stride[v->dim - 1];
    /* A few columns at a time, so that each cache line of a row is read once. */
    int64_t width = cs < rs ? LINALG_COLUMNS : 1;
    for (int64_t first = 0; first < columns; first += width) {
        int64_t end = first + width < columns ? first + width : columns;
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t j = first; j < end; j++) {
                to[j * ld + r] = from[r * rs + j * cs];
            }
        }
    }
}

static void NAME(store)(const Batch *b, const View *v, int64_t i, const REAL *from, int ld) {
    REAL *to = (REAL *)batch_at(b, v, 2, i);
    int64_t rows = v->shape[v->dim - 2], columns = v->shape[v->dim - 1];
    int64_t rs = v->stride[v->dim - 2], cs = v->stride[v->dim - 1];
    for (int64_t first = 0; first < columns; first += LINALG_COLUMNS) {
        int64_t end = first + LINALG_COLUMNS < columns ? first + LINALG_COLUMNS : columns;
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t j = first; j < end; j++) {
                to[r * rs + j * cs] = from[j * ld + r];
            }
        }
    }
}
