#ifndef TOCHA_GPU_SCAN_CUH
#define TOCHA_GPU_SCAN_CUH
/* Scans of rows: a row is scanned by a block, a tile at a time (along), or by one thread, where
 * neighbours stand in other rows or rows are short (across). Long rows are cut into chunks, by
 * sizes alone: a first run adds up each chunk, a second starts each from those before it.
 *
 * A job has a type Item, as scan_before() wants them, and two functions for place i of a row whose
 * operands lie at base: item(base, i), and done(base, i, upto), which stores what there is up to
 * it.
 */
#include "gpu/axes.cuh"
#include "gpu/block.cuh"

enum { SCAN_ITEMS = 4, SCAN_TILE = THREADS * SCAN_ITEMS };
enum { SCAN_SHORT = 256, SCAN_FEW = 1024, SCAN_MOST_CHUNKS = 1024, SCAN_BUSY_BLOCKS = 256 };

struct ScanRows {
    Axes kept;
    int64_t rows, size;
    bool inner; /* neighbours in memory are neighbours in a row */
};

template <class J> struct Scan {
    J job;
    ScanRows r;
    int64_t chunk, chunks;
    typename J::Item *parts; /* (chunks, rows); NULL with one chunk */
    bool add_up;             /* only to fill parts */
};

/* Scans a chunk of one row from carry on; all threads of the block. Returns carry and the chunk. */
template <class J, class A>
__device__ A scan_chunk(const Scan<J> &s, const int64_t *base, int64_t first, int64_t last, A carry,
                        A *warps) {
    for (int64_t tile = first; tile < last; tile += SCAN_TILE) {
        int64_t own = tile + threadIdx.x * (int64_t)SCAN_ITEMS;
        A item[SCAN_ITEMS], sum = A::start(), total;
#pragma unroll
        for (int j = 0; j < SCAN_ITEMS; j++) {
            item[j] = own + j < last ? s.job.item(base, own + j) : A::start();
            sum.join(item[j]);
        }
        A before = scan_before(sum, warps, &total), here = carry;
        here.join(before);
        carry.join(total);
#pragma unroll
        for (int j = 0; j < SCAN_ITEMS; j++) {
            here.join(item[j]);
            if (!s.add_up && own + j < last) {
                s.job.done(base, own + j, here);
            }
        }
    }
    return carry;
}

/* The chunks of a row before this one, joined by all threads of the block. */
template <class J, class A>
__device__ A chunks_before(const Scan<J> &s, int64_t row, int64_t chunk, A *warps) {
    A carry = A::start(), total;
    for (int64_t first = 0; first < chunk; first += THREADS) {
        int64_t k = first + threadIdx.x;
        A own = k < chunk ? s.parts[k * s.r.rows + row] : A::start();
        scan_before(own, warps, &total);
        carry.join(total);
    }
    return carry;
}

template <class J> __global__ void scan_along_kernel(Scan<J> s) {
    typedef typename J::Item A;
    __shared__ A warps[WARPS];
    int64_t chunk = blockIdx.y, first = chunk * s.chunk;
    int64_t last = first + s.chunk < s.r.size ? first + s.chunk : s.r.size;
    for (int64_t row = blockIdx.x; row < s.r.rows; row += gridDim.x) {
        int64_t base[AXIS_OPERANDS] = {0, 0, 0};
        locate(s.r.kept, row, base);
        A start = s.add_up || !s.parts ? A::start() : chunks_before(s, row, chunk, warps);
        A all = scan_chunk(s, base, first, last, start, warps);
        if (s.add_up && threadIdx.x == 0) {
            s.parts[chunk * s.r.rows + row] = all;
        }
    }
}

template <class J> __global__ void scan_across_kernel(Scan<J> s) {
    for (int64_t t = first_of(); t < s.r.rows * s.chunks; t += step_of()) {
        int64_t row = t % s.r.rows, chunk = t / s.r.rows, first = chunk * s.chunk;
        int64_t last = first + s.chunk < s.r.size ? first + s.chunk : s.r.size;
        int64_t base[AXIS_OPERANDS] = {0, 0, 0};
        locate(s.r.kept, row, base);
        typename J::Item here = J::Item::start();
        for (int64_t k = 0; k < chunk && !s.add_up; k++) {
            here.join(s.parts[k * s.r.rows + row]);
        }
        for (int64_t i = first; i < last; i++) {
            here.join(s.job.item(base, i));
            if (!s.add_up) {
                s.job.done(base, i, here);
            }
        }
        if (s.add_up) {
            s.parts[t] = here;
        }
    }
}

template <class J> void scan_cut(Scan<J> *s, int64_t wanted, int64_t least) {
    int64_t most = s->r.size / least;
    s->chunks = wanted < most ? wanted : most;
    s->chunks = s->chunks < SCAN_MOST_CHUNKS ? s->chunks : (int64_t)SCAN_MOST_CHUNKS;
    while (s->chunks * s->chunks > s->r.size) {
        s->chunks /= 2;
    }
    s->chunks = s->chunks < 1 ? 1 : s->chunks;
    s->chunk = divide_up(s->r.size, s->chunks);
    s->chunks = divide_up(s->r.size, s->chunk);
}

template <class J> void scan_once(const KernelCall *c, const Scan<J> &s, bool along) {
    if (along) {
        int64_t most = 1 << 20;
        dim3 grid((unsigned)(s.r.rows < most ? s.r.rows : most), (unsigned)s.chunks);
        launch(launch_of(c, grid, dim3(THREADS)), scan_along_kernel<J>, s);
    } else {
        launch(launch_over(c, s.r.rows * s.chunks), scan_across_kernel<J>, s);
    }
}

/* There are rows, and they have elements. False: out of memory. */
template <class J> bool scan_rows(const KernelCall *c, const J &job, const ScanRows &r) {
    Scan<J> s = Scan<J>();
    s.job = job;
    s.r = r;
    bool few = r.rows <= SCAN_FEW && r.size >= 32;
    bool along = r.inner && (r.size >= SCAN_SHORT || few);
    if (along) {
        scan_cut(&s, divide_up(SCAN_BUSY_BLOCKS, r.rows), 4 * SCAN_TILE);
    } else {
        scan_cut(&s, divide_up(SCAN_BUSY_BLOCKS * THREADS, r.rows), 64);
    }
    if (s.chunks == 1) {
        scan_once(c, s, along);
        return true;
    }
    size_t bytes = (size_t)(r.rows * s.chunks) * sizeof *s.parts;
    s.parts = (typename J::Item *)gpu_alloc(c->device, bytes);
    if (!s.parts) {
        return false;
    }
    s.add_up = true;
    scan_once(c, s, along);
    s.add_up = false;
    scan_once(c, s, along);
    gpu_release(c->device, s.parts, bytes);
    return true;
}

#endif
