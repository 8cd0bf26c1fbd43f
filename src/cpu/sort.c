/* sort, topk, kthvalue, median and mode: which rows there are, and how they are shared out. */
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "cpu/cpu.h"
#include "cpu/sort_keys.h"
#include "tensor/axes.h"
#include "tensor/op.h"

enum { BLOCK = 1024, GRAIN = 8192, TOPK_SPARE = 1024, FEW = 16, GROUP = 16 };

/* Operands of an axis. */
enum { IN, VALUE, PLACE };

typedef struct Rows Rows;
/* Works on the row that starts at offset at; scratch holds 2 * entries keys. */
typedef void RowFn(const Rows *r, const int64_t *at, void *scratch);

struct Rows {
    RowFn *run;
    const View *in, *value, *place; /* place, the positions, may be NULL */
    int64_t n, step[AXIS_OPERANDS], k;
    int64_t entries; /* keys that a row needs, twice */
    uint64_t flip;
    int bits;
    bool wide, skip_nan;
    Axis kept[MAX_DIMS];
    int n_kept;
    int64_t count, tasks; /* rows, and among how many tasks they are shared out */
    char *scratch;
};

static size_t entry_size(const Rows *r) { return r->wide ? sizeof(Pair) : sizeof(Packed); }

static void fill(const Rows *r, const int64_t *at, int64_t first, int64_t n, void *to) {
    const char *x = r->in->data;
    x += (at[IN] + first * r->step[IN]) * (int64_t)dtype_size(r->in->dtype);
    if (r->wide) {
        keys_fill_pair(r->in->dtype, x, r->step[IN], n, (uint64_t)first, r->flip, to);
    } else {
        keys_fill_packed(r->in->dtype, x, r->step[IN], n, (uint64_t)first, r->flip, to);
    }
}

/* The sorted entries, in one half of scratch or the other. */
static void *sort_entries(const Rows *r, void *x, void *tmp, int64_t n) {
    return r->wide ? (void *)sort_pair(x, tmp, n, r->bits)
                   : (void *)sort_packed(x, tmp, n, r->bits);
}

static int64_t place_of(const Rows *r, const void *entries, int64_t i) {
    return r->wide ? (int64_t)((const Pair *)entries)[i].at
                   : (int64_t)((const Packed *)entries)[i] & UINT32_MAX;
}

static uint64_t key_of(const Rows *r, const void *entries, int64_t i) {
    return r->wide ? ((const Pair *)entries)[i].key : ((const Packed *)entries)[i] >> 32;
}

#define MOVE_VALUES(type)                                                \
    for (int64_t i = 0; i < n; i++) {                                    \
        ((type *)to)[i * r->step[VALUE]] =                               \
            ((const type *)from)[place_of(r, entries, i) * r->step[IN]]; \
    }

/* Writes the elements at the first n entries' places, and their positions. */
static void store(const Rows *r, const int64_t *at, const void *entries, int64_t n) {
    int64_t size = (int64_t)dtype_size(r->in->dtype);
    const char *from = (const char *)r->in->data + at[IN] * size;
    char *to = (char *)r->value->data + at[VALUE] * size;
    switch (size) {
    case 1: MOVE_VALUES(uint8_t) break;
    case 2: MOVE_VALUES(uint16_t) break;
    case 4: MOVE_VALUES(uint32_t) break;
    default: MOVE_VALUES(uint64_t)
    }
    int64_t *place = r->place ? (int64_t *)r->place->data + at[PLACE] : NULL;
    for (int64_t i = 0; place && i < n; i++) {
        place[i * r->step[PLACE]] = place_of(r, entries, i) + INDEX_BASE;
    }
}

static void *second_half(const Rows *r, void *scratch) {
    return (char *)scratch + (size_t)r->entries * entry_size(r);
}

static void sort_row(const Rows *r, const int64_t *at, void *scratch) {
    fill(r, at, 0, r->n, scratch);
    store(r, at, sort_entries(r, scratch, second_half(r, scratch), r->n), r->k);
}

/* Appends those of a block that come before the last of the k best known; how many stand in best
 * then. */
static int64_t take_better(const Rows *r, void *best, int64_t n, const void *block, int64_t count,
                           bool full) {
    if (r->wide) {
        Pair *b = best, limit = full ? b[r->k - 1] : (Pair){UINT64_MAX, UINT64_MAX};
        const Pair *x = block;
        for (int64_t i = 0; i < count; i++) {
            b[n] = x[i];
            n += !full || x[i].key < limit.key;
        }
        return n;
    }
    Packed *b = best, limit = full ? b[r->k - 1] : UINT64_MAX;
    const Packed *x = block;
    int64_t i = 0;
    for (; i + GROUP <= count; i += GROUP) {
        bool any = false;
        for (int64_t j = 0; j < GROUP; j++) {
            any |= x[i + j] < limit;
        }
        for (int64_t j = 0; any && j < GROUP; j++) {
            b[n] = x[i + j];
            n += x[i + j] < limit;
        }
    }
    for (; i < count; i++) {
        b[n] = x[i];
        n += x[i] < limit;
    }
    return n;
}

