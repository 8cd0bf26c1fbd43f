#include <stdint.h>

#include "base/memory_internal.h"

/*
 * Chunks are cut from spans, and a span goes back to the system when all chunks cut from it are
 * free. Spans are left to small pages, so that a process that allocates little stays small.
 */

enum { SPAN_BYTES = 2 << 20, CHUNKS_A_SPAN = SPAN_BYTES / CHUNK_BYTES };

static Span *current; /* the span that is being cut, or NULL */
static Chunk *free_chunks;

static Span *span_of(const void *chunk) {
    char *start = (char *)((uintptr_t)chunk & ~(uintptr_t)(SPAN_BYTES - 1));
    return &((Chunk *)start)->span;
}

static void *span_start(Span *span) { return (char *)span - offsetof(Chunk, span); }

static bool new_span(void) {
    char *start = system_map(SPAN_BYTES, SPAN_BYTES);
    if (!start) {
        return false;
    }
    current = span_of(start);
    return true;
}

Chunk *chunk_get(void) {
    if (free_chunks) {
        Chunk *chunk = free_chunks;
        free_chunks = chunk->next;
        return chunk;
    }
    if (!system_reserve(CHUNK_BYTES)) {
        return NULL;
    }
    if (!current && !new_span()) {
        system_unreserve(CHUNK_BYTES);
        return NULL;
    }
    char *chunk = (char *)span_start(current) + current->cut * (size_t)CHUNK_BYTES;
    if (++current->cut == CHUNKS_A_SPAN) {
        current = NULL;
    }
    return (Chunk *)chunk;
}

void chunk_put(Chunk *chunk) {
    chunk->next = free_chunks;
    free_chunks = chunk;
}

static void unmap_span(Span *span) {
    size_t counted = span->cut * (size_t)CHUNK_BYTES;
    if (span == current) {
        current = NULL;
    }
    system_unmap(span_start(span), SPAN_BYTES);
    system_unreserve(counted);
}

void chunks_trim(void) {
    for (Chunk *c = free_chunks; c; c = c->next) {
        span_of(c)->found = 0;
        span_of(c)->wholly_free = false;
    }
    for (Chunk *c = free_chunks; c; c = c->next) {
        Span *span = span_of(c);
        span->wholly_free = ++span->found == span->cut;
    }
    Chunk *c = free_chunks;
    free_chunks = NULL;
    while (c) {
        Chunk *next = c->next;
        Span *span = span_of(c);
        if (!span->wholly_free) {
            chunk_put(c);
        } else if (--span->found == 0) {
            unmap_span(span);
        }
        c = next;
    }
}
