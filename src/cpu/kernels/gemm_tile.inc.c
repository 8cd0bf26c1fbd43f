/* The matrix product on packed operands, on top of what packs and stores. See cpu/gemm.h.
 *   E             an element of an operand
 *   T             what is multiplied at once: an element, or several that follow each other along k
 *   UNITS(k)      how many T these are
 *   SUM, SUM_V    what it is summed in, and a vector of these; STORE stores a tile of them
 *   MULTIPLY(acc, x, row)  acc with the products of x and row added; ON_CPU says on which CPUs */

static int64_t NAME(panels)(int64_t m) { return (m + MR - 1) / MR; }

static void NAME(pack_a)(int64_t m, int64_t k, Matrix a, void *packed) {
    int64_t panels = NAME(panels)(m);
    for (int64_t i = 0; i < panels; i++) {
        int64_t first = i * m / panels, end = (i + 1) * m / panels;
        NAME(pack_a_panel)
        (end - first, k, (const E *)a.data + first * a.rs, a.rs, a.cs,
         (T *)packed + i * MR * UNITS(k));
    }
}

static void NAME(pack_b)(int64_t k, int64_t n, Matrix b, void *packed) {
    for (int64_t j = 0; j < n; j += NR) {
        NAME(pack_b_panel)
        (k, n - j < NR ? n - j : NR, (const E *)b.data + j * b.cs, b.rs, b.cs,
         (T *)packed + j * UNITS(k));
    }
}

/* One register tile: mr rows and nv vectors of columns, of which cols elements count. */
static ALWAYS_INLINE ON_CPU void NAME(tile)(const int mr, const int nv, int64_t units, const T *a,
                                            const T *b, int64_t cols, const GemmOut *o) {
    SUM_V acc[MR][2];
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++) {
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) {
            acc[i][j] = (SUM_V){0};
        }
    }
    for (int64_t p = 0; p < units; p++) {
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
                acc[i][j] = MULTIPLY(acc[i][j], x, row[j]);
            }
        }
    }
    STORE(mr, nv, acc, cols, o);
}

static ON_CPU void NAME(tile_any)(int64_t rows, int64_t units, const T *a, const T *b, int64_t cols,
                                  const GemmOut *o) {
    if (cols > VL) {
#define ROWS(n) \
    case n: NAME(tile)(n, 2, units, a, b, cols, o); break;
        switch (rows) { ALL_ROWS }
#undef ROWS
    } else {
#define ROWS(n) \
    case n: NAME(tile)(n, 1, units, a, b, cols, o); break;
        switch (rows) { ALL_ROWS }
#undef ROWS
    }
}

static void NAME(block)(int64_t m, int64_t n, int64_t k, const void *a, const void *b,
                        const GemmOut *out) {
    int64_t panels = NAME(panels)(m), units = UNITS(k);
    for (int64_t i = 0; i < panels; i++) {
        int64_t first = i * m / panels, end = (i + 1) * m / panels;
        for (int64_t j = 0; j < n; j += NR) {
            GemmOut o = *out;
            o.c = (SUM *)out->c + first * out->rs + j * out->cs;
            if (out->add.data) {
                o.add.data = (const SUM *)out->add.data + first * out->add.rs + j * out->add.cs;
            }
            NAME(tile_any)
            (end - first, units, (const T *)a + i * MR * units, (const T *)b + j * units,
             n - j < NR ? n - j : NR, &o);
        }
    }
}
