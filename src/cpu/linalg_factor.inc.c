/* LU, Cholesky, QR and triangular systems for one type. NUMBER is what determinants are reckoned
 * in, PART the type of absolute values; RE, LENGTH and UNIT are a number's real part, absolute
 * value and sign. */
#include "cpu/linalg_typed.inc.c"

static MatrixState NAME(invert)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    const LAPACK *la = LOAD();
    int n = b->n, info = 0, *pivots;
    REAL *a = NAME(take)(&scratch, (int64_t)n * n), *work = NAME(take)(&scratch, b->lwork);
    pivots = NAME(take_ints)(&scratch, n);
    NAME(load)(a, n, b, &c->in[0], i);
    la->getrf(&n, &n, a, &n, pivots, &info);
    if (info == 0) {
        la->getri(&n, a, &n, pivots, work, &b->lwork, &info);
    }
    bool reports = c->n_out == 2;
    if (reports) {
        *(int32_t *)batch_at(b, &c->out[1], 0, i) = info;
    }
    for (int64_t k = 0; info && k < (int64_t)n * n; k++) {
        a[k] = (REAL)NAN;
    }
    NAME(store)(b, &c->out[0], i, a, n);
    return info && !(reports && !c->arg[1].b) ? MATRIX_SINGULAR : MATRIX_GOOD;
}

static bool NAME(run_inv)(const KernelCall *c) {
    const LAPACK *la = LOAD();
    Batch b = batch_of(c, &c->in[0], 2, NAME(invert));
    int64_t n = c->in[0].shape[c->in[0].dim - 1];
    if (!la || !matrix_sizes_fit(c, n, n, 0)) {
        return false;
    }
    b.n = (int)n;
    if (n == 0) {
        if (c->n_out == 2) {
            memset(c->out[1].data, 0, (size_t)c->out[1].numel * sizeof(int32_t));
        }
        return true;
    }
    REAL wanted = 1, none = 0;
    int query = -1, info, pivot = 0;
    la->getri(&b.n, &none, &b.n, &pivot, &wanted, &query, &info);
    b.cost = (double)n * (double)n * (double)n;
    return linalg_work(c, (double)wanted, &b.lwork) &&
           batch_run_in(&b, NAME(words)(n * n) + NAME(words)(b.lwork) + NAME(int_words)(n));
}

static MatrixState NAME(determinant)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    int n = b->n, info = 0, ld = n ? n : 1;
    REAL *a = NAME(take)(&scratch, (int64_t)n * n);
    int *pivots = NAME(take_ints)(&scratch, n);
    NAME(load)(a, n, b, &c->in[0], i);
    if (n) {
        LOAD()->getrf(&n, &n, a, &ld, pivots, &info);
    }
    NUMBER det = 1, sign = 1;
    double log_abs = 0;
    for (int64_t k = 0; k < n; k++) {
        NUMBER d = (NUMBER)a[k * n + k] * (pivots[k] == k + 1 ? 1 : -1);
        if (c->n_out == 1) {
            det *= d;
        } else {
            sign *= UNIT(d);
            log_abs += log(LENGTH(d));
        }
    }
    *(REAL *)batch_at(b, &c->out[0], 0, i) = (REAL)(c->n_out == 2 ? sign : det);
    if (c->n_out == 2) {
        *(PART *)batch_at(b, &c->out[1], 0, i) = (PART)log_abs;
    }
    return MATRIX_GOOD;
}

static bool NAME(run_det)(const KernelCall *c) {
    Batch b = batch_of(c, &c->in[0], 2, NAME(determinant));
    int64_t n = c->in[0].shape[c->in[0].dim - 1];
    if (!LOAD() || !matrix_sizes_fit(c, n, n, 0)) {
        return false;
    }
    b.n = (int)n;
    b.elements = NAME(words)(n * n) + NAME(int_words)(n);
    b.cost = (double)n * (double)n * (double)n;
    return batch_run(&b);
}

static MatrixState NAME(solve)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    int n = b->n, k = b->k, info = 0;
    REAL *a = NAME(take)(&scratch, (int64_t)n * n), *x = NAME(take)(&scratch, (int64_t)n * k);
    NAME(load)(a, n, b, &c->in[0], i);
    NAME(load)(x, n, b, &c->in[1], i);
    if (c->id == OP_solve_batched) {
        int *pivots = NAME(take_ints)(&scratch, n);
        LOAD()->getrf(&n, &n, a, &n, pivots, &info);
        if (info == 0) {
            LOAD()->getrs("N", &n, &k, a, &n, pivots, x, &n, &info, 1);
        }
    } else {
        LOAD()->trtrs(c->arg[2].b ? "U" : "L", "N", c->arg[3].b ? "U" : "N", &n, &k, a, &n, x, &n,
                      &info, 1, 1, 1);
    }
    if (info == 0) {
        NAME(store)(b, &c->out[0], i, x, n);
    }
    return info ? MATRIX_SINGULAR : MATRIX_GOOD;
}

