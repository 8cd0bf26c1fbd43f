/* Cross entropy for one compute type T; NAME(max_...) of block_pick.inc.c has largest elements. */

enum { NAME(most) = 1024 };

static double NAME(lse)(const void *logits, int64_t n) {
    const T *x = logits;
    T e[NAME(most)];
    if (n == 0) {
        return -INFINITY;
    }
    T max = NAME(max_block)(x, n);
    if (max == (T)INFINITY || max == -(T)INFINITY || max != max) {
        return (double)max;
    }
    double sum = 0;
    for (int64_t i = 0; i < n; i += NAME(most)) {
        int64_t m = n - i < NAME(most) ? n - i : NAME(most);
        for (int64_t k = 0; k < m; k++) e[k] = EXP(x[i + k] - max);
        sum += NAME(sum_block)(e, m);
    }
    return (double)max + log(sum);
}

static double NAME(loss)(const CrossEntropyRow *r) {
    const T *x = r->x, *w = r->weight;
    double sum = 0;
    for (int64_t c = 0; r->even != 0 && c < r->n; c++) {
        sum += (w ? (double)w[c] : 1) * (r->lse - (double)x[c]);
    }
    double own = r->own == 0 ? 0 : r->own * (r->lse - (double)x[r->class]);
    return own + (r->even == 0 ? 0 : r->even * sum);
}

static void NAME(back)(const CrossEntropyRow *r, double g, void *to) {
    const T *x = r->x, *w = r->weight;
    T *restrict out = to;
    /* lse in two parts, of which the large one goes off exactly. */
    T high = (T)r->lse, low = (T)(r->lse - (double)high), scale = (T)(g * r->all);
    low = low == low ? low : 0; /* inf - inf */
    for (int64_t c = 0; c < r->n; c++) out[c] = scale * EXP((x[c] - high) - low);
    T even = (T)(g * r->even);
    for (int64_t c = 0; r->even != 0 && c < r->n; c++) out[c] -= w ? even * w[c] : even;
    out[r->class] -= (T)(g * r->own);
}
