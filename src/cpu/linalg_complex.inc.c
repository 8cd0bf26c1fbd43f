/* Singular values and eigenvalues of complex matrices, and what is made of them, for one type:
 * REAL, PART, NAME(x), LOAD, EPSILON. */
#include "cpu/linalg_typed.inc.c"

static bool NAME(is_finite)(const REAL *a, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(creal(a[i])) || !isfinite(cimag(a[i]))) {
            return false;
        }
    }
    return true;
}

/* What turns the first element that is at least half as large as the largest so that it becomes
 * positive. */
static double _Complex NAME(phase)(const REAL *v, int64_t n, int64_t stride) {
    double most = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++) {
        most = fmax(most, cabs(v[i * stride]));
    }
    while (at < n - 1 && cabs(v[at * stride]) * 2 < most) {
        at++;
    }
    return most > 0 ? conj(v[at * stride]) / cabs(v[at * stride]) : 1;
}

static void NAME(turn)(REAL *v, int64_t n, int64_t stride, double _Complex phase) {
    for (int64_t i = 0; i < n; i++) {
        v[i * stride] = (REAL)(v[i * stride] * phase);
    }
}

/* Gives the p columns of u (m, p) phases that do not depend on the library, and the q rows of
 * vt (q, n), where there is one, those that leave their products as they are; further rows get
 * their own. */
static void NAME(fix_phases)(REAL *u, int64_t m, int64_t p, REAL *vt, int64_t q, int64_t n) {
    for (int64_t j = 0; j < p || j < q; j++) {
        bool column = j < p;
        double _Complex phase = column ? NAME(phase)(u + j * m, m, 1) : NAME(phase)(vt + j, n, q);
        if (column) {
            NAME(turn)(u + j * m, m, 1, phase);
        }
        if (j < q) {
            NAME(turn)(vt + j, n, q, column ? conj(phase) : phase);
        }
    }
}

/* What gesdd wants as work for a matrix (m, n). */
static bool NAME(svd_work)(const KernelCall *c, Batch *b, const char *job) {
    REAL wanted = 1, none = 0;
    PART parts = 0;
    int query = -1, info, ints = 0, m = b->m ? b->m : 1, n = b->n ? b->n : 1, k = m < n ? m : n;
    int ldvt = *job == 'A' ? n : k;
    double least = k, most = m < n ? n : m;
    double lrwork = fmax(5 * least * least + 5 * least, 2 * (most + least) * least + least);
    LOAD()->gesdd(job, &m, &n, &none, &m, &parts, &none, &m, &none, &ldvt, &wanted, &query, &parts,
                  &ints, &info, 1);
    return linalg_work(c, creal(wanted), &b->lwork) && linalg_work(c, lrwork, &b->lrwork);
}

typedef struct {
    REAL *u, *vt;
    PART *s;
    int p, q;
} NAME(Svd);

static PART *NAME(take_parts)(char **scratch, int64_t n) {
    return (PART *)NAME(take)(scratch, n / 2 + 1);
}

static int64_t NAME(part_words)(int64_t n) { return NAME(words)(n / 2 + 1); }

static MatrixState NAME(decompose)(const Batch *b, int64_t i, char **scratch, bool full,
                                   NAME(Svd) * d) {
    int m = b->m, n = b->n, k = m < n ? m : n, info = 0;
    d->p = full ? m : k;
    d->q = full ? n : k;
    REAL *a = NAME(take)(scratch, (int64_t)m * n);
    d->u = NAME(take)(scratch, (int64_t)m * d->p);
    d->vt = NAME(take)(scratch, (int64_t)d->q * n);
    d->s = NAME(take_parts)(scratch, k);
    REAL *work = NAME(take)(scratch, b->lwork);
    PART *parts = NAME(take_parts)(scratch, b->lrwork);
    int *ints = NAME(take_ints)(scratch, 8 * (int64_t)k);
    NAME(load)(a, m, b, &b->c->in[0], i);
    if (!NAME(is_finite)(a, (int64_t)m * n)) {
        return MATRIX_NOT_FINITE;
    }
    LOAD()->gesdd(full ? "A" : "S", &m, &n, a, &m, d->s, d->u, &m, d->vt, &d->q, work, &b->lwork,
                  parts, ints, &info, 1);
    return info ? MATRIX_NOT_CONVERGED : MATRIX_GOOD;
}

static void NAME(store_identity)(const Batch *b, const View *v, int64_t i) {
    REAL *to = (REAL *)batch_at(b, v, 2, i);
    int64_t n = v->shape[v->dim - 1];
    for (int64_t k = 0; k < n * n; k++) {
        to[k] = k % (n + 1) == 0 ? 1 : 0;
    }
}

