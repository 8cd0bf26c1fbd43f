#ifndef TOCHA_KERNEL_GATHER_H
#define TOCHA_KERNEL_GATHER_H
/* Positions that are checked, and elements that are fetched by them, many at a time. */
#include "cpu/index.h"

typedef struct GatherTable {
    /* Whether n positions are all in the range of index_first_bad(). */
    bool (*all_good)(const int64_t *x, int64_t step, int64_t n, int64_t size, bool from_end);
    /* PICK_TAKE for elements of 1, 2, 4, 8 and 16 bytes. */
    LineLoop *take[5];
} GatherTable;
#endif
