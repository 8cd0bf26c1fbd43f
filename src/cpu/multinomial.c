/* Drawing positions by their weights. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cpu/dense.h"
#include "cpu/make.h"
#include "tensor/formulas/distributions.h"
#include "tensor/index_plan.h"
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

static void draw_again(const Draw *d, int64_t row) {
    const double *sum = d->weight + row * d->categories;
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
static void draw_once(const Draw *d, int64_t row) {
    const double *weight = d->weight + row * d->categories;
    Runner *runner = d->runner + row * d->categories;
    uint64_t counter = d->offset + (uint64_t)(row * d->samples);
    for (int64_t j = 0; j < d->categories; j++) {
        runner[j] = (Runner){f_race_time(d->seed, counter, j, weight[j]), j};
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
            const View *in = &c->in[0];
            char text[INDEX_TEXT_MAX];
            element_text(text, c->name, F_WEIGHTS_TEXT, (Ints){in->shape, in->dim},
                         row * d->categories + j, weight[j]);
            return fail("%s", text);
        }
        positive += weight[j] > 0;
        total += weight[j];
    }
    int64_t wanted = d->runner ? d->samples : 1;
    if (positive < wanted || isinf(total)) {
        char text[INDEX_TEXT_MAX];
        weights_text(text, c->name, row, positive, wanted);
        return fail("%s", text);
    }
    return true;
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
