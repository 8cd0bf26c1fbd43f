/* Selection in long rows: the key of a rank is found digit by digit, by counting those that begin
 * as it does; then entries with smaller keys and the first of those equal to it are picked in the
 * order of their places. Tiles are counted, counts added up, and each tile then knows where its
 * entries go. */
#include "gpu/sort.cuh"

enum { DIGIT_BITS = 8, DIGITS = 1 << DIGIT_BITS, ITEMS = 8, TILE = THREADS * ITEMS };
static_assert((int)DIGITS == (int)THREADS, "a thread looks after a digit");

namespace {

/* What is known of a row's key: its digits down to shift. */
struct Known {
    uint64_t key;
    int64_t rank; /* among the entries with these digits */
};

/* Entries that come before the key, and that equal it. */
struct Found {
    int64_t less, equal;
    static __device__ __forceinline__ Found start() { return Found{0, 0}; }
    __device__ __forceinline__ void join(const Found &later) {
        less += later.less;
        equal += later.equal;
    }
};

struct Selection {
    Rows r;
    int64_t tiles; /* of a row */
    int bits, shift;
    Known *known;     /* (rows) */
    unsigned *counts; /* (rows, DIGITS), zeros between uses */
    Found *found;     /* (rows, tiles) */
    Entries e;        /* what is picked; key NULL: straight to the results */
};

} // namespace

/* The row and the first place of a block's tile. */
static __device__ __forceinline__ int64_t tile_of(const Selection &s, int64_t *first,
                                                  int64_t *base) {
    int64_t row = blockIdx.x / s.tiles;
    *first = blockIdx.x % s.tiles * TILE;
    locate(s.r.kept, row, base);
    return row;
}

static __global__ void start_kernel(Selection s) {
    for (int64_t row = first_of(); row < s.r.rows; row += step_of()) {
        int64_t nans = s.counts[row * DIGITS], numbers = s.r.n - nans, rank = s.r.k;
        if (s.r.wanted == MEDIAN) {
            rank = nans ? numbers : (numbers - 1) / 2;
        } else if (s.r.wanted == NAN_MEDIAN) {
            rank = numbers ? (numbers - 1) / 2 : 0;
        }
        s.known[row] = Known{0, rank};
        s.counts[row * DIGITS] = 0;
    }
}

static __global__ void count_nan_kernel(Selection s) {
    __shared__ unsigned count;
    int64_t first, base[AXIS_OPERANDS] = {0, 0, 0}, row = tile_of(s, &first, base);
    uint64_t nan;
    nan_key(s.r.dtype, &nan);
    if (threadIdx.x == 0) {
        count = 0;
    }
    __syncthreads();
    for (int64_t i = first + threadIdx.x; i < s.r.n && i < first + TILE; i += THREADS) {
        if (row_key(s.r, base, i) == nan) {
            atomicAdd(&count, 1u);
        }
    }
    __syncthreads();
    if (threadIdx.x == 0 && count) {
        atomicAdd(&s.counts[row * DIGITS], count);
    }
}

/* Digits of the entries that begin as the key does. */
static __global__ void count_kernel(Selection s) {
    __shared__ unsigned count[DIGITS];
    int64_t first, base[AXIS_OPERANDS] = {0, 0, 0}, row = tile_of(s, &first, base);
    uint64_t begin = s.known[row].key;
    int known = s.shift + DIGIT_BITS;
    count[threadIdx.x] = 0;
    __syncthreads();
    for (int64_t i = first + threadIdx.x; i < s.r.n && i < first + TILE; i += THREADS) {
        uint64_t key = row_key(s.r, base, i);
        if (known >= s.bits || key >> known == begin >> known) {
            atomicAdd(&count[(key >> s.shift) & (DIGITS - 1)], 1u);
        }
    }
    __syncthreads();
    if (count[threadIdx.x]) {
        atomicAdd(&s.counts[row * DIGITS + threadIdx.x], count[threadIdx.x]);
    }
}

/* The digit in which the rank falls; a block for each row. */
static __global__ void narrow_kernel(Selection s) {
    __shared__ Count warps[WARPS];
    int64_t row = blockIdx.x, at = row * DIGITS + threadIdx.x;
    Known known = s.known[row];
    Count own = {s.counts[at]}, all;
    int64_t before = scan_before(own, warps, &all).n;
    s.counts[at] = 0;
    if (before <= known.rank && known.rank < before + own.n) {
        known.key |= (uint64_t)threadIdx.x << s.shift;
        known.rank -= before;
        s.known[row] = known;
    }
}

