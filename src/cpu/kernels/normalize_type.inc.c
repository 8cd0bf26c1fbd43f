/* standardize for one compute type T. */

static int64_t NAME(row_at)(const NormRun *r, int64_t row) {
    return row / r->period * r->outer + row % r->period * r->inner;
}

static int64_t NAME(block_of)(int64_t left) { return left < NORM_BLOCK ? left : NORM_BLOCK; }

static double NAME(sum_run)(const T *x, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i += NORM_BLOCK) {
        sum += NAME(sum_block)(x + i, NAME(block_of)(n - i));
    }
    return sum;
}

static double NAME(squares_run)(const T *x, int64_t n, T mean) {
    T buf[NORM_BLOCK];
    double sum = 0;
    for (int64_t i = 0; i < n; i += NORM_BLOCK) {
        int64_t m = NAME(block_of)(n - i);
        for (int64_t k = 0; k < m; k++) buf[k] = (x[i + k] - mean) * (x[i + k] - mean);
        sum += NAME(sum_block)(buf, m);
    }
    return sum;
}

/* Segments without gaps between them count as one for the statistics. */
static void NAME(statistics)(const NormRun *r, const T *x, T *mean, T *rstd) {
    bool whole = r->step == r->span;
    int64_t segments = whole ? 1 : r->segments, span = whole ? r->span * r->segments : r->span;
    double n = (double)segments * (double)span, sum = 0;
    for (int64_t k = 0; r->center && k < segments; k++) {
        sum += NAME(sum_run)(x + k * r->step, span);
    }
    *mean = (T)(sum / n);
    sum = 0;
    for (int64_t k = 0; k < segments; k++) {
        sum += NAME(squares_run)(x + k * r->step, span, *mean);
    }
    *rstd = (T)(1 / sqrt(sum / n + r->eps));
}

static void NAME(apply)(const T *x, T *restrict out, int64_t n, T mean, T scale, T shift) {
    for (int64_t i = 0; i < n; i++) out[i] = (x[i] - mean) * scale + shift;
}

static void NAME(apply_each)(const T *x, T *restrict out, int64_t n, T mean, T rstd, const T *w,
                             const T *b) {
    if (w && b) {
        for (int64_t i = 0; i < n; i++) out[i] = (x[i] - mean) * rstd * w[i] + b[i];
    } else if (w) {
        for (int64_t i = 0; i < n; i++) out[i] = (x[i] - mean) * rstd * w[i];
    } else {
        for (int64_t i = 0; i < n; i++) out[i] = (x[i] - mean) * rstd + (b ? b[i] : 0);
    }
}

static void NAME(forward)(const NormRun *r, int64_t first, int64_t end) {
    const T *weight = r->weight, *bias = r->bias;
    T *means = r->mean, *rstds = r->rstd;
    for (int64_t row = first; row < end; row++) {
        int64_t at = NAME(row_at)(r, row), w = row % r->period * r->weight_row;
        const T *x = (const T *)r->x + at;
        T *out = (T *)r->out + at, mean, rstd;
        NAME(statistics)(r, x, &mean, &rstd);
        means[row] = mean;
        rstds[row] = rstd;
        for (int64_t k = 0; k < r->segments; k++) {
            int64_t on = k * r->step, own = w + k * r->weight_step;
            if (r->each) {
                NAME(apply_each)
                (x + on, out + on, r->span, mean, rstd, weight ? weight + own : NULL,
                 bias ? bias + own : NULL);
            } else {
                NAME(apply)
                (x + on, out + on, r->span, mean, weight ? rstd * weight[own] : rstd,
                 bias ? bias[own] : 0);
            }
        }
    }
}

