/* Convolutions of one element type T, on top of turn_body.inc.c. See cpu/conv_kernels.h. */

/* As memcpy, whose calls would cost more than short rows do. */
static ALWAYS_INLINE void NAME(copy)(const T *from, T *to, int64_t n) {
    for (; n >= VL; n -= VL, from += VL, to += VL) {
        *(V *)to = *(const V *)from;
    }
    size_t bytes = (size_t)n * sizeof(T), at = 0;
#pragma GCC unroll 4
    for (size_t part = 32; part >= 4; part /= 2) {
        if (bytes & part) {
            memcpy((char *)to + at, (const char *)from + at, part);
            at += part;
        }
    }
}

/* n zeros, and up to a vector more. Without volatile it would become a call of memset. */
static ALWAYS_INLINE void NAME(clear)(T *to, int64_t n) {
    for (int64_t i = 0; i < n; i += VL) {
        *(volatile V *)(to + i) = (V){0};
    }
}

/* Every second of 2 * VL - 1 elements. */
static ALWAYS_INLINE V NAME(every_second)(const T *from) {
    NAME(VI) index;
    for (int i = 0; i < VL; i++) {
        index[i] = (INDEX)(2 * i + (i < VL / 2 ? 0 : 1));
    }
    return __builtin_shuffle(*(const V *)from, *(const V *)(from + VL - 1), index);
}

/* to[i] = from[i * step], i < n. */
static ALWAYS_INLINE void NAME(thin)(const T *from, int64_t step, int64_t n, T *to) {
    if (step == 2 && n >= VL) {
        for (int64_t i = 0; i < n; i += VL) {
            int64_t at = i + VL <= n ? i : n - VL;
            *(V *)(to + at) = NAME(every_second)(from + 2 * at);
        }
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        to[i] = from[i * step];
    }
}

/* a / by, quick for the usual stride. */
static ALWAYS_INLINE int64_t NAME(divide)(int64_t a, int64_t by) {
    return by == 2 ? a / 2 : a / by;
}

/* The inverse for rows of two kinds in turn: to[2 * i] = even[i], to[2 * i + 1] = odd[i]. */
static ALWAYS_INLINE void NAME(braid)(const T *even, const T *odd, int64_t n, T *to) {
    int64_t i = 0;
    for (; i + 2 * VL <= n; i += 2 * VL) {
        V a = *(const V *)(even + i / 2), b = *(const V *)(odd + i / 2);
        *(V *)(to + i) = NAME(interleave)(a, b, 0);
        *(V *)(to + i + VL) = NAME(interleave)(a, b, 1);
    }
    for (; i < n; i++) {
        to[i] = (i % 2 ? odd : even)[i / 2];
    }
}

/* A row of the image, padded. */
static ALWAYS_INLINE void NAME(prepare_row)(const ConvFrame *f, const T *row, T *out) {
    if (f->stride == 1) {
        NAME(clear)(out, f->padding[2]);
        if (f->step[2] == 1) {
            NAME(copy)(row, out + f->padding[2], f->in[2]);
        } else {
            NAME(thin)(row, f->step[2], f->phase, out);
        }
        NAME(clear)(out + f->padding[2] + f->in[2], f->padding[2]);
        return;
    }
    for (int64_t s = 0; s < f->stride; s++, out += f->phase) {
        int64_t before = f->padding[2] - s,
                first = before > 0 ? NAME(divide)(before + f->stride - 1, f->stride) : 0;
        first = first < f->phase ? first : f->phase;
        int64_t x = first * f->stride - before;
        int64_t n = x < f->in[2] ? NAME(divide)(f->in[2] - 1 - x, f->stride) + 1 : 0;
        n = n < f->phase - first ? n : f->phase - first;
        NAME(clear)(out, first);
        NAME(thin)(row + x, f->stride, n, out + first);
        NAME(clear)(out + first + n, f->phase - first - n);
    }
}

/* The rows of slice z of the frame, from the image of one channel. */
static ALWAYS_INLINE void NAME(prepare_slice)(const ConvFrame *f, const T *image, int64_t z,
                                              T *out) {
    int64_t from_z = z * f->step[0] - f->padding[0], pitch = f->stride * f->phase;
    bool inside = from_z >= 0 && from_z < f->in[0];
    const T *slice = image + (inside ? from_z * f->in[1] * f->in[2] : 0);
    for (int64_t y = 0; y < f->rows; y++, out += pitch) {
        int64_t from_y = y * f->step[1] - f->padding[1];
        if (inside && from_y >= 0 && from_y < f->in[1]) {
            NAME(prepare_row)(f, slice + from_y * f->in[2], out);
        } else {
            NAME(clear)(out, pitch);
        }
    }
}

