/* Packing of float and double operands, on top of turn_body.inc.c. See cpu/gemm.h. */

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
