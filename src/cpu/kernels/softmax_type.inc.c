/* Softmax for one compute type. The includer defines T, EXP, LOG, LOAD, STORE and NAME besides what
 * the block_*.inc.c ask for; NAME(max_...) has largest elements. */

static int64_t NAME(block_size)(int64_t left) {
    return left < SOFTMAX_BLOCK ? left : SOFTMAX_BLOCK;
}

static T NAME(column_max)(const void *x, const SoftmaxRun *r) {
    T buf[SOFTMAX_BLOCK], best = -(T)INFINITY;
    for (int64_t i = 0; i < r->size; i += SOFTMAX_BLOCK) {
        int64_t n = NAME(block_size)(r->size - i);
        const T *b = LOAD(load_at(x, i * r->step[1], r->dtype), r->dtype, r->step[1], n, buf);
        T m = NAME(max_block)(b, n);
        best = NAME(max_better)(m, best) ? m : best;
    }
    return best;
}

static void NAME(exps)(const T *x, int64_t n, T max, T *e) {
    for (int64_t i = 0; i < n; i++) e[i] = EXP(x[i] - max);
}

/* The sum of e^(x - max). The exponentials of the last block stay in e. */
static double NAME(exp_sum)(const void *x, const SoftmaxRun *r, T max, T *e) {
    T buf[SOFTMAX_BLOCK];
    double sum = 0;
    for (int64_t i = 0; i < r->size; i += SOFTMAX_BLOCK) {
        int64_t n = NAME(block_size)(r->size - i);
        NAME(exps)
        (LOAD(load_at(x, i * r->step[1], r->dtype), r->dtype, r->step[1], n, buf), n, max, e);
        sum += NAME(sum_block)(e, n);
    }
    return sum;
}

static void NAME(finish_column)(const void *x, void *out, const SoftmaxRun *r, T max, double sum,
                                T *e) {
    T buf[SOFTMAX_BLOCK], log_sum = (T)log(sum), scale = (T)(1 / sum);
    bool kept = r->size <= SOFTMAX_BLOCK && !r->log;
    for (int64_t i = 0; i < r->size; i += SOFTMAX_BLOCK) {
        int64_t n = NAME(block_size)(r->size - i);
        if (!kept) {
            const T *b = LOAD(load_at(x, i * r->step[1], r->dtype), r->dtype, r->step[1], n, buf);
            if (r->log) {
                for (int64_t k = 0; k < n; k++) e[k] = (b[k] - max) - log_sum;
            } else {
                NAME(exps)(b, n, max, e);
            }
        }
        if (!r->log) {
            for (int64_t k = 0; k < n; k++) e[k] *= scale;
        }
        STORE((char *)out + i * r->step[0] * (int64_t)dtype_size(r->dtype), r->dtype, r->step[0], n,
              e);
    }
}

static void NAME(forward_along)(const SoftmaxRun *r) {
    T e[SOFTMAX_BLOCK];
    for (int64_t c = 0; c < r->cols; c++) {
        const void *x = load_at(r->x, c * r->col_step[1], r->dtype);
        void *out = (char *)r->out + c * r->col_step[0] * (int64_t)dtype_size(r->dtype);
        T max = NAME(column_max)(x, r);
        double sum = NAME(exp_sum)(x, r, max, e);
        NAME(finish_column)(x, out, r, max, sum, e);
    }
}

/* Row i of operand k: one element of each column. */
static const T *NAME(row)(const SoftmaxRun *r, int k, int64_t i, T *buf) {
    const void *x = load_at(k == 1 ? r->x : r->y, i * r->step[k], r->dtype);
    return LOAD(x, r->dtype, r->col_step[k], r->cols, buf);
}

static void NAME(store_row)(const SoftmaxRun *r, int64_t i, const T *from) {
    STORE((char *)r->out + i * r->step[0] * (int64_t)dtype_size(r->dtype), r->dtype, r->col_step[0],
          r->cols, from);
}

