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

static void NAME(exps)(const T *restrict x, int64_t n, T max, T *restrict e) {
    for (int64_t i = 0; i < n; i++) e[i] = EXP(x[i] - max);
}

/* The sum of e^(x - max). The exponentials go to all, or where all is NULL the last block's to e.
 */
static double NAME(exp_sum)(const void *x, const SoftmaxRun *r, T max, T *e, T *all) {
    T buf[SOFTMAX_BLOCK];
    double sum = 0;
    for (int64_t i = 0; i < r->size; i += SOFTMAX_BLOCK) {
        int64_t n = NAME(block_size)(r->size - i);
        const T *b = LOAD(load_at(x, i * r->step[1], r->dtype), r->dtype, r->step[1], n, buf);
        T *to = all ? all + i : e;
        NAME(exps)(b, n, max, to);
        sum += NAME(sum_block)(to, n);
    }
    return sum;
}

/* A block of results into e, from the elements b. */
static void NAME(finish_block)(const T *b, int64_t n, bool log, T max, T log_sum, T scale, T *e) {
    if (log) {
        for (int64_t k = 0; k < n; k++) e[k] = (b[k] - max) - log_sum;
    } else {
        NAME(exps)(b, n, max, e);
        for (int64_t k = 0; k < n; k++) e[k] *= scale;
    }
}

static void NAME(forward_column)(const void *x, void *out, const SoftmaxRun *r) {
    T buf[SOFTMAX_BLOCK], e[SOFTMAX_BLOCK], max = NAME(column_max)(x, r);
    bool direct = r->step[0] == 1 && !r->log && dtype_size(r->dtype) == sizeof(T);
    T *all = direct ? out : NULL;
    double sum = NAME(exp_sum)(x, r, max, e, all);
    T log_sum = LOG((T)sum), scale = (T)(1 / sum);
    if (all) {
        for (int64_t k = 0; k < r->size; k++) all[k] *= scale;
        return;
    }
    for (int64_t i = 0; i < r->size; i += SOFTMAX_BLOCK) {
        int64_t n = NAME(block_size)(r->size - i);
        const T *b = LOAD(load_at(x, i * r->step[1], r->dtype), r->dtype, r->step[1], n, buf);
        NAME(finish_block)(b, n, r->log, max, log_sum, scale, e);
        STORE((char *)out + i * r->step[0] * (int64_t)dtype_size(r->dtype), r->dtype, r->step[0], n,
              e);
    }
}

/* The common case: at most a block, read and written where it stands. */
static void NAME(forward_short)(const T *x, T *restrict out, int64_t n, bool log) {
    T max = NAME(max_block)(x, n);
    NAME(exps)(x, n, max, out);
    double sum = NAME(sum_block)(out, n);
    if (log) {
        T log_sum = LOG((T)sum);
        for (int64_t k = 0; k < n; k++) out[k] = (x[k] - max) - log_sum;
    } else {
        T scale = (T)(1 / sum);
        for (int64_t k = 0; k < n; k++) out[k] *= scale;
    }
}

/* Several short columns without gaps: the exponentials of all are one long loop. */
static void NAME(forward_shorts)(const T *x, T *restrict out, int64_t n, int64_t cols, bool log) {
    T buf[SOFTMAX_BLOCK], *e = log ? buf : out;
    for (int64_t c = 0; c < cols; c++) {
        T max = NAME(max_block)(x + c * n, n);
        for (int64_t k = 0; k < n; k++) out[c * n + k] = x[c * n + k] - max;
    }
    for (int64_t k = 0; k < n * cols; k++) e[k] = EXP(out[k]);
    for (int64_t c = 0; c < cols; c++) {
        double sum = NAME(sum_block)(e + c * n, n);
        T log_sum = log ? LOG((T)sum) : 0, scale = log ? 1 : (T)(1 / sum);
        for (int64_t k = 0; log && k < n; k++) out[c * n + k] -= log_sum;
        for (int64_t k = 0; !log && k < n; k++) out[c * n + k] *= scale;
    }
}

static bool NAME(run_shorts)(const SoftmaxRun *r) {
    enum { SHORT = 128 };
    if (r->size > SHORT || r->col_step[0] != r->size || r->col_step[1] != r->size) {
        return false;
    }
    int64_t most = SOFTMAX_BLOCK / r->size;
    for (int64_t c = 0; c < r->cols; c += most) {
        int64_t cols = r->cols - c < most ? r->cols - c : most;
        NAME(forward_shorts)
        ((const T *)r->x + c * r->size, (T *)r->out + c * r->size, r->size, cols, r->log);
    }
    return true;
}

static void NAME(forward_along)(const SoftmaxRun *r) {
    bool direct = r->step[0] == 1 && r->step[1] == 1 && r->size <= SOFTMAX_BLOCK &&
                  dtype_size(r->dtype) == sizeof(T);
    if (direct && NAME(run_shorts)(r)) {
        return;
    }
    for (int64_t c = 0; c < r->cols; c++) {
        const void *x = load_at(r->x, c * r->col_step[1], r->dtype);
        void *out = (char *)r->out + c * r->col_step[0] * (int64_t)dtype_size(r->dtype);
        if (direct) {
            NAME(forward_short)(x, out, r->size, r->log);
        } else {
            NAME(forward_column)(x, out, r);
        }
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

/* Where row i of the result can be computed in place, else buf. */
static T *NAME(result_row)(const SoftmaxRun *r, int64_t i, T *buf) {
    bool direct = r->col_step[0] == 1 && dtype_size(r->dtype) == sizeof(T);
    return direct ? (T *)r->out + i * r->step[0] : buf;
}

/* The largest of each column, and the sum of its exponentials; those go to the result where they
 * can stand there. */
static void NAME(column_sums)(const SoftmaxRun *r, T *max, double *sum) {
    T buf[SOFTMAX_TILE], row[SOFTMAX_TILE];
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
        T *restrict e = NAME(result_row)(r, i, row);
        for (int64_t c = 0; c < cols; c++) e[c] = EXP(x[c] - max[c]);
        for (int64_t c = 0; c < cols; c++) sum[c] += (double)e[c];
    }
}

static void NAME(forward_across)(const SoftmaxRun *r) {
    T buf[SOFTMAX_TILE], row[SOFTMAX_TILE], max[SOFTMAX_TILE], scale[SOFTMAX_TILE];
    double sum[SOFTMAX_TILE];
    int64_t cols = r->cols;
    NAME(column_sums)(r, max, sum);
    for (int64_t c = 0; c < cols; c++) scale[c] = r->log ? LOG((T)sum[c]) : (T)(1 / sum[c]);
    for (int64_t i = 0; i < r->size; i++) {
        T *restrict e = NAME(result_row)(r, i, row);
        if (!r->log && e != row) {
            for (int64_t c = 0; c < cols; c++) e[c] *= scale[c];
            continue;
        }
        const T *x = NAME(row)(r, 1, i, buf);
        if (r->log) {
            for (int64_t c = 0; c < cols; c++) e[c] = (x[c] - max[c]) - scale[c];
        } else {
            for (int64_t c = 0; c < cols; c++) e[c] = EXP(x[c] - max[c]) * scale[c];
        }
        if (e == row) {
            NAME(store_row)(r, i, e);
        }
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
