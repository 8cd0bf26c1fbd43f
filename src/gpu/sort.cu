/* sort, topk, kthvalue, median and mode: which rows there are, and which way they go. */
#include "gpu/sort.cuh"

enum { STRETCH = THREADS * 8 };

static __device__ __forceinline__ uint64_t entry_key(const Entries &e, int64_t i) {
    return e.wide ? ((const uint64_t *)e.key)[i] : ((const uint32_t *)e.key)[i];
}

/* The row of a block, of which each has so many. */
static __device__ __forceinline__ int64_t stretch_of(const Rows &r, int64_t n, int64_t *first,
                                                     int64_t *base) {
    int64_t blocks = (n + STRETCH - 1) / STRETCH, row = blockIdx.x / blocks;
    *first = blockIdx.x % blocks * STRETCH;
    locate(r.kept, row, base);
    return row;
}

static Launch over_stretches(const KernelCall *c, int64_t rows, int64_t n) {
    return launch_of(c, dim3((unsigned)(rows * divide_up(n, STRETCH))), dim3(THREADS));
}

static __global__ void fill_kernel(Rows r, Entries e) {
    int64_t first, base[AXIS_OPERANDS] = {0, 0, 0}, row = stretch_of(r, r.n, &first, base);
    for (int64_t i = first + threadIdx.x; i < r.n && i < first + STRETCH; i += THREADS) {
        uint64_t key = row_key(r, base, i);
        if (e.wide) {
            ((uint64_t *)e.key)[row * r.n + i] = key;
        } else {
            ((uint32_t *)e.key)[row * r.n + i] = (uint32_t)key;
        }
        e.place[row * r.n + i] = (uint32_t)i;
    }
}

static __global__ void store_kernel(Rows r, Entries e) {
    int64_t first, base[AXIS_OPERANDS] = {0, 0, 0}, row = stretch_of(r, r.k, &first, base);
    for (int64_t i = first + threadIdx.x; i < r.k && i < first + STRETCH; i += THREADS) {
        store_result(r, base, i, e.place[row * e.n + i]);
    }
}

/* Where the run of equal keys that ends at i begins. */
static __device__ int64_t run_start(const Entries &e, int64_t row, int64_t i) {
    uint64_t key = entry_key(e, row * e.n + i);
    int64_t low = 0, n = i;
    while (n > 0) {
        int64_t half = n / 2;
        bool below = entry_key(e, row * e.n + low + half) < key;
        low += below ? half + 1 : 0;
        n = below ? n - half - 1 : half;
    }
    return low;
}

/* The longest run of each row in order, of several the first: its length above 2^32 less its end,
 * counted from 1. */
static __global__ void longest_kernel(Rows r, Entries e, unsigned long long *longest) {
    int64_t first, base[AXIS_OPERANDS] = {0, 0, 0}, row = stretch_of(r, e.n, &first, base);
    for (int64_t i = first + threadIdx.x; i < e.n && i < first + STRETCH; i += THREADS) {
        int64_t at = row * e.n + i;
        if (i == e.n - 1 || entry_key(e, at) != entry_key(e, at + 1)) {
            uint64_t length = (uint64_t)(i + 1 - run_start(e, row, i));
            atomicMax(&longest[row], (unsigned long long)(length << 32 | (UINT32_MAX - i)));
        }
    }
}

static __global__ void store_longest_kernel(Rows r, Entries e, const unsigned long long *longest) {
    for (int64_t row = first_of(); row < r.rows; row += step_of()) {
        int64_t base[AXIS_OPERANDS] = {0, 0, 0}, end = UINT32_MAX - (uint32_t)longest[row];
        locate(r.kept, row, base);
        store_result(r, base, 0, e.place[row * e.n + end]);
    }
}

/* The rows in order, as entries. */
static bool sort_entries(const KernelCall *c, const Rows *r, Entries *e) {
    Entries other = *e;
    launch(over_stretches(c, r->rows, r->n), fill_kernel, *r, *e);
    bool ok = entries_begin(c, &other) && entries_sort(c, e, &other, key_bits(r->dtype));
    entries_end(c, &other);
    return ok;
}

static bool store_longest(const KernelCall *c, const Rows *r, const Entries *e) {
    size_t bytes = (size_t)r->rows * sizeof(unsigned long long);
    unsigned long long *longest = (unsigned long long *)gpu_alloc(c->device, bytes);
    if (!longest) {
        return false;
    }
    bool ok = gpu_ok(cudaMemsetAsync(longest, 0, bytes, gpu_stream(c->device)), c->name);
    if (ok) {
        launch(over_stretches(c, r->rows, r->n), longest_kernel, *r, *e, longest);
        launch(launch_over(c, r->rows), store_longest_kernel, *r, *e,
               (const unsigned long long *)longest);
    }
    gpu_release(c->device, longest, bytes);
    return ok;
}

/* Rows of n entries, or of k. */
static Entries entries_of(const Rows *r, int64_t n) {
    Entries e = Entries();
    e.rows = r->rows;
    e.n = n;
    e.wide = keys_are_wide(r->dtype);
    return e;
}

static bool sort_long(const KernelCall *c, const Rows *r) {
    Entries e = entries_of(r, r->n);
    bool ok = entries_begin(c, &e) && sort_entries(c, r, &e);
    if (ok) {
        launch(over_stretches(c, r->rows, r->k), store_kernel, *r, e);
    }
    entries_end(c, &e);
    return ok;
}

/* Few out of many: these alone are sorted. */
static bool sort_selected(const KernelCall *c, const Rows *r) {
    Entries e = entries_of(r, r->k);
    bool ok = entries_begin(c, &e) && rows_select(c, r, &e);
    if (ok) {
        rows_sort_block(c, r, &e, NULL);
    }
    entries_end(c, &e);
    return ok;
}

