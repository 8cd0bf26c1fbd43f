#include "base/memory.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory_internal.h"
#include "base/tls.h"

typedef struct FreeBlock {
    struct FreeBlock *next;
} FreeBlock;

/* max is 0 where nothing is cached. */
typedef struct {
    FreeBlock *head;
    uint32_t count, max;
} FreeList;

/* The part of the newest chunk of a class that has not been cut yet. */
typedef struct {
    char *next;
    uint32_t left;
} Uncut;

/*
 * One for each thread that allocates. Its counters are written by that thread alone and read by
 * mem_stats(), hence atomic, but never with a locked instruction. unreported is what the thread has
 * added to the live bytes since it last told the total.
 */
typedef struct ThreadCache {
    FreeList lists[SMALL_CLASSES];
    Uncut uncut[CHUNKED_CLASSES];
    int64_t fail_in, fail_count;
    _Atomic int64_t unreported;
    _Atomic uint64_t allocs, frees, system_allocs;
    struct ThreadCache *next, *prev;
} ThreadCache;

enum { REPORT_STEP = 65536, LIST_BYTES = 1 << 20, LIST_MIN = 8, LIST_MAX = 4096 };
enum { SHARED_SLACK = 16 << 20 };

static THREAD_LOCAL ThreadCache *cache;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static _Atomic int64_t live_total, peak_live;

/* Guards all that follows, and the large blocks. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FreeList shared[SMALL_CLASSES];
static size_t shared_bytes;
static size_t next_shared_trim;
static ThreadCache *threads;
static MemStats ended;

static int64_t read_relaxed(_Atomic int64_t *value) {
    return atomic_load_explicit(value, memory_order_relaxed);
}

static void raise_peak(int64_t live) {
    int64_t peak = read_relaxed(&peak_live);
    while (live > peak &&
           !atomic_compare_exchange_weak_explicit(&peak_live, &peak, live, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
}

static void report(int64_t bytes) {
    int64_t before = atomic_fetch_add_explicit(&live_total, bytes, memory_order_relaxed);
    if (bytes > 0) {
        raise_peak(before + bytes);
    }
}

static inline void increment(_Atomic uint64_t *counter) {
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + 1, memory_order_relaxed);
}

static inline void add_live(ThreadCache *t, int64_t bytes) {
    int64_t sum = read_relaxed(&t->unreported) + bytes;
    if (__builtin_expect(sum > REPORT_STEP || sum < -REPORT_STEP, 0)) {
        report(sum);
        sum = 0;
    }
    atomic_store_explicit(&t->unreported, sum, memory_order_relaxed);
}

size_t mem_live(void) {
    int64_t live = read_relaxed(&live_total);
    return live > 0 ? (size_t)live : 0;
}

/* What a block of that many bytes counts for. */
static size_t block_bytes(size_t bytes) {
    size_t asked = bytes ? bytes : 1;
    return system_nocache() ? asked : class_bytes(size_class(asked));
}

static void push(FreeList *list, void *p) {
    FreeBlock *b = p;
    b->next = list->head;
    list->head = b;
    list->count++;
}

static void *pop(FreeList *list) {
    FreeBlock *b = list->head;
    list->head = b->next;
    list->count--;
    return b;
}

static void move_blocks(FreeList *to, FreeList *from, uint32_t count) {
    for (; count && from->head; count--) {
        push(to, pop(from));
    }
}

static void give_to_shared(FreeList *from, unsigned cls, uint32_t count) {
    uint32_t before = shared[cls].count;
    move_blocks(&shared[cls], from, count);
    shared_bytes += (shared[cls].count - before) * class_bytes(cls);
}

static void take_from_shared(FreeList *to, unsigned cls, uint32_t count) {
    uint32_t before = shared[cls].count;
    move_blocks(to, &shared[cls], count);
    shared_bytes -= (before - shared[cls].count) * class_bytes(cls);
}

static void cut(ThreadCache *t, unsigned cls, uint32_t count) {
    Uncut *u = &t->uncut[cls];
    for (; count && u->left; count--) {
        push(&t->lists[cls], u->next);
        u->next += class_bytes(cls);
        u->left--;
    }
}

static Chunk *chunk_of(const void *p) {
    return (Chunk *)((uintptr_t)p & ~(uintptr_t)(CHUNK_BYTES - 1));
}

