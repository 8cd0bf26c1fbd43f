#include "gpu/heap.h"

#include <string.h>

#include "base/memory.h"

enum {
    MIB = 1 << 20,
    SMALL = MIB,             /* the largest small block */
    SMALL_SEGMENT = 2 * MIB, /* what small blocks are cut from */
    MIDDLE = 10 * MIB,       /* large blocks up to this are cut from segments of ... */
    MIDDLE_SEGMENT = 20 * MIB,
    LARGE_ROUND = 2 * MIB, /* larger ones have segments of their own, in steps of this */
    FIRST_TABLE = 1024
};

size_t heap_round(size_t bytes) {
    size_t size = (bytes + HEAP_ROUND - 1) / HEAP_ROUND * HEAP_ROUND;
    return size ? size : HEAP_ROUND;
}

/* Four bins to each power of two. Every block of a bin is at least as large as any size of the bins
 * below. */
static int bin_of(size_t size) {
    size_t units = size / HEAP_ROUND;
    int log = 63 - __builtin_clzll((unsigned long long)units);
    int quarter = log >= 2 ? (int)(units >> (log - 2) & 3) : (int)(units << (2 - log) & 3);
    int bin = 4 * log + quarter;
    return bin < HEAP_BINS ? bin : HEAP_BINS - 1;
}

static Bins *bins_of(const Block *b) { return b->small ? &b->pool->small : &b->pool->large; }

static void bin_add(Block *b) {
    Bins *bins = bins_of(b);
    int bin = bin_of(b->size);
    b->free = true;
    b->prev = NULL;
    b->next = bins->first[bin];
    if (b->next) {
        b->next->prev = b;
    }
    bins->first[bin] = b;
    bins->filled[bin / 64] |= 1ull << bin % 64;
}

static void bin_remove(Block *b) {
    Bins *bins = bins_of(b);
    int bin = bin_of(b->size);
    b->free = false;
    if (b->next) {
        b->next->prev = b->prev;
    }
    if (b->prev) {
        b->prev->next = b->next;
        return;
    }
    bins->first[bin] = b->next;
    if (!b->next) {
        bins->filled[bin / 64] &= ~(1ull << bin % 64);
    }
}

/* The first bin from that one on that is not empty, or HEAP_BINS. */
static int next_filled(const Bins *bins, int bin) {
    for (; bin < HEAP_BINS; bin = (bin / 64 + 1) * 64) {
        uint64_t rest = bins->filled[bin / 64] >> bin % 64;
        if (rest) {
            return bin + __builtin_ctzll(rest);
        }
    }
    return HEAP_BINS;
}

/* A free block of at least that size: the smallest of its own bin, else any of the next filled. */
static Block *search(const Bins *bins, size_t size) {
    Block *best = NULL;
    int bin = bin_of(size);
    for (Block *b = bins->first[bin]; b; b = b->next) {
        if (b->size >= size && (!best || b->size < best->size)) {
            best = b;
        }
    }
    if (!best && bin + 1 < HEAP_BINS) {
        bin = next_filled(bins, bin + 1);
        best = bin < HEAP_BINS ? bins->first[bin] : NULL;
    }
    return best;
}

/* The pool of a stream, made at its first use; NULL after an error. */
static Pool *pool_of(Heap *h, cudaStream_t stream) {
    for (Pool *p = h->pools; p; p = p->next) {
        if (p->stream == stream) {
            return p;
        }
    }
    Pool *p = mem_zalloc(sizeof *p);
    if (p) {
        p->stream = stream;
        p->caches = !h->no_cache;
        p->next = h->pools;
        h->pools = p;
    }
    return p;
}

static Block *block_new(char *p, size_t size, Pool *pool, bool small) {
    Block *b = mem_alloc(sizeof *b);
    if (b) {
        *b = (Block){.p = p, .size = size, .pool = pool, .small = small};
    }
    return b;
}

/* Cuts what a taken block has too much off it. */
static Block *cut(Heap *h, Block *b, size_t size) {
    size_t rest = b->size - size;
    if (rest < (b->small ? (size_t)HEAP_ROUND : (size_t)SMALL + 1)) {
        return b;
    }
    Block *tail = block_new(b->p + size, rest, b->pool, b->small);
    if (!tail) {
        h->out_of_records = true;
        heap_give_back(h, b);
        return NULL;
    }
    tail->before = b;
    tail->behind = b->behind;
    if (tail->behind) {
        tail->behind->before = tail;
    }
    b->behind = tail;
    b->size = size;
    bin_add(tail);
    return b;
}

