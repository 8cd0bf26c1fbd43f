/* Matrix times vector, and products of a few elements; continues gemm_body.inc.c. */

enum { NAME(GEMV_ROWS) = 4, NAME(GEMV_COLUMNS) = 8 };

static ALWAYS_INLINE T NAME(sum)(V x) {
    T lane[VL];
    *(V *)lane = x;
    for (int64_t half = VL / 2; half > 0; half /= 2) {
        for (int64_t i = 0; i < half; i++) {
            lane[i] += lane[i + half];
        }
    }
    return lane[0];
}

static ALWAYS_INLINE void NAME(gemv_put)(int64_t i, T dot, const GemmOut *o) {
    T x = (T)o->alpha * dot;
    const T *add = o->add.data;
    ((T *)o->c)[i * o->rs] = add ? x + (T)o->beta * add[i * o->add.rs] : x;
}

/* Rows [i, i + rows) of a matrix whose rows are contiguous. */
static ALWAYS_INLINE void NAME(gemv_rows)(const int rows, int64_t i, int64_t k, const T *a,
                                          int64_t ld, const T *x, const GemmOut *o) {
    V acc[NAME(GEMV_ROWS)][2];
    T tail[NAME(GEMV_ROWS)];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
        acc[r][0] = acc[r][1] = (V){0};
        tail[r] = 0;
    }
    int64_t p = 0;
    for (; p + 2 * VL <= k; p += 2 * VL) {
        V x0 = *(const V *)(x + p), x1 = *(const V *)(x + p + VL);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            acc[r][0] += *(const V *)(a + (i + r) * ld + p) * x0;
            acc[r][1] += *(const V *)(a + (i + r) * ld + p + VL) * x1;
        }
    }
    for (; p < k; p++) {
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            tail[r] += a[(i + r) * ld + p] * x[p];
        }
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
        NAME(gemv_put)(i + r, NAME(sum)(acc[r][0] + acc[r][1]) + tail[r], o);
    }
}

/* y += a[:, 0 .. columns) * x, a's columns being contiguous. */
static ALWAYS_INLINE void NAME(axpy)(const int columns, int64_t m, const T *a, int64_t ld,
                                     const T *x, int64_t incx, T *y) {
    T f[NAME(GEMV_COLUMNS)];
#pragma GCC unroll 8
    for (int c = 0; c < columns; c++) {
        f[c] = x[c * incx];
    }
    int64_t i = 0;
    for (; i + VL <= m; i += VL) {
        V sum = *(V *)(y + i);
#pragma GCC unroll 8
        for (int c = 0; c < columns; c++) {
            sum += f[c] * *(const V *)(a + c * ld + i);
        }
        *(V *)(y + i) = sum;
    }
    for (; i < m; i++) {
#pragma GCC unroll 8
        for (int c = 0; c < columns; c++) {
            y[i] += f[c] * a[c * ld + i];
        }
    }
}

/* The sums stand in a buffer of a fixed number of rows at a time. */
static void NAME(gemv_columns)(int64_t m, int64_t k, Matrix a, const T *x, int64_t incx,
                               const GemmOut *o) {
    enum { CHUNK = 2048 / sizeof(T) };
    T sum[CHUNK];
    for (int64_t first = 0; first < m; first += CHUNK) {
        int64_t rows = m - first < CHUNK ? m - first : CHUNK, p = 0;
        const T *at = (const T *)a.data + first;
        memset(sum, 0, sizeof sum);
        for (; p + NAME(GEMV_COLUMNS) <= k; p += NAME(GEMV_COLUMNS)) {
            NAME(axpy)(NAME(GEMV_COLUMNS), rows, at + p * a.cs, a.cs, x + p * incx, incx, sum);
        }
        for (; p < k; p++) {
            NAME(axpy)(1, rows, at + p * a.cs, a.cs, x + p * incx, incx, sum);
        }
        for (int64_t i = 0; i < rows; i++) {
            NAME(gemv_put)(first + i, sum[i], o);
        }
    }
}

static void NAME(gemv)(int64_t m, int64_t k, Matrix a, const void *x, int64_t incx,
                       const GemmOut *o) {
    const T *at = a.data, *vector = x;
    if (a.rs == 1 && a.cs != 1) {
        NAME(gemv_columns)(m, k, a, vector, incx, o);
        return;
    }
    int64_t i = 0;
    if (a.cs == 1 && incx == 1) {
        for (; i + NAME(GEMV_ROWS) <= m; i += NAME(GEMV_ROWS)) {
            NAME(gemv_rows)(NAME(GEMV_ROWS), i, k, at, a.rs, vector, o);
        }
        for (; i < m; i++) {
            NAME(gemv_rows)(1, i, k, at, a.rs, vector, o);
        }
    }
    for (; i < m; i++) {
        T sum = 0;
        for (int64_t p = 0; p < k; p++) {
            sum += at[i * a.rs + p * a.cs] * vector[p * incx];
        }
        NAME(gemv_put)(i, sum, o);
    }
}

/* m, n, k <= GEMM_SMALL. */
static void NAME(small)(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, const GemmOut *o) {
    typedef T Row __attribute__((vector_size(GEMM_SMALL * sizeof(T))));
    const T *left = a.data, *right = b.data;
    Row rows[GEMM_SMALL];
    for (int64_t p = 0; p < k; p++) {
        Row row = {0};
        for (int64_t j = 0; j < n; j++) {
            row[j] = right[p * b.rs + j * b.cs];
        }
        rows[p] = row;
    }
    for (int64_t i = 0; i < m; i++) {
        Row sum = {0};
        for (int64_t p = 0; p < k; p++) {
            sum += left[i * a.rs + p * a.cs] * rows[p];
        }
        for (int64_t j = 0; j < n; j++) {
            T x = (T)o->alpha * sum[j];
            const T *add = o->add.data;
            ((T *)o->c)[i * o->rs + j * o->cs] =
                add ? x + (T)o->beta * add[i * o->add.rs + j * o->add.cs] : x;
        }
    }
}
