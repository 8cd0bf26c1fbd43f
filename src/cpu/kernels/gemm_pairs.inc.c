/* Packing of bfloat16 operands in pairs that follow each other along k; the last pair of an odd k
 * is filled up with 0. On top of turn_body.inc.c for pairs as integers; see cpu/gemm.h. */

/* Pairs first, first + 1, ... of n lines, and zeros for lines up to width: x[i * line + p * step]
 * are the numbers of line i. */
static ALWAYS_INLINE void pair_pack_each(int64_t first, int64_t n, int64_t width, int64_t k,
                                         const uint16_t *x, int64_t line, int64_t step,
                                         uint32_t *out, int64_t stride) {
    for (int64_t p = first; p < (k + 1) / 2; p++) {
        const uint16_t *one = x + 2 * p * step, *other = one + step;
        if (2 * p + 1 < k) {
            for (int64_t i = 0; i < n; i++) {
                out[p * stride + i] = one[i * line] | (uint32_t)other[i * line] << 16;
            }
        } else {
            for (int64_t i = 0; i < n; i++) {
                out[p * stride + i] = one[i * line];
            }
        }
        for (int64_t i = n; i < width; i++) {
            out[p * stride + i] = 0;
        }
    }
}

/* The same for lines whose numbers are neighbours, as many pairs as whole blocks hold. A column's
 * last stores reach into the next column, which is stored later; returns how many are done. */
static int64_t pair_pack_blocks(int64_t n, int64_t width, int64_t k, const uint16_t *x,
                                int64_t line, uint32_t *out, int64_t stride) {
    int64_t p = 0;
    const uint32_t *pairs = (const void *)x;
    for (; p + VL <= k / 2; p += VL) {
        for (int64_t i = 0; i < width; i += VL) {
            pair_turn(n - i < VL ? n - i : VL, pairs + i * (line / 2) + p, line / 2,
                      out + p * stride + i, stride);
        }
    }
    return p;
}

static void pair_pack(int64_t n, int64_t width, int64_t k, const uint16_t *x, int64_t line,
                      int64_t step, uint32_t *out, int64_t stride) {
    if (step == 1 && line % 2 == 0 && (uintptr_t)x % sizeof(uint32_t) == 0) {
        int64_t done = pair_pack_blocks(n, width, k, x, line, out, stride);
        pair_pack_each(done, n, width, k, x, line, 1, out, stride);
    } else if (line == 1 && n == NR) {
        pair_pack_each(0, NR, NR, k, x, 1, step, out, stride);
    } else if (line == 1) {
        pair_pack_each(0, n, width, k, x, 1, step, out, stride);
    } else {
        pair_pack_each(0, n, width, k, x, line, step, out, stride);
    }
}

static void pair_pack_a_panel(int64_t rows, int64_t k, const uint16_t *a, int64_t rs, int64_t cs,
                              uint32_t *out) {
    pair_pack(rows, rows, k, a, rs, cs, out, MR);
}

static void pair_pack_b_panel(int64_t k, int64_t cols, const uint16_t *b, int64_t rs, int64_t cs,
                              uint32_t *out) {
    pair_pack(cols, NR, k, b, cs, rs, out, NR);
}
