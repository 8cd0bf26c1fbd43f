#include "tensor/iter.h"

#include <stdlib.h>
#include <string.h>

#include "base/threads.h"

enum {
    GRAIN_COST = 400000, /* the least work of a thread's chunk: 4 us in hundredths of a ns */
    SHORT_ROW = 32,      /* rows up to this length are taken many at a time */
    SHORT_BOX = 512,     /* about as many elements */
    FEW_COLUMNS = 6,     /* rows up to this length are taken column by column */
    TILE_ROW = 128,
    GATHER_ROWS = 8,
    TILE_ROWS = 64,
    BLOCK_BYTES = TILE_ROW * TILE_ROWS * 4,
    MAX_GATHERED = 3 /* operands */
};

static int64_t distance(int64_t stride) { return stride < 0 ? -stride : stride; }

/* Where a walk over the iterator stands. */
typedef struct Place {
    int64_t index[MAX_DIMS];
    char *ptr[ITER_MAX];
} Place;

static void place_at(const Iter *it, int64_t element, Place *p) {
    memcpy(p->ptr, it->data, (size_t)it->n * sizeof *p->ptr);
    for (int i = 0; i < it->dim; i++) {
        p->index[i] = element % it->shape[i];
        element /= it->shape[i];
        for (int k = 0; k < it->n; k++) {
            p->ptr[k] += p->index[i] * it->stride[k][i];
        }
    }
}

/* One step along dim, carrying into the dims further out. */
static void place_step(const Iter *it, Place *p, int dim) {
    for (; dim < it->dim; dim++) {
        bool carry = ++p->index[dim] == it->shape[dim];
        int64_t steps = carry ? 1 - it->shape[dim] : 1;
        for (int k = 0; k < it->n; k++) {
            p->ptr[k] += steps * it->stride[k][dim];
        }
        if (!carry) {
            return;
        }
        p->index[dim] = 0;
    }
}

void iter_range(const Iter *it, int64_t begin, int64_t end, IterLoop *loop, const void *ctx) {
    if (begin >= end) {
        return;
    }
    Place p;
    int64_t stride[ITER_MAX];
    for (int k = 0; k < it->n; k++) {
        stride[k] = it->stride[k][0];
    }
    place_at(it, begin, &p);
    int64_t left = end - begin, rows = it->dim > 1 ? it->shape[1] : 1;
    while (true) {
        int64_t row = it->shape[0] - p.index[0];
        int64_t n = row < left ? row : left;
        loop(p.ptr, stride, n, ctx);
        left -= n;
        if (left == 0) {
            return;
        }
        for (int k = 0; k < it->n; k++) {
            p.ptr[k] -= p.index[0] * stride[k];
        }
        p.index[0] = 0;
        /* Whole rows along the next dim, without a look at the others. */
        for (; p.index[1] + 1 < rows && left >= it->shape[0]; left -= it->shape[0]) {
            p.index[1]++;
            for (int k = 0; k < it->n; k++) {
                p.ptr[k] += it->stride[k][1];
            }
            loop(p.ptr, stride, it->shape[0], ctx);
        }
        if (left == 0) {
            return;
        }
        place_step(it, &p, 1);
    }
}

typedef struct Run {
    const Iter *it;
    IterLoop *loop;
    const void *ctx;
} Run;

static void run_range(void *ctx, int64_t begin, int64_t end) {
    const Run *r = ctx;
    iter_range(r->it, begin, end, r->loop, r->ctx);
}

#define T       uint8_t
#define NAME(x) x##_1
#include "tensor/iter_gather.inc.c"
#undef T
#undef NAME

#define T       uint16_t
#define NAME(x) x##_2
#include "tensor/iter_gather.inc.c"
#undef T
#undef NAME

#define T       uint32_t
#define NAME(x) x##_4
#include "tensor/iter_gather.inc.c"
#undef T
#undef NAME

#define T       uint64_t
#define NAME(x) x##_8
#include "tensor/iter_gather.inc.c"
#undef T
#undef NAME

#define T       Complex128
#define NAME(x) x##_16
#include "tensor/iter_gather.inc.c"
#undef T
#undef NAME

typedef uint32_t Four __attribute__((vector_size(16), aligned(4), may_alias));