/* Zeros may spill over into the next row, which comes later. */
static void NAME(prepare)(const ConvFrame *f, const void *image, void *prepared) {
    const T *in = image;
    T *out = prepared;
    int64_t plane = f->in[0] * f->in[1] * f->in[2], slice = f->rows * f->stride * f->phase;
    for (int64_t c = 0; c < f->channels; c++, in += plane) {
        for (int64_t z = 0; z < f->slices; z++, out += slice) {
            NAME(prepare_slice)(f, in, z, out);
        }
    }
}

static ALWAYS_INLINE void NAME(restore_row)(const ConvFrame *f, const T *row, T *out) {
    int64_t before = f->padding[2];
    if (f->stride == 1) {
        NAME(copy)(row + before, out, f->in[2]);
    } else if (f->stride == 2) {
        const T *first = row + before % 2 * f->phase + before / 2;
        const T *second = row + (before + 1) % 2 * f->phase + (before + 1) / 2;
        NAME(braid)(first, second, f->in[2], out);
    } else {
        for (int64_t x = 0; x < f->in[2]; x++) {
            int64_t at = x + before;
            out[x] = row[at % f->stride * f->phase + at / f->stride];
        }
    }
}

/* Elements that no window has met get zeros. */
static void NAME(restore_thin)(const ConvFrame *f, const T *in, T *out) {
    int64_t slice = f->in[1] * f->in[2], plane = f->in[0] * slice;
    memset(out, 0, (size_t)(f->channels * plane) * sizeof(T));
    for (int64_t c = 0; c < f->channels; c++, out += plane) {
        for (int64_t z = 0; z < f->slices; z++) {
            for (int64_t y = 0; y < f->rows; y++, in += f->phase) {
                T *row = out + z * f->step[0] * slice + y * f->step[1] * f->in[2];
                for (int64_t x = 0; x < f->phase; x++) {
                    row[x * f->step[2]] = in[x];
                }
            }
        }
    }
}

static void NAME(restore)(const ConvFrame *f, const void *prepared, void *image) {
    const T *in = prepared;
    T *out = image;
    int64_t pitch = f->stride * f->phase;
    if (f->step[0] > 1 || f->step[1] > 1 || f->step[2] > 1) {
        NAME(restore_thin)(f, in, out);
        return;
    }
    for (int64_t c = 0; c < f->channels; c++, in += f->slices * f->rows * pitch) {
        for (int64_t z = 0; z < f->in[0]; z++) {
            const T *row = in + ((z + f->padding[0]) * f->rows + f->padding[1]) * pitch;
            for (int64_t y = 0; y < f->in[1]; y++, row += pitch, out += f->in[2]) {
                NAME(restore_row)(f, row, out);
            }
        }
    }
}

/* Stores up to VL positions of lanes <= VL channels against their grain; acc holds VL positions.
 * Whole vectors are stored where room, the positions from the first on, allows. */
static ALWAYS_INLINE void NAME(store_turned)(int64_t positions, const T *acc, int64_t lanes, V bias,
                                             T *out, int64_t plane, int64_t room) {
    V r[VL];
#pragma GCC unroll 16
    for (int i = 0; i < VL; i++) {
        r[i] = *(const V *)(acc + i * NR) + bias;
    }
    NAME(transpose)(r);
    if (room >= VL && lanes == VL) {
#pragma GCC unroll 16
        for (int i = 0; i < VL; i++) {
            *(V *)(out + i * plane) = r[i];
        }
        return;
    }
    for (int64_t i = 0; i < lanes; i++) {
        if (room >= VL) {
            *(V *)(out + i * plane) = r[i];
        } else {
            memcpy(out + i * plane, &r[i], (size_t)positions * sizeof(T));
        }
    }
}

/* A tile of positions x lanes channels. acc can be read up to a multiple of VL positions; what
 * stands there may go to positions that come later, of which room counts those that may be
 * overwritten. */
