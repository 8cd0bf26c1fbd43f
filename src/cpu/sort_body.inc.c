/* Sorting and selecting entries of type T by KEY(t); LESS(a, b) compares two of them, and BEFORE(a,
 * b) those of equal keys by place. All that is done keeps entries of equal keys in their order. */

static void NAME(insert)(T *x, int64_t n) {
    for (int64_t i = 1; i < n; i++) {
        T v = x[i];
        int64_t j = i;
        for (; j > 0 && LESS(v, x[j - 1]); j--) {
            x[j] = x[j - 1];
        }
        x[j] = v;
    }
}

static void NAME(merge)(const T *x, int64_t middle, int64_t n, T *to) {
    int64_t a = 0, b = middle, i = 0;
    while (a < middle && b < n) {
        bool second = LESS(x[b], x[a]);
        to[i++] = second ? x[b] : x[a];
        a += !second;
        b += second;
    }
    memcpy(to + i, x + a, (size_t)(middle - a) * sizeof *x);
    memcpy(to + i + middle - a, x + b, (size_t)(n - b) * sizeof *x);
}

static T *NAME(sort_by_merging)(T *x, T *tmp, int64_t n) {
    for (int64_t i = 0; i < n; i += RUN) {
        NAME(insert)(x + i, n - i < RUN ? n - i : RUN);
    }
    for (int64_t run = RUN; run < n; run *= 2) {
        for (int64_t i = 0; i < n; i += 2 * run) {
            int64_t rest = n - i;
            NAME(merge)
            (x + i, rest < run ? rest : run, rest < 2 * run ? rest : 2 * run, tmp + i);
        }
        T *swap = x;
        x = tmp;
        tmp = swap;
    }
    return x;
}

/* Turns counts into where each digit's entries start; false where one digit has them all. */
static bool NAME(starts)(int64_t *count, int64_t values, int64_t n) {
    int64_t at = 0;
    for (int64_t v = 0; v < values; v++) {
        int64_t c = count[v];
        if (c == n) {
            return false;
        }
        count[v] = at;
        at += c;
    }
    return true;
}

static T *NAME(sort_by_digits)(T *x, T *tmp, int64_t n, int passes, int digit) {
    int64_t count[MAX_PASSES][MAX_DIGIT_VALUES];
    uint64_t values = UINT64_C(1) << digit;
    for (int p = 0; p < passes; p++) {
        memset(count[p], 0, values * sizeof **count);
    }
    for (int64_t i = 0; i < n; i++) {
        uint64_t key = KEY(x[i]);
        for (int p = 0; p < passes; p++) {
            count[p][key >> p * digit & (values - 1)]++;
        }
    }
    for (int p = 0; p < passes; p++) {
        if (!NAME(starts)(count[p], (int64_t)values, n)) {
            continue;
        }
        for (int64_t i = 0; i < n; i++) {
            tmp[count[p][KEY(x[i]) >> p * digit & (values - 1)]++] = x[i];
        }
        T *swap = x;
        x = tmp;
        tmp = swap;
    }
    return x;
}

/* How many low bits the keys need to be told apart. */
static int NAME(bits_used)(const T *x, int64_t n) {
    uint64_t first = KEY(x[0]), differ = 0;
    for (int64_t i = 1; i < n; i++) {
        differ |= KEY(x[i]) ^ first;
    }
    return differ ? 64 - __builtin_clzll(differ) : 0;
}

T *NAME(sort)(T *x, T *tmp, int64_t n, int bits) {
    int used = n > 1 ? NAME(bits_used)(x, n) : 0;
    bits = used < bits ? used : bits;
    if (bits == 0) {
        return x;
    }
    int digit = bits <= 16 ? 8 : DIGIT, passes = (bits + digit - 1) / digit;
    return n > RADIX_FROM * passes ? NAME(sort_by_digits)(x, tmp, n, passes, digit)
                                   : NAME(sort_by_merging)(x, tmp, n);
}

static T NAME(middle)(T a, T b, T c) {
    T low = BEFORE(b, a) ? b : a, high = BEFORE(b, a) ? a : b;
    return BEFORE(c, low) ? low : BEFORE(high, c) ? high : c;
}

/* The entry of rank k among few: those on the other side of a pivot drop out. */
static T NAME(select_by_pivots)(T *x, int64_t n, int64_t k) {
    while (true) {
        T pivot = NAME(middle)(x[0], x[n / 2], x[n - 1]);
        int64_t before = 0, kept = 0;
        for (int64_t i = 0; i < n; i++) {
            before += BEFORE(x[i], pivot);
        }
        if (k == before) {
            return pivot;
        }
        bool low = k < before;
        for (int64_t i = 0; i < n; i++) {
            T v = x[i];
            x[kept] = v;
            kept += low ? BEFORE(v, pivot) : BEFORE(pivot, v);
        }
        k -= low ? 0 : before + 1;
        n = kept;
    }
}

T NAME(select)(T *x, int64_t n, int64_t k, int bits) {
    int64_t count[MAX_DIGIT_VALUES];
    while (n > SELECT_BY_PIVOTS && bits > 0) {
        int digit = bits < DIGIT ? bits : DIGIT;
        uint64_t mask = (UINT64_C(1) << digit) - 1, wanted = 0;
        bits -= digit;
        memset(count, 0, (mask + 1) * sizeof *count);
        for (int64_t i = 0; i < n; i++) {
            count[KEY(x[i]) >> bits & mask]++;
        }
        while (k >= count[wanted]) {
            k -= count[wanted++];
        }
        int64_t kept = 0;
        for (int64_t i = 0; i < n; i++) {
            T v = x[i];
            x[kept] = v;
            kept += (KEY(v) >> bits & mask) == wanted;
        }
        n = kept;
    }
    return n <= SELECT_BY_PIVOTS ? NAME(select_by_pivots)(x, n, k) : x[k];
}

int64_t NAME(insert_best)(T *best, int64_t n, int64_t k, const T *x, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        if (n == k && !LESS(x[i], best[k - 1])) {
            continue;
        }
        n += n < k;
        int64_t j = n - 1;
        for (; j > 0 && LESS(x[i], best[j - 1]); j--) {
            best[j] = best[j - 1];
        }
        best[j] = x[i];
    }
    return n;
}
