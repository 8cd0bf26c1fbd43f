#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base_check.h"

/* What the allocator reads from the environment, each case in a process of its own. */

#ifdef __SANITIZE_ADDRESS__
static const bool caching = false;
#else
static const bool caching = true;
#endif

static int warnings;

static void count_warning(const char *message) {
    (void)message;
    warnings++;
}

static MemStats stats(void) {
    MemStats s;
    mem_stats(&s);
    return s;
}

typedef struct Block {
    struct Block *next;
    size_t bytes;
} Block;

/* Allocates until nothing is left; returns the blocks as a list. */
static Block *fill(size_t bytes, size_t *count) {
    Block *list = NULL;
    for (*count = 0;; ++*count) {
        Block *b = mem_alloc(bytes);
        if (!b) {
            return list;
        }
        *b = (Block){.next = list, .bytes = bytes};
        list = b;
    }
}

static void empty(Block *list) {
    while (list) {
        Block *next = list->next;
        mem_free(list, list->bytes);
        list = next;
    }
}

enum { LIMIT = 64 << 20 };

/* Fills the memory with blocks of one size after the other: each time what the size before has left
 * in the cache must be given back, or little would fit. */
static bool limited(void) {
    static const size_t sizes[] = {60 << 20, 1 << 20, 100, 70000, 5000, 60 << 20, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t count;
        Block *list = fill(sizes[i], &count);
        MemStats s = stats();
        CHECK(error_kind() == ERR_MEMORY, "kind %d", error_kind());
        CHECK(strstr(error_message(), ", limit 67108864"), "got %s", error_message());
        error_clear();
        CHECK(s.limit == LIMIT && s.live + s.cached <= LIMIT, "live %zu, cached %zu", s.live,
              s.cached);
        CHECK(count * sizes[i] > LIMIT / 2, "only %zu blocks of %zu", count, sizes[i]);
        empty(list);
        CHECK(stats().live == 0, "live %zu", stats().live);
    }
    return true;
}

static bool no_limit(void) {
    CHECK(stats().limit == 0, "limit %zu", stats().limit);
    return true;
}

static bool warned_of_limit(void) {
    warn_set_hook(count_warning);
    CHECK(no_limit(), "limited");
    CHECK(warnings == 1, "%d warnings", warnings);
    return true;
}

static bool limit_of_3k(void) {
    CHECK(stats().limit == 3072, "limit %zu", stats().limit);
    return true;
}

static bool limit_of_2g(void) {
    CHECK(stats().limit == (size_t)2 << 30, "limit %zu", stats().limit);
    return true;
}

static bool limit(void) { return in_child("TOCHA_MEMORY_LIMIT", "64M", limited); }

static bool limit_notations(void) {
    static const char *const wrong[] = {
        "64 M", "12X", "-1", "1.5G", "M", "99999999999999999999", "99999999999G"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(in_child("TOCHA_MEMORY_LIMIT", wrong[i], warned_of_limit), "\"%s\"", wrong[i]);
    }
    return in_child("TOCHA_MEMORY_LIMIT", "", no_limit) &&
           in_child("TOCHA_MEMORY_LIMIT", "3k", limit_of_3k) &&
           in_child("TOCHA_MEMORY_LIMIT", "3072", limit_of_3k) &&
           in_child("TOCHA_MEMORY_LIMIT", "2G", limit_of_2g);
}

static bool keeps_little(void) {
    void *blocks[8];
    for (int i = 0; i < 8; i++) {
        blocks[i] = mem_alloc(1 << 20);
        CHECK(blocks[i], "%s", error_message());
    }
    for (int i = 0; i < 8; i++) {
        mem_free(blocks[i], 1 << 20);
    }
    CHECK(stats().cached <= 2 << 20, "cached %zu", stats().cached);
    CHECK(!caching || stats().cached >= 1 << 20, "cached %zu", stats().cached);
    return true;
}

static bool cache_limit(void) { return in_child("TOCHA_CACHE_LIMIT", "2M", keeps_little); }

static bool asks_each_time(void) {
    static const size_t sizes[] = {0, 10, 5000, 100000, 20 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *p = mem_alloc(sizes[i]);
        CHECK(p && (uintptr_t)p % MEM_ALIGN == 0, "block %p", p);
        memset(p, 1, sizes[i]);
        MemStats s = stats();
        CHECK(s.live == (sizes[i] ? sizes[i] : 1) && s.cached == 0, "live %zu, cached %zu", s.live,
              s.cached);
        mem_free(p, sizes[i]);
    }
    MemStats s = stats();
    CHECK(s.system_allocs == s.allocs && s.allocs == 5 && s.live == 0, "%d of %d",
          (int)s.system_allocs, (int)s.allocs);
    return true;
}

static bool nocache(void) { return in_child("TOCHA_NOCACHE", "1", asks_each_time); }

int main(void) {
    static const Case cases[] = {
        {"memory_limit", limit},
        {"memory_limit_notations", limit_notations},
        {"memory_cache_limit", cache_limit},
        {"memory_nocache", nocache},
    };
    return RUN_CASES(cases);
}
