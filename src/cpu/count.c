/* Counting how often each number comes. */
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "cpu/cpu.h"
#include "cpu/index.h"

/* The same bin again and again would wait for its own last store: a few copies of a small table
 * take turns. */
enum { COPIES = 4, COPIED_BINS = 2048, GRAIN = 1 << 16 };

typedef struct Counting {
    const int64_t *x;
    int64_t n, step, bins, tables; /* tables a task */
    int64_t tasks;
    int64_t *table; /* of all tasks */
    bool *bad;      /* by task: whether a number is out of range */
} Counting;

/* Counts n numbers into table and, by turns, into the tables behind it; whether one is out of
 * range.
 */
static bool count_run(const int64_t *x, int64_t n, int64_t step, int64_t *table, int64_t bins,
                      int64_t tables) {
    bool bad = false;
    if (tables == COPIES) {
        for (; n >= COPIES; n -= COPIES, x += COPIES * step) {
            for (int64_t k = 0; k < COPIES; k++) {
                uint64_t bin = (uint64_t)x[k * step] - INDEX_BASE;
                bool out = bin >= (uint64_t)bins;
                bad |= out;
                table[k * bins + (int64_t)(out ? 0 : bin)]++;
            }
        }
    }
    for (int64_t i = 0; i < n; i++) {
        uint64_t bin = (uint64_t)x[i * step] - INDEX_BASE;
        bool out = bin >= (uint64_t)bins;
        bad |= out;
        table[out ? 0 : bin]++;
    }
    return bad;
}

static void count_task(void *ctx, int64_t task) {
    const Counting *c = ctx;
    int64_t begin = task * c->n / c->tasks, end = (task + 1) * c->n / c->tasks;
    int64_t *table = c->table + task * c->tables * c->bins;
    memset(table, 0, (size_t)(c->tables * c->bins) * sizeof *table);
    c->bad[task] =
        count_run(c->x + begin * c->step, end - begin, c->step, table, c->bins, c->tables);
}

/* Counts into tables and adds them up; false where a number is out of range. */
static bool count(Counting *c, int64_t *out) {
    bool bad = false;
    parallel_tasks(c->tasks, count_task, c);
    memcpy(out, c->table, (size_t)c->bins * sizeof *out);
    for (int64_t t = 1; t < c->tasks * c->tables; t++) {
        const int64_t *table = c->table + t * c->bins;
        for (int64_t b = 0; b < c->bins; b++) out[b] += table[b];
    }
    for (int64_t t = 0; t < c->tasks; t++) {
        bad |= c->bad[t];
    }
    return !bad;
}

static bool cpu_bincount_static(const KernelCall *call) {
    const View *in = &call->in[0], *out = &call->out[0];
    Counting c = {
        .x = in->data, .n = in->numel, .step = in->dim ? in->stride[0] : 0, .bins = out->numel};
    bool flags[THREADS_MAX] = {false};
    if (c.bins == 0 || c.n == 0) {
        memset(out->data, 0, (size_t)c.bins * sizeof(int64_t));
        return index_check(call->name, "input", in, c.bins, false);
    }
    c.tables = c.bins <= COPIED_BINS && c.n > COPIES * c.bins ? COPIES : 1;
    c.tasks = c.n / GRAIN < threads_get() ? c.n / GRAIN : threads_get();
    c.tasks = c.tasks < c.n / c.bins ? c.tasks : c.n / c.bins;
    c.tasks = c.tasks < 1 ? 1 : c.tasks;
    size_t bytes = (size_t)(c.tasks * c.tables * c.bins) * sizeof *c.table;
    c.bad = flags;
    c.table = mem_alloc(bytes);
    if (!c.table) {
        return false;
    }
    bool ok = count(&c, out->data);
    mem_free(c.table, bytes);
    return ok || index_check(call->name, "input", in, c.bins, false);
}

const KernelRow cpu_count_rows[] = {{"bincount_static", cpu_bincount_static}, {NULL, NULL}};