static MatrixState NAME(svd)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    NAME(Svd) d;
    if (b->m == 0 || b->n == 0) {
        NAME(store_identity)(b, &c->out[b->m ? 0 : 2], i);
        return MATRIX_GOOD;
    }
    MatrixState state = NAME(decompose)(b, i, &scratch, c->arg[1].b, &d);
    if (state == MATRIX_GOOD) {
        NAME(fix_phases)(d.u, b->m, d.p, d.vt, d.q, b->n);
        NAME(store)(b, &c->out[0], i, d.u, b->m);
        memcpy(batch_at(b, &c->out[1], 1, i), d.s,
               (size_t)(b->m < b->n ? b->m : b->n) * sizeof *d.s);
        NAME(store)(b, &c->out[2], i, d.vt, d.q);
    }
    return state;
}

/* A batch of decompositions, ready to run. */
static bool NAME(svd_batch)(const KernelCall *c, MatrixFn *run, bool full, Batch *b) {
    const View *a = &c->in[0];
    int64_t m = a->shape[a->dim - 2], n = a->shape[a->dim - 1], k = m < n ? m : n;
    *b = batch_of(c, a, 2, run);
    if (!LOAD() || !matrix_sizes_fit(c, m, n, 0)) {
        return false;
    }
    b->m = (int)m;
    b->n = (int)n;
    b->cost = 20.0 * (double)m * (double)n * (double)k;
    double square = (double)k * (double)k;
    if (!linalg_work_fits(c, 5 * square + 64.0 * (double)(m + n)) ||
        !NAME(svd_work)(c, b, full ? "A" : "S")) {
        return false;
    }
    b->elements = NAME(words)(m * n) + NAME(words)(m * (full ? m : k)) +
                  NAME(words)((full ? n : k) * n) + NAME(part_words)(k) + NAME(words)(b->lwork) +
                  NAME(part_words)(b->lrwork) + NAME(int_words)(8 * k);
    return true;
}

static bool NAME(run_svd)(const KernelCall *c) {
    Batch b;
    return NAME(svd_batch)(c, NAME(svd), c->arg[1].b, &b) && batch_run(&b);
}

/* V diag(1 / s) times the adjoint of U, without what is below the tolerance. */
static MatrixState NAME(pinv)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    int m = b->m, n = b->n, k = m < n ? m : n;
    const REAL one = 1, zero = 0;
    NAME(Svd) d;
    MatrixState state = NAME(decompose)(b, i, &scratch, false, &d);
    if (state != MATRIX_GOOD) {
        return state;
    }
    double tolerance = linalg_tolerance(b, EPSILON, (double)d.s[0], &c->arg[1], &c->arg[2]);
    for (int64_t j = 0; j < k; j++) {
        NAME(turn)(d.u + j * m, m, 1, (double)d.s[j] > tolerance ? 1 / (double)d.s[j] : 0);
    }
    REAL *result = NAME(take)(&scratch, (int64_t)m * n);
    LOAD()->gemm("C", "C", &n, &m, &k, &one, d.vt, &d.q, d.u, &m, &zero, result, &n, 1, 1);
    NAME(store)(b, &c->out[0], i, result, n);
    return MATRIX_GOOD;
}

static bool NAME(run_pinv)(const KernelCall *c) {
    Batch b;
    if (!NAME(svd_batch)(c, NAME(pinv), false, &b)) {
        return false;
    }
    b.elements += NAME(words)((int64_t)b.m * b.n);
    return batch_run(&b);
}

static MatrixState NAME(lstsq)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    int m = b->m, n = b->n, k = b->k, info = 0, rank = 0, ld = m > n ? m : n;
    REAL *a = NAME(take)(&scratch, (int64_t)m * n), *x = NAME(take)(&scratch, (int64_t)ld * k);
    PART *s = NAME(take_parts)(&scratch, n), *parts = NAME(take_parts)(&scratch, b->lrwork);
    REAL *work = NAME(take)(&scratch, b->lwork);
    int *ints = NAME(take_ints)(&scratch, b->liwork);
    PART rcond = (PART)c->arg[2].f;
    memset(x, 0, (size_t)ld * (size_t)k * sizeof *x);
    NAME(load)(a, m, b, &c->in[0], i);
    NAME(load)(x, ld, b, &c->in[1], i);
    if (!NAME(is_finite)(a, (int64_t)m * n) || !NAME(is_finite)(x, (int64_t)ld * k)) {
        return MATRIX_NOT_FINITE;
    }
    if (m && n && c->arg[3].b) {
        LOAD()->gelsd(&m, &n, &k, a, &m, x, &ld, s, &rcond, &rank, work, &b->lwork, parts, ints,
                      &info);
    } else if (m && n) {
        memset(ints, 0, (size_t)n * sizeof *ints);
        LOAD()->gelsy(&m, &n, &k, a, &m, x, &ld, ints, &rcond, &rank, work, &b->lwork, parts,
                      &info);
    }
    *(int64_t *)batch_at(b, &c->out[1], 0, i) = rank;
    NAME(store)(b, &c->out[0], i, x, ld);
    return info ? MATRIX_NOT_CONVERGED : MATRIX_GOOD;
}