/* The sums of the gradient, and of the gradient times the normalised x, over a run. */
static void NAME(grad_sums)(const T *g, const T *x, int64_t n, T mean, T rstd, double *plain,
                            double *times) {
    T buf[NORM_BLOCK];
    double by_x = 0;
    for (int64_t i = 0; i < n; i += NORM_BLOCK) {
        int64_t m = NAME(block_of)(n - i);
        for (int64_t k = 0; k < m; k++) buf[k] = g[i + k] * ((x[i + k] - mean) * rstd);
        by_x += NAME(sum_block)(buf, m);
    }
    *plain = NAME(sum_run)(g, n);
    *times = by_x;
}

/* The same where every element has its weight; adds the weights' and biases' own gradients. */
static void NAME(grad_sums_each)(const T *g, const T *x, int64_t n, T mean, T rstd, const T *w,
                                 T *restrict weight_sums, T *restrict bias_sums, double *plain,
                                 double *times) {
    T buf[NORM_BLOCK], by_x[NORM_BLOCK];
    *plain = *times = 0;
    for (int64_t i = 0; i < n; i += NORM_BLOCK) {
        int64_t m = NAME(block_of)(n - i);
        for (int64_t k = 0; k < m; k++) {
            T normal = (x[i + k] - mean) * rstd;
            weight_sums[i + k] += g[i + k] * normal;
            bias_sums[i + k] += g[i + k];
            buf[k] = w ? g[i + k] * w[i + k] : g[i + k];
            by_x[k] = buf[k] * normal;
        }
        *plain += NAME(sum_block)(buf, m);
        *times += NAME(sum_block)(by_x, m);
    }
}

/* out = rstd * (weight * g - plain - normalised x * times), with the means plain and times. */
static void NAME(spread)(const T *g, const T *x, T *restrict out, int64_t n, T mean, T rstd, T w,
                         T plain, T times) {
    T slope = times * rstd;
    for (int64_t i = 0; i < n; i++) {
        out[i] = rstd * (w * g[i] - plain - (x[i] - mean) * slope);
    }
}

static void NAME(spread_each)(const T *g, const T *x, T *restrict out, int64_t n, T mean, T rstd,
                              const T *w, T plain, T times) {
    T slope = times * rstd;
    for (int64_t i = 0; i < n; i++) {
        out[i] = rstd * (w[i] * g[i] - plain - (x[i] - mean) * slope);
    }
}

/* One row; weight_sums and bias_sums are the row's own unless r->each. */
static void NAME(backward_row)(const NormRun *r, int64_t row, T *weight_sums, T *bias_sums) {
    int64_t at = NAME(row_at)(r, row), w = row % r->period * r->weight_row;
    const T *x = (const T *)r->x + at, *g = (const T *)r->grad + at, *weight = r->weight;
    T *out = (T *)r->out + at, mean = ((T *)r->mean)[row], rstd = ((T *)r->rstd)[row];
    double n = (double)r->segments * (double)r->span, plain = 0, times = 0;
    for (int64_t k = 0; k < r->segments; k++) {
        int64_t on = k * r->step, own = w + k * r->weight_step;
        double one, by_x;
        if (r->each) {
            NAME(grad_sums_each)
            (g + on, x + on, r->span, mean, rstd, weight ? weight + own : NULL, weight_sums,
             bias_sums, &one, &by_x);
        } else {
            NAME(grad_sums)(g + on, x + on, r->span, mean, rstd, &one, &by_x);
            weight_sums[k] = (T)by_x;
            bias_sums[k] = (T)one;
            one *= weight ? (double)weight[own] : 1;
            by_x *= weight ? (double)weight[own] : 1;
        }
        plain += one;
        times += by_x;
    }
    plain = r->center ? plain / n : 0;
    for (int64_t k = 0; k < r->segments; k++) {
        int64_t on = k * r->step, own = w + k * r->weight_step;
        if (r->each && weight) {
            NAME(spread_each)
            (g + on, x + on, out + on, r->span, mean, rstd, weight + own, (T)plain, (T)(times / n));
        } else {
            NAME(spread)
            (g + on, x + on, out + on, r->span, mean, rstd, weight ? weight[own] : 1, (T)plain,
             (T)(times / n));
        }
    }
}

