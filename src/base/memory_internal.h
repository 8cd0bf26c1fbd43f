#ifndef TOCHA_BASE_MEMORY_INTERNAL_H
#define TOCHA_BASE_MEMORY_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The parts of the allocator, for src/base/memory*.c alone. memory_system.c gets bytes from the
 * system within the limit, memory_chunks.c what small blocks are cut from, memory_large.c keeps
 * free large blocks, memory.c does the rest.
 */

enum {
    SIZE_STEP = 64,  /* spacing of the classes up to FINE_MAX */
    FINE_MAX = 1024, /* above it: eight classes a doubling */
    FINE_CLASSES = FINE_MAX / SIZE_STEP,
    CHUNKED_MAX = 4096, /* blocks up to this size are cut from chunks */
    SMALL_MAX = 65536,  /* blocks up to this size have lists in each thread */
    CHUNK_BYTES = 65536,
    CHUNK_HEADER = 64,
    HUGE_MIN = 8 << 20, /* blocks from this size have mappings of their own */
};

/* Beyond what any machine has; keeps all sums of sizes from overflowing. */
#define BYTES_MAX ((size_t)1 << 46)

/* The class of a block of that many bytes, 1 <= bytes <= BYTES_MAX. */
static inline unsigned size_class(size_t bytes) {
    size_t last = bytes - 1;
    if (bytes <= FINE_MAX) {
        return (unsigned)(last / SIZE_STEP);
    }
    unsigned log2 = 63u - (unsigned)__builtin_clzl(last);
    return FINE_CLASSES + (log2 - 10) * 8 + (unsigned)((last >> (log2 - 3)) & 7);
}

/* The largest size in a cls, which is the size of all its blocks. */
static inline size_t class_bytes(unsigned cls) {
    if (cls < FINE_CLASSES) {
        return (cls + 1) * (size_t)SIZE_STEP;
    }
    unsigned above = cls - FINE_CLASSES;
    return (size_t)(8 + above % 8 + 1) << (above / 8 + 7);
}

enum {
    CHUNKED_CLASSES = FINE_CLASSES + 2 * 8,
    SMALL_CLASSES = FINE_CLASSES + 6 * 8,
    N_CLASSES = FINE_CLASSES + 36 * 8
};

/* Reads the environment once; all functions below need it to have been called. */
void system_configure(void);

bool system_nocache(void);

/* TOCHA_MEMORY_LIMIT, or 0. */
size_t system_limit(void);

/* How many bytes may stay cached while that many are live. */
size_t system_cache_bound(size_t live);

/* Bytes that the allocator has from the system now. */
size_t system_held(void);

/* A block aligned to MEM_ALIGN, or NULL without an error if the system or the limit refuses. */
void *system_get(size_t bytes);
void system_put(void *p, size_t bytes);

/* The counting of the bytes that the two above do themselves. False if the limit refuses. */
bool system_reserve(size_t bytes);
void system_unreserve(size_t bytes);

/* An uncounted mapping whose start is aligned to a power of two; NULL if the system refuses. */
void *system_map(size_t bytes, size_t alignment);
void system_unmap(void *p, size_t bytes);

/* What a chunk knows of the span that it is the first chunk of. Only cut lasts; the rest is scratch
 * of the trimming. */
typedef struct {
    uint32_t cut; /* chunks handed out so far */
    uint32_t found;
    bool wholly_free;
} Span;

/* The head of a chunk, from which blocks of one size are cut. Here too, found and wholly_free are
 * scratch of the trimming; next is for the free ones. */
typedef struct Chunk {
    struct Chunk *next;
    uint32_t capacity; /* how many blocks it is cut into */
    uint32_t found;
    bool wholly_free;
    Span span;
} Chunk;

_Static_assert(sizeof(Chunk) <= CHUNK_HEADER, "the head fits before the first block");

/* A chunk of CHUNK_BYTES, aligned to as much, all but its span undefined; or NULL without an error
 * if the system or the limit refuses. The caller holds the allocator's lock, here and below. */
Chunk *chunk_get(void);
void chunk_put(Chunk *chunk);

/* Gives the spans back that are wholly free. */
void chunks_trim(void);

/* Free large blocks. */
void *large_take(unsigned cls);
void large_give(void *p, unsigned cls);

/* Gives the blocks that were longest free back to the system until it holds at most that much. */
void large_trim(size_t held);

#endif
