#include "base/memory.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/memory_internal.h"
#include "base_check.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MANY = 20000 };
#else
enum { MANY = 200000 };
#endif

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

static bool classes_hold_their_sizes(void) {
    unsigned before = 0;
    for (size_t bytes = 1; bytes < (size_t)1 << 21; bytes += bytes < 70000 ? 1 : 997) {
        unsigned cls = size_class(bytes);
        size_t size = class_bytes(cls);
        CHECK(size >= bytes && size % MEM_ALIGN == 0, "%zu bytes in blocks of %zu", bytes, size);
        CHECK(cls >= before, "the class falls at %zu bytes", bytes);
        CHECK(size < bytes + SIZE_STEP || (size - bytes) * 8 <= bytes, "%zu bytes take %zu", bytes,
              size);
        CHECK(cls == 0 || class_bytes(cls - 1) < bytes, "%zu bytes fit the class before", bytes);
        before = cls;
    }
    CHECK(size_class(SMALL_MAX) == SMALL_CLASSES - 1, "small classes");
    CHECK(size_class(CHUNKED_MAX) == CHUNKED_CLASSES - 1, "chunked classes");
    CHECK(size_class(BYTES_MAX) == N_CLASSES - 1, "all classes");
    return true;
}

static bool blocks_are_aligned_and_apart(void) {
    enum { COUNT = 700 };
    static unsigned char *blocks[COUNT];
    static size_t sizes[COUNT];
    for (int i = 0; i < COUNT; i++) {
        sizes[i] = (size_t)i * (size_t)i * (i % 50 == 0 ? 30 : 1);
        blocks[i] = mem_alloc(sizes[i]);
        CHECK(blocks[i], "%s", error_message());
        CHECK((uintptr_t)blocks[i] % MEM_ALIGN == 0, "%zu bytes at %p", sizes[i],
              (void *)blocks[i]);
        memset(blocks[i], i & 255, sizes[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < sizes[i]; k++) {
            CHECK(blocks[i][k] == (i & 255), "block %d was overwritten at %zu", i, k);
        }
        mem_free(blocks[i], sizes[i]);
    }
    return true;
}

static bool empty_blocks(void) {
    MemStats before = stats();
    void *a = mem_alloc(0), *b = mem_alloc(0), *c = mem_zalloc(0);
    CHECK(a && b && c && a != b && b != c, "blocks %p %p %p", a, b, c);
    mem_free(a, 0);
    mem_free(b, 0);
    mem_free(c, 0);
    mem_free(NULL, 100);
    MemStats after = stats();
    CHECK(after.live == before.live, "live %zu, before %zu", after.live, before.live);
    CHECK(after.frees == before.frees + 3, "%d frees", (int)(after.frees - before.frees));
    return true;
}

static bool zeroed_blocks(void) {
    static const size_t sizes[] = {1, 64, 1000, 5000, 65536, 1 << 20, 9 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *dirty = mem_alloc(sizes[i]);
        CHECK(dirty, "%s", error_message());
        memset(dirty, 0xAA, sizes[i]);
        mem_free(dirty, sizes[i]);
        unsigned char *clean = mem_zalloc(sizes[i]);
        CHECK(clean, "%s", error_message());
        for (size_t k = 0; k < sizes[i]; k++) {
            CHECK(clean[k] == 0, "byte %zu of %zu", k, sizes[i]);
        }
        mem_free(clean, sizes[i]);
    }
    return true;
}

static bool freed_blocks_are_reused(void) {
    static const size_t sizes[] = {1, 200, 4096, 4097, 65536, 65537, 1 << 20, 40 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *first = mem_alloc(sizes[i]);
        CHECK(first, "%s", error_message());
        mem_free(first, sizes[i]);
        uint64_t asked = stats().system_allocs;
        for (int k = 0; k < 100; k++) {
            void *again = mem_alloc(sizes[i]);
            CHECK(!caching || again == first, "%zu bytes: another block", sizes[i]);
            mem_free(again, sizes[i]);
        }
        asked = stats().system_allocs - asked;
        CHECK(asked == (caching ? 0 : 100), "%zu bytes: asked the system %d times", sizes[i],
              (int)asked);
    }
    return true;
}

static bool counts(void) {
    enum { BLOCK = 3 << 20 };
    mem_reset_peak();
    MemStats before = stats();
    CHECK(before.peak == before.live, "peak %zu, live %zu", before.peak, before.live);
    void *a = mem_alloc(BLOCK), *b = mem_alloc(BLOCK);
    CHECK(a && b, "%s", error_message());
    MemStats both = stats();
    CHECK(both.live >= before.live + 2 * BLOCK && both.live <= before.live + BLOCK / 4 * 9,
          "live %zu, before %zu", both.live, before.live);
    CHECK(both.allocs == before.allocs + 2 && both.frees == before.frees, "allocs and frees");
    mem_free(a, BLOCK);
    mem_free(b, BLOCK);
    MemStats after = stats();
    CHECK(after.live == before.live, "live %zu, before %zu", after.live, before.live);
    CHECK(after.peak == both.live, "peak %zu, expected %zu", after.peak, both.live);
    CHECK(after.frees == before.frees + 2, "frees");
    CHECK(!caching || after.cached >= 2 * BLOCK, "cached %zu", after.cached);
    mem_reset_peak();
    CHECK(stats().peak == before.live, "peak %zu after its reset", stats().peak);
    return true;
}

static bool trimming_gives_all_back(void) {
    enum { NODE = 200 };
    void **nodes = malloc(MANY * sizeof *nodes);
    CHECK(nodes, "no memory");
    MemStats before = stats();
    for (int i = 0; i < MANY; i++) {
        nodes[i] = mem_alloc(NODE);
        CHECK(nodes[i], "%s", error_message());
        memset(nodes[i], i & 255, NODE);
    }
    for (int i = 0; i < MANY; i++) {
        CHECK(((unsigned char *)nodes[i])[NODE - 1] == (i & 255), "node %d was overwritten", i);
        mem_free(nodes[i], NODE);
    }
    free(nodes);
    void *large = mem_alloc(20 << 20);
    mem_free(large, 20 << 20);
    CHECK(!caching || stats().cached >= (20 << 20) + MANY * NODE, "cached %zu", stats().cached);
    mem_trim(0);
    MemStats after = stats();
    CHECK(after.live == before.live, "live %zu, before %zu", after.live, before.live);
    CHECK(after.cached <= before.live + (2 << 20), "cached %zu after trimming", after.cached);
    return true;
}

static bool trimming_keeps_what_it_is_told(void) {
    enum { BLOCK = 1 << 20, COUNT = 16 };
    void *blocks[COUNT];
    mem_trim(0);
    for (int i = 0; i < COUNT; i++) {
        blocks[i] = mem_alloc(BLOCK);
        CHECK(blocks[i], "%s", error_message());
    }
    for (int i = 0; i < COUNT; i++) {
        mem_free(blocks[i], BLOCK);
    }
    mem_trim(8 * BLOCK);
    size_t cached = stats().cached;
    CHECK(cached <= 8 * BLOCK && (!caching || cached > 6 * BLOCK), "cached %zu", cached);
    return true;
}

static bool cache_is_bounded(void) {
    enum { BLOCK = 16 << 20, COUNT = 40 };
    void *blocks[COUNT];
    for (int i = 0; i < COUNT; i++) {
        blocks[i] = mem_alloc(BLOCK);
        CHECK(blocks[i], "%s", error_message());
    }
    size_t most = 0;
    for (int i = 0; i < COUNT; i++) {
        mem_free(blocks[i], BLOCK);
        MemStats s = stats();
        size_t bound = s.live > (256u << 20) ? s.live : 256u << 20;
        CHECK(s.cached <= bound + (1 << 20), "cached %zu, live %zu", s.cached, s.live);
        most = s.cached > most ? s.cached : most;
    }
    CHECK(!caching || most >= 240u << 20, "never more than %zu were cached", most);
    mem_trim(0);
    return true;
}

static bool nth_failure(void) {
    static const size_t sizes[] = {64, 3000, 30000, 1 << 20, 64};
    for (int n = 0; n < 5; n++) {
        mem_fail_after(n);
        for (int i = 0; i < 5; i++) {
            void *p = mem_alloc(sizes[i]);
            CHECK(!p == (i == n), "n = %d: allocation %d gave %p", n, i, p);
            CHECK(!p == (error_kind() == ERR_MEMORY), "n = %d: kind %d", n, error_kind());
            error_clear();
            mem_free(p, sizes[i]);
        }
    }
    mem_fail_after(2);
    mem_fail_after(-1);
    for (int i = 0; i < 5; i++) {
        void *p = mem_alloc(64);
        CHECK(p, "failed though turned off");
        mem_free(p, 64);
    }
    return true;
}

static bool impossible_sizes(void) {
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX / 2 + 1, (size_t)1 << 62, BYTES_MAX + 1,
                                   BYTES_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        MemStats before = stats();
        CHECK(!mem_alloc(sizes[i]), "%zu bytes", sizes[i]);
        char expected[64];
        snprintf(expected, sizeof expected, "out of memory: %zu bytes requested, ", sizes[i]);
        CHECK(error_kind() == ERR_MEMORY, "kind %d", error_kind());
        CHECK(strncmp(error_message(), expected, strlen(expected)) == 0, "got %s", error_message());
        error_clear();
        MemStats after = stats();
        CHECK(after.live == before.live && after.cached <= before.cached, "counted all the same");
    }
    return true;
}

static bool still_works_after_fork(void) {
    void *p = mem_alloc(100), *q = mem_alloc(1 << 20);
    CHECK(p && q, "%s", error_message());
    mem_free(p, 100);
    mem_free(q, 1 << 20);
    return true;
}

static bool forked(void) { return in_child(NULL, NULL, still_works_after_fork); }

int main(void) {
    static const Case cases[] = {
        {"memory_classes", classes_hold_their_sizes},
        {"memory_alignment", blocks_are_aligned_and_apart},
        {"memory_empty", empty_blocks},
        {"memory_zeroed", zeroed_blocks},
        {"memory_reuse", freed_blocks_are_reused},
        {"memory_counts", counts},
        {"memory_trim", trimming_gives_all_back},
        {"memory_trim_keep", trimming_keeps_what_it_is_told},
        {"memory_bound", cache_is_bounded},
        {"memory_nth_failure", nth_failure},
        {"memory_impossible_sizes", impossible_sizes},
        {"memory_fork", forked},
    };
    return RUN_CASES(cases);
}