/* Four columns of four elements at from become four rows of n elements each at to. */
static void turn_four(char *to, const char *from, int64_t n, int64_t stride) {
    Four a = *(const Four *)from, b = *(const Four *)(from + stride);
    Four c = *(const Four *)(from + 2 * stride), d = *(const Four *)(from + 3 * stride);
    const Four low = {0, 4, 1, 5}, high = {2, 6, 3, 7}, first = {0, 1, 4, 5}, last = {2, 3, 6, 7};
    Four ab = __builtin_shuffle(a, b, low), cd = __builtin_shuffle(c, d, low);
    uint32_t *row = (uint32_t *)to;
    *(Four *)row = __builtin_shuffle(ab, cd, first);
    *(Four *)(row + n) = __builtin_shuffle(ab, cd, last);
    ab = __builtin_shuffle(a, b, high);
    cd = __builtin_shuffle(c, d, high);
    *(Four *)(row + 2 * n) = __builtin_shuffle(ab, cd, first);
    *(Four *)(row + 3 * n) = __builtin_shuffle(ab, cd, last);
}

/* gather_4 of columns without gaps that run up or down (step 4 or -4), all but a rest of rows and
 * of columns in fours. */
static void turn_columns(char *dst, const char *src, int64_t n, int64_t rows, int64_t stride0,
                         int64_t step) {
    int64_t whole_rows = rows & ~(int64_t)3, whole = n & ~(int64_t)3, first = step < 0 ? 3 : 0;
    for (int64_t j = first; j < whole_rows; j += 4) {
        for (int64_t i = 0; i < whole; i += 4) {
            char *to = dst + (j * n + i) * 4;
            turn_four(to, src + i * stride0 + j * step, step < 0 ? -n : n, stride0);
        }
    }
    for (int64_t j = 0; j < rows; j++) {
        for (int64_t i = j < whole_rows ? whole : 0; i < n; i++) {
            ((uint32_t *)dst)[j * n + i] = *(const uint32_t *)(src + i * stride0 + j * step);
        }
    }
}

static void gather(char *dst, const char *src, int64_t n, int64_t rows, const int64_t *stride,
                   int64_t size) {
    if (size == 4 && distance(stride[1]) == 4 && distance(stride[0]) > 4) {
        turn_columns(dst, src, n, rows, stride[0], stride[1]);
        return;
    }
    switch (size) {
    case 1: gather_1(dst, src, n, rows, stride[0], stride[1]); break;
    case 2: gather_2(dst, src, n, rows, stride[0], stride[1]); break;
    case 4: gather_4(dst, src, n, rows, stride[0], stride[1]); break;
    case 8: gather_8(dst, src, n, rows, stride[0], stride[1]); break;
    default: gather_16(dst, src, n, rows, stride[0], stride[1]); break;
    }
}

/* A walk over boxes of rows along dims 0 and 1 in which the inputs whose elements lie badly are
 * first gathered into blocks: those that run across the others (a transposed operand would touch
 * another cache line with every element), and those that keep short rows from being taken many at
 * a time. */
typedef struct Boxes {
    Iter it;
    IterLoop *loop;
    const void *ctx;
    int64_t n, rows;   /* of a full box */
    uint32_t gathered; /* operands */
    bool whole;        /* a box is one run of all operands, else a run for each row */
} Boxes;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t boxes_along(int64_t size, int64_t box) { return (size + box - 1) / box; }

/* Boxes are counted along dim 0, then dim 1, then the further dims. */
static void run_box(const Boxes *b, int64_t box, char *blocks) {
    const Iter *it = &b->it;
    int64_t across = boxes_along(it->shape[0], b->n), down = boxes_along(it->shape[1], b->rows);
    int64_t first0 = box % across * b->n, first1 = box / across % down * b->rows;
    int64_t outer = box / (across * down);
    int64_t n = smaller(b->n, it->shape[0] - first0);
    int64_t rows = smaller(b->rows, it->shape[1] - first1);
    int64_t stride[ITER_MAX], down_stride[ITER_MAX];
    Place p;
    place_at(it, outer * it->shape[0] * it->shape[1] + first1 * it->shape[0] + first0, &p);
    for (int k = 0; k < it->n; k++) {
        stride[k] = it->stride[k][0];
        down_stride[k] = it->stride[k][1];
        if (b->gathered & 1u << k) {
            gather(blocks, p.ptr[k], n, rows, it->stride[k], it->size[k]);
            p.ptr[k] = blocks;
            stride[k] = it->size[k];
            down_stride[k] = n * it->size[k];
            blocks += BLOCK_BYTES;
        }
    }
    if (b->whole) {
        b->loop(p.ptr, stride, n * rows, b->ctx);
        return;
    }
    for (int64_t row = 0; row < rows; row++) {
        b->loop(p.ptr, stride, n, b->ctx);
        for (int k = 0; k < it->n; k++) {
            p.ptr[k] += down_stride[k];
        }
    }
}