/* Frees the chunks of a class all of whose blocks are in its shared list. */
static void trim_chunks(unsigned cls) {
    FreeList *list = &shared[cls];
    for (FreeBlock *b = list->head; b; b = b->next) {
        chunk_of(b)->found = 0;
        chunk_of(b)->wholly_free = false;
    }
    for (FreeBlock *b = list->head; b; b = b->next) {
        Chunk *chunk = chunk_of(b);
        chunk->wholly_free = ++chunk->found == chunk->capacity;
    }
    FreeList kept = {0};
    while (list->head) {
        FreeBlock *b = pop(list);
        Chunk *chunk = chunk_of(b);
        if (!chunk->wholly_free) {
            push(&kept, b);
        } else if (--chunk->found == 0) {
            chunk_put(chunk);
        }
    }
    *list = kept;
}

/* Gives all free blocks of a thread to the shared lists, from where trimming can return them. */
static void give_all_to_shared(ThreadCache *t) {
    for (unsigned cls = 0; cls < SMALL_CLASSES; cls++) {
        if (cls < CHUNKED_CLASSES) {
            cut(t, cls, UINT32_MAX);
        }
        give_to_shared(&t->lists[cls], cls, UINT32_MAX);
    }
}

/* Gives shared small blocks back until the system holds at most that much. */
static void trim_shared(size_t held) {
    for (unsigned cls = SMALL_CLASSES; cls-- > 0 && system_held() > held;) {
        FreeList *list = &shared[cls];
        shared_bytes -= list->count * class_bytes(cls);
        if (cls < CHUNKED_CLASSES) {
            trim_chunks(cls);
        }
        while (cls >= CHUNKED_CLASSES && list->head && system_held() > held) {
            system_put(pop(list), class_bytes(cls));
        }
        shared_bytes += list->count * class_bytes(cls);
    }
    chunks_trim();
}

/* Keeps the cache bounded. Small blocks are looked through only when they have doubled since the
 * last time, for those whose chunks are in use cannot be given back however often one looks. */
static void enforce_bound(void) {
    size_t live = mem_live();
    size_t held = live + system_cache_bound(live);
    if (system_held() <= held) {
        return;
    }
    large_trim(held);
    if (system_held() > held && shared_bytes > next_shared_trim) {
        trim_shared(held);
        next_shared_trim = 2 * shared_bytes + SHARED_SLACK;
    }
}

/* Makes room for that many bytes after the system or the limit has refused them. */
static void relieve(ThreadCache *t, size_t bytes) {
    size_t limit = system_limit();
    bool limited = limit && system_held() + bytes > limit;
    size_t held = limited && limit > bytes ? limit - bytes : 0;
    pthread_mutex_lock(&lock);
    large_trim(held);
    if (system_held() > held) {
        give_all_to_shared(t);
        trim_shared(held);
    }
    pthread_mutex_unlock(&lock);
    if (!limited) {
        malloc_trim(0);
    }
}

/* When a thread ends: its blocks and counts go to those that are left. */
static void end_thread(void *p) {
    ThreadCache *t = p;
    cache = NULL;
    pthread_mutex_lock(&lock);
    report(read_relaxed(&t->unreported));
    give_all_to_shared(t);
    ended.allocs += t->allocs;
    ended.frees += t->frees;
    ended.system_allocs += t->system_allocs;
    if (t->prev) {
        t->prev->next = t->next;
    } else {
        threads = t->next;
    }
    if (t->next) {
        t->next->prev = t->prev;
    }
    enforce_bound();
    pthread_mutex_unlock(&lock);
    free(t);
}

static void lock_all(void) { pthread_mutex_lock(&lock); }

static void unlock_all(void) { pthread_mutex_unlock(&lock); }

static void start(void) {
    system_configure();
    has_key = pthread_key_create(&key, end_thread) == 0;
    pthread_atfork(lock_all, unlock_all, unlock_all);
}

static uint32_t list_max(unsigned cls) {
    size_t fitting = LIST_BYTES / class_bytes(cls);
    if (system_nocache()) {
        return 0;
    }
    return fitting < LIST_MIN ? LIST_MIN : fitting > LIST_MAX ? LIST_MAX : (uint32_t)fitting;
}

