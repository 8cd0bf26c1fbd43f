/* Resampling of one element type T. A row of results is a row made of rows of the input, which
 * vectorises, and taken along its own axis then. */

/* The rows of the input that make row r, with the product of their weights; counted by k. */
static inline T NAME(row_weight)(const ResampleAxis *axis, int64_t r, int64_t k, int64_t *row) {
    int64_t z = r / axis[1].out, y = r % axis[1].out, rows = axis[1].count[y];
    int64_t at = axis[0].first[z] + k / rows * axis[0].step;
    int64_t below = axis[1].first[y] + k % rows * axis[1].step;
    *row = axis[0].index[at] * axis[1].in + axis[1].index[below];
    return ((const T *)axis[0].weight)[at] * ((const T *)axis[1].weight)[below];
}

static inline int64_t NAME(rows_of)(const ResampleAxis *axis, int64_t r) {
    return (int64_t)axis[0].count[r / axis[1].out] * axis[1].count[r % axis[1].out];
}

/* to = the sum of n rows. */
static void NAME(mix_rows)(const ResampleAxis *axis, const T *plane, int64_t r, int64_t n, T *to) {
    int64_t width = axis[2].in, row;
    for (int64_t k = 0; k < n; k += 2) {
        T a = NAME(row_weight)(axis, r, k, &row), b = 0;
        const T *x = plane + row * width, *y = x;
        if (k + 1 < n) {
            b = NAME(row_weight)(axis, r, k + 1, &row);
            y = plane + row * width;
        }
        if (k == 0 && n == 1) {
            for (int64_t i = 0; i < width; i++) to[i] = a * x[i];
        } else if (k == 0) {
            for (int64_t i = 0; i < width; i++) to[i] = a * x[i] + b * y[i];
        } else if (k + 1 < n) {
            for (int64_t i = 0; i < width; i++) to[i] += a * x[i] + b * y[i];
        } else {
            for (int64_t i = 0; i < width; i++) to[i] += a * x[i];
        }
    }
}

static inline __attribute__((always_inline)) void NAME(take)(const ResampleAxis *a, int taps,
                                                             const T *from, T *to) {
    const int32_t *index = a->index;
    const T *weight = a->weight;
    int64_t n = a->out;
    for (int64_t o = 0; o < n; o++) {
        T sum = weight[o] * from[index[o]];
        for (int t = 1; t < taps; t++) {
            sum += weight[t * n + o] * from[index[t * n + o]];
        }
        to[o] = sum;
    }
}

static void NAME(take_runs)(const ResampleAxis *a, const T *from, T *to) {
    for (int64_t o = 0; o < a->out; o++) {
        const T *w = (const T *)a->weight + a->first[o], *x = from + a->index[a->first[o]];
        T sum = 0;
        for (int32_t t = 0; t < a->count[o]; t++) {
            sum += w[t] * x[t];
        }
        to[o] = sum;
    }
}

static void NAME(take_row)(const ResampleAxis *a, const T *from, T *to) {
    if (a->same) {
        memcpy(to, from, (size_t)a->out * sizeof(T));
        return;
    }
    switch (a->taps) {
    case 0: NAME(take_runs)(a, from, to); break;
    case 1: NAME(take)(a, 1, from, to); break;
    case 2: NAME(take)(a, 2, from, to); break;
    default: NAME(take)(a, 4, from, to);
    }
}

static void NAME(forward)(const ResampleAxis *axis, const void *plane, int64_t r0, int64_t r1,
                          void *out, void *work) {
    const ResampleAxis *x = &axis[2];
    T *to = (T *)out + r0 * x->out;
    int64_t before = -1;
    for (int64_t r = r0; r < r1; r++, to += x->out) {
        int64_t n = NAME(rows_of)(axis, r), row;
        if (n == 1 && NAME(row_weight)(axis, r, 0, &row) == 1) {
            if (row == before) {
                memcpy(to, to - x->out, (size_t)x->out * sizeof(T));
            } else {
                NAME(take_row)(x, (const T *)plane + row * x->in, to);
            }
            before = row;
            continue;
        }
        before = -1;
        NAME(mix_rows)(axis, plane, r, n, x->same ? to : work);
        if (!x->same) {
            NAME(take_row)(x, work, to);
        }
    }
}

/* The transposed map of a row. */
static void NAME(send_row)(const ResampleAxis *a, const T *grad, T *to) {
    memset(to, 0, (size_t)a->in * sizeof(T));
    for (int64_t o = 0; o < a->out; o++) {
        for (int32_t t = 0; t < a->count[o]; t++) {
            int64_t at = a->first[o] + t * a->step;
            to[a->index[at]] += ((const T *)a->weight)[at] * grad[o];
        }
    }
}

static void NAME(backward)(const ResampleAxis *axis, const void *grad, void *plane, void *work) {
    const ResampleAxis *x = &axis[2];
    const T *from = grad;
    for (int64_t r = 0; r < axis[0].out * axis[1].out; r++, from += x->out) {
        const T *sent = from;
        if (!x->same) {
            NAME(send_row)(x, from, work);
            sent = work;
        }
        int64_t n = NAME(rows_of)(axis, r), row;
        for (int64_t k = 0; k < n; k++) {
            T w = NAME(row_weight)(axis, r, k, &row);
            T *to = (T *)plane + row * x->in;
            for (int64_t i = 0; i < x->in; i++) to[i] += w * sent[i];
        }
    }
}