static bool run_rows(const KernelCall *c, const Rows *r) {
    if (r->n <= BLOCK_ROW) {
        rows_sort_block(c, r, NULL, NULL);
        return true;
    }
    if (r->wanted != FIRST_FEW) {
        return rows_select(c, r, NULL);
    }
    return r->k <= BLOCK_ROW && r->k < r->n / 4 ? sort_selected(c, r) : sort_long(c, r);
}

static bool mode_rows(const KernelCall *c, const Rows *r) {
    Entries e = entries_of(r, r->n);
    bool ok = entries_begin(c, &e);
    if (ok && r->n <= BLOCK_ROW) {
        rows_sort_block(c, r, NULL, &e);
    } else if (ok) {
        ok = sort_entries(c, r, &e);
    }
    ok = ok && store_longest(c, r, &e);
    entries_end(c, &e);
    return ok;
}

/* Rows of in along dim, and results that have dim or lack it; of what is wanted the rank is k. */
static Rows rows_along(const KernelCall *c, const View *in, int64_t dim, Wanted wanted, int64_t k) {
    const View *value = &c->out[0], *place = c->n_out > 1 ? &c->out[1] : NULL;
    Rows r = Rows();
    r.in = (const char *)in->data;
    r.dtype = in->dtype;
    r.size = (int)dtype_size(in->dtype);
    r.n = in->dim ? in->shape[dim] : 1;
    r.value = (char *)value->data;
    r.place = place ? (int64_t *)place->data : NULL;
    r.wanted = wanted;
    r.k = k;
    for (int d = in->dim - 1; d >= 0; d--) {
        bool whole = value->dim == in->dim;
        int o = whole || d < dim ? d : d - 1;
        bool has = whole || d != dim;
        Axis a = {in->shape[d],
                  {in->stride[d], has ? value->stride[o] : 0, has && place ? place->stride[o] : 0}};
        if (d == dim) {
            memcpy(r.step, a.step, sizeof r.step);
        } else if (a.size != 1) {
            r.kept.axis[r.kept.n++] = a;
        }
    }
    r.kept.n = axes_merge(r.kept.axis, r.kept.n);
    r.rows = in->numel && value->numel ? in->numel / r.n : 0;
    return r;
}

static bool run(const KernelCall *c, const Rows &r, bool mode) {
    if (r.rows == 0) {
        return true;
    }
    if (r.n >= UINT32_MAX) {
        return fail("%s: on a cuda device rows must have less than %lld elements, got %lld",
                    c->name, (long long)UINT32_MAX, (long long)r.n);
    }
    return mode ? mode_rows(c, &r) : run_rows(c, &r);
}

static Rows turned(Rows r, bool turn) {
    r.flip = turn ? UINT64_MAX >> (64 - key_bits(r.dtype)) : 0;
    return r;
}

static bool sort(const KernelCall *c) {
    const View *in = &c->in[0];
    int64_t dim = c->arg[1].i;
    Rows r = rows_along(c, in, dim, FIRST_FEW, in->dim ? in->shape[dim] : 1);
    return run(c, turned(r, c->arg[2].b), false);
}

static bool topk(const KernelCall *c) {
    Rows r = rows_along(c, &c->in[0], c->arg[2].i, FIRST_FEW, c->arg[1].i);
    return run(c, turned(r, c->arg[3].b), false);
}

static bool kthvalue(const KernelCall *c) {
    return run(c, rows_along(c, &c->in[0], c->arg[2].i, RANK, c->arg[1].i - 1), false);
}

static bool mode(const KernelCall *c) {
    return run(c, rows_along(c, &c->in[0], c->arg[1].i, RANK, 0), true);
}

static bool median_along(const KernelCall *c, Wanted wanted) {
    return run(c, rows_along(c, &c->in[0], c->arg[1].i, wanted, 0), false);
}

static bool median__dim(const KernelCall *c) { return median_along(c, MEDIAN); }
static bool nanmedian__dim(const KernelCall *c) { return median_along(c, NAN_MEDIAN); }

/* All elements as one row: a copy of them, for which any order would do. */
static bool median_of_all(const KernelCall *c, Wanted wanted) {
    const View *in = &c->in[0];
    int64_t one = 1, stride[MAX_DIMS], step = 1;
    size_t bytes = (size_t)in->numel * dtype_size(in->dtype);
    void *copy = gpu_alloc(c->device, bytes);
    if (!copy) {
        return false;
    }
    View whole = *in, row = *in;
    for (int d = in->dim - 1; d >= 0; d--) {
        stride[d] = step;
        step *= in->shape[d];
    }
    whole.data = row.data = copy;
    whole.stride = stride;
    row.shape = &in->numel;
    row.stride = &one;
    row.dim = 1;
    bool ok = gpu_copy_view(c, &whole, in) && run(c, rows_along(c, &row, 0, wanted, 0), false);
    gpu_release(c->device, copy, bytes);
    return ok;
}

static bool median(const KernelCall *c) { return median_of_all(c, MEDIAN); }
static bool nanmedian(const KernelCall *c) { return median_of_all(c, NAN_MEDIAN); }

const KernelRow gpu_sort_rows[] = {{"sort", sort},
                                   {"topk", topk},
                                   {"kthvalue", kthvalue},
                                   {"median", median},
                                   {"median__dim", median__dim},
                                   {"nanmedian", nanmedian},
                                   {"nanmedian__dim", nanmedian__dim},
                                   {"mode", mode},
                                   {NULL, NULL}};
