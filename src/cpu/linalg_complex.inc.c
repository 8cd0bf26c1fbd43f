/* Eigenvalues of complex matrices, for one type: REAL, PART, NAME(x), LOAD. */
#include "cpu/linalg_typed.inc.c"

static bool NAME(is_finite)(const REAL *a, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(creal(a[i])) || !isfinite(cimag(a[i]))) {
            return false;
        }
    }
    return true;
}

/* The column's first element that is at least half as large as the largest becomes positive, so
 * that vectors do not depend on the library. */
static void NAME(fix_phases)(REAL *v, int64_t n) {
    for (REAL *column = v; column < v + n * n; column += n) {
        double most = 0;
        int64_t at = 0;
        for (int64_t i = 0; i < n; i++) {
            most = fmax(most, cabs(column[i]));
        }
        while (at < n - 1 && cabs(column[at]) * 2 < most) {
            at++;
        }
        double _Complex phase = most > 0 ? conj(column[at]) / cabs(column[at]) : 1;
        for (int64_t i = 0; i < n; i++) {
            column[i] = (REAL)(column[i] * phase);
        }
    }
}

static MatrixState NAME(eig)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    int n = b->n, info = 0, one = 1;
    REAL *a = NAME(take)(&scratch, (int64_t)n * n), *v = NAME(take)(&scratch, (int64_t)n * n);
    REAL *w = NAME(take)(&scratch, n), none = 0, *work = NAME(take)(&scratch, b->lwork);
    PART *parts = (PART *)NAME(take)(&scratch, n);
    NAME(load)(a, n, b, &c->in[0], i);
    if (!NAME(is_finite)(a, (int64_t)n * n)) {
        return MATRIX_NOT_FINITE;
    }
    LOAD()->geev("N", "V", &n, a, &n, w, &none, &one, v, &n, work, &b->lwork, parts, &info, 1, 1);
    NAME(fix_phases)(v, n);
    memcpy(batch_at(b, &c->out[0], 1, i), w, (size_t)n * sizeof *w);
    NAME(store)(b, &c->out[1], i, v, n);
    return info ? MATRIX_NOT_CONVERGED : MATRIX_GOOD;
}

static bool NAME(run_eig)(const KernelCall *c) {
    const View *a = &c->in[0];
    int64_t n = a->shape[a->dim - 1];
    Batch b = batch_of(c, a, 2, NAME(eig));
    if (!LOAD() || !linalg_sizes(c, n, n, 0)) {
        return false;
    }
    REAL wanted = 1, none = 0;
    PART parts = 0;
    int query = -1, info, one = 1;
    b.n = (int)n;
    b.cost = 50.0 * (double)n * (double)n * (double)n;
    if (n) {
        LOAD()->geev("N", "V", &b.n, &none, &b.n, &none, &none, &one, &none, &b.n, &wanted, &query,
                     &parts, &info, 1, 1);
    }
    return linalg_work(c, creal(wanted), &b.lwork) &&
           batch_run_in(&b, 2 * NAME(words)(n * n) + 2 * NAME(words)(n) + NAME(words)(b.lwork));
}

static MatrixState NAME(eigh)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    int n = b->n, info = 0, lrwork = b->k;
    bool upper = c->arg[1].s[0] == 'U' || c->arg[1].s[0] == 'u';
    REAL *a = NAME(take)(&scratch, (int64_t)n * n), *work = NAME(take)(&scratch, b->lwork);
    PART *w = (PART *)NAME(take)(&scratch, n), *parts = (PART *)NAME(take)(&scratch, lrwork);
    int *ints = NAME(take_ints)(&scratch, b->liwork);
    NAME(load)(a, n, b, &c->in[0], i);
    for (int64_t j = 0; j < n; j++) {
        int64_t first = upper ? 0 : j;
        if (!NAME(is_finite)(a + j * n + first, upper ? j + 1 : n - j)) {
            return MATRIX_NOT_FINITE;
        }
    }
    LOAD()->heevd("V", upper ? "U" : "L", &n, a, &n, w, work, &b->lwork, parts, &lrwork, ints,
                  &b->liwork, &info, 1, 1);
    NAME(fix_phases)(a, n);
    memcpy(batch_at(b, &c->out[0], 1, i), w, (size_t)n * sizeof *w);
    NAME(store)(b, &c->out[1], i, a, n);
    return info ? MATRIX_NOT_CONVERGED : MATRIX_GOOD;
}

static bool NAME(run_eigh)(const KernelCall *c) {
    const View *a = &c->in[0];
    int64_t n = a->shape[a->dim - 1];
    Batch b = batch_of(c, a, 2, NAME(eigh));
    if (!LOAD() || !linalg_sizes(c, n, n, 0) ||
        !linalg_work_fits(c, 3 * (double)n * (double)n + 64.0 * (double)n)) {
        return false;
    }
    REAL wanted = 1, none = 0;
    PART real_wanted = 1, value = 0;
    int query = -1, info;
    b.n = (int)n;
    b.liwork = 1;
    b.cost = 20.0 * (double)n * (double)n * (double)n;
    if (n) {
        LOAD()->heevd("V", "L", &b.n, &none, &b.n, &value, &wanted, &query, &real_wanted, &query,
                      &b.liwork, &query, &info, 1, 1);
    }
    return linalg_work(c, creal(wanted), &b.lwork) && linalg_work(c, (double)real_wanted, &b.k) &&
           batch_run_in(&b, NAME(words)(n * n) + NAME(words)(n) + NAME(words)(b.lwork) +
                                NAME(words)(b.k) + NAME(int_words)(b.liwork));
}