Block *heap_take(Heap *h, size_t size, cudaStream_t stream) {
    heap_poll(h, false);
    for (Pool *p = h->pools; p; p = p->next) {
        if (p->stream != stream || !p->caches) {
            continue;
        }
        Block *b = search(size <= SMALL ? &p->small : &p->large, size);
        if (!b) {
            return NULL;
        }
        bin_remove(b);
        return cut(h, b, size);
    }
    return NULL;
}

static size_t segment_size(const Pool *pool, size_t size) {
    if (!pool->caches) {
        return size;
    }
    if (size <= SMALL) {
        return SMALL_SEGMENT;
    }
    return size < MIDDLE ? (size_t)MIDDLE_SEGMENT
                         : (size + LARGE_ROUND - 1) / LARGE_ROUND * LARGE_ROUND;
}

/* Memory of the device within the limit, or NULL. */
static void *segment_memory(Heap *h, size_t bytes) {
    void *p;
    if (h->limit && (bytes > h->limit || h->reserved > h->limit - bytes)) {
        return NULL;
    }
    h->device_allocs++;
    if (cudaMalloc(&p, bytes) != cudaSuccess) {
        cudaGetLastError();
        return NULL;
    }
    return p;
}

Block *heap_extend(Heap *h, size_t size, cudaStream_t stream) {
    Pool *pool = pool_of(h, stream);
    size_t bytes = pool ? segment_size(pool, size) : size;
    Block *b = pool ? block_new(NULL, bytes, pool, size <= SMALL) : NULL;
    if (!b) {
        h->out_of_records = true;
        return NULL;
    }
    void *p = segment_memory(h, bytes);
    if (!p && bytes > size) { /* no room for more than is needed now */
        bytes = size;
        p = segment_memory(h, bytes);
    }
    if (!p) {
        mem_free(b, sizeof *b);
        return NULL;
    }
    b->p = p;
    b->size = bytes;
    h->reserved += bytes;
    return cut(h, b, size);
}

static size_t slot_of(const Heap *h, const void *p) {
    uint64_t key = (uint64_t)(uintptr_t)p / HEAP_ROUND * 0x9E3779B97F4A7C15ull;
    return (size_t)(key >> 32) & (h->table_size - 1);
}

/* Room for one more block in the table. */
static bool table_reserve(Heap *h) {
    if (h->handed_out < h->table_size) {
        return true;
    }
    Heap larger = {.table_size = h->table_size ? 2 * h->table_size : FIRST_TABLE};
    larger.table = mem_zalloc(larger.table_size * sizeof(Block *));
    if (!larger.table) {
        return false;
    }
    for (size_t i = 0; i < h->table_size; i++) {
        for (Block *b = h->table[i], *next; b; b = next) {
            Block **slot = &larger.table[slot_of(&larger, b->p)];
            next = b->chain;
            b->chain = *slot;
            *slot = b;
        }
    }
    mem_free(h->table, h->table_size * sizeof(Block *));
    h->table = larger.table;
    h->table_size = larger.table_size;
    return true;
}

bool heap_hand_out(Heap *h, Block *b) {
    if (!table_reserve(h)) {
        return false;
    }
    Block **slot = &h->table[slot_of(h, b->p)];
    b->chain = *slot;
    *slot = b;
    h->handed_out++;
    h->allocs++;
    h->live += b->size;
    h->peak = h->live > h->peak ? h->live : h->peak;
    return true;
}

/* A block, in no bin, takes in the free neighbour behind it. */
static void absorb(Block *b) {
    Block *o = b->behind;
    bin_remove(o);
    b->size += o->size;
    b->behind = o->behind;
    if (b->behind) {
        b->behind->before = b;
    }
    mem_free(o, sizeof *o);
}

static void segment_free(Heap *h, Block *b) {
    cudaFree(b->p);
    h->reserved -= b->size;
    mem_free(b, sizeof *b);
}

void heap_give_back(Heap *h, Block *b) {
    if (!b->pool->caches) {
        segment_free(h, b);
        return;
    }
    if (b->behind && b->behind->free) {
        absorb(b);
    }
    bin_add(b);
    Block *before = b->before;
    if (before && before->free) {
        bin_remove(before);
        absorb(before);
        bin_add(before);
    }
}

bool heap_reserve(Heap *h, cudaStream_t stream) {
    Pool *p = pool_of(h, stream);
    if (p) {
        p->caches = p->reserved = true;
    }
    return p != NULL;
}

/* A pool's own address is no stream's. */
void heap_retire(Heap *h, cudaStream_t stream) {
    for (Pool *p = h->pools; p; p = p->next) {
        if (p->stream == stream) {
            p->reserved = false;
            p->stream = (cudaStream_t)p;
        }
    }
}

