/* standardize, the core of the norms: how its rows lie in memory, and how they are shared out. The
 * loops stand in kernels/normalize.c. */
#include "cpu/kernels/normalize.h"

#include <string.h>

#include "base/threads.h"
#include "cpu/cpu.h"
#include "cpu/kernels/isa_name.h"
#include "cpu/stage.h"

ISA_DECLARE(const NormTable, norm_table);

/* A task is worth that many elements; weight gradients are summed in that many parts at most, cut
 * the same whatever the number of threads. */
enum { GRAIN = 16384, PARTS = 16 };

typedef struct Job {
    NormRun run;
    const NormTable *table;
    bool wide, across;
    int64_t rows, parts, size; /* size: of an element */
    char *weight_sums, *bias_sums;
    int64_t part_bytes;
} Job;

/* x is (N, G, K, S). */
static Job plan(const View *x, bool over_batch, bool center) {
    int64_t n = x->shape[0], g = x->shape[1], k = x->shape[2], s = x->shape[3];
    Job j = {.table = ISA_PICK(norm_table),
             .wide = x->dtype == DT_FLOAT64,
             .rows = over_batch ? g : n * g,
             .size = (int64_t)stage_size(x),
             .run = {.period = g, .inner = k * s, .outer = g * k * s, .center = center}};
    NormRun *r = &j.run;
    if (over_batch) {
        r->segments = n;
        r->span = s;
        r->step = g * s;
        r->weight_row = 1;
    } else {
        r->each = s == 1;
        r->segments = r->each ? 1 : k;
        r->span = r->each ? k : s;
        r->step = r->span;
        r->weight_row = k;
        r->weight_step = 1;
    }
    j.across = over_batch && s == 1;
    return j;
}

static int64_t row_elements(const Job *j) {
    int64_t n = j->run.segments * j->run.span;
    return n ? n : 1;
}

/* Rows that one call of a loop takes, at least. */
static int64_t rows_worth_a_task(const Job *j) { return (GRAIN - 1) / row_elements(j) + 1; }

static void forward_rows(void *ctx, int64_t begin, int64_t end) {
    const Job *j = ctx;
    j->table->forward[j->wide](&j->run, begin, end);
}

static int64_t tile_end(const Job *j, int64_t tile) {
    int64_t end = (tile + 1) * NORM_TILE;
    return end < j->rows ? end : j->rows;
}

static void forward_tiles(void *ctx, int64_t begin, int64_t end) {
    const Job *j = ctx;
    for (int64_t t = begin; t < end; t++) {
        j->table->forward_across[j->wide](&j->run, t * NORM_TILE, tile_end(j, t));
    }
}

static bool cpu_standardize(const KernelCall *c) {
    Job j = plan(&c->in[0], c->arg[4].b, c->arg[5].b);
    Stage s = {0};
    NormRun *r = &j.run;
    r->x = stage_in(&s, &c->in[0]);
    r->weight = stage_in(&s, &c->in[1]);
    r->bias = stage_in(&s, &c->in[2]);
    r->eps = c->arg[3].f;
    r->out = stage_out(&s, &c->out[0]);
    r->mean = stage_out(&s, &c->out[1]);
    r->rstd = stage_out(&s, &c->out[2]);
    if (!s.failed && j.across) {
        int64_t tiles = (j.rows + NORM_TILE - 1) / NORM_TILE;
        parallel_for(tiles, GRAIN / (NORM_TILE * row_elements(&j)) + 1, forward_tiles, &j);
    } else if (!s.failed) {
        parallel_for(j.rows, rows_worth_a_task(&j), forward_rows, &j);
    }
    return stage_end(&s, true);
}

static void backward_part(void *ctx, int64_t part) {
    const Job *j = ctx;
    int64_t first = part * j->rows / j->parts, end = (part + 1) * j->rows / j->parts;
    int64_t own = j->run.each ? part * j->part_bytes : 0;
    if (j->run.each) {
        memset(j->weight_sums + own, 0, (size_t)j->part_bytes);
        memset(j->bias_sums + own, 0, (size_t)j->part_bytes);
    }
    if (j->across) {
        first = part * NORM_TILE;
        end = tile_end(j, part);
        j->table->backward_across[j->wide](&j->run, first, end, j->weight_sums, j->bias_sums);
    } else {
        j->table->backward[j->wide](&j->run, first, end, j->weight_sums + own, j->bias_sums + own);
    }
}

/* How many tasks, and room for the sums that they leave. */
static void plan_parts(Job *j, Stage *s) {
    int64_t worth = j->rows / rows_worth_a_task(j);
    worth = worth < 1 ? 1 : worth;
    j->parts = j->across                      ? (j->rows + NORM_TILE - 1) / NORM_TILE
               : j->run.each && worth > PARTS ? PARTS
                                              : worth;
    j->part_bytes = j->run.span * j->size;
    int64_t sums = j->run.each ? j->parts * j->run.span
                   : j->across ? j->rows
                               : j->rows * j->run.segments;
    j->weight_sums = stage_room(s, (size_t)(sums * j->size));
    j->bias_sums = stage_room(s, (size_t)(sums * j->size));
}

/* The parts' sums as the gradients of weight and bias. */
static void fold(const Job *j, const char *sums, bool over_batch, int64_t weights, void *to) {
    NormFold *f = j->table->fold[j->wide];
    if (weights == 0) {
        return;
    }
    if (j->across) {
        memcpy(to, sums, (size_t)(weights * j->size));
    } else if (over_batch) {
        f(sums, j->run.segments, 1, j->run.segments, weights, to);
    } else {
        f(sums, j->run.each && j->run.period == 1 ? j->parts : j->rows / j->run.period, weights, 1,
          weights, to);
    }
}

static bool cpu_standardize_backward(const KernelCall *c) {
    bool over_batch = c->arg[5].b;
    Job j = plan(&c->in[1], over_batch, c->arg[6].b);
    Stage s = {0};
    NormRun *r = &j.run;
    if (r->each && r->period > 1) {
        /* The weights of a group lie apart from those of the next: one segment an element. */
        r->each = false;
        r->segments = r->span;
        r->span = r->step = 1;
    }
    r->grad = stage_in(&s, &c->in[0]);
    r->x = stage_in(&s, &c->in[1]);
    r->weight = stage_in(&s, &c->in[2]);
    r->mean = (void *)stage_in(&s, &c->in[3]);
    r->rstd = (void *)stage_in(&s, &c->in[4]);
    r->out = stage_out(&s, &c->out[0]);
    void *weight_grad = stage_out(&s, &c->out[1]), *bias_grad = stage_out(&s, &c->out[2]);
    plan_parts(&j, &s);
    if (!s.failed) {
        parallel_tasks(j.parts, backward_part, &j);
        fold(&j, j.weight_sums, over_batch, c->out[1].numel, weight_grad);
        fold(&j, j.bias_sums, over_batch, c->out[2].numel, bias_grad);
    }
    return stage_end(&s, true);
}

const KernelRow cpu_normalize_rows[] = {{"standardize", cpu_standardize},
                                        {"standardize_backward", cpu_standardize_backward},
                                        {NULL, NULL}};
