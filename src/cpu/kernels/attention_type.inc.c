/* Attention's tiles for one compute type T, whose functions are EXP and LOG. */

enum { NAME(width) = 2 * VECTOR_BYTES / sizeof(T) };

static void NAME(mask)(void *tile, int64_t keys, int64_t queries, const AttentionMask *m) {
    T *s = tile;
    const T *bias = m->bias;
    for (int64_t k = 0; bias && k < keys; k++) {
        for (int64_t c = 0; c < queries; c++) {
            s[k * NAME(width) + c] += bias[c * m->query_step + k * m->key_step];
        }
    }
    for (int64_t k = 0; m->causal && k < keys; k++) {
        int64_t hidden = k - m->ahead < queries ? k - m->ahead : queries;
        for (int64_t c = 0; c < hidden; c++) s[k * NAME(width) + c] = -(T)INFINITY;
    }
}

static void NAME(start)(const AttentionState *state) {
    for (int c = 0; c < NAME(width); c++) {
        ((T *)state->max)[c] = -(T)INFINITY;
        ((T *)state->sum)[c] = 0;
    }
}

static void NAME(weigh)(void *tile, int64_t keys, const AttentionState *state) {
    T *restrict s = tile, *old = state->max, *sum = state->sum, *factor = state->factor;
    T max[NAME(width)], safe[NAME(width)], fresh[NAME(width)];
    for (int c = 0; c < NAME(width); c++) max[c] = old[c];
    for (int64_t k = 0; k < keys; k++) {
        for (int c = 0; c < NAME(width); c++) {
            T x = s[k * NAME(width) + c];
            max[c] = x > max[c] ? x : max[c];
        }
    }
    for (int c = 0; c < NAME(width); c++) {
        /* Where nothing was seen yet: e^(-inf - 0) is 0. */
        safe[c] = max[c] == -(T)INFINITY ? 0 : max[c];
        factor[c] = EXP(old[c] - safe[c]);
        fresh[c] = 0;
        old[c] = max[c];
    }
    for (int64_t k = 0; k < keys; k++) {
        for (int c = 0; c < NAME(width); c++) {
            T e = EXP(s[k * NAME(width) + c] - safe[c]);
            s[k * NAME(width) + c] = e;
            fresh[c] += e;
        }
    }
    for (int c = 0; c < NAME(width); c++) sum[c] = sum[c] * factor[c] + fresh[c];
}

static void NAME(shrink)(void *result, int64_t n, const AttentionState *state) {
    T *restrict r = result;
    const T *factor = state->factor;
    for (int64_t i = 0; i < n; i++) {
        for (int c = 0; c < NAME(width); c++) r[i * NAME(width) + c] *= factor[c];
    }
}

static void NAME(finish)(const void *result, int64_t n, int64_t queries,
                         const AttentionState *state, void *out, void *lse) {
    const T *r = result, *sum = state->sum, *max = state->max;
    for (int64_t c = 0; c < queries; c++) {
        T scale = sum[c] == 0 ? 0 : 1 / sum[c], *to = (T *)out + c * n;
        for (int64_t i = 0; i < n; i++) to[i] = scale == 0 ? 0 : r[i * NAME(width) + c] * scale;
        ((T *)lse)[c] = max[c] + LOG(sum[c]);
    }
}

static void NAME(subtrahend)(const void *grad, const void *output, const void *lse_grad, int64_t n,
                             int64_t queries, void *delta) {
    for (int64_t c = 0; c < queries; c++) {
        const T *g = (const T *)grad + c * n, *o = (const T *)output + c * n;
        T part[NAME(width)] = {0}, sum = 0;
        int64_t i = 0;
        for (; i + NAME(width) <= n; i += NAME(width)) {
            for (int p = 0; p < NAME(width); p++) part[p] += g[i + p] * o[i + p];
        }
        for (; i < n; i++) sum += g[i] * o[i];
        for (int p = 0; p < NAME(width); p++) sum += part[p];
        ((T *)delta)[c] = lse_grad ? sum - ((const T *)lse_grad)[c] : sum;
    }
}

static void NAME(back)(void *tile, void *grad, int64_t keys, int64_t queries, const void *lse,
                       const void *delta) {
    T *restrict s = tile, *restrict g = grad, l[NAME(width)], d[NAME(width)];
    for (int c = 0; c < NAME(width); c++) {
        T of_query = c < queries ? ((const T *)lse)[c] : 0;
        l[c] = of_query == -(T)INFINITY ? 0 : of_query;
        d[c] = c < queries ? ((const T *)delta)[c] : 0;
    }
    for (int64_t k = 0; k < keys; k++) {
        for (int c = 0; c < NAME(width); c++) {
            int64_t at = k * NAME(width) + c;
            s[at] = EXP(s[at] - l[c]);
            g[at] = s[at] * (g[at] - d[c]);
        }
    }
}

static void NAME(add_turned)(const void *from, int64_t n, int64_t queries, void *out) {
    for (int64_t c = 0; c < queries; c++) {
        T *to = (T *)out + c * n;
        for (int64_t i = 0; i < n; i++) to[i] += ((const T *)from)[i * NAME(width) + c];
    }
}
