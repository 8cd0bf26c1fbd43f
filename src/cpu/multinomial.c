/* Drawing positions by their weights. */
#include <float.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cpu/dense.h"
#include "cpu/make.h"
#include "cpu/workspace.h"
#include "tensor/formulas/distributions.h"
#include "tensor/index_plan.h"
#include "tensor/number.h"

/* A position on its way into the order of a race: the smallest times come first. */
typedef struct Runner {
    double time;
    int64_t position;
} Runner;

/* Rows are taken a block at a time: enough for whole lines of the cache where they lie across. */
enum { BLOCK_WEIGHTS = 16384, LEAST_ROWS = 16, WEIGHT_COST = 4, SAMPLE_COST = 16, GRAIN = 65536 };

typedef struct Draw {
    const View *in;
    uint64_t seed, offset;
    int64_t categories, samples, rows, block;
    bool again; /* positions may come again */
    int64_t *out;
    Workspace work;     /* weights of a block, and the runners of a row */
    atomic_llong fault; /* the first row known to be bad; rows where there is none */
} Draw;

/* sum: of a row's weights, up to each. */
static void draw_again(const Draw *d, int64_t row, const double *sum) {
    int64_t last = f_last_position(sum, d->categories);
    for (int64_t i = row * d->samples; i < (row + 1) * d->samples; i++) {
        int64_t at = f_draw_position(d->seed, d->offset + (uint64_t)i, sum, d->categories, last);
        d->out[i] = at + INDEX_BASE;
    }
}

static int by_time(const void *a, const void *b) {
    const Runner *x = a, *y = b;
    if (x->time != y->time) {
        return x->time < y->time ? -1 : 1;
    }
    return (x->position > y->position) - (x->position < y->position);
}

/* All set out at once, each with an exponentially distributed time of its weight as rate: the order
 * of arrival is that of drawing one after the other without putting back. */
static void draw_once(const Draw *d, int64_t row, const double *weight, Runner *runner) {
    uint64_t counter = d->offset + (uint64_t)(row * d->samples);
    for (int64_t j = 0; j < d->categories; j++) {
        runner[j] = (Runner){f_race_time(d->seed, counter, j, weight[j]), j};
    }
    qsort(runner, (size_t)d->categories, sizeof *runner, by_time);
    for (int64_t s = 0; s < d->samples; s++) {
        d->out[row * d->samples + s] = runner[s].position + INDEX_BASE;
    }
}

static bool is_weight(double x) { return x >= 0 && x <= DBL_MAX; }

/* Whether all are finite and above 0 or 0, told from bits, which vectorises: of numbers with the
 * sign bit clear, one more in the exponent sets it for those alone that are not finite. */
static bool are_plain(const double *weight, int64_t n) {
    const uint64_t exponent_1 = (uint64_t)1 << 52, sign = (uint64_t)1 << 63;
    uint64_t seen = 0;
    for (int64_t j = 0; j < n; j++) {
        uint64_t bits = f_bits_f64(weight[j]);
        seen |= bits | (bits + exponent_1);
    }
    return !(seen & sign);
}

static bool are_weights(const double *weight, int64_t n) {
    bool right = true;
    for (int64_t j = 0; j < n && right; j++) {
        right = is_weight(weight[j]); /* -0.0 is one */
    }
    return right;
}

static int64_t positive_weights(const double *weight, int64_t n) {
    int64_t positive = 0;
    for (int64_t j = 0; j < n; j++) {
        positive += weight[j] > 0;
    }
    return positive;
}

static bool has_finite_sum(const double *weight, int64_t n) {
    double total = 0;
    for (int64_t j = 0; j < n; j++) {
        total += weight[j];
    }
    return is_weight(total);
}

static void sum_up(double *weight, int64_t n) {
    double before = 0;
    for (int64_t first = 0; first < n; first += F_STRETCH) {
        int64_t length = n - first < F_STRETCH ? n - first : F_STRETCH;
        f_sum_stretch(weight + first, length);
        for (int64_t j = first; j < first + length; j++) weight[j] += before;
        before = weight[first + length - 1];
    }
}