static void run_boxes(void *ctx, int64_t begin, int64_t end) {
    const Boxes *b = ctx;
    _Alignas(64) char blocks[MAX_GATHERED][BLOCK_BYTES];
    for (int64_t box = begin; box < end; box++) {
        run_box(b, box, blocks[0]);
    }
}

/* The dim along which operand k has its elements close together while they lie far apart along
 * dim 0; 0: none. */
static int crossing_dim(const Iter *it, int k) {
    int64_t step = distance(it->stride[k][0]);
    for (int i = 1; i < it->dim && step > (int64_t)sizeof(int64_t); i++) {
        int64_t other = distance(it->stride[k][i]);
        if (other != 0 && other <= step / 4 && it->shape[i] >= 8) {
            return i;
        }
    }
    return 0;
}

/* Boxes for operands that cross; false: there are none. */
static bool boxes_across(Boxes *b, const Iter *it) {
    int across = 0;
    for (int k = it->n_out; k < it->n && across == 0 && it->shape[0] >= 8; k++) {
        across = crossing_dim(it, k);
    }
    if (across == 0) {
        return false;
    }
    b->it = *it;
    iter_swap_dims(&b->it, 1, across);
    b->n = TILE_ROW;
    b->rows = TILE_ROWS;
    b->whole = false;
    b->gathered = 0;
    for (int k = it->n_out, gathered = 0; k < it->n && gathered < MAX_GATHERED; k++) {
        if (crossing_dim(&b->it, k) == 1) {
            b->gathered |= 1u << k;
            b->rows = smaller(b->rows, BLOCK_BYTES / (TILE_ROW * it->size[k]));
            gathered++;
        }
    }
    return true;
}

/* Boxes of short rows; false: rows are long, or outputs keep them apart. */
static bool boxes_of_rows(Boxes *b, const Iter *it) {
    if (it->dim < 2 || it->shape[0] > SHORT_ROW || it->shape[1] < 4) {
        return false;
    }
    b->gathered = 0;
    for (int k = 0, gathered = 0; k < it->n; k++) {
        if (it->stride[k][1] == it->shape[0] * it->stride[k][0]) {
            continue;
        }
        if (k < it->n_out || gathered == MAX_GATHERED) {
            return false;
        }
        b->gathered |= 1u << k;
        gathered++;
    }
    b->it = *it;
    b->n = it->shape[0];
    b->rows = SHORT_BOX / it->shape[0];
    b->whole = true;
    return true;
}

/* Boxes of rows that are too short to be taken one by one, and that outputs keep apart: each is run
 * across its rows. */
static bool boxes_of_columns(Boxes *b, const Iter *it) {
    if (it->dim < 2 || it->shape[0] > FEW_COLUMNS || it->shape[1] < 4 * it->shape[0]) {
        return false;
    }
    b->it = *it;
    iter_swap_dims(&b->it, 0, 1);
    b->n = SHORT_BOX;
    b->rows = it->shape[0];
    b->whole = false;
    b->gathered = 0;
    return true;
}

static int64_t grain_of(int64_t cost) { return GRAIN_COST / (cost > 0 ? cost : 1) + 1; }

void iter_run_rows(const Iter *it, IterLoop *loop, const void *ctx, int64_t cost) {
    Run run = {it, loop, ctx};
    if (it->numel > 0) {
        parallel_for(it->numel, grain_of(cost), run_range, &run);
    }
}

void iter_run(const Iter *it, IterLoop *loop, const void *ctx, int64_t cost) {
    if (it->numel == 0) {
        return;
    }
    int64_t grain = grain_of(cost);
    Boxes b;
    if (boxes_across(&b, it) || boxes_of_rows(&b, it) || boxes_of_columns(&b, it)) {
        b.loop = loop;
        b.ctx = ctx;
        int64_t area = b.it.shape[0] * b.it.shape[1];
        int64_t boxes = boxes_along(b.it.shape[0], b.n) * boxes_along(b.it.shape[1], b.rows) *
                        (it->numel / area);
        parallel_for(boxes, grain / (b.n * b.rows) + 1, run_boxes, &b);
        return;
    }
    iter_run_rows(it, loop, ctx, cost);
}
