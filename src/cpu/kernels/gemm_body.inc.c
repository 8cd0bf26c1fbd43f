/* The matrix product of one element type T, on top of turn_body.inc.c: packing and register tiles.
 * See cpu/gemm.h. */

/* A column's last stores reach into the next column; so each block of columns is written from its
 * last group of rows to its first, and gemm_bytes_a() has room behind the last panel. */
static void NAME(pack_a_rows)(int64_t rows, int64_t k, const T *a, int64_t ld, T *out) {
    int64_t p = 0;
    for (; p + VL <= k; p += VL) {
        for (int64_t i = (rows - 1) / VL * VL; i >= 0; i -= VL) {
            int64_t left = rows - i < VL ? rows - i : VL;
            NAME(turn)(left, a + i * ld + p, ld, out + p * MR + i, MR);
        }
    }
    for (; p < k; p++) {
        for (int64_t i = 0; i < rows; i++) {
            out[p * MR + i] = a[i * ld + p];
        }
    }
}

static ALWAYS_INLINE void NAME(pack_a_columns)(const int rows, int64_t k, const T *a, int64_t ld,
                                               T *out) {
    for (int64_t p = 0; p < k; p++) {
        memcpy(out + p * MR, a + p * ld, (size_t)rows * sizeof(T));
    }
}

static void NAME(pack_a_panel)(int64_t rows, int64_t k, const T *a, int64_t rs, int64_t cs,
                               T *out) {
    if (cs == 1) {
        NAME(pack_a_rows)(rows, k, a, rs, out);
    } else if (rs == 1) {
#define ROWS(n) \
    case n: NAME(pack_a_columns)(n, k, a, cs, out); break;
        switch (rows) { ALL_ROWS }
#undef ROWS
    } else {
        for (int64_t p = 0; p < k; p++) {
            for (int64_t i = 0; i < rows; i++) {
                out[p * MR + i] = a[p * cs + i * rs];
            }
        }
    }
}

static int64_t NAME(panels)(int64_t m) { return (m + MR - 1) / MR; }

static void NAME(pack_a)(int64_t m, int64_t k, Matrix a, void *packed) {
    int64_t panels = NAME(panels)(m);
    for (int64_t i = 0; i < panels; i++) {
        int64_t first = i * m / panels, end = (i + 1) * m / panels;
        NAME(pack_a_panel)
        (end - first, k, (const T *)a.data + first * a.rs, a.rs, a.cs, (T *)packed + i * MR * k);
    }
}

static void NAME(pack_b_columns)(int64_t k, int64_t cols, const T *b, int64_t ld, T *out) {
    for (int64_t j = 0; j < NR; j += VL) {
        int64_t width = cols - j < VL ? cols - j : VL, p = 0;
        for (; p + VL <= k; p += VL) {
            NAME(turn)(width, b + j * ld + p, ld, out + p * NR + j, NR);
        }
        for (; p < k; p++) {
            for (int64_t i = 0; i < VL; i++) {
                out[p * NR + j + i] = i < width ? b[(j + i) * ld + p] : 0;
            }
        }
    }
}

static void NAME(pack_b_panel)(int64_t k, int64_t cols, const T *b, int64_t rs, int64_t cs,
                               T *out) {
    if (cs == 1 && cols == NR) {
        for (int64_t p = 0; p < k; p++) {
            *(V *)(out + p * NR) = *(const V *)(b + p * rs);
            *(V *)(out + p * NR + VL) = *(const V *)(b + p * rs + VL);
        }
    } else if (rs == 1) {
        NAME(pack_b_columns)(k, cols, b, cs, out);
    } else {
        for (int64_t p = 0; p < k; p++) {
            for (int64_t j = 0; j < NR; j++) {
                out[p * NR + j] = j < cols ? b[p * rs + j * cs] : 0;
            }
        }
    }
}

static void NAME(pack_b)(int64_t k, int64_t n, Matrix b, void *packed) {
    for (int64_t j = 0; j < n; j += NR) {
        NAME(pack_b_panel)
        (k, n - j < NR ? n - j : NR, (const T *)b.data + j * b.cs, b.rs, b.cs, (T *)packed + j * k);
    }
}