static void load_rows(const Draw *d, int64_t first, int64_t rows, double *to) {
    const View *in = d->in;
    int64_t shape[] = {rows, d->categories}, packed[] = {d->categories, 1};
    int64_t stride[] = {in->dim == 2 ? in->stride[0] : 0, in->stride[in->dim - 1]};
    int64_t at = first * stride[0] * (int64_t)dtype_size(in->dtype), n = rows * d->categories;
    View from = {(char *)in->data + at, shape, stride, n, 2, in->dtype};
    View copy = {to, shape, packed, n, 2, DT_FLOAT64};
    dense_copy(&copy, &from);
}

static void note_fault(Draw *d, int64_t row) {
    long long known = atomic_load(&d->fault);
    while (row < known && !atomic_compare_exchange_weak(&d->fault, &known, row)) {
    }
}

/* Draws from a row, unless it is bad. */
static bool draw_row(const Draw *d, int64_t row, double *weight, Runner *runner) {
    int64_t n = d->categories;
    if (!are_plain(weight, n) && !are_weights(weight, n)) {
        return false;
    }
    if (d->again) {
        sum_up(weight, n);
        double total = weight[n - 1];
        bool good = total > 0 && is_weight(total);
        if (good) {
            draw_again(d, row, weight);
        }
        return good;
    }
    bool good = positive_weights(weight, n) >= d->samples && has_finite_sum(weight, n);
    if (good) {
        draw_once(d, row, weight, runner);
    }
    return good;
}

static int64_t rows_of_block(const Draw *d, int64_t block) {
    int64_t left = d->rows - block * d->block;
    return left < d->block ? left : d->block;
}

static void draw_blocks(void *ctx, int64_t begin, int64_t end) {
    Draw *d = ctx;
    double *weights = workspace_take(&d->work);
    Runner *runner = (Runner *)(weights + d->block * d->categories);
    for (int64_t block = begin; block < end; block++) {
        int64_t first = block * d->block, rows = rows_of_block(d, block);
        if (first < atomic_load(&d->fault)) {
            load_rows(d, first, rows, weights);
            for (int64_t i = 0; i < rows; i++) {
                if (!draw_row(d, first + i, weights + i * d->categories, runner)) {
                    note_fault(d, first + i);
                }
            }
        }
    }
    workspace_give(&d->work, weights);
}

/* Says what is wrong with the weights of a row. */
static bool refuse_row(const KernelCall *c, Draw *d, int64_t row) {
    double *weight = workspace_take(&d->work);
    int64_t j = 0;
    load_rows(d, row, 1, weight);
    while (j < d->categories && is_weight(weight[j])) {
        j++;
    }
    char text[INDEX_TEXT_MAX];
    if (j < d->categories) {
        element_text(text, c->name, F_WEIGHTS_TEXT, (Ints){d->in->shape, d->in->dim},
                     row * d->categories + j, weight[j]);
    } else {
        weights_text(text, c->name, row, positive_weights(weight, d->categories),
                     d->again ? 1 : d->samples);
    }
    return fail("%s", text);
}

/* Rows of a block: what fits a core's cache, but no fewer than fill lines where rows lie across. */
static int64_t block_of(const View *in, int64_t categories, int64_t rows) {
    int64_t block = BLOCK_WEIGHTS / categories;
    int64_t least = in->stride[in->dim - 1] == 1 ? 1 : LEAST_ROWS;
    block = block < least ? least : block;
    return block < rows ? block : rows;
}

bool cpu_multinomial(const KernelCall *c) {
    const View *in = &c->in[0];
    int64_t categories = in->shape[in->dim - 1];
    int64_t rows = categories ? in->numel / categories : 0;
    if (rows == 0) {
        return true;
    }
    Draw d = {.in = in,
              .seed = c->seed,
              .offset = c->offset,
              .categories = categories,
              .samples = c->arg[1].i,
              .rows = rows,
              .block = block_of(in, categories, rows),
              .again = c->arg[2].b,
              .out = c->out[0].data,
              .fault = rows};
    int64_t blocks = (rows + d.block - 1) / d.block;
    size_t bytes = (size_t)(d.block * categories) * sizeof(double);
    if (!workspace_open(&d.work, blocks,
                        bytes + (d.again ? 0 : (size_t)categories * sizeof(Runner)))) {
        return false;
    }
    int64_t cost = d.block * (categories * WEIGHT_COST + d.samples * SAMPLE_COST);
    parallel_for(blocks, GRAIN / cost + 1, draw_blocks, &d);
    long long fault = atomic_load(&d.fault);
    bool ok = fault == rows || refuse_row(c, &d, fault);
    workspace_close(&d.work);
    return ok;
}
