#ifndef TOCHA_GRIDS_H
#define TOCHA_GRIDS_H
/* How many elements patterns have; -1 where these are more than memory can address. */
#include <stdbool.h>
#include <stdint.h>

#include "base/hd.h"

__extension__ typedef __int128 GridCount;

enum { COMBINATION_MOST = 64 };

/* The sum of min(max(i + offset, 0), cols) for the first rows i. */
TOCHA_HD GridCount grid_below(int64_t rows, int64_t cols, int64_t offset) {
    int64_t first = offset < 0 ? -offset : 0, end = cols - offset;
    first = first < rows ? first : rows;
    end = end < first ? first : end < rows ? end : rows;
    GridCount part = end - first;
    return part * (2 * (GridCount)offset + first + end - 1) / 2 + (GridCount)(rows - end) * cols;
}

/* How many of a triangle's elements are in the first rows; |offset| is at most the matrix's size.
 */
TOCHA_HD GridCount triangle_before(int64_t rows, int64_t cols, int64_t offset, bool upper) {
    return upper ? (GridCount)rows * cols - grid_below(rows, cols, offset)
                 : grid_below(rows, cols, offset + 1);
}

/* Elements of the triangle of a matrix below (upper: above) the diagonal offset places to the
 * right, with it. */
int64_t triangle_count(int64_t rows, int64_t cols, int64_t offset, bool upper);
/* The columns of row i that belong to it: from first on, count of them. */
TOCHA_HD void triangle_row(int64_t i, int64_t cols, int64_t offset, bool upper, int64_t *first,
                           int64_t *count) {
    int64_t edge = i + offset + !upper;
    edge = edge < 0 ? 0 : edge > cols ? cols : edge;
    *first = upper ? edge : 0;
    *count = upper ? cols - edge : edge;
}
/* Ways to choose r of n. */
int64_t combination_count(int64_t n, int64_t r, bool with_replacement);
#endif
