/* Convolutions of one element type T, on top of turn_body.inc.c. See cpu/conv_kernels.h. */

/* Rows of the image, padded. */
static void NAME(prepare_row)(const ConvFrame *f, const T *row, T *out) {
    for (int64_t s = 0; s < f->stride; s++, out += f->phase) {
        int64_t x = s - f->padding[1];
        if (f->stride == 1) {
            memset(out, 0, (size_t)f->padding[1] * sizeof(T));
            memcpy(out + f->padding[1], row, (size_t)f->in[1] * sizeof(T));
            memset(out + f->padding[1] + f->in[1], 0, (size_t)f->padding[1] * sizeof(T));
            return;
        }
        for (int64_t q = 0; q < f->phase; q++, x += f->stride) {
            out[q] = x >= 0 && x < f->in[1] ? row[x] : 0;
        }
    }
}

static void NAME(prepare)(const ConvFrame *f, const void *image, void *prepared) {
    const T *in = image;
    T *out = prepared;
    int64_t pitch = f->stride * f->phase;
    for (int64_t c = 0; c < f->channels; c++) {
        for (int64_t y = 0; y < f->rows; y++, out += pitch) {
            int64_t from = y - f->padding[0];
            if (from >= 0 && from < f->in[0]) {
                NAME(prepare_row)(f, in + (c * f->in[0] + from) * f->in[1], out);
            } else {
                memset(out, 0, (size_t)pitch * sizeof(T));
            }
        }
    }
}

static void NAME(restore)(const ConvFrame *f, const void *prepared, void *image) {
    const T *in = prepared;
    T *out = image;
    int64_t pitch = f->stride * f->phase;
    for (int64_t c = 0; c < f->channels; c++) {
        for (int64_t y = 0; y < f->in[0]; y++, out += f->in[1]) {
            const T *row = in + (c * f->rows + y + f->padding[0]) * pitch;
            if (f->stride == 1) {
                memcpy(out, row + f->padding[1], (size_t)f->in[1] * sizeof(T));
                continue;
            }
            for (int64_t x = 0; x < f->in[1]; x++) {
                int64_t at = x + f->padding[1];
                out[x] = row[at % f->stride * f->phase + at / f->stride];
            }
        }
    }
}

/* Stores a tile of positions x channels against its grain. A vector may spill over into positions
 * that come later: room says how many elements from the tile's first belong to the caller. */
static __attribute__((noinline)) void NAME(direct_store)(int64_t positions, const T *acc,
                                                         int64_t lanes, const T *bias, T *out,
                                                         int64_t plane, int64_t room) {
    for (int64_t j = 0; j < lanes; j += VL) {
        int64_t width = lanes - j < VL ? lanes - j : VL;
        for (int64_t g = 0; g < positions; g += VL) {
            V r[VL];
#pragma GCC unroll 16
            for (int i = 0; i < VL; i++) {
                r[i] = g + i < positions ? *(const V *)(acc + (g + i) * NR + j) : (V){0};
            }
            NAME(transpose)(r);
            int64_t left = positions - g < VL ? positions - g : VL;
            for (int64_t q = 0; q < width; q++) {
                V x = r[q] + (bias ? bias[j + q] : 0);
                T *to = out + (j + q) * plane + g;
                if (room - g >= VL) {
                    *(V *)to = x;
                } else {
                    memcpy(to, &x, (size_t)left * sizeof(T));
                }
            }
        }
    }
}

/* Positions [0, mr) of a row from image on, for nv vectors of output channels. */
static ALWAYS_INLINE void NAME(direct_tile)(const int mr, const int nv, const ConvMap *m,
                                            const T *image, const T *weights, T *kept) {
    V acc[MR][2];
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++) {
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) {
            acc[i][j] = (V){0};
        }
    }
    for (int64_t p = 0; p < m->taps; p++) {
        const T *a = image + m->tap[p];
        V row[2];
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) {
            row[j] = *(const V *)(weights + p * NR + j * VL);
        }
#pragma GCC unroll 16
        for (int i = 0; i < mr; i++) {
            V x = a[i] - (V){0};
#pragma GCC unroll 2
            for (int j = 0; j < nv; j++) {
                acc[i][j] += x * row[j];
            }
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++) {
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) {
            *(V *)(kept + i * NR + j * VL) = acc[i][j];
        }
    }
}

static void NAME(direct_any)(int64_t positions, int64_t lanes, const ConvMap *m, const T *image,
                             const T *weights, T *kept) {
    if (lanes > VL) {
#define ROWS(n) \
    case n: NAME(direct_tile)(n, 2, m, image, weights, kept); break;
        switch (positions) { ALL_ROWS }
#undef ROWS
    } else {
#define ROWS(n) \
    case n: NAME(direct_tile)(n, 1, m, image, weights, kept); break;
        switch (positions) { ALL_ROWS }
#undef ROWS
    }
}

static void NAME(direct)(const ConvMap *m, const void *image, const void *weights, int64_t lanes,
                         const void *bias, void *out, int64_t plane, int64_t y0, int64_t y1,
                         int64_t limit) {
    int64_t tiles = (m->columns + MR - 1) / MR, end = limit * m->columns;
    T kept[MR * NR];
    for (int64_t y = y0; y < y1; y++) {
        for (int64_t t = 0; t < tiles; t++) {
            int64_t x = t * m->columns / tiles, next = (t + 1) * m->columns / tiles;
            int64_t at = y * m->columns + x;
            NAME(direct_any)
            (next - x, lanes, m, (const T *)image + y * m->row_step + x, weights, kept);
            NAME(direct_store)(next - x, kept, lanes, bias, (T *)out + at, plane, end - at);
        }
    }
}

