#ifndef TOCHA_GPU_HEAP_H
#define TOCHA_GPU_HEAP_H
/* Blocks of one device's memory. Every function wants the heap's lock held.
 *
 * The device is asked for segments; a segment is cut into blocks, which know their neighbours, so
 * that free ones join again. A block belongs to the stream that it was first taken for, and is
 * handed out again to that stream alone: work there is done in order, so nothing has to be waited
 * for. Free blocks are kept by stream, by the kind of segment (of small blocks or of large ones)
 * and by size. */
#include <pthread.h>

#include "gpu/gpu.h"

enum { HEAP_ROUND = 512, HEAP_BINS = 128, BLOCK_USERS = 4 };

typedef struct Block {
    char *p;
    size_t size;
    struct Pool *pool;
    struct Block *before, *behind; /* neighbours in the segment */
    struct Block *prev, *next;     /* in a bin; next: in the list of pending blocks */
    struct Block *chain;           /* in the table of blocks handed out */
    bool free, small;
    int users; /* other streams that use it, and, once it was released, how far each has to come */
    cudaStream_t user[BLOCK_USERS];
    cudaEvent_t until[BLOCK_USERS];
} Block;

typedef struct Bins {
    uint64_t filled[HEAP_BINS / 64]; /* a bit for each bin that is not empty */
    Block *first[HEAP_BINS];
} Bins;

/* The free blocks of one stream. */
typedef struct Pool {
    cudaStream_t stream;
    struct Pool *next;
    bool caches;   /* false: every block is a segment of its own (TOCHA_GPU_NOCACHE=1) */
    bool reserved; /* a graph's: nothing of it is given back */
    Bins small, large;
} Pool;

typedef struct Heap {
    pthread_mutex_t lock;
    Pool *pools;
    Block *pending; /* released, but in use by other streams */
    Block **table;  /* the blocks handed out, by address */
    size_t table_size, handed_out;
    size_t live, peak, reserved, limit;
    uint64_t allocs, frees, device_allocs;
    bool no_cache;       /* TOCHA_GPU_NOCACHE=1 */
    bool out_of_records; /* host memory for a block was not to be had, which is recorded */
} Heap;

/* The size of the block that serves so many bytes. */
size_t heap_round(size_t bytes);
/* A free block of that size; NULL where there is none, or after out_of_records. */
Block *heap_take(Heap *h, size_t size, cudaStream_t stream);
/* A block out of a new segment; NULL, without an error but for out_of_records, where the device or
 * the limit does not allow it. */
Block *heap_extend(Heap *h, size_t size, cudaStream_t stream);
/* Enters a block that was taken into the table. False with an error where that cannot grow. */
bool heap_hand_out(Heap *h, Block *b);
/* A block that was taken but not handed out. */
void heap_give_back(Heap *h, Block *b);
/* The block at p, which was handed out. */
void heap_take_back(Heap *h, void *p);
bool heap_uses(Heap *h, void *p, cudaStream_t stream);
/* The stream, whose work is done, is about to go. */
void heap_forget(Heap *h, cudaStream_t stream);
/* Makes the pool of a stream on which a graph is recorded: what was taken there stays the graph's.
 */
bool heap_reserve(Heap *h, cudaStream_t stream);
/* The graph is gone, and so will be the stream: what is free can go back, and nobody gets more. */
void heap_retire(Heap *h, cudaStream_t stream);
/* Whether p is a block that was handed out to that stream. */
bool heap_is_of(const Heap *h, const void *p, cudaStream_t stream);
/* Frees the pending blocks whose other users are done; wait: all of them, after waiting. */
void heap_poll(Heap *h, bool wait);
/* Gives whole free segments back until at most keep bytes are cached. */
void heap_trim(Heap *h, size_t keep);
/* The largest free block. */
size_t heap_largest(const Heap *h);

#endif