/* Keeps the k best of what it has seen: for few out of many. */
static void topk_row(const Rows *r, const int64_t *at, void *scratch) {
    Pair block[BLOCK];
    void *tmp = second_half(r, scratch);
    int64_t n = 0;
    bool full = false;
    for (int64_t i = 0; i < r->n; i += BLOCK) {
        int64_t count = r->n - i < BLOCK ? r->n - i : BLOCK;
        fill(r, at, i, count, block);
        n = take_better(r, scratch, n, block, count, full);
        bool last = i + count == r->n;
        if (n > r->k && (last || !full || n + BLOCK >= r->entries)) {
            void *sorted = sort_entries(r, scratch, tmp, n);
            if (sorted != scratch) {
                memcpy(scratch, sorted, (size_t)r->k * entry_size(r));
            }
            n = r->k;
            full = true;
        }
    }
    store(r, at, full ? scratch : sort_entries(r, scratch, tmp, n), r->k);
}

/* Keeps the k best in order, for a handful: nearly all elements are passed over. */
static void topk_few(const Rows *r, const int64_t *at, void *scratch) {
    Pair block[BLOCK];
    int64_t n = 0;
    for (int64_t i = 0; i < r->n; i += BLOCK) {
        int64_t count = r->n - i < BLOCK ? r->n - i : BLOCK;
        fill(r, at, i, count, block);
        n = r->wide ? insert_best_pair(scratch, n, r->k, (const Pair *)block, count)
                    : insert_best_packed(scratch, n, r->k, (const Packed *)block, count);
    }
    store(r, at, scratch, r->k);
}

static void select_rank(const Rows *r, const int64_t *at, void *scratch, int64_t k) {
    if (r->wide) {
        Pair found = select_pair(scratch, r->n, k, r->bits);
        store(r, at, &found, 1);
    } else {
        Packed found = select_packed(scratch, r->n, k, r->bits);
        store(r, at, &found, 1);
    }
}

static void kth_row(const Rows *r, const int64_t *at, void *scratch) {
    fill(r, at, 0, r->n, scratch);
    select_rank(r, at, scratch, r->k);
}

static int64_t count_nan(const Rows *r, const void *entries) {
    uint64_t nan;
    int64_t n = 0;
    if (keys_of_nan(r->in->dtype, &nan)) {
        for (int64_t i = 0; i < r->n; i++) {
            n += key_of(r, entries, i) == nan;
        }
    }
    return n;
}

/* The lower of the two in the middle. A nan is the median wherever there is one, unless they are to
 * be skipped and are not all there is; then the first. */
static void median_row(const Rows *r, const int64_t *at, void *scratch) {
    fill(r, at, 0, r->n, scratch);
    int64_t numbers = r->n - count_nan(r, scratch), rank = numbers;
    if (numbers == r->n || (r->skip_nan && numbers > 0)) {
        rank = (numbers - 1) / 2;
    }
    select_rank(r, at, scratch, rank);
}

/* The smallest of the values that come most often, at the last of its places. */
static void mode_row(const Rows *r, const int64_t *at, void *scratch) {
    fill(r, at, 0, r->n, scratch);
    char *sorted = sort_entries(r, scratch, second_half(r, scratch), r->n);
    int64_t best = 0, longest = 0;
    for (int64_t i = 0, run = 0; i < r->n; i++) {
        run = i > 0 && key_of(r, sorted, i) == key_of(r, sorted, i - 1) ? run + 1 : 1;
        if (run > longest) {
            longest = run;
            best = i;
        }
    }
    store(r, at, sorted + (size_t)best * entry_size(r), 1);
}

static void run_task(void *ctx, int64_t task) {
    const Rows *r = ctx;
    size_t bytes = 2 * (size_t)r->entries * entry_size(r);
    int64_t each = r->count / r->tasks, more = r->count % r->tasks;
    int64_t begin = task * each + (task < more ? task : more);
    int64_t end = begin + each + (task < more);
    for (int64_t i = begin; i < end; i++) {
        int64_t at[AXIS_OPERANDS] = {0};
        axes_offset(r->kept, 0, r->n_kept, i, at);
        r->run(r, at, r->scratch + (size_t)task * bytes);
    }
}

/* The dims but dim, of the input and of results that have dim or lack it. */
static void make_axes(Rows *r, int64_t dim) {
    const View *in = r->in, *value = r->value;
    for (int d = in->dim - 1; d >= 0; d--) {
        int o = value->dim == in->dim || d < dim ? d : d - 1;
        if (d == dim) {
            r->step[IN] = in->stride[d];
            r->step[VALUE] = value->dim == in->dim ? value->stride[o] : 0;
            r->step[PLACE] = r->place && value->dim == in->dim ? r->place->stride[o] : 0;
        } else if (in->shape[d] != 1) {
            int64_t place = r->place ? r->place->stride[o] : 0;
            r->kept[r->n_kept++] = (Axis){in->shape[d], {in->stride[d], value->stride[o], place}};
        }
    }
    r->n_kept = axes_merge(r->kept, r->n_kept);
}