/* A stretch of positions in one row, as a panel has it. */
typedef struct NAME(Run) {
    int64_t lane, length, from;
} NAME(Run);

/* The runs of positions [j, j + n), n <= NR; returns how many. */
static int64_t NAME(runs_of)(const ConvMap *m, int64_t j, int64_t n, NAME(Run) * run) {
    int64_t count = 0;
    for (int64_t lane = 0; lane < n; count++) {
        int64_t y = (j + lane) / m->columns, x = (j + lane) % m->columns;
        int64_t length = m->columns - x < n - lane ? m->columns - x : n - lane;
        run[count] = (NAME(Run)){lane, length, y * m->row_step + x};
        lane += length;
    }
    return count;
}

/* Whole vectors: what is too much is overwritten by the next run, or the next tap. */
static ALWAYS_INLINE void NAME(copy_runs)(const T *image, const NAME(Run) * run, int64_t runs,
                                          T *out) {
    for (int64_t r = 0; r < runs; r++) {
        const T *from = image + run[r].from;
        T *to = out + run[r].lane;
        *(V *)to = *(const V *)from;
        if (run[r].length > VL) {
            *(V *)(to + VL) = *(const V *)(from + VL);
        }
    }
}

static void NAME(columns)(const ConvMap *m, const void *image, const void *end, int64_t first,
                          int64_t count, int64_t j, int64_t n, void *packed) {
    T *out = packed;
    const int64_t *tap = m->tap + first;
    NAME(Run) run[NR];
    for (int64_t done = 0; done < n; done += NR, out += NR * count) {
        int64_t lanes = n - done < NR ? n - done : NR;
        int64_t runs = NAME(runs_of)(m, j + done, lanes, run);
        int64_t reach = run[runs - 1].from + NR;
        if (lanes < NR) {
            memset(out, 0, (size_t)(NR * count) * sizeof(T));
        }
        for (int64_t p = 0; p < count; p++) {
            const T *from = (const T *)image + tap[p];
            if (from + reach <= (const T *)end) {
                NAME(copy_runs)(from, run, runs, out + p * NR);
                continue;
            }
            for (int64_t r = 0; r < runs; r++) {
                memcpy(out + p * NR + run[r].lane, from + run[r].from,
                       (size_t)run[r].length * sizeof(T));
            }
        }
    }
}

/* mr taps and nv vectors of output channels. */
static ALWAYS_INLINE void NAME(weights_tile)(const int mr, const int nv, const ConvMap *m,
                                             const T *image, const int64_t *tap, int64_t y0,
                                             int64_t y1, const T *grad, T *sums) {
    V acc[TAPS][2];
    const T *a[TAPS];
#pragma GCC unroll 8
    for (int i = 0; i < mr; i++) {
        a[i] = image + tap[i];
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) {
            acc[i][j] = *(const V *)(sums + i * NR + j * VL);
        }
    }
    for (int64_t y = y0; y < y1; y++) {
        for (int64_t x = 0; x < m->columns; x++, grad += NR) {
            V row[2];
#pragma GCC unroll 2
            for (int j = 0; j < nv; j++) {
                row[j] = *(const V *)(grad + j * VL);
            }
#pragma GCC unroll 8
            for (int i = 0; i < mr; i++) {
                V v = a[i][y * m->row_step + x] - (V){0};
#pragma GCC unroll 2
                for (int j = 0; j < nv; j++) {
                    acc[i][j] += v * row[j];
                }
            }
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < mr; i++) {
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) {
            *(V *)(sums + i * NR + j * VL) = acc[i][j];
        }
    }
}

static void NAME(weights)(const ConvMap *m, const void *image, int64_t first, int64_t count,
                          int64_t y0, int64_t y1, const void *grad, int64_t lanes, void *sums) {
    int64_t tiles = (count + TAPS - 1) / TAPS;
    for (int64_t t = 0; t < tiles; t++) {
        int64_t p = first + t * count / tiles, next = first + (t + 1) * count / tiles;
        const int64_t *tap = m->tap + p;
        T *to = (T *)sums + p * NR;
#define ROWS(n)                                                        \
    case n:                                                            \
        if (lanes > VL) {                                              \
            NAME(weights_tile)(n, 2, m, image, tap, y0, y1, grad, to); \
        } else {                                                       \
            NAME(weights_tile)(n, 1, m, image, tap, y0, y1, grad, to); \
        }                                                              \
        break;
        switch (next - p) { ALL_TAPS }
#undef ROWS
    }
}

static void NAME(collect)(const void *sums, int64_t parts, int64_t stride, int64_t first,
                          int64_t count, int64_t lanes, void *weight, int64_t ld) {
    for (int64_t p = first; p < first + count; p += VL) {
        int64_t taps = first + count - p < VL ? first + count - p : VL;
        for (int64_t j = 0; j < lanes; j += VL) {
            V r[VL];
            for (int64_t i = 0; i < VL; i++) {
                r[i] = (V){0};
                for (int64_t s = 0; s < parts && i < taps; s++) {
                    r[i] += *(const V *)((const T *)sums + s * stride + (p + i) * NR + j);
                }
            }
            NAME(transpose)(r);
            for (int64_t q = 0; q < VL && j + q < lanes; q++) {
                memcpy((T *)weight + (j + q) * ld + p, &r[q], (size_t)taps * sizeof(T));
            }
        }
    }
}