static void NAME(direct_store)(int64_t positions, const T *acc, int64_t lanes, const T *bias,
                               T *out, int64_t plane, int64_t room) {
    for (int64_t j = 0; j < lanes; j += VL) {
        int64_t width = lanes - j < VL ? lanes - j : VL;
        V add = {0};
        if (bias) {
            memcpy(&add, bias + j, (size_t)width * sizeof(T));
        }
        for (int64_t g = 0; g < positions; g += VL) {
            int64_t left = positions - g < VL ? positions - g : VL;
            NAME(store_turned)
            (left, acc + g * NR + j, width, add, out + j * plane + g, plane, room - g);
        }
    }
}

/* Positions [0, mr) of a row from image on, for nv vectors of output channels: adds taps
 * [first, first + count) to kept, which they begin where fresh. */
static ALWAYS_INLINE void NAME(direct_tile)(const int mr, const int nv, const TapRange *t,
                                            const T *image, const T *weights, T *kept) {
    V acc[MR][2];
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++) {
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) {
            acc[i][j] = t->fresh ? (V){0} : *(const V *)(kept + i * NR + j * VL);
        }
    }
    for (int64_t p = 0; p < t->count; p++) {
        const T *a = image + t->tap[p];
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

static void NAME(direct_any)(int64_t positions, int64_t lanes, const TapRange *t, const T *image,
                             const T *weights, T *kept) {
    if (lanes > VL) {
#define ROWS(n) \
    case n: NAME(direct_tile)(n, 2, t, image, weights, kept); break;
        switch (positions) { ALL_ROWS }
#undef ROWS
    } else {
#define ROWS(n) \
    case n: NAME(direct_tile)(n, 1, t, image, weights, kept); break;
        switch (positions) { ALL_ROWS }
#undef ROWS
    }
}

/* Tiles [t0, t1) of a row's tiles, block by block of taps: a block's part of the image and of the
 * weights serves all tiles from the first-level cache. */
static void NAME(direct_tiles)(const ConvMap *m, const T *image, const T *weights, int64_t lanes,
                               int64_t tiles, int64_t t0, int64_t t1, T *kept) {
    int64_t blocks = m->taps > 0 ? (m->taps + TAPS_OF_BLOCK - 1) / TAPS_OF_BLOCK : 1;
    for (int64_t b = 0; b < blocks; b++) {
        int64_t first = b * m->taps / blocks;
        TapRange range = {m->tap + first, (b + 1) * m->taps / blocks - first, b == 0};
        for (int64_t t = t0; t < t1; t++) {
            int64_t x = t * m->columns / tiles, next = (t + 1) * m->columns / tiles;
            NAME(direct_any)
            (next - x, lanes, &range, image + x, weights + first * NR, kept + (t - t0) * MR * NR);
        }
    }
}

static void NAME(direct)(const ConvMap *m, const void *image, const void *weights, int64_t lanes,
                         const void *bias, void *out, int64_t plane, int64_t y0, int64_t y1,
                         int64_t limit) {
    int64_t tiles = (m->columns + MR - 1) / MR, end = limit * m->columns;
    T kept[(TILES_AT_ONCE * MR + VL) * NR];
    for (int64_t y = y0; y < y1; y++) {
        for (int64_t t = 0; t < tiles; t += TILES_AT_ONCE) {
            int64_t t1 = t + TILES_AT_ONCE < tiles ? t + TILES_AT_ONCE : tiles;
            NAME(direct_tiles)
            (m, (const T *)image + conv_corner(m, y), weights, lanes, tiles, t, t1, kept);
            for (int64_t i = t; i < t1; i++) {
                int64_t x = i * m->columns / tiles, next = (i + 1) * m->columns / tiles;
                int64_t at = y * m->columns + x;
                NAME(direct_store)
                (next - x, kept + (i - t) * MR * NR, lanes, bias, (T *)out + at, plane, end - at);
            }
        }
    }
}

/* mr positions from grad on and nv vectors of input channels: what one tap sends to each. */
static ALWAYS_INLINE void NAME(spread_tile)(const int mr, const int nv, const ConvSpread *s,
                                            const T *grad, const T *weights, T *to) {
    V acc[MR][2];
#pragma GCC unroll 16
    for (int i = 0; i < mr; i++) {
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) {
            acc[i][j] = (V){0};
        }
    }
    for (int64_t o = 0; o < s->outputs; o++) {
        const T *a = grad + o * s->plane;
        V row[2];
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) {
            row[j] = *(const V *)(weights + o * NR + j * VL);
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
            *(V *)(to + i * s->step * NR + j * VL) += acc[i][j];
        }
    }
}

