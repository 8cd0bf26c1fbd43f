/* Searching rows of type T, which LOAD converts elements to. */

/* How many of the n ascending s come before v, or with right before or beside it. */
static int64_t NAME(find)(const T *s, int64_t n, T v, bool right) {
    const T *base = s;
    while (n > 1) {
        int64_t half = n / 2;
        bool before = right ? !(base[half - 1] > v) : !(base[half - 1] >= v);
        base += before ? half : 0;
        n -= half;
    }
    bool before = n == 1 && (right ? !(*base > v) : !(*base >= v));
    return base - s + before;
}

static void NAME(search)(const Search *s, const void *row, const void *x, int64_t n,
                         int64_t *found) {
    T buf[SEARCH_BLOCK];
    const T *v = LOAD(x, s->input->dtype, s->input_step, n, buf);
    for (int64_t i = 0; i < n; i++) {
        found[i] = NAME(find)(row, s->length, v[i], s->right) + INDEX_BASE;
    }
}

/* The sequence's rows one behind the other, each in the order that the sorter tells. */
static void NAME(gather)(const Search *s, const View *sequence, const View *sorter, void *to) {
    T *row = to, *tmp = row + sequence->numel;
    int64_t step = last_stride(sequence), size = (int64_t)dtype_size(sequence->dtype);
    for (int64_t i = 0; i < sequence->numel; i += s->length, row += s->length) {
        const char *from = sequence->data;
        from += row_offset(sequence, i / s->length) * size;
        const T *x = LOAD(from, sequence->dtype, step, s->length, tmp);
        if (sorter->dtype == DT_NONE) {
            memcpy(row, x, (size_t)s->length * sizeof *row);
            continue;
        }
        const int64_t *order = sorter->data;
        order += row_offset(sorter, i / s->length);
        for (int64_t k = 0; k < s->length; k++) {
            row[k] = x[order[k * last_stride(sorter)] - INDEX_BASE];
        }
    }
}
