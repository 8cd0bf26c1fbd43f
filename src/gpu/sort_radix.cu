/* Radix sort of rows of entries, eight bits at a time from the lowest on. Each pass counts the
 * digits of each tile, adds up where each tile's entries of each digit begin, and moves them there:
 * within the tile first, so that neighbours are written together. All in order, hence stable. */
#include "gpu/sort.cuh"

enum { DIGIT_BITS = 8, DIGITS = 1 << DIGIT_BITS, ITEMS = 8, TILE = THREADS * ITEMS };
enum { LINES = 32, MOST_PARTS = 32 };
static_assert((int)DIGITS == (int)THREADS, "a thread looks after a digit");

namespace {

template <class K> struct Pass {
    const K *key;
    const uint32_t *place;
    K *key_to;
    uint32_t *place_to;
    int64_t rows, n, tiles; /* tiles of a row */
    int shift;
    uint32_t *counts; /* (rows, tiles, DIGITS): how many; then how many in the tiles before */
    uint32_t *totals; /* (rows, DIGITS) */
};

} // namespace

template <class K> __device__ __forceinline__ int digit_of(const Pass<K> &p, K key) {
    return (int)(key >> p.shift) & (DIGITS - 1);
}

template <class K> __global__ void count_kernel(Pass<K> p) {
    __shared__ unsigned count[DIGITS];
    int64_t row = blockIdx.x / p.tiles, first = blockIdx.x % p.tiles * TILE;
    const K *key = p.key + row * p.n;
    count[threadIdx.x] = 0;
    __syncthreads();
    for (int j = 0; j < ITEMS; j++) {
        int64_t i = first + j * THREADS + threadIdx.x;
        if (i < p.n) {
            atomicAdd(&count[digit_of(p, key[i])], 1u);
        }
    }
    __syncthreads();
    p.counts[blockIdx.x * (int64_t)DIGITS + threadIdx.x] = count[threadIdx.x];
}

/* A block for LINES digits of a row, a thread along y for a part of the tiles. */
static __global__ void add_up_kernel(uint32_t *counts, uint32_t *totals, int64_t tiles) {
    __shared__ uint32_t sum[MOST_PARTS][LINES];
    int64_t row = blockIdx.x / (DIGITS / LINES);
    int digit = (int)(blockIdx.x % (DIGITS / LINES)) * LINES + (int)threadIdx.x;
    int part = (int)threadIdx.y, parts = (int)blockDim.y;
    int64_t each = (tiles + parts - 1) / parts, first = part * each;
    int64_t last = first + each < tiles ? first + each : tiles;
    uint32_t *count = counts + row * tiles * DIGITS + digit, before = 0;
    for (int64_t i = first; i < last; i++) {
        before += count[i * DIGITS];
    }
    sum[part][threadIdx.x] = before;
    __syncthreads();
    before = 0;
    for (int k = 0; k < part; k++) {
        before += sum[k][threadIdx.x];
    }
    for (int64_t i = first; i < last; i++) {
        uint32_t own = count[i * DIGITS];
        count[i * DIGITS] = before;
        before += own;
    }
    if (part == parts - 1) {
        totals[row * DIGITS + digit] = before;
    }
}

namespace {

/* Counts of a digit: in the tile, and in the row. */
struct Both {
    uint32_t tile, row;
    static __device__ __forceinline__ Both start() { return Both{0, 0}; }
    __device__ __forceinline__ void join(const Both &later) {
        tile += later.tile;
        row += later.row;
    }
};

} // namespace

/* How many entries of the warp's part of the tile have each entry's digit and come before it; also
 * counts them. Entries that are past the end have a digit of their own. */
template <class K>
__device__ void rank_in_warp(const Pass<K> &p, const K (&key)[ITEMS], int64_t left, uint32_t *count,
                             uint32_t (&rank)[ITEMS]) {
    int lane = (int)threadIdx.x % 32;
#pragma unroll
    for (int j = 0; j < ITEMS; j++) {
        bool valid = j * 32 + lane < left;
        int digit = valid ? digit_of(p, key[j]) : (int)DIGITS;
        unsigned same = __match_any_sync(WHOLE_WARP, digit);
        unsigned before = same & ((1u << lane) - 1);
        rank[j] = (valid ? count[digit] : 0) + (uint32_t)__popc(before);
        __syncwarp();
        if (valid && before == 0) {
            count[digit] += (uint32_t)__popc(same);
        }
        __syncwarp();
    }
}