static bool NAME(lstsq_work)(const KernelCall *c, Batch *b) {
    REAL wanted = 1, none = 0;
    PART s = 0, rcond = 0, parts = 1;
    int query = -1, info, rank, ints = 1, ld = b->m > b->n ? b->m : b->n;
    b->liwork = b->n + 1;
    b->lrwork = 2 * b->n + 1;
    if (b->m == 0 || b->n == 0) {
        b->lwork = 1;
        return true;
    }
    if (!c->arg[3].b) {
        LOAD()->gelsy(&b->m, &b->n, &b->k, &none, &b->m, &none, &ld, &ints, &rcond, &rank, &wanted,
                      &query, &parts, &info);
        return linalg_work(c, creal(wanted), &b->lwork);
    }
    LOAD()->gelsd(&b->m, &b->n, &b->k, &none, &b->m, &none, &ld, &s, &rcond, &rank, &wanted, &query,
                  &parts, &ints, &info);
    b->liwork = ints > b->liwork ? ints : b->liwork;
    return linalg_work(c, (double)parts, &b->lrwork) && linalg_work(c, creal(wanted), &b->lwork);
}

static bool NAME(run_lstsq)(const KernelCall *c) {
    const View *a = &c->in[0], *y = &c->in[1];
    int64_t m = a->shape[a->dim - 2], n = a->shape[a->dim - 1], k = y->shape[y->dim - 1];
    Batch b = batch_of(c, a, 2, NAME(lstsq));
    double least = (double)(m < n ? m : n);
    if (!LOAD() || !matrix_sizes_fit(c, m, n, k) ||
        !linalg_work_fits(c, 2 * least * (least + (double)k) + 1024.0 * (double)(m + n + k))) {
        return false;
    }
    b.m = (int)m;
    b.n = (int)n;
    b.k = k ? (int)k : 1; /* gelsd wants a right-hand side, which is zero where there is none */
    b.cost = 20.0 * (double)(m + k) * (double)n * (double)n;
    return NAME(lstsq_work)(c, &b) &&
           batch_run_in(&b, NAME(words)(m * n) + NAME(words)((m > n ? m : n) * b.k) +
                                NAME(part_words)(n) + NAME(part_words)(b.lrwork) +
                                NAME(words)(b.lwork) + NAME(int_words)(b.liwork));
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
    NAME(fix_phases)(v, n, n, NULL, 0, 0);
    memcpy(batch_at(b, &c->out[0], 1, i), w, (size_t)n * sizeof *w);
    NAME(store)(b, &c->out[1], i, v, n);
    return info ? MATRIX_NOT_CONVERGED : MATRIX_GOOD;
}

static bool NAME(run_eig)(const KernelCall *c) {
    const View *a = &c->in[0];
    int64_t n = a->shape[a->dim - 1];
    Batch b = batch_of(c, a, 2, NAME(eig));
    if (!LOAD() || !matrix_sizes_fit(c, n, n, 0)) {
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
    int n = b->n, info = 0, lrwork = b->lrwork;
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
    NAME(fix_phases)(a, n, n, NULL, 0, 0);
    memcpy(batch_at(b, &c->out[0], 1, i), w, (size_t)n * sizeof *w);
    NAME(store)(b, &c->out[1], i, a, n);
    return info ? MATRIX_NOT_CONVERGED : MATRIX_GOOD;
}

static bool NAME(run_eigh)(const KernelCall *c) {
    const View *a = &c->in[0];
    int64_t n = a->shape[a->dim - 1];
    Batch b = batch_of(c, a, 2, NAME(eigh));
    if (!LOAD() || !matrix_sizes_fit(c, n, n, 0) ||
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
    return linalg_work(c, creal(wanted), &b.lwork) &&
           linalg_work(c, (double)real_wanted, &b.lrwork) &&
           batch_run_in(&b, NAME(words)(n * n) + NAME(words)(n) + NAME(words)(b.lwork) +
                                NAME(words)(b.lrwork) + NAME(int_words)(b.liwork));
}