/* Of a thread's ITEMS neighbours. */
static __device__ Found find_own(const Selection &s, const int64_t *base, int64_t first,
                                 uint64_t key) {
    Found f = Found::start();
    for (int64_t i = first; i < first + ITEMS && i < s.r.n; i++) {
        uint64_t other = row_key(s.r, base, i);
        f.less += other < key;
        f.equal += other == key;
    }
    return f;
}

static __global__ void find_kernel(Selection s) {
    __shared__ Found warps[WARPS];
    int64_t first, base[AXIS_OPERANDS] = {0, 0, 0}, row = tile_of(s, &first, base);
    Found all, own = find_own(s, base, first + threadIdx.x * (int64_t)ITEMS, s.known[row].key);
    scan_before(own, warps, &all);
    if (threadIdx.x == 0) {
        s.found[blockIdx.x] = all;
    }
}

/* What was found in a tile becomes what was found before it; a block for each row. */
static __global__ void add_up_kernel(Selection s) {
    __shared__ Found warps[WARPS];
    Found before = Found::start(), all;
    for (int64_t first = 0; first < s.tiles; first += THREADS) {
        int64_t tile = first + threadIdx.x, at = blockIdx.x * s.tiles + tile;
        Found own = tile < s.tiles ? s.found[at] : Found::start();
        Found here = before;
        here.join(scan_before(own, warps, &all));
        if (tile < s.tiles) {
            s.found[at] = here;
        }
        before.join(all);
    }
}

static __device__ void keep(const Selection &s, int64_t to, uint64_t key, int64_t place) {
    if (s.e.wide) {
        ((uint64_t *)s.e.key)[to] = key;
    } else {
        ((uint32_t *)s.e.key)[to] = (uint32_t)key;
    }
    s.e.place[to] = (uint32_t)place;
}

static __global__ void pick_kernel(Selection s) {
    __shared__ Found warps[WARPS];
    int64_t first, base[AXIS_OPERANDS] = {0, 0, 0}, row = tile_of(s, &first, base);
    int64_t own = first + threadIdx.x * (int64_t)ITEMS;
    Known known = s.known[row];
    Found all, at = s.found[blockIdx.x];
    at.join(scan_before(find_own(s, base, own, known.key), warps, &all));
    for (int64_t i = own; i < own + ITEMS && i < s.r.n; i++) {
        uint64_t key = row_key(s.r, base, i);
        if (key == known.key) {
            if (!s.e.key && at.equal == known.rank) {
                store_result(s.r, base, 0, i);
            } else if (s.e.key && at.equal <= known.rank) {
                keep(s, row * s.e.n + s.e.n - 1 - known.rank + at.equal, key, i);
            }
            at.equal++;
        } else if (key < known.key) {
            if (s.e.key) {
                keep(s, row * s.e.n + at.less, key, i);
            }
            at.less++;
        }
    }
}

static void run(const KernelCall *c, Selection s) {
    Launch tiles = launch_of(c, dim3((unsigned)(s.r.rows * s.tiles)), dim3(THREADS));
    Launch rows = launch_of(c, dim3((unsigned)s.r.rows), dim3(THREADS));
    bool median = s.r.wanted == MEDIAN || s.r.wanted == NAN_MEDIAN;
    if (median && dtype_is_float(s.r.dtype)) {
        launch(tiles, count_nan_kernel, s);
    }
    launch(launch_over(c, s.r.rows), start_kernel, s);
    for (s.shift = s.bits - DIGIT_BITS; s.shift >= 0; s.shift -= DIGIT_BITS) {
        launch(tiles, count_kernel, s);
        launch(rows, narrow_kernel, s);
    }
    launch(tiles, find_kernel, s);
    launch(rows, add_up_kernel, s);
    launch(tiles, pick_kernel, s);
}

bool rows_select(const KernelCall *c, const Rows *r, Entries *e) {
    Selection s = Selection();
    s.r = *r;
    s.tiles = divide_up(r->n, TILE);
    s.bits = key_bits(r->dtype);
    if (e) {
        s.e = *e;
        s.r.k = e->n - 1;
    }
    size_t counts = (size_t)r->rows * DIGITS * sizeof *s.counts;
    size_t known = (size_t)r->rows * sizeof *s.known;
    size_t bytes = counts + known + (size_t)(r->rows * s.tiles) * sizeof *s.found;
    char *memory = (char *)gpu_alloc(c->device, bytes);
    if (!memory) {
        return false;
    }
    s.counts = (unsigned *)memory;
    s.known = (Known *)(memory + counts);
    s.found = (Found *)(memory + counts + known);
    bool ok = gpu_ok(cudaMemsetAsync(memory, 0, counts, gpu_stream(c->device)), c->name);
    if (ok) {
        run(c, s);
    }
    gpu_release(c->device, memory, bytes);
    return ok;
}