static void NAME(store_slow)(int64_t rows, int64_t cols, const T *acc, const GemmOut *o) {
    T *c = o->c;
    const T *add = o->add.data;
    T alpha = (T)o->alpha, beta = (T)o->beta;
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < cols; j++) {
            T x = alpha * acc[i * NR + j];
            c[i * o->rs + j * o->cs] = add ? x + beta * add[i * o->add.rs + j * o->add.cs] : x;
        }
    }
}

static ALWAYS_INLINE V NAME(finish)(V acc, int64_t i, int64_t j, const GemmOut *o) {
    acc *= (T)o->alpha;
    if (o->add.data) {
        const T *add = (const T *)o->add.data + i * o->add.rs;
        V x = *add - (V){0};
        if (o->add.cs) {
            x = *(const V *)(add + j);
        }
        acc += (T)o->beta * x;
    }
    return acc;
}

static ALWAYS_INLINE void NAME(tile_store)(const int mr, const int nv, V acc[MR][2], int64_t cols,
                                           const GemmOut *o) {
    if (cols == nv * VL && o->cs == 1 && (o->add.cs == 1 || o->add.cs == 0)) {
#pragma GCC unroll 16
        for (int i = 0; i < mr; i++) {
#pragma GCC unroll 2
            for (int j = 0; j < nv; j++) {
                *(V *)((T *)o->c + i * o->rs + j * VL) = NAME(finish)(acc[i][j], i, j * VL, o);
            }
        }
        return;
    }
    T kept[MR * NR];
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++) {
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) {
            *(V *)(kept + i * NR + j * VL) = acc[i][j];
        }
    }
    NAME(store_slow)(mr, cols, kept, o);
}

/* One register tile: mr rows and nv vectors of columns, of which cols elements count. */
static ALWAYS_INLINE void NAME(tile)(const int mr, const int nv, int64_t k, const T *a, const T *b,
                                     int64_t cols, const GemmOut *o) {
    V acc[MR][2];
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++) {
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) {
            acc[i][j] = (V){0};
        }
    }
    for (int64_t p = 0; p < k; p++) {
        V row[2];
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) {
            row[j] = *(const V *)(b + p * NR + j * VL);
        }
#pragma GCC unroll 16
        for (int i = 0; i < mr; i++) {
            V x = a[p * MR + i] - (V){0};
#pragma GCC unroll 2
            for (int j = 0; j < nv; j++) {
                acc[i][j] += x * row[j];
            }
        }
    }
    NAME(tile_store)(mr, nv, acc, cols, o);
}

static void NAME(tile_any)(int64_t rows, int64_t k, const T *a, const T *b, int64_t cols,
                           const GemmOut *o) {
    if (cols > VL) {
#define ROWS(n) \
    case n: NAME(tile)(n, 2, k, a, b, cols, o); break;
        switch (rows) { ALL_ROWS }
#undef ROWS
    } else {
#define ROWS(n) \
    case n: NAME(tile)(n, 1, k, a, b, cols, o); break;
        switch (rows) { ALL_ROWS }
#undef ROWS
    }
}

static void NAME(block)(int64_t m, int64_t n, int64_t k, const void *a, const void *b,
                        const GemmOut *out) {
    int64_t panels = NAME(panels)(m);
    for (int64_t i = 0; i < panels; i++) {
        int64_t first = i * m / panels, end = (i + 1) * m / panels;
        for (int64_t j = 0; j < n; j += NR) {
            GemmOut o = *out;
            o.c = (T *)out->c + first * out->rs + j * out->cs;
            if (out->add.data) {
                o.add.data = (const T *)out->add.data + first * out->add.rs + j * out->add.cs;
            }
            NAME(tile_any)
            (end - first, k, (const T *)a + i * MR * k, (const T *)b + j * k,
             n - j < NR ? n - j : NR, &o);
        }
    }
}
