/* Included by iter.c once per element size: T, a type of that size; NAME(x), which gives x_<size>.
 */

/* Copies a box of rows of n elements, dim 0 along a row and dim 1 across, to consecutive elements.
 * The direction in which elements stand closer together is walked innermost. Strides are in bytes.
 */
static void NAME(gather)(char *dst, const char *src, int64_t n, int64_t rows, int64_t stride0,
                         int64_t stride1) {
    T *out = (T *)dst;
    if (stride1 != 0 && distance(stride1) < distance(stride0)) {
        /* A few rows at a time, so that the cache lines written stay at hand until they are full.
         */
        for (int64_t first = 0; first < rows; first += GATHER_ROWS) {
            int64_t end = first + GATHER_ROWS < rows ? first + GATHER_ROWS : rows;
            for (int64_t i = 0; i < n; i++) {
                const char *from = src + i * stride0;
                for (int64_t j = first; j < end; j++) {
                    out[j * n + i] = *(const T *)(from + j * stride1);
                }
            }
        }
        return;
    }
    for (int64_t j = 0; j < rows; j++) {
        for (int64_t i = 0; i < n; i++) {
            out[j * n + i] = *(const T *)(src + i * stride0 + j * stride1);
        }
    }
}