/* The thread's cache, made at its first use. NULL if the system has no memory for it. */
static ThreadCache *thread_cache(void) {
    if (cache) {
        return cache;
    }
    pthread_once(&once, start);
    ThreadCache *t = calloc(1, sizeof *t);
    if (!t) {
        return NULL;
    }
    for (unsigned cls = 0; cls < SMALL_CLASSES; cls++) {
        t->lists[cls].max = list_max(cls);
    }
    t->fail_in = -1;
    pthread_mutex_lock(&lock);
    t->next = threads;
    if (threads) {
        threads->prev = t;
    }
    threads = t;
    pthread_mutex_unlock(&lock);
    if (has_key) {
        pthread_setspecific(key, t);
    }
    cache = t;
    return t;
}

static bool new_chunk(ThreadCache *t, unsigned cls) {
    pthread_mutex_lock(&lock);
    Chunk *chunk = chunk_get();
    pthread_mutex_unlock(&lock);
    if (!chunk) {
        return false;
    }
    increment(&t->system_allocs);
    chunk->capacity = (uint32_t)((CHUNK_BYTES - CHUNK_HEADER) / class_bytes(cls));
    t->uncut[cls] = (Uncut){.next = (char *)chunk + CHUNK_HEADER, .left = chunk->capacity};
    return true;
}

static void *get_from_system(ThreadCache *t, size_t bytes) {
    void *p = system_get(bytes);
    if (p) {
        increment(&t->system_allocs);
    }
    return p;
}

/* A block of a small class whose list in this thread is empty. */
static void *get_small(ThreadCache *t, unsigned cls) {
    FreeList *list = &t->lists[cls];
    uint32_t batch = list->max / 2;
    pthread_mutex_lock(&lock);
    take_from_shared(list, cls, batch);
    pthread_mutex_unlock(&lock);
    if (!list->head && cls < CHUNKED_CLASSES) {
        if (t->uncut[cls].left || new_chunk(t, cls)) {
            uint32_t in_a_page = (uint32_t)(CHUNKED_MAX / class_bytes(cls));
            cut(t, cls, in_a_page < batch ? in_a_page : batch);
        }
    }
    if (list->head) {
        return pop(list);
    }
    return cls < CHUNKED_CLASSES ? NULL : get_from_system(t, class_bytes(cls));
}

static void *get_large(ThreadCache *t, unsigned cls) {
    pthread_mutex_lock(&lock);
    void *p = large_take(cls);
    pthread_mutex_unlock(&lock);
    return p ? p : get_from_system(t, class_bytes(cls));
}

static void *get_block(ThreadCache *t, size_t bytes) {
    if (system_nocache()) {
        return get_from_system(t, bytes);
    }
    unsigned cls = size_class(bytes);
    if (cls >= SMALL_CLASSES) {
        return get_large(t, cls);
    }
    FreeList *list = &t->lists[cls];
    return list->head ? pop(list) : get_small(t, cls);
}

static void *out_of_memory(size_t bytes) {
    MemStats s;
    mem_stats(&s);
    if (s.limit) {
        fail_kind(ERR_MEMORY, "out of memory: %zu bytes requested, %zu live, %zu cached, limit %zu",
                  bytes, s.live, s.cached, s.limit);
    } else {
        fail_kind(ERR_MEMORY, "out of memory: %zu bytes requested, %zu live, %zu cached", bytes,
                  s.live, s.cached);
    }
    return NULL;
}

/* Whether this is the allocation that mem_fail_after() has chosen. */
static bool chosen_to_fail(ThreadCache *t) {
    if (t->fail_in < 0) {
        return false;
    }
    if (t->fail_in > 0) {
        t->fail_in--;
        return false;
    }
    if (--t->fail_count <= 0) {
        t->fail_in = -1;
    }
    return true;
}

bool mem_refused(size_t bytes) {
    ThreadCache *t = thread_cache();
    if (t && !chosen_to_fail(t)) {
        return false;
    }
    out_of_memory(bytes);
    return true;
}

/* All that is not a small block from the thread's own list. */
static __attribute__((noinline)) void *alloc_slowly(size_t bytes) {
    ThreadCache *t = thread_cache();
    if (!t || bytes > BYTES_MAX || chosen_to_fail(t)) {
        return out_of_memory(bytes);
    }
    size_t wanted = bytes ? bytes : 1;
    void *p = get_block(t, wanted);
    if (!p) {
        size_t from_system = block_bytes(bytes);
        relieve(t, from_system < CHUNKED_MAX ? CHUNK_BYTES : from_system);
        p = get_block(t, wanted);
    }
    if (!p) {
        return out_of_memory(bytes);
    }
    increment(&t->allocs);
    add_live(t, (int64_t)block_bytes(bytes));
    return p;
}