static void NAME(forward_across)(const SoftmaxRun *r) {
    T buf[SOFTMAX_TILE], e[SOFTMAX_TILE], max[SOFTMAX_TILE], scale[SOFTMAX_TILE];
    double sum[SOFTMAX_TILE];
    int64_t cols = r->cols;
    for (int64_t c = 0; c < cols; c++) {
        max[c] = -(T)INFINITY;
        sum[c] = 0;
    }
    for (int64_t i = 0; i < r->size; i++) {
        const T *x = NAME(row)(r, 1, i, buf);
        for (int64_t c = 0; c < cols; c++) max[c] = (x[c] > max[c]) | NAN_OF(x[c]) ? x[c] : max[c];
    }
    for (int64_t i = 0; i < r->size; i++) {
        const T *x = NAME(row)(r, 1, i, buf);
        for (int64_t c = 0; c < cols; c++) e[c] = EXP(x[c] - max[c]);
        for (int64_t c = 0; c < cols; c++) sum[c] += (double)e[c];
    }
    for (int64_t c = 0; c < cols; c++) scale[c] = r->log ? LOG((T)sum[c]) : (T)(1 / sum[c]);
    for (int64_t i = 0; i < r->size; i++) {
        const T *x = NAME(row)(r, 1, i, buf);
        if (r->log) {
            for (int64_t c = 0; c < cols; c++) e[c] = (x[c] - max[c]) - scale[c];
        } else {
            for (int64_t c = 0; c < cols; c++) e[c] = EXP(x[c] - max[c]) * scale[c];
        }
        NAME(store_row)(r, i, e);
    }
}

/* out[i] from gradient g, output y and the column's sum: of g * y, or of g for log_softmax. */
static inline T NAME(backward_one)(T g, T y, T sum, bool log) {
    return log ? g - EXP(y) * sum : y * (g - sum);
}

static void NAME(backward_along)(const SoftmaxRun *r) {
    T gs[SOFTMAX_BLOCK], ys[SOFTMAX_BLOCK], e[SOFTMAX_BLOCK];
    int64_t bytes = (int64_t)dtype_size(r->dtype);
    for (int64_t c = 0; c < r->cols; c++) {
        const char *g_at = load_at(r->x, c * r->col_step[1], r->dtype);
        const char *y_at = load_at(r->y, c * r->col_step[2], r->dtype);
        char *out = (char *)r->out + c * r->col_step[0] * bytes;
        double total = 0;
        for (int64_t i = 0; i < r->size; i += SOFTMAX_BLOCK) {
            int64_t n = NAME(block_size)(r->size - i);
            const T *g = LOAD(g_at + i * r->step[1] * bytes, r->dtype, r->step[1], n, gs);
            if (!r->log) {
                const T *y = LOAD(y_at + i * r->step[2] * bytes, r->dtype, r->step[2], n, ys);
                for (int64_t k = 0; k < n; k++) e[k] = g[k] * y[k];
            }
            total += NAME(sum_block)(r->log ? g : e, n);
        }
        T sum = (T)total;
        for (int64_t i = 0; i < r->size; i += SOFTMAX_BLOCK) {
            int64_t n = NAME(block_size)(r->size - i);
            const T *g = LOAD(g_at + i * r->step[1] * bytes, r->dtype, r->step[1], n, gs);
            const T *y = LOAD(y_at + i * r->step[2] * bytes, r->dtype, r->step[2], n, ys);
            if (r->log) {
                for (int64_t k = 0; k < n; k++) e[k] = NAME(backward_one)(g[k], y[k], sum, true);
            } else {
                for (int64_t k = 0; k < n; k++) e[k] = NAME(backward_one)(g[k], y[k], sum, false);
            }
            STORE(out + i * r->step[0] * bytes, r->dtype, r->step[0], n, e);
        }
    }
}

static void NAME(backward_across)(const SoftmaxRun *r) {
    T gs[SOFTMAX_TILE], ys[SOFTMAX_TILE], e[SOFTMAX_TILE];
    double sum[SOFTMAX_TILE] = {0};
    int64_t cols = r->cols;
    for (int64_t i = 0; i < r->size; i++) {
        const T *g = NAME(row)(r, 1, i, gs);
        if (r->log) {
            for (int64_t c = 0; c < cols; c++) sum[c] += (double)g[c];
        } else {
            const T *y = NAME(row)(r, 2, i, ys);
            for (int64_t c = 0; c < cols; c++) sum[c] += (double)(g[c] * y[c]);
        }
    }
    for (int64_t i = 0; i < r->size; i++) {
        const T *g = NAME(row)(r, 1, i, gs), *y = NAME(row)(r, 2, i, ys);
        if (r->log) {
            for (int64_t c = 0; c < cols; c++) {
                e[c] = NAME(backward_one)(g[c], y[c], (T)sum[c], true);
            }
        } else {
            for (int64_t c = 0; c < cols; c++) {
                e[c] = NAME(backward_one)(g[c], y[c], (T)sum[c], false);
            }
        }
        NAME(store_row)(r, i, e);
    }
}
