#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/memory_internal.h"

#define HUGE_PAGE           ((size_t)2 << 20)
#define DEFAULT_CACHE_BOUND ((size_t)256 << 20)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static size_t limit;
static size_t cache_bound;
static bool has_cache_bound;
static bool nocache;
static atomic_size_t held;

/* Reads whole numbers with an optional suffix K, M or G. False if text is anything else. */
static bool parse_size(const char *text, size_t *size) {
    char *end;
    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    unsigned shift = 0;
    switch (*end) {
    case 'K':
    case 'k': shift = 10; break;
    case 'M':
    case 'm': shift = 20; break;
    case 'G':
    case 'g': shift = 30; break;
    default: break;
    }
    end += shift != 0;
    if (*end || errno || value > (SIZE_MAX >> shift)) {
        return false;
    }
    *size = (size_t)value << shift;
    return true;
}

static bool size_from_environment(const char *name, size_t *size) {
    const char *text = getenv(name);
    if (!text || !*text) {
        return false;
    }
    if (!parse_size(text, size)) {
        warn("%s: expected bytes such as 1000000, 64K, 512M or 2G, got \"%s\"; ignored", name,
             text);
        return false;
    }
    return true;
}

static void read_environment(void) {
    size_from_environment("TOCHA_MEMORY_LIMIT", &limit);
    has_cache_bound = size_from_environment("TOCHA_CACHE_LIMIT", &cache_bound);
#ifdef __SANITIZE_ADDRESS__
    nocache = true;
#else
    const char *wish = getenv("TOCHA_NOCACHE");
    nocache = wish && *wish && strcmp(wish, "0") != 0;
#endif
}

void system_configure(void) { pthread_once(&once, read_environment); }

bool system_nocache(void) { return nocache; }

size_t system_limit(void) { return limit; }

size_t system_cache_bound(size_t live) {
    if (has_cache_bound) {
        return cache_bound;
    }
    return live > DEFAULT_CACHE_BOUND ? live : DEFAULT_CACHE_BOUND;
}

size_t system_held(void) { return atomic_load_explicit(&held, memory_order_relaxed); }

/* Counts the bytes before they are asked for, so that no race exceeds the limit. */
bool system_reserve(size_t bytes) {
    size_t before = atomic_fetch_add_explicit(&held, bytes, memory_order_relaxed);
    if (limit && before + bytes > limit) {
        atomic_fetch_sub_explicit(&held, bytes, memory_order_relaxed);
        return false;
    }
    return true;
}

void system_unreserve(size_t bytes) {
    atomic_fetch_sub_explicit(&held, bytes, memory_order_relaxed);
}

/* Where the kernel has no room to split a mapping, the address range is lost, but not its pages. */
void system_unmap(void *p, size_t bytes) {
    if (bytes && munmap(p, bytes) != 0) {
        madvise(p, bytes, MADV_DONTNEED);
    }
}

void *system_map(size_t bytes, size_t alignment) {
    char *p =
        mmap(NULL, bytes + alignment, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return NULL;
    }
    size_t skip = (alignment - ((uintptr_t)p & (alignment - 1))) & (alignment - 1);
    system_unmap(p, skip);
    system_unmap(p + skip + bytes, alignment - skip);
    return p + skip;
}

static bool mapped(size_t bytes) { return bytes >= HUGE_MIN && !nocache; }

void *system_get(size_t bytes) {
    if (!system_reserve(bytes)) {
        return NULL;
    }
    void *p = NULL;
    if (mapped(bytes)) {
        p = system_map(bytes, HUGE_PAGE);
        if (p) {
            madvise(p, bytes, MADV_HUGEPAGE);
        }
    } else if (posix_memalign(&p, MEM_ALIGN, bytes) != 0) {
        p = NULL;
    }
    if (!p) {
        system_unreserve(bytes);
    }
    return p;
}

void system_put(void *p, size_t bytes) {
    if (mapped(bytes)) {
        system_unmap(p, bytes);
    } else {
        free(p);
    }
    system_unreserve(bytes);
}

THREAD_LOCAL ReclaimFn *reclaim_hook;

bool mem_reclaimed(void) {
    if (error_kind() != ERR_MEMORY || !reclaim_hook) {
        return false;
    }
    error_clear();
    return reclaim_hook();
}
