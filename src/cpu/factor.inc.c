/* Packed factorisations for one type. */
#include "cpu/linalg_typed.inc.c"

/* The LU factorisation without swaps of an m by n matrix in place; the position of the first zero
 * pivot, or 0. */
static int NAME(eliminate)(REAL *a, int64_t m, int64_t n) {
    int info = 0;
    for (int64_t k = 0; k < m && k < n; k++) {
        REAL pivot = a[k * m + k];
        if (pivot == 0) {
            info = info ? info : (int)k + 1;
            continue;
        }
        for (int64_t r = k + 1; r < m; r++) {
            a[k * m + r] /= pivot;
        }
        for (int64_t j = k + 1; j < n; j++) {
            REAL factor = a[j * m + k];
            for (int64_t r = k + 1; r < m; r++) {
                a[j * m + r] -= factor * a[k * m + r];
            }
        }
    }
    return info;
}

static MatrixState NAME(lu)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    int m = b->m, n = b->n, info = 0, ld = m ? m : 1;
    REAL *a = NAME(take)(&scratch, (int64_t)m * n);
    int *pivots = NAME(take_ints)(&scratch, b->k);
    NAME(load)(a, m, b, &c->in[0], i);
    if (!c->arg[1].b) {
        info = NAME(eliminate)(a, m, n);
        for (int k = 0; k < b->k; k++) {
            pivots[k] = k + 1;
        }
    } else if (b->k) {
        LOAD()->getrf(&m, &n, a, &ld, pivots, &info);
    }
    NAME(store)(b, &c->out[0], i, a, m);
    store_ints(b, &c->out[1], i, pivots, b->k);
    store_ints(b, &c->out[2], i, &info, 1);
    return info && c->arg[2].b ? MATRIX_SINGULAR : MATRIX_GOOD;
}

static bool NAME(run_lu)(const KernelCall *c) {
    const View *a = &c->in[0];
    int64_t m = a->shape[a->dim - 2], n = a->shape[a->dim - 1], k = m < n ? m : n;
    Batch b = batch_of(c, a, 2, NAME(lu));
    if (!LOAD() || !matrix_sizes_fit(c, m, n, 0)) {
        return false;
    }
    b.m = (int)m;
    b.n = (int)n;
    b.k = (int)k;
    b.elements = NAME(words)(m * n) + NAME(int_words)(k);
    b.cost = (double)m * (double)n * (double)k;
    return batch_run(&b);
}

static MatrixState NAME(reflectors)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    int m = b->m, n = b->n, info = 0, ld = m ? m : 1;
    REAL *a = NAME(take)(&scratch, (int64_t)m * n), *tau = NAME(take)(&scratch, b->k);
    REAL *work = NAME(take)(&scratch, b->lwork);
    NAME(load)(a, m, b, &c->in[0], i);
    if (b->k) {
        LOAD()->geqrf(&m, &n, a, &ld, tau, work, &b->lwork, &info);
    }
    NAME(store)(b, &c->out[0], i, a, m);
    REAL *to = (REAL *)batch_at(b, &c->out[1], 1, i);
    for (int64_t k = 0; k < b->k; k++) {
        to[k * c->out[1].stride[c->out[1].dim - 1]] = tau[k];
    }
    return info ? MATRIX_NOT_CONVERGED : MATRIX_GOOD;
}

static bool NAME(run_geqrf)(const KernelCall *c) {
    const View *a = &c->in[0];
    int64_t m = a->shape[a->dim - 2], n = a->shape[a->dim - 1], k = m < n ? m : n;
    Batch b = batch_of(c, a, 2, NAME(reflectors));
    if (!LOAD() || !matrix_sizes_fit(c, m, n, 0)) {
        return false;
    }
    b.m = (int)m;
    b.n = (int)n;
    b.k = (int)k;
    b.elements = NAME(words)(m * n) + NAME(words)(k);
    b.cost = (double)m * (double)n * (double)k;
    return linalg_work(c, FACTOR_BLOCK * (double)(n + 1), &b.lwork) &&
           batch_run_in(&b, b.elements + NAME(words)(b.lwork));
}

static MatrixState NAME(ldl)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    int n = b->n, info = 0;
    REAL *a = NAME(take)(&scratch, (int64_t)n * n), *work = NAME(take)(&scratch, b->lwork);
    int *pivots = NAME(take_ints)(&scratch, n);
    NAME(load)(a, n, b, &c->in[0], i);
    for (int64_t j = 1; j < n; j++) {
        memset(a + j * n, 0, (size_t)j * sizeof *a);
    }
    if (n) {
        FACTORISE(c->arg[1].b)("L", &n, a, &n, pivots, work, &b->lwork, &info, 1);
    }
    NAME(store)(b, &c->out[0], i, a, n);
    store_ints(b, &c->out[1], i, pivots, n);
    store_ints(b, &c->out[2], i, &info, 1);
    return info && c->arg[2].b ? MATRIX_SINGULAR : MATRIX_GOOD;
}

static bool NAME(run_ldl)(const KernelCall *c) {
    const View *a = &c->in[0];
    int64_t n = a->shape[a->dim - 1];
    Batch b = batch_of(c, a, 2, NAME(ldl));
    if (!LOAD() || !matrix_sizes_fit(c, n, n, 0)) {
        return false;
    }
    b.n = (int)n;
    b.elements = NAME(words)(n * n) + NAME(int_words)(n);
    b.cost = (double)n * (double)n * (double)n;
    return linalg_work(c, FACTOR_BLOCK * (double)(n + 1), &b.lwork) &&
           batch_run_in(&b, b.elements + NAME(words)(b.lwork));
}

/* Whether LAPACK may follow these pivots, and no block of 1 is zero: it looks at no bounds. */
static MatrixState NAME(check_ldl)(const REAL *a, const int *pivots, int n) {
    for (int64_t k = 0; k < n; k++) {
        int p = pivots[k];
        if (p == 0 || p > n || p < -n || (p < 0 && (k + 1 == n || pivots[k + 1] != p))) {
            return MATRIX_BAD_PIVOTS;
        }
        if (p > 0 && a[k * n + k] == 0) {
            return MATRIX_SINGULAR;
        }
        k += p < 0;
    }
    return MATRIX_GOOD;
}

static MatrixState NAME(ldl_system)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    int n = b->n, k = b->k, info = 0;
    REAL *a = NAME(take)(&scratch, (int64_t)n * n), *x = NAME(take)(&scratch, (int64_t)n * k);
    int *pivots = NAME(take_ints)(&scratch, n);
    NAME(load)(a, n, b, &c->in[0], i);
    NAME(load)(x, n, b, &c->in[2], i);
    load_pivots(pivots, b, &c->in[1], i, n);
    MatrixState state = NAME(check_ldl)(a, pivots, n);
    if (state == MATRIX_GOOD) {
        SOLVE(c->arg[3].b)("L", &n, &k, a, &n, pivots, x, &n, &info, 1);
        NAME(store)(b, &c->out[0], i, x, n);
    }
    return state;
}

static bool NAME(run_ldl_solve)(const KernelCall *c) {
    const View *x = &c->out[0];
    Batch b = batch_of(c, x, 2, NAME(ldl_system));
    int64_t n = x->shape[x->dim - 2], k = x->shape[x->dim - 1];
    if (!LOAD() || !matrix_sizes_fit(c, n, k, 0)) {
        return false;
    }
    b.n = (int)n;
    b.k = (int)k;
    b.elements = NAME(words)(n * n) + NAME(words)(n * k) + NAME(int_words)(n);
    b.cost = (double)n * (double)n * (double)(n + k);
    return batch_run(&b);
}
