/* Kernels of cross entropy by labels: rows of logits (M, C), in one pass forward and one back. */
#include <math.h>
#include <string.h>

#include "base/threads.h"
#include "cpu/cpu.h"
#include "cpu/index.h"
#include "cpu/kernels/cross_entropy.h"
#include "cpu/kernels/isa_name.h"
#include "cpu/stage.h"

ISA_DECLARE(const CrossEntropyTable, cross_entropy_table);

enum { GRAIN = 8192 };

typedef struct Rows {
    const CrossEntropyTable *table;
    bool wide;
    int64_t m, n, size, ignore; /* size: of an element */
    double smoothing, weight_sum;
    const char *x, *weight, *grad;
    const int64_t *target;
    double *lse;
    char *losses, *counts, *out;
} Rows;

static double get(const Rows *r, const char *x, int64_t i) {
    return r->wide ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

static void put(const Rows *r, char *x, int64_t i, double v) {
    if (r->wide) {
        ((double *)x)[i] = v;
    } else {
        ((float *)x)[i] = (float)v;
    }
}

static double weight_of(const Rows *r, int64_t class) {
    return r->weight ? get(r, r->weight, class) : 1;
}

static CrossEntropyRow row_of(const Rows *r, int64_t i) {
    int64_t class = r->target[i] - INDEX_BASE;
    CrossEntropyRow row = {.x = r->x + i * r->n * r->size, .n = r->n, .class = class};
    row.weight = r->weight;
    row.own = (1 - r->smoothing) * weight_of(r, class);
    row.even = r->smoothing / (double)r->n;
    row.all = row.own + row.even * r->weight_sum;
    row.lse = r->lse[i];
    return row;
}

static void forward_rows(void *ctx, int64_t begin, int64_t end) {
    const Rows *r = ctx;
    for (int64_t i = begin; i < end; i++) {
        bool counts = r->target[i] != r->ignore;
        r->lse[i] = r->table->lse[r->wide](r->x + i * r->n * r->size, r->n);
        double loss = 0;
        if (counts) {
            CrossEntropyRow row = row_of(r, i);
            loss = r->table->loss[r->wide](&row);
        }
        put(r, r->losses, i, loss);
        put(r, r->counts, i, counts ? weight_of(r, r->target[i] - INDEX_BASE) : 0);
    }
}

static void backward_rows(void *ctx, int64_t begin, int64_t end) {
    const Rows *r = ctx;
    for (int64_t i = begin; i < end; i++) {
        char *out = r->out + i * r->n * r->size;
        if (r->target[i] == r->ignore) {
            memset(out, 0, (size_t)(r->n * r->size));
            continue;
        }
        CrossEntropyRow row = row_of(r, i);
        r->table->back[r->wide](&row, get(r, r->grad, i), out);
    }
}

/* Reads the operands from input, in[k], on; false with an error recorded. */
static bool read_rows(const KernelCall *c, int k, Rows *r, Stage *s) {
    const View *x = &c->in[k], *target = &c->in[k + 1], *weight = &c->in[k + 2];
    r->table = ISA_PICK(cross_entropy_table);
    r->wide = x->dtype == DT_FLOAT64;
    r->size = (int64_t)dtype_size(x->dtype);
    r->m = x->shape[0];
    r->n = x->shape[1];
    r->x = stage_in(s, x);
    r->target = stage_in(s, target);
    r->weight = stage_in(s, weight);
    if (s->failed) {
        return false;
    }
    r->weight_sum = r->weight ? 0 : (double)r->n;
    for (int64_t i = 0; r->weight && i < r->n; i++) {
        r->weight_sum += get(r, r->weight, i);
    }
    for (int64_t i = 0; i < r->m; i++) {
        int64_t label = r->target[i];
        if (label != r->ignore && (label < 1 || label > r->n)) {
            return fail("%s: target must hold class labels from 1 to %lld%s, got %lld at position "
                        "%lld",
                        c->name, (long long)r->n, label == 0 ? " (they count from 1)" : "",
                        (long long)label, (long long)i + 1);
        }
    }
    return true;
}

static int64_t grain(const Rows *r) { return GRAIN / (r->n + 1) + 1; }

static bool forward(const KernelCall *c) {
    Rows r = {.ignore = c->arg[3].i, .smoothing = c->arg[4].f};
    Stage s = {0};
    if (!read_rows(c, 0, &r, &s)) {
        return stage_end(&s, false);
    }
    r.losses = c->out[0].data;
    r.lse = c->out[1].data;
    r.counts = c->out[2].data;
    parallel_for(r.m, grain(&r), forward_rows, &r);
    return stage_end(&s, true);
}

static bool backward(const KernelCall *c) {
    Rows r = {.ignore = c->arg[5].i, .smoothing = c->arg[6].f};
    Stage s = {0};
    r.grad = stage_in(&s, &c->in[0]);
    if (!read_rows(c, 1, &r, &s)) {
        return stage_end(&s, false);
    }
    r.lse = (double *)stage_in(&s, &c->in[4]);
    r.out = c->out[0].data;
    if (!s.failed) {
        parallel_for(r.m, grain(&r), backward_rows, &r);
    }
    return stage_end(&s, true);
}

const KernelRow cpu_cross_entropy_rows[] = {
    {"cross_entropy_rows", forward}, {"cross_entropy_rows_backward", backward}, {NULL, NULL}};
