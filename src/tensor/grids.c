#include "tensor/grids.h"

static const __int128 most = INT64_MAX / 64;

static int64_t bounded(__int128 n) { return n > most ? -1 : (int64_t)n; }

int64_t triangle_count(int64_t rows, int64_t cols, int64_t offset, bool upper) {
    if (rows > most || cols > most) {
        return rows == 0 || cols == 0 ? 0 : -1;
    }
    offset = offset < -rows ? -rows : offset > cols ? cols : offset;
    return bounded(triangle_before(rows, cols, offset, upper));
}

int64_t combination_count(int64_t n, int64_t r, bool with_replacement) {
    __int128 from = n, count = 1;
    if (with_replacement && n > 0) {
        from += r - 1;
    }
    if (r == 0 || from < r) {
        return 0;
    }
    for (int64_t k = 1; k <= r; k++) {
        count = count * (from - r + k) / k;
        if (count > most) {
            return -1;
        }
    }
    return (int64_t)count * r > most ? -1 : (int64_t)count;
}