template <class K> __global__ void move_kernel(Pass<K> p) {
    __shared__ uint32_t count[WARPS][DIGITS], start[DIGITS];
    __shared__ int64_t target[DIGITS]; /* of a digit's entries, less where they start in the tile */
    __shared__ K keys[TILE];
    __shared__ uint32_t places[TILE];
    __shared__ Both warps[WARPS];
    int t = (int)threadIdx.x, warp = t / 32, lane = t % 32;
    int64_t row = blockIdx.x / p.tiles, first = blockIdx.x % p.tiles * TILE;
    int64_t left = p.n - first, begin = row * p.n + first, own = warp * (32 * ITEMS) + lane;
    for (int w = 0; w < WARPS; w++) {
        count[w][t] = 0;
    }
    K key[ITEMS];
    uint32_t place[ITEMS], rank[ITEMS];
#pragma unroll
    for (int j = 0; j < ITEMS; j++) {
        bool valid = own + j * 32 < left;
        key[j] = valid ? p.key[begin + own + j * 32] : 0;
        place[j] = valid ? p.place[begin + own + j * 32] : 0;
    }
    __syncthreads();
    rank_in_warp(p, key, left - warp * (32 * ITEMS), count[warp], rank);
    __syncthreads();
    Both sum = {0, p.totals[row * DIGITS + t]}, all;
    for (int w = 0; w < WARPS; w++) {
        uint32_t more = count[w][t];
        count[w][t] = sum.tile;
        sum.tile += more;
    }
    Both before = scan_before(sum, warps, &all);
    start[t] = before.tile;
    int64_t earlier = p.counts[blockIdx.x * (int64_t)DIGITS + t];
    target[t] = row * p.n + before.row + earlier - before.tile;
    __syncthreads();
#pragma unroll
    for (int j = 0; j < ITEMS; j++) {
        if (own + j * 32 < left) {
            int digit = digit_of(p, key[j]);
            uint32_t at = start[digit] + count[warp][digit] + rank[j];
            keys[at] = key[j];
            places[at] = place[j];
        }
    }
    __syncthreads();
    for (int64_t i = t; i < left && i < TILE; i += THREADS) {
        int64_t to = target[digit_of(p, keys[i])] + i;
        p.key_to[to] = keys[i];
        p.place_to[to] = places[i];
    }
}

template <class K>
static void sort_all(const KernelCall *c, Entries *e, Entries *other, int bits, uint32_t *counts) {
    int64_t tiles = divide_up(e->n, TILE), parts = 1;
    while (parts < MOST_PARTS && parts * 2 <= tiles) {
        parts *= 2;
    }
    uint32_t *totals = counts + e->rows * tiles * DIGITS;
    dim3 grid((unsigned)(e->rows * tiles)), lines((unsigned)(e->rows * (DIGITS / LINES)));
    for (int shift = 0; shift < bits; shift += DIGIT_BITS) {
        Pass<K> p = {(const K *)e->key,
                     e->place,
                     (K *)other->key,
                     other->place,
                     e->rows,
                     e->n,
                     tiles,
                     shift,
                     counts,
                     totals};
        launch(launch_of(c, grid, dim3(THREADS)), count_kernel<K>, p);
        launch(launch_of(c, lines, dim3(LINES, (unsigned)parts)), add_up_kernel, counts, totals,
               tiles);
        launch(launch_of(c, grid, dim3(THREADS)), move_kernel<K>, p);
        Entries moved = *other;
        *other = *e;
        *e = moved;
    }
}

bool entries_sort(const KernelCall *c, Entries *e, Entries *other, int bits) {
    int64_t lines = e->rows * (divide_up(e->n, TILE) + 1);
    size_t bytes = (size_t)lines * DIGITS * sizeof(uint32_t);
    uint32_t *counts = (uint32_t *)gpu_alloc(c->device, bytes);
    if (!counts) {
        return false;
    }
    if (e->wide) {
        sort_all<uint64_t>(c, e, other, bits, counts);
    } else {
        sort_all<uint32_t>(c, e, other, bits, counts);
    }
    gpu_release(c->device, counts, bytes);
    return true;
}

static size_t entries_bytes(const Entries *e) {
    size_t key = e->wide ? sizeof(uint64_t) : sizeof(uint32_t);
    return (size_t)(e->rows * e->n) * (key + sizeof(uint32_t));
}

bool entries_begin(const KernelCall *c, Entries *e) {
    e->key = gpu_alloc(c->device, entries_bytes(e));
    size_t key = e->wide ? sizeof(uint64_t) : sizeof(uint32_t);
    e->place = (uint32_t *)((char *)e->key + (size_t)(e->rows * e->n) * key);
    return e->key != NULL;
}

void entries_end(const KernelCall *c, Entries *e) {
    if (e->key) {
        gpu_release(c->device, e->key, entries_bytes(e));
        e->key = NULL;
    }
}