bool heap_is_of(const Heap *h, const void *p, cudaStream_t stream) {
    const Block *b = h->table_size ? h->table[slot_of(h, p)] : NULL;
    while (b && b->p != p) {
        b = b->chain;
    }
    return b && b->pool->stream == stream;
}

static Block **find(Heap *h, const void *p) {
    Block **at = &h->table[slot_of(h, p)];
    while ((*at)->p != p) {
        at = &(*at)->chain;
    }
    return at;
}

static void wait_for_user(Block *b) { cudaStreamSynchronize(b->user[--b->users]); }

bool heap_uses(Heap *h, void *p, cudaStream_t stream) {
    Block *b = *find(h, p);
    for (int i = 0; i < b->users; i++) {
        if (b->user[i] == stream) {
            return true;
        }
    }
    if (stream == b->pool->stream) {
        return true;
    }
    if (b->users == BLOCK_USERS) {
        wait_for_user(b);
    }
    b->user[b->users++] = stream;
    return true;
}

void heap_forget(Heap *h, cudaStream_t stream) {
    for (size_t i = 0; i < h->table_size; i++) {
        for (Block *b = h->table[i]; b; b = b->chain) {
            for (int k = b->users - 1; k >= 0; k--) {
                if (b->user[k] == stream) {
                    b->user[k] = b->user[--b->users];
                }
            }
        }
    }
}

/* Notes how far the other users of a released block have to come; those for which that cannot be
 * noted are waited for. */
static void mark_users(Block *b) {
    int kept = 0;
    for (int i = 0; i < b->users; i++) {
        cudaEvent_t event;
        if (cudaEventCreateWithFlags(&event, cudaEventDisableTiming) != cudaSuccess) {
            cudaStreamSynchronize(b->user[i]);
        } else if (cudaEventRecord(event, b->user[i]) != cudaSuccess) {
            cudaStreamSynchronize(b->user[i]);
            cudaEventDestroy(event);
        } else {
            b->until[kept++] = event;
        }
    }
    b->users = kept;
    cudaGetLastError();
}

void heap_take_back(Heap *h, void *p) {
    Block **at = find(h, p);
    Block *b = *at;
    *at = b->chain;
    h->handed_out--;
    h->frees++;
    h->live -= b->size;
    mark_users(b);
    if (b->users) {
        b->next = h->pending;
        h->pending = b;
    } else {
        heap_give_back(h, b);
    }
}

static bool users_done(Block *b, bool wait) {
    while (b->users) {
        cudaEvent_t event = b->until[b->users - 1];
        if (wait) {
            cudaEventSynchronize(event);
        } else if (cudaEventQuery(event) == cudaErrorNotReady) {
            cudaGetLastError();
            return false;
        }
        cudaEventDestroy(event);
        b->users--;
    }
    return true;
}

void heap_poll(Heap *h, bool wait) {
    Block **at = &h->pending;
    while (*at) {
        Block *b = *at;
        if (users_done(b, wait)) {
            *at = b->next;
            heap_give_back(h, b);
        } else {
            at = &b->next;
        }
    }
}

static void trim_bins(Heap *h, Bins *bins, size_t keep) {
    for (int bin = next_filled(bins, 0); bin < HEAP_BINS; bin = next_filled(bins, bin + 1)) {
        for (Block *b = bins->first[bin], *next; b; b = next) {
            next = b->next;
            if (h->reserved - h->live <= keep) {
                return;
            }
            if (!b->before && !b->behind) {
                bin_remove(b);
                segment_free(h, b);
            }
        }
    }
}

void heap_trim(Heap *h, size_t keep) {
    for (Pool *p = h->pools; p; p = p->next) {
        if (!p->reserved) {
            trim_bins(h, &p->large, keep);
            trim_bins(h, &p->small, keep);
        }
    }
}

static size_t largest_in(const Bins *bins) {
    size_t largest = 0;
    for (int bin = next_filled(bins, 0); bin < HEAP_BINS; bin = next_filled(bins, bin + 1)) {
        for (const Block *b = bins->first[bin]; b; b = b->next) {
            largest = b->size > largest ? b->size : largest;
        }
    }
    return largest;
}

size_t heap_largest(const Heap *h) {
    size_t largest = 0;
    for (const Pool *p = h->pools; p; p = p->next) {
        size_t small = largest_in(&p->small), large = largest_in(&p->large);
        largest = small > largest ? small : largest;
        largest = large > largest ? large : largest;
    }
    return largest;
}