void *mem_alloc(size_t bytes) {
    ThreadCache *t = cache;
    if (__builtin_expect(bytes <= SMALL_MAX && bytes && t, 1)) {
        unsigned cls = size_class(bytes);
        FreeList *list = &t->lists[cls];
        if (__builtin_expect(list->head && t->fail_in < 0, 1)) {
            increment(&t->allocs);
            add_live(t, (int64_t)class_bytes(cls));
            return pop(list);
        }
    }
    return alloc_slowly(bytes);
}

void *mem_zalloc(size_t bytes) {
    void *p = mem_alloc(bytes);
    return p ? memset(p, 0, bytes) : NULL;
}

static void put_block(ThreadCache *t, void *p, size_t bytes) {
    if (system_nocache()) {
        system_put(p, bytes);
        return;
    }
    unsigned cls = size_class(bytes);
    FreeList *list = t && cls < SMALL_CLASSES ? &t->lists[cls] : NULL;
    if (list && list->count < list->max) {
        push(list, p);
        return;
    }
    pthread_mutex_lock(&lock);
    if (list) {
        give_to_shared(list, cls, list->max / 2);
        push(list, p);
    } else if (cls < SMALL_CLASSES) {
        push(&shared[cls], p);
        shared_bytes += class_bytes(cls);
    } else {
        large_give(p, cls);
    }
    enforce_bound();
    pthread_mutex_unlock(&lock);
}

static __attribute__((noinline)) void free_slowly(void *p, size_t bytes) {
    if (!p) {
        return;
    }
    ThreadCache *t = thread_cache();
    int64_t size = (int64_t)block_bytes(bytes);
    if (t) {
        increment(&t->frees);
        add_live(t, -size);
    } else {
        report(-size);
        pthread_mutex_lock(&lock);
        ended.frees++;
        pthread_mutex_unlock(&lock);
    }
    put_block(t, p, bytes ? bytes : 1);
}

void mem_free(void *p, size_t bytes) {
    ThreadCache *t = cache;
    if (__builtin_expect(bytes <= SMALL_MAX && bytes && t && p, 1)) {
        unsigned cls = size_class(bytes);
        FreeList *list = &t->lists[cls];
        if (__builtin_expect(list->count < list->max, 1)) {
            increment(&t->frees);
            add_live(t, -(int64_t)class_bytes(cls));
            push(list, p);
            return;
        }
    }
    free_slowly(p, bytes);
}

void mem_trim(size_t keep) {
    ThreadCache *t = thread_cache();
    MemStats s;
    mem_stats(&s);
    pthread_mutex_lock(&lock);
    large_trim(s.live + keep);
    if (system_held() > s.live + keep) {
        if (t) {
            give_all_to_shared(t);
        }
        trim_shared(s.live + keep);
    }
    pthread_mutex_unlock(&lock);
    malloc_trim(0);
}

void mem_stats(MemStats *stats) {
    pthread_once(&once, start);
    pthread_mutex_lock(&lock);
    *stats = ended;
    int64_t live = read_relaxed(&live_total);
    for (ThreadCache *t = threads; t; t = t->next) {
        live += read_relaxed(&t->unreported);
        stats->allocs += atomic_load_explicit(&t->allocs, memory_order_relaxed);
        stats->frees += atomic_load_explicit(&t->frees, memory_order_relaxed);
        stats->system_allocs += atomic_load_explicit(&t->system_allocs, memory_order_relaxed);
    }
    pthread_mutex_unlock(&lock);
    raise_peak(live);
    size_t held = system_held();
    stats->live = live > 0 ? (size_t)live : 0;
    stats->peak = (size_t)read_relaxed(&peak_live);
    stats->cached = held > stats->live ? held - stats->live : 0;
    stats->limit = system_limit();
}

void mem_reset_peak(void) {
    MemStats s;
    mem_stats(&s);
    atomic_store_explicit(&peak_live, (int64_t)s.live, memory_order_relaxed);
}

void mem_fail_after(int64_t n) { mem_fail_span(n, 1); }

int64_t mem_fail_span(int64_t n, int64_t count) {
    ThreadCache *t = thread_cache();
    if (!t) {
        return 0;
    }
    int64_t left = t->fail_in < 0 ? 0 : t->fail_count;
    t->fail_in = n;
    t->fail_count = count;
    return left;
}