static void NAME(spread_any)(int64_t positions, int64_t lanes, const ConvSpread *s, const T *grad,
                             const T *weights, T *to) {
    if (lanes > VL) {
#define ROWS(n) \
    case n: NAME(spread_tile)(n, 2, s, grad, weights, to); break;
        switch (positions) { ALL_ROWS }
#undef ROWS
    } else {
#define ROWS(n) \
    case n: NAME(spread_tile)(n, 1, s, grad, weights, to); break;
        switch (positions) { ALL_ROWS }
#undef ROWS
    }
}

static void NAME(spread)(const ConvSpread *s, const void *grad, const void *weights, int64_t lanes,
                         void *target) {
    int64_t tiles = (s->columns + MR - 1) / MR;
    for (int64_t y = 0; y < s->slices * s->rows; y++) {
        int64_t corner = y / s->rows * s->slice_step + y % s->rows * s->row_step;
        for (int64_t t = 0; t < tiles; t++) {
            int64_t x = t * s->columns / tiles, next = (t + 1) * s->columns / tiles;
            const T *from = (const T *)grad + y * s->columns + x;
            T *to = (T *)target + (corner + x * s->step) * NR;
            for (int64_t p = 0; p < s->taps; p++) {
                NAME(spread_any)
                (next - x, lanes, s, from, (const T *)weights + p * s->outputs * NR,
                 to + s->tap[p] * NR);
            }
        }
    }
}

/* The elements inside the padding, turned. */
static void NAME(spread_store)(const ConvFrame *f, const void *target, int64_t lanes, void *image) {
    int64_t width = f->in[2], plane = f->in[0] * f->in[1] * width;
    int64_t rows = f->in[1] + 2 * f->padding[1], pitch = width + 2 * f->padding[2];
    for (int64_t y = 0; y < f->in[0] * f->in[1]; y++) {
        int64_t z = y / f->in[1] + f->padding[0], inner = y % f->in[1] + f->padding[1];
        int64_t at = (z * rows + inner) * pitch + f->padding[2];
        NAME(direct_store)
        (width, (const T *)target + at * NR, lanes, NULL, (T *)image + y * width, plane,
         plane - y * width);
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
        run[count] = (NAME(Run)){lane, length, conv_corner(m, y) + x};
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
                NAME(copy)(from + run[r].from, out + p * NR + run[r].lane, run[r].length);
            }
        }
    }
}

/* mr taps and nv vectors of output channels. */
static ALWAYS_INLINE void NAME(weights_tile)(const int mr, const int nv, const ConvMap *m,
                                             const T *image, const int64_t *tap, int64_t y0,
                                             int64_t y1, const T *grad, T *sums) {
    V acc[TAPS_OF_VECTOR][2];
    const T *a[TAPS_OF_VECTOR];
#pragma GCC unroll 8
    for (int i = 0; i < mr; i++) {
        a[i] = image + tap[i];
#pragma GCC unroll 2
        for (int j = 0; j < nv; j++) {
            acc[i][j] = *(const V *)(sums + i * NR + j * VL);
        }
    }
    for (int64_t y = y0; y < y1; y++) {
        int64_t corner = conv_corner(m, y);
        for (int64_t x = 0; x < m->columns; x++, grad += NR) {
            V row[2];
#pragma GCC unroll 2
            for (int j = 0; j < nv; j++) {
                row[j] = *(const V *)(grad + j * VL);
            }
#pragma GCC unroll 8
            for (int i = 0; i < mr; i++) {
                V v = a[i][corner + x] - (V){0};
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
    int64_t most = lanes > VL ? TAPS : TAPS_OF_VECTOR, tiles = (count + most - 1) / most;
    for (int64_t t = 0; t < tiles; t++) {
        int64_t p = first + t * count / tiles, next = first + (t + 1) * count / tiles;
        const int64_t *tap = m->tap + p;
        T *to = (T *)sums + p * NR;
        if (lanes > VL) {
#define ROWS(n) \
    case n: NAME(weights_tile)(n, 2, m, image, tap, y0, y1, grad, to); break;
            switch (next - p) { ALL_TAPS }
#undef ROWS
        } else {
#define ROWS(n) \
    case n: NAME(weights_tile)(n, 1, m, image, tap, y0, y1, grad, to); break;
            switch (next - p) { ROWS_1_TO_6 ROWS(7) ROWS(8) }
#undef ROWS
        }
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
