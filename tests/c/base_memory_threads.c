#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/memory_internal.h"
#include "base_check.h"

#ifdef __SANITIZE_ADDRESS__
static const bool caching = false;
#else
static const bool caching = true;
#endif

static MemStats stats(void) {
    MemStats s;
    mem_stats(&s);
    return s;
}

enum { SLOTS = 256, THREADS = 4, STEPS = 40000 };

typedef struct {
    unsigned char *p;
    size_t bytes;
    unsigned char fill;
} Slot;

/* One slot of a table that all threads exchange blocks through. */
typedef _Atomic(Slot *) Exchange;

static Exchange table[SLOTS];
static atomic_int damaged, failed;

static Slot *new_slot(uint64_t random) {
    Slot *slot = mem_alloc(sizeof *slot);
    if (!slot) {
        return NULL;
    }
    unsigned log2 = (unsigned)(random >> 8) % 18;
    slot->bytes = (size_t)(random >> 20) & (((size_t)1 << log2) - 1);
    slot->fill = (unsigned char)random;
    slot->p = mem_alloc(slot->bytes);
    if (!slot->p) {
        mem_free(slot, sizeof *slot);
        return NULL;
    }
    memset(slot->p, slot->fill, slot->bytes);
    return slot;
}

static void end_slot(Slot *slot) {
    if (!slot) {
        return;
    }
    for (size_t i = 0; i < slot->bytes; i++) {
        if (slot->p[i] != slot->fill) {
            atomic_fetch_add(&damaged, 1);
            break;
        }
    }
    mem_free(slot->p, slot->bytes);
    mem_free(slot, sizeof *slot);
}

static void *exchange(void *seed) {
    uint64_t random = (uint64_t)(uintptr_t)seed * 0x9E3779B97F4A7C15u;
    for (int i = 0; i < STEPS; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        Slot *slot = new_slot(random >> 16);
        if (!slot) {
            atomic_fetch_add(&failed, 1);
        }
        end_slot(atomic_exchange(&table[(random >> 40) % SLOTS], slot));
    }
    return NULL;
}

static bool blocks_cross_threads(void) {
    MemStats before = stats();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, exchange, (void *)(intptr_t)(i + 1)) == 0,
              "no thread");
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < SLOTS; i++) {
        end_slot(atomic_exchange(&table[i], NULL));
    }
    CHECK(damaged == 0 && failed == 0, "%d damaged, %d failed", damaged, failed);
    MemStats after = stats();
    CHECK(after.live == before.live, "live %zu, before %zu", after.live, before.live);
    CHECK(after.allocs - before.allocs == after.frees - before.frees, "allocs and frees");
    CHECK(after.allocs - before.allocs == 2 * THREADS * STEPS, "%d allocs",
          (int)(after.allocs - before.allocs));
    mem_trim(0);
    CHECK(stats().cached <= 1 << 20, "cached %zu after trimming", stats().cached);
    return true;
}

enum { BLOCKS = 1000, BLOCK = 1000 };

static void *allocate_and_free(void *unused) {
    void *blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = mem_alloc(BLOCK);
    }
    for (int i = 0; i < BLOCKS; i++) {
        mem_free(blocks[i], BLOCK);
    }
    return unused;
}

static bool ended_threads_leave_their_blocks(void) {
    pthread_t thread;
    MemStats before = stats();
    for (int round = 0; round < 20; round++) {
        CHECK(pthread_create(&thread, NULL, allocate_and_free, NULL) == 0, "no thread");
        pthread_join(thread, NULL);
    }
    MemStats after = stats();
    CHECK(after.allocs - before.allocs == 20 * BLOCKS, "the counts of ended threads");
    CHECK(after.frees - before.frees == 20 * BLOCKS, "the counts of ended threads");
    CHECK(after.live == before.live, "live %zu, before %zu", after.live, before.live);
    uint64_t asked = after.system_allocs - before.system_allocs;
    CHECK(!caching || asked <= BLOCKS * 1024 / 60000 + 1, "asked the system %d times", (int)asked);
    return true;
}

static void *fail_once(void *passed) {
    mem_fail_after(0);
    void *first = mem_alloc(10), *second = mem_alloc(10);
    *(bool *)passed = !first && second && error_kind() == ERR_MEMORY;
    mem_free(second, 10);
    return NULL;
}

static bool failures_are_of_the_thread(void) {
    pthread_t thread;
    bool passed = false;
    mem_fail_after(0);
    CHECK(pthread_create(&thread, NULL, fail_once, &passed) == 0, "no thread");
    pthread_join(thread, NULL);
    CHECK(passed, "the thread's own failure");
    CHECK(!mem_alloc(10), "this thread's failure was taken by the other");
    error_clear();
    CHECK(!error_message(), "not cleared");
    return true;
}

int main(void) {
    static const Case cases[] = {
        {"memory_cross_thread", blocks_cross_threads},
        {"memory_thread_exit", ended_threads_leave_their_blocks},
        {"memory_thread_failures", failures_are_of_the_thread},
    };
    return RUN_CASES(cases);
}