static void NAME(backward)(const NormRun *r, int64_t first, int64_t end, void *weight_sums,
                           void *bias_sums) {
    for (int64_t row = first; row < end; row++) {
        int64_t own = r->each ? 0 : row * r->segments;
        NAME(backward_row)(r, row, (T *)weight_sums + own, (T *)bias_sums + own);
    }
}

/* Rows first to end, at most NORM_TILE, as columns of a matrix of r->segments lines. */
static void NAME(forward_across)(const NormRun *r, int64_t first, int64_t end) {
    const T *weight = r->weight, *bias = r->bias;
    const T *x = (const T *)r->x + first;
    T *out = (T *)r->out + first, *means = (T *)r->mean + first, *rstds = (T *)r->rstd + first;
    T scale[NORM_TILE], shift[NORM_TILE];
    double sum[NORM_TILE] = {0};
    int64_t cols = end - first, n = r->segments;
    for (int64_t k = 0; k < n; k++) {
        for (int64_t c = 0; c < cols; c++) sum[c] += (double)x[k * r->step + c];
    }
    for (int64_t c = 0; c < cols; c++) {
        means[c] = r->center ? (T)(sum[c] / (double)n) : 0;
        sum[c] = 0;
    }
    for (int64_t k = 0; k < n; k++) {
        for (int64_t c = 0; c < cols; c++) {
            double d = (double)(x[k * r->step + c] - means[c]);
            sum[c] += d * d;
        }
    }
    for (int64_t c = 0; c < cols; c++) {
        rstds[c] = (T)(1 / sqrt(sum[c] / (double)n + r->eps));
        scale[c] = weight ? rstds[c] * weight[first + c] : rstds[c];
        shift[c] = bias ? bias[first + c] : 0;
    }
    for (int64_t k = 0; k < n; k++) {
        for (int64_t c = 0; c < cols; c++) {
            out[k * r->step + c] = (x[k * r->step + c] - means[c]) * scale[c] + shift[c];
        }
    }
}

/* The same; weight_sums and bias_sums have one entry a row. */
static void NAME(backward_across)(const NormRun *r, int64_t first, int64_t end, void *weight_sums,
                                  void *bias_sums) {
    const T *weight = r->weight, *x = (const T *)r->x + first, *g = (const T *)r->grad + first;
    const T *means = (const T *)r->mean + first, *rstds = (const T *)r->rstd + first;
    T *out = (T *)r->out + first, w[NORM_TILE], even[NORM_TILE], slope[NORM_TILE];
    double plain[NORM_TILE] = {0}, times[NORM_TILE] = {0};
    int64_t cols = end - first, n = r->segments;
    for (int64_t k = 0; k < n; k++) {
        for (int64_t c = 0; c < cols; c++) {
            T one = g[k * r->step + c], normal = (x[k * r->step + c] - means[c]) * rstds[c];
            plain[c] += (double)one;
            times[c] += (double)(one * normal);
        }
    }
    for (int64_t c = 0; c < cols; c++) {
        ((T *)weight_sums)[first + c] = (T)times[c];
        ((T *)bias_sums)[first + c] = (T)plain[c];
        w[c] = weight ? weight[first + c] : 1;
        even[c] = r->center ? (T)(plain[c] / (double)n) * w[c] : 0;
        slope[c] = (T)(times[c] / (double)n) * w[c] * rstds[c];
    }
    for (int64_t k = 0; k < n; k++) {
        for (int64_t c = 0; c < cols; c++) {
            int64_t i = k * r->step + c;
            out[i] = rstds[c] * (w[c] * g[i] - even[c] - (x[i] - means[c]) * slope[c]);
        }
    }
}

static void NAME(fold)(const void *from, int64_t parts, int64_t part_step, int64_t step, int64_t n,
                       void *to) {
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t p = 0; p < parts; p++) {
            sum += (double)((const T *)from)[p * part_step + i * step];
        }
        ((T *)to)[i] = (T)sum;
    }
}
