#ifndef TOCHA_GRIDS_H
#define TOCHA_GRIDS_H
/* How many elements patterns have; -1 where these are more than memory can address. */
#include <stdbool.h>
#include <stdint.h>

enum { COMBINATION_MOST = 64 };

/* Elements of the triangle of a matrix below (upper: above) the diagonal offset places to the
 * right, with it. */
int64_t triangle_count(int64_t rows, int64_t cols, int64_t offset, bool upper);
/* The columns of row i that belong to it: from first on, count of them. */
static inline void triangle_row(int64_t i, int64_t cols, int64_t offset, bool upper, int64_t *first,
                                int64_t *count) {
    int64_t edge = i + offset + !upper;
    edge = edge < 0 ? 0 : edge > cols ? cols : edge;
    *first = upper ? edge : 0;
    *count = upper ? cols - edge : edge;
}
/* Ways to choose r of n. */
int64_t combination_count(int64_t n, int64_t r, bool with_replacement);
#endif