/* Runs over all rows along dim; r tells run, k, flip, skip_nan, and entries unless it is n. */
static bool run_rows(Rows *r, const KernelCall *c, int64_t dim) {
    r->in = &c->in[0];
    r->value = &c->out[0];
    r->place = c->n_out > 1 ? &c->out[1] : NULL;
    r->n = r->in->dim ? r->in->shape[dim] : 1;
    if (r->in->numel == 0 || r->value->numel == 0) {
        return true;
    }
    make_axes(r, dim);
    r->count = r->in->numel / r->n;
    r->bits = keys_bits(r->in->dtype);
    r->flip = r->flip ? UINT64_MAX >> (64 - r->bits) : 0;
    r->wide = keys_are_wide(r->in->dtype, r->n);
    r->entries = r->entries ? r->entries : r->n;
    r->tasks = r->in->numel / GRAIN + 1;
    r->tasks = r->tasks < threads_get() ? r->tasks : threads_get();
    r->tasks = r->tasks < r->count ? r->tasks : r->count;
    size_t bytes = (size_t)r->tasks * 2 * (size_t)r->entries * entry_size(r);
    r->scratch = mem_alloc(bytes);
    if (!r->scratch) {
        return false;
    }
    parallel_tasks(r->tasks, run_task, r);
    mem_free(r->scratch, bytes);
    return true;
}

static bool cpu_sort(const KernelCall *c) {
    int64_t dim = c->arg[1].i;
    Rows r = {.run = sort_row, .k = c->in[0].dim ? c->in[0].shape[dim] : 1};
    r.flip = c->arg[2].b;
    return run_rows(&r, c, dim);
}

static bool cpu_topk(const KernelCall *c) {
    int64_t k = c->arg[1].i, dim = c->arg[2].i, n = c->in[0].dim ? c->in[0].shape[dim] : 1;
    Rows r = {.run = sort_row, .k = k};
    r.flip = c->arg[3].b;
    if (k <= FEW && k < n / 2) {
        r.run = topk_few;
        r.entries = k + 1;
    } else if (k < n / 4 && n > 2 * BLOCK) {
        r.run = topk_row;
        r.entries = 2 * k + TOPK_SPARE + 2 * BLOCK;
    }
    return run_rows(&r, c, dim);
}

static bool cpu_kthvalue(const KernelCall *c) {
    Rows r = {.run = kth_row, .k = c->arg[1].i - 1};
    return run_rows(&r, c, c->arg[2].i);
}

static bool cpu_mode(const KernelCall *c) {
    Rows r = {.run = mode_row};
    return run_rows(&r, c, c->arg[1].i);
}

static bool cpu_median__dim(const KernelCall *c) {
    Rows r = {.run = median_row};
    return run_rows(&r, c, c->arg[1].i);
}

static bool cpu_nanmedian__dim(const KernelCall *c) {
    Rows r = {.run = median_row, .skip_nan = true};
    return run_rows(&r, c, c->arg[1].i);
}

/* The median of all elements, as one row: a copy of them. */
static bool median_of_all(const KernelCall *c, bool skip_nan) {
    const View *in = &c->in[0];
    static const int64_t one = 1;
    int64_t stride[MAX_DIMS];
    size_t bytes = (size_t)in->numel * dtype_size(in->dtype);
    void *copy = mem_alloc(bytes);
    if (!copy) {
        return false;
    }
    shape_contiguous_strides((Ints){in->shape, in->dim}, stride);
    View whole = *in;
    whole.data = copy;
    whole.stride = stride;
    KernelCall inner = *c;
    inner.out = &whole;
    bool ok = cpu_clone(&inner);
    View row = {.data = copy,
                .shape = &in->numel,
                .stride = &one,
                .numel = in->numel,
                .dim = 1,
                .dtype = in->dtype};
    inner.in = &row;
    inner.out = c->out;
    Rows r = {.run = median_row, .skip_nan = skip_nan};
    ok = ok && run_rows(&r, &inner, 0);
    mem_free(copy, bytes);
    return ok;
}

static bool cpu_median(const KernelCall *c) { return median_of_all(c, false); }
static bool cpu_nanmedian(const KernelCall *c) { return median_of_all(c, true); }

const KernelRow cpu_sort_rows[] = {{"sort", cpu_sort},
                                   {"topk", cpu_topk},
                                   {"kthvalue", cpu_kthvalue},
                                   {"mode", cpu_mode},
                                   {"median__dim", cpu_median__dim},
                                   {"nanmedian__dim", cpu_nanmedian__dim},
                                   {"median", cpu_median},
                                   {"nanmedian", cpu_nanmedian},
                                   {NULL, NULL}};