static bool NAME(run_solve)(const KernelCall *c) {
    Batch b = batch_of(c, &c->out[0], 2, NAME(solve));
    const View *x = &c->out[0];
    int64_t n = x->shape[x->dim - 2], k = x->shape[x->dim - 1];
    if (!LOAD() || !matrix_sizes_fit(c, n, k, 0)) {
        return false;
    }
    ColumnParts parts;
    if (x->dim == 2 && c->id != OP_solve_batched && split_columns(&parts, c)) {
        b = parts.batch;
        b.run = NAME(solve);
        k = parts.columns;
    }
    b.n = (int)n;
    b.k = (int)k;
    b.elements = NAME(words)(n * n) + NAME(words)(n * k) + NAME(int_words)(n);
    b.cost = (double)n * (double)n * (double)(n + k);
    return batch_run(&b);
}

static MatrixState NAME(cholesky)(const Batch *b, int64_t i, char *scratch) {
    int n = b->n, info = 0;
    bool upper = b->c->arg[1].b;
    REAL *a = NAME(take)(&scratch, (int64_t)n * n);
    NAME(load)(a, n, b, &b->c->in[0], i);
    if (n) {
        LOAD()->potrf(upper ? "U" : "L", &n, a, &n, &info, 1);
    }
    for (int64_t j = 0; j < n; j++) {
        /* Some kernels let nan pass. */
        info = info == 0 && !(RE(a[j * n + j]) > 0) ? (int)j + 1 : info;
        for (int64_t r = 0; r < n; r++) {
            if (upper ? r > j : r < j) {
                a[j * n + r] = 0;
            }
        }
    }
    bool reports = b->c->n_out == 2;
    if (reports) {
        *(int32_t *)batch_at(b, &b->c->out[1], 0, i) = info;
    }
    for (int64_t k = 0; reports && info && k < (int64_t)n * n; k++) {
        a[k] = (REAL)NAN;
    }
    NAME(store)(b, &b->c->out[0], i, a, n);
    return info && !(reports && !b->c->arg[2].b) ? MATRIX_NOT_POSITIVE : MATRIX_GOOD;
}

static bool NAME(run_cholesky)(const KernelCall *c) {
    Batch b = batch_of(c, &c->in[0], 2, NAME(cholesky));
    int64_t n = c->in[0].shape[c->in[0].dim - 1];
    if (!LOAD() || !matrix_sizes_fit(c, n, n, 0)) {
        return false;
    }
    b.n = (int)n;
    b.elements = NAME(words)(n * n);
    b.cost = (double)n * (double)n * (double)n;
    return batch_run(&b);
}

/* Q has b->k columns, which mode "complete" makes more than the matrix has. */
static MatrixState NAME(qr)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    const View *q = &c->out[0], *r = &c->out[1];
    int m = b->m, n = b->n, k = m < n ? m : n, info = 0, columns = b->k > n ? b->k : n;
    int ld = m ? m : 1;
    REAL *a = NAME(take)(&scratch, (int64_t)m * columns), *tau = NAME(take)(&scratch, k);
    REAL *work = NAME(take)(&scratch, b->lwork);
    REAL *triangle = NAME(take)(&scratch, (int64_t)r->shape[r->dim - 2] * n);
    int rows = (int)r->shape[r->dim - 2];
    NAME(load)(a, m, b, &c->in[0], i);
    if (k) {
        LOAD()->geqrf(&m, &n, a, &ld, tau, work, &b->lwork, &info);
    }
    for (int64_t j = 0; j < n; j++) {
        for (int64_t row = 0; row < rows; row++) {
            triangle[j * rows + row] = row <= j ? a[j * m + row] : 0;
        }
    }
    NAME(store)(b, r, i, triangle, rows);
    if (q->numel && info == 0) {
        LOAD()->orgqr(&m, &b->k, &k, a, &ld, tau, work, &b->lwork, &info);
        NAME(store)(b, q, i, a, m);
    }
    return info ? MATRIX_NOT_CONVERGED : MATRIX_GOOD;
}

static bool NAME(run_qr)(const KernelCall *c) {
    const View *a = &c->in[0], *r = &c->out[1];
    int64_t m = a->shape[a->dim - 2], n = a->shape[a->dim - 1], rows = r->shape[r->dim - 2];
    Batch b = batch_of(c, a, 2, NAME(qr));
    if (!LOAD() || !matrix_sizes_fit(c, m, n, 0)) {
        return false;
    }
    b.m = (int)m;
    b.n = (int)n;
    b.k = (int)rows;
    /* Blocks of 64 columns, for geqrf, which works on n columns, and for orgqr, on rows. */
    int64_t columns = rows > n ? rows : n;
    b.elements = NAME(words)(m * columns) + NAME(words)(m < n ? m : n) + NAME(words)(rows * n);
    b.cost = (double)m * (double)columns * (double)columns;
    return linalg_work(c, 64.0 * (double)(columns + 1), &b.lwork) &&
           batch_run_in(&b, b.elements + NAME(words)(b.lwork));
}
