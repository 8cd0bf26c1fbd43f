#ifndef TOCHA_CPU_SHARES_H
#define TOCHA_CPU_SHARES_H
/* How columns are shared out among threads, for loops that take a tile of them at a time and give
 * each its result alone: the cut is of no consequence for the results. */
#include <stdint.h>

#include "base/threads.h"

enum { SHARE_GRAIN = 8192, SHARE_WAKES = 16384, SHARE_LEAST = 64 };

/* The columns of a tile, of rows times cols: at most most, and fewer where threads would not get
 * shares tiles each. */
static inline int64_t share_tile(int64_t cols, int64_t rows, int64_t most, int64_t shares) {
    int64_t threads = threads_get();
    int64_t wanted = threads > 1 ? (shares * threads - 1) / rows + 1 : 1;
    int64_t tile = ((cols - 1) / wanted + 16) / 16 * 16;
    tile = tile < SHARE_LEAST ? SHARE_LEAST : tile;
    return tile < most ? tile : most;
}

/* The grain of parallel_for over tiles of so many elements: large ones are worth waking a worker.
 */
static inline int64_t share_grain(int64_t elements) {
    int64_t grain = SHARE_GRAIN / elements;
    return elements >= SHARE_WAKES ? 1 : grain < 2 ? 2 : grain;
}
#endif
