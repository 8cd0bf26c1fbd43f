#ifndef TOCHA_BASE_MEMORY_H
#define TOCHA_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tls.h"

/*
 * The engine's allocator: size-class free lists, thread-local for small blocks and shared for large
 * ones. Every allocation of the engine goes through it, so that statistics, the limit and
 * mem_fail_after() reach all of them. A block may be freed on another thread than it came from.
 *
 * Environment, read at first use (bytes, with K, M or G):
 *   TOCHA_MEMORY_LIMIT  live and cached bytes together never exceed it
 *   TOCHA_CACHE_LIMIT   bound of the cached bytes; default: the larger of 256 MiB and the live
 * bytes TOCHA_NOCACHE=1     every block comes from and goes back to the system (always under ASan)
 */

#ifdef __cplusplus
extern "C" {
#endif

enum { MEM_ALIGN = 64 };

typedef struct {
    size_t live;            /* bytes handed out */
    size_t peak;            /* largest live since start or mem_reset_peak() */
    size_t cached;          /* bytes held in free lists, and not yet cut parts of their chunks */
    size_t limit;           /* TOCHA_MEMORY_LIMIT, 0 if none */
    uint64_t allocs;        /* blocks handed out so far */
    uint64_t frees;         /* blocks taken back so far */
    uint64_t system_allocs; /* of the allocs, how many had to ask the system */
} MemStats;

/* A block of at least that many bytes, aligned to MEM_ALIGN, contents undefined; the caller owns
 * it. 0 bytes give a valid block too. NULL with an ERR_MEMORY error if there is no memory. */
void *mem_alloc(size_t bytes);

/* As mem_alloc, all bytes zero. */
void *mem_zalloc(size_t bytes);

/* Takes a block back; bytes must be what it was asked with. p may be NULL. */
void mem_free(void *p, size_t bytes);

/* The live bytes of MemStats, to within 64 KiB a thread and almost for nothing. */
size_t mem_live(void);

/* Gives cached large blocks and the calling thread's cached small ones back to the system until at
 * most keep bytes stay cached, as far as their chunks are wholly free. */
void mem_trim(size_t keep);

/* Counts of all threads; exact when no other thread allocates at the time. */
void mem_stats(MemStats *stats);

void mem_reset_peak(void);

/* Frees what nobody can reach any more, for a long computation that has run out of memory on its
 * way; false if that cannot be done. The language binding sets it for the duration of its calls. */
typedef bool ReclaimFn(void);
extern THREAD_LOCAL ReclaimFn *reclaim_hook;
/* After a failed allocation: clears the error and reclaims memory; true: try once more. */
bool mem_reclaimed(void);

/* For tests: the nth following allocation of this thread (0 = the next) fails once; n < 0 turns
 * it off. */
void mem_fail_after(int64_t n);

/* The same for that allocation and the count - 1 behind it, so that a second attempt fails too.
 * Returns how many failures of the setting before had not come yet. */
int64_t mem_fail_span(int64_t n, int64_t count);

/* Counts an allocation of a device's memory among the thread's; true, after recording an error, if
 * it is one that is to fail. */
bool mem_refused(size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
