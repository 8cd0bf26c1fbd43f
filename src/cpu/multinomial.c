/* Drawing positions by their weights. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/philox.h"
#include "base/threads.h"
#include "cpu/dense.h"
#include "cpu/make.h"
#include "tensor/number.h"

/* A position on its way into the order of a race: the smallest times come first. */
typedef struct Runner {
    double time;
    int64_t position;
} Runner;

typedef struct Draw {
    uint64_t seed, offset;
    int64_t categories, samples;
    double *weight; /* by row; summed up where positions may come again */
    Runner *runner; /* by row; NULL: positions may come again */
    int64_t *out;
} Draw;

/* The first position whose sum of weights up to it is above x, so that it has a weight. */
static int64_t find_above(const double *sum, int64_t n, double x) {
    int64_t low = 0, high = n - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sum[middle] > x) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static void draw_again(const Draw *d, int64_t row) {
    const double *sum = d->weight + row * d->categories;
    double total = sum[d->categories - 1];
    int64_t last = find_above(sum, d->categories, nextafter(total, 0));
    for (int64_t i = row * d->samples; i < (row + 1) * d->samples; i++) {
        uint32_t words[4];
        philox4x32(d->seed, d->offset + (uint64_t)i, 0, words);
        int64_t at = find_above(sum, d->categories, random_inside(f_long_word(words, 0)) * total);
        d->out[i] = (at < last ? at : last) + INDEX_BASE;
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
static void draw_once(const Draw *d, int64_t row) {
    const double *weight = d->weight + row * d->categories;
    Runner *runner = d->runner + row * d->categories;
    for (int64_t k = 0; k < d->categories; k += 2) {
        uint32_t words[4];
        philox4x32(d->seed, d->offset + (uint64_t)(row * d->samples), (uint64_t)k / 2 + 1, words);
        for (int64_t j = k; j < k + 2 && j < d->categories; j++) {
            double u = random_inside(f_long_word(words, j - k));
            runner[j] = (Runner){weight[j] > 0 ? -log(u) / weight[j] : INFINITY, j};
        }
    }
    qsort(runner, (size_t)d->categories, sizeof *runner, by_time);
    for (int64_t s = 0; s < d->samples; s++) {
        d->out[row * d->samples + s] = runner[s].position + INDEX_BASE;
    }
}

static void draw_rows(void *ctx, int64_t begin, int64_t end) {
    const Draw *d = ctx;
    for (int64_t row = begin; row < end; row++) {
        if (d->runner) {
            draw_once(d, row);
        } else {
            draw_again(d, row);
        }
    }
}

/* Refuses a row that nothing can be drawn from. */
static bool check_row(const KernelCall *c, const Draw *d, int64_t row) {
    const double *weight = d->weight + row * d->categories;
    int64_t positive = 0;
    double total = 0;
    for (int64_t j = 0; j < d->categories; j++) {
        if (!(weight[j] >= 0) || isinf(weight[j])) {
            return fail("%s: input must hold weights from 0 on that are finite, got %g in column "
                        "%lld of row %lld",
                        c->name, weight[j], (long long)j + 1, (long long)row + 1);
        }
        positive += weight[j] > 0;
        total += weight[j];
    }
    int64_t wanted = d->runner ? d->samples : 1;
    if (positive < wanted || isinf(total)) {
        return fail(
            "%s: row %lld must have at least %lld weight%s above 0 and a finite sum, it has "
            "%lld",
            c->name, (long long)row + 1, (long long)wanted, wanted == 1 ? "" : "s",
            (long long)positive);
    }
    return true;
}

static void sum_up(double *weight, int64_t n) {
    for (int64_t j = 1; j < n; j++) weight[j] += weight[j - 1];
}

static bool draw_all(const KernelCall *c, Draw *d, int64_t rows) {
    for (int64_t row = 0; row < rows; row++) {
        if (!check_row(c, d, row)) {
            return false;
        }
        if (!d->runner) {
            sum_up(d->weight + row * d->categories, d->categories);
        }
    }
    int64_t grain = 4096 / (d->categories + d->samples) + 1;
    parallel_for(rows, grain, draw_rows, d);
    return true;
}

bool cpu_multinomial(const KernelCall *c) {
    const View *in = &c->in[0];
    int64_t categories = in->shape[in->dim - 1], stride[MAX_DIMS];
    int64_t rows = categories ? in->numel / categories : 0;
    size_t weights = (size_t)in->numel * sizeof(double),
           runners = (size_t)in->numel * sizeof(Runner);
    Draw d = {.seed = c->seed,
              .offset = c->offset,
              .categories = categories,
              .samples = c->arg[1].i,
              .out = c->out[0].data};
    if (rows == 0) {
        return true;
    }
    d.weight = mem_alloc(weights);
    d.runner = d.weight && !c->arg[2].b ? mem_alloc(runners) : NULL;
    bool ok = d.weight && (c->arg[2].b || d.runner);
    if (ok) {
        shape_contiguous_strides((Ints){in->shape, in->dim}, stride);
        View copy = {d.weight, in->shape, stride, in->numel, in->dim, DT_FLOAT64};
        dense_copy(&copy, in);
        ok = draw_all(c, &d, rows);
    }
    if (d.runner) {
        mem_free(d.runner, runners);
    }
    mem_free(d.weight, weights);
    return ok;
}
