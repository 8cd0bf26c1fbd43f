/* Singular values, eigenvalues and what is made of them, for one type. */
#include "cpu/linalg_typed.inc.c"

/* The iterative routines of LAPACK may run for ever on nan. */
static bool NAME(is_finite)(const REAL *a, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(a[i])) {
            return false;
        }
    }
    return true;
}

static void NAME(store_vector)(const Batch *b, const View *v, int64_t i, const REAL *from) {
    REAL *to = (REAL *)batch_at(b, v, 1, i);
    for (int64_t k = 0; k < v->shape[v->dim - 1]; k++) {
        to[k * v->stride[v->dim - 1]] = from[k];
    }
}

static MatrixState NAME(state)(int info) { return info ? MATRIX_NOT_CONVERGED : MATRIX_GOOD; }

/* What gesdd wants as work for a matrix (m, n). */
static bool NAME(svd_work)(const KernelCall *c, Batch *b, const char *job) {
    REAL wanted = 1, none = 0;
    int query = -1, info, ints = 0, m = b->m ? b->m : 1, n = b->n ? b->n : 1, k = m < n ? m : n;
    int ldvt = *job == 'A' ? n : k;
    LOAD()->gesdd(job, &m, &n, &none, &m, &none, &none, &m, &none, &ldvt, &wanted, &query, &ints,
                  &info, 1);
    return linalg_work(c, (double)wanted, &b->lwork);
}

/* The words of scratch that a decomposition with p columns of U and q rows of Vh takes. */
static int64_t NAME(svd_words)(const Batch *b, int64_t p, int64_t q) {
    int64_t m = b->m, n = b->n, k = m < n ? m : n;
    return NAME(words)(m * n) + NAME(words)(m * p) + NAME(words)(k) + NAME(words)(q * n) +
           NAME(words)(b->lwork) + NAME(int_words)(8 * k);
}

typedef struct {
    REAL *u, *s, *vt;
    int p, q;
} NAME(Svd);

static MatrixState NAME(decompose)(const Batch *b, int64_t i, char **scratch, bool full,
                                   NAME(Svd) * d) {
    int m = b->m, n = b->n, k = m < n ? m : n, info = 0;
    d->p = full ? m : k;
    d->q = full ? n : k;
    REAL *a = NAME(take)(scratch, (int64_t)m * n);
    d->u = NAME(take)(scratch, (int64_t)m * d->p);
    d->s = NAME(take)(scratch, k);
    d->vt = NAME(take)(scratch, (int64_t)d->q * n);
    REAL *work = NAME(take)(scratch, b->lwork);
    int *ints = NAME(take_ints)(scratch, 8 * (int64_t)k);
    NAME(load)(a, m, b, &b->c->in[0], i);
    if (!NAME(is_finite)(a, (int64_t)m * n)) {
        return MATRIX_NOT_FINITE;
    }
    LOAD()->gesdd(full ? "A" : "S", &m, &n, a, &m, d->s, d->u, &m, d->vt, &d->q, work, &b->lwork,
                  ints, &info, 1);
    return NAME(state)(info);
}

static void NAME(set_identity)(REAL *a, int64_t n) {
    for (int64_t i = 0; i < n * n; i++) {
        a[i] = i % (n + 1) == 0 ? 1 : 0;
    }
}

/* Whether the first element that is at least half as large as the largest is negative. */
static bool NAME(points_down)(const REAL *v, int64_t n, int64_t stride) {
    REAL most = 0;
    for (int64_t i = 0; i < n; i++) {
        REAL size = v[i * stride] < 0 ? -v[i * stride] : v[i * stride];
        most = size > most ? size : most;
    }
    for (int64_t i = 0; i < n; i++) {
        REAL x = v[i * stride];
        if ((x < 0 ? -x : x) * 2 >= most) {
            return x < 0;
        }
    }
    return false;
}

static void NAME(negate)(REAL *v, int64_t n, int64_t stride) {
    for (int64_t i = 0; i < n; i++) {
        v[i * stride] = -v[i * stride];
    }
}

/* Gives the p columns of u (m, p) signs that do not depend on the library, and the q rows of
 * vt (q, n), where there is one, the same; further rows get their own. */
static void NAME(fix_signs)(REAL *u, int64_t m, int64_t p, REAL *vt, int64_t q, int64_t n) {
    for (int64_t j = 0; j < p || j < q; j++) {
        bool down = j < p ? NAME(points_down)(u + j * m, m, 1) : NAME(points_down)(vt + j, n, q);
        if (down && j < p) {
            NAME(negate)(u + j * m, m, 1);
        }
        if (down && j < q) {
            NAME(negate)(vt + j, n, q);
        }
    }
}

static MatrixState NAME(svd)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    NAME(Svd) d;
    if (b->m == 0 || b->n == 0) {
        int64_t n = b->m ? b->m : b->n;
        REAL *unit = NAME(take)(&scratch, n * n);
        NAME(set_identity)(unit, n);
        NAME(store)(b, &c->out[b->m ? 0 : 2], i, unit, (int)n);
        return MATRIX_GOOD;
    }
    MatrixState state = NAME(decompose)(b, i, &scratch, c->arg[1].b, &d);
    if (state == MATRIX_GOOD) {
        NAME(fix_signs)(d.u, b->m, d.p, d.vt, d.q, b->n);
        NAME(store)(b, &c->out[0], i, d.u, b->m);
        NAME(store_vector)(b, &c->out[1], i, d.s);
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
    b->cost = 10.0 * (double)m * (double)n * (double)k;
    double square = (double)k * (double)k;
    if (!linalg_work_fits(c, 5 * square + 64.0 * (double)(m + n)) ||
        !NAME(svd_work)(c, b, full ? "A" : "S")) {
        return false;
    }
    b->elements = NAME(svd_words)(b, full ? m : k, full ? n : k);
    return true;
}

static bool NAME(run_svd)(const KernelCall *c) {
    Batch b;
    return NAME(svd_batch)(c, NAME(svd), c->arg[1].b, &b) && batch_run(&b);
}

/* c (m, n) = a (m, k) b (k, n), all column-major and with leading dims of their own. */
static void NAME(multiply)(int m, int n, int k, const REAL *a, int lda, const REAL *b, int ldb,
                           REAL *c) {
    blas()->GEMM(BLAS_COL_MAJOR, BLAS_NO_TRANS, BLAS_NO_TRANS, m, n, k, 1, a, lda, b, ldb, 0, c, m);
}

/* The transpose of U times the diagonal d times Vh, which is (n, m): V diag(d) U^T. */
static void NAME(recompose)(const Batch *b, const NAME(Svd) * s, const REAL *d, REAL *to) {
    int m = b->m, n = b->n, k = m < n ? m : n;
    for (int64_t j = 0; j < k; j++) {
        for (int64_t r = 0; r < m; r++) {
            s->u[j * m + r] *= d[j];
        }
    }
    NAME(multiply)(m, n, k, s->u, m, s->vt, s->q, to);
}

static void NAME(store_transposed)(const Batch *b, const View *v, int64_t i, const REAL *from,
                                   int ld) {
    REAL *to = (REAL *)batch_at(b, v, 2, i);
    int64_t rows = v->shape[v->dim - 2], columns = v->shape[v->dim - 1];
    for (int64_t r = 0; r < rows; r++) {
        memcpy(to + r * columns, from + r * ld, (size_t)columns * sizeof *to);
    }
}

static MatrixState NAME(pinv)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    int k = b->m < b->n ? b->m : b->n;
    NAME(Svd) d;
    MatrixState state = NAME(decompose)(b, i, &scratch, false, &d);
    if (state != MATRIX_GOOD) {
        return state;
    }
    double tolerance = linalg_tolerance(b, EPSILON, (double)d.s[0], &c->arg[1], &c->arg[2]);
    for (int j = 0; j < k; j++) {
        d.s[j] = (double)d.s[j] > tolerance ? 1 / d.s[j] : 0;
    }
    REAL *result = NAME(take)(&scratch, (int64_t)b->m * b->n);
    NAME(recompose)(b, &d, d.s, result);
    NAME(store_transposed)(b, &c->out[0], i, result, b->m);
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

/* The sign of the determinant of an orthogonal matrix, which is overwritten. */
static REAL NAME(orientation)(int n, REAL *a, int *pivots) {
    int info = 0;
    REAL sign = 1;
    LOAD()->getrf(&n, &n, a, &n, pivots, &info);
    for (int64_t k = 0; k < n; k++) {
        sign = (a[k * n + k] < 0) != (pivots[k] != k + 1) ? -sign : sign;
    }
    return sign;
}

/* det(U) det(V) U diag(products of the other singular values) Vh. */
static MatrixState NAME(cofactor)(const Batch *b, int64_t i, char *scratch) {
    int n = b->n;
    int64_t size = (int64_t)n * n;
    NAME(Svd) d;
    MatrixState state = NAME(decompose)(b, i, &scratch, false, &d);
    if (state != MATRIX_GOOD) {
        return state;
    }
    REAL *copy = NAME(take)(&scratch, size), *others = NAME(take)(&scratch, n);
    int *pivots = NAME(take_ints)(&scratch, n);
    memcpy(copy, d.u, (size_t)size * sizeof *copy);
    REAL sign = NAME(orientation)(n, copy, pivots);
    memcpy(copy, d.vt, (size_t)size * sizeof *copy);
    sign *= NAME(orientation)(n, copy, pivots);
    double before = (double)sign;
    for (int j = 0; j < n; j++) {
        others[j] = (REAL)before;
        before *= (double)d.s[j];
    }
    double behind = 1;
    for (int j = n - 1; j >= 0; j--) {
        others[j] *= (REAL)behind;
        behind *= (double)d.s[j];
    }
    NAME(recompose)(b, &d, others, copy);
    NAME(store)(b, &b->c->out[0], i, copy, n);
    return MATRIX_GOOD;
}

static bool NAME(run_cofactor)(const KernelCall *c) {
    Batch b;
    if (!NAME(svd_batch)(c, NAME(cofactor), false, &b)) {
        return false;
    }
    b.elements += NAME(words)((int64_t)b.n * b.n) + NAME(words)(b.n) + NAME(int_words)(b.n);
    return batch_run(&b);
}

static MatrixState NAME(eigh)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    int n = b->n, info = 0;
    REAL *a = NAME(take)(&scratch, (int64_t)n * n), *w = NAME(take)(&scratch, n);
    REAL *work = NAME(take)(&scratch, b->lwork);
    int *ints = NAME(take_ints)(&scratch, b->liwork);
    bool upper = c->arg[1].s[0] == 'U' || c->arg[1].s[0] == 'u';
    NAME(load)(a, n, b, &c->in[0], i);
    for (int64_t j = 0; j < n; j++) {
        int64_t first = upper ? 0 : j;
        if (!NAME(is_finite)(a + j * n + first, upper ? j + 1 : n - j)) {
            return MATRIX_NOT_FINITE;
        }
    }
    LOAD()->syevd("V", upper ? "U" : "L", &n, a, &n, w, work, &b->lwork, ints, &b->liwork, &info, 1,
                  1);
    NAME(fix_signs)(a, n, n, NULL, 0, 0);
    NAME(store_vector)(b, &c->out[0], i, w);
    NAME(store)(b, &c->out[1], i, a, n);
    return NAME(state)(info);
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
    int query = -1, info;
    b.n = (int)n;
    b.liwork = 1;
    b.cost = 10.0 * (double)n * (double)n * (double)n;
    if (n) {
        LOAD()->syevd("V", "L", &b.n, &none, &b.n, &none, &wanted, &query, &b.liwork, &query, &info,
                      1, 1);
    }
    return linalg_work(c, (double)wanted, &b.lwork) &&
           batch_run_in(&b, NAME(words)(n * n) + NAME(words)(n) + NAME(words)(b.lwork) +
                                NAME(int_words)(b.liwork));
}

/* Column k of the eigenvectors; two columns of v hold the parts of a pair of conjugate ones. It is
 * turned so that its first element that is at least half as large as the largest is positive. */
static void NAME(eigenvector)(const REAL *v, int64_t n, int64_t k, const REAL *im, double *column) {
    bool second = im[k] < 0, pair = im[k] != 0;
    const REAL *re = v + (k - second) * n;
    double most = 0, turn[2] = {1, 0};
    for (int64_t i = 0; i < n; i++) {
        double part = pair ? (double)re[n + i] : 0;
        column[2 * i] = (double)re[i];
        column[2 * i + 1] = second ? -part : part;
        most = fmax(most, hypot(column[2 * i], column[2 * i + 1]));
    }
    for (int64_t i = 0; i < n; i++) {
        double length = hypot(column[2 * i], column[2 * i + 1]);
        if (length > 0 && length * 2 >= most) {
            turn[0] = column[2 * i] / length;
            turn[1] = -column[2 * i + 1] / length;
            break;
        }
    }
    for (int64_t i = 0; i < n; i++) {
        double x = column[2 * i], y = column[2 * i + 1];
        column[2 * i] = x * turn[0] - y * turn[1];
        column[2 * i + 1] = x * turn[1] + y * turn[0];
    }
}

static MatrixState NAME(eig)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    int n = b->n, info = 0, one = 1;
    REAL *a = NAME(take)(&scratch, (int64_t)n * n), *v = NAME(take)(&scratch, (int64_t)n * n);
    REAL *re = NAME(take)(&scratch, n), *im = NAME(take)(&scratch, n), none = 0;
    REAL *work = NAME(take)(&scratch, b->lwork);
    double *column = (double *)NAME(take)(&scratch, 4 * (int64_t)n);
    NAME(load)(a, n, b, &c->in[0], i);
    if (!NAME(is_finite)(a, (int64_t)n * n)) {
        return MATRIX_NOT_FINITE;
    }
    LOAD()->geev("N", "V", &n, a, &n, re, im, &none, &one, v, &n, work, &b->lwork, &info, 1, 1);
    REAL *values = (REAL *)batch_at(b, &c->out[0], 1, i);
    REAL *vectors = (REAL *)batch_at(b, &c->out[1], 2, i);
    for (int64_t k = 0; k < n && info == 0; k++) {
        values[2 * k] = re[k];
        values[2 * k + 1] = im[k];
        NAME(eigenvector)(v, n, k, im, column);
        for (int64_t r = 0; r < n; r++) {
            vectors[2 * (r * n + k)] = (REAL)column[2 * r];
            vectors[2 * (r * n + k) + 1] = (REAL)column[2 * r + 1];
        }
    }
    return NAME(state)(info);
}

static bool NAME(run_eig)(const KernelCall *c) {
    const View *a = &c->in[0];
    int64_t n = a->shape[a->dim - 1];
    Batch b = batch_of(c, a, 2, NAME(eig));
    if (!LOAD() || !matrix_sizes_fit(c, n, n, 0)) {
        return false;
    }
    REAL wanted = 1, none = 0;
    int query = -1, info, one = 1;
    b.n = (int)n;
    b.cost = 25.0 * (double)n * (double)n * (double)n;
    if (n) {
        LOAD()->geev("N", "V", &b.n, &none, &b.n, &none, &none, &none, &one, &none, &b.n, &wanted,
                     &query, &info, 1, 1);
    }
    return linalg_work(c, (double)wanted, &b.lwork) &&
           batch_run_in(&b, 2 * NAME(words)(n * n) + 2 * NAME(words)(n) + NAME(words)(b.lwork) +
                                NAME(words)(4 * n));
}

static MatrixState NAME(lstsq)(const Batch *b, int64_t i, char *scratch) {
    const KernelCall *c = b->c;
    int m = b->m, n = b->n, k = b->k, ld = m > n ? m : n, info = 0, rank = 0;
    REAL *a = NAME(take)(&scratch, (int64_t)m * n), *x = NAME(take)(&scratch, (int64_t)ld * k);
    REAL *s = NAME(take)(&scratch, n), *work = NAME(take)(&scratch, b->lwork);
    int *ints = NAME(take_ints)(&scratch, b->liwork);
    REAL rcond = (REAL)c->arg[2].f;
    memset(x, 0, (size_t)ld * (size_t)k * sizeof *x);
    NAME(load)(a, m, b, &c->in[0], i);
    NAME(load)(x, ld, b, &c->in[1], i);
    if (!NAME(is_finite)(a, (int64_t)m * n) || !NAME(is_finite)(x, (int64_t)ld * k)) {
        return MATRIX_NOT_FINITE;
    }
    if (m && n && c->arg[3].b) {
        LOAD()->gelsd(&m, &n, &k, a, &m, x, &ld, s, &rcond, &rank, work, &b->lwork, ints, &info);
    } else if (m && n) {
        memset(ints, 0, (size_t)n * sizeof *ints);
        LOAD()->gelsy(&m, &n, &k, a, &m, x, &ld, ints, &rcond, &rank, work, &b->lwork, &info);
    }
    *(int64_t *)batch_at(b, &c->out[1], 0, i) = rank;
    NAME(store)(b, &c->out[0], i, x, ld);
    return NAME(state)(info);
}

static bool NAME(lstsq_work)(const KernelCall *c, Batch *b) {
    REAL wanted = 1, none = 0, rcond = 0;
    int query = -1, info, rank, ld = b->m > b->n ? b->m : b->n;
    b->liwork = b->n + 1;
    if (b->m == 0 || b->n == 0) {
        b->lwork = 1;
        return true;
    }
    if (c->arg[3].b) {
        int ints = 1;
        LOAD()->gelsd(&b->m, &b->n, &b->k, &none, &b->m, &none, &ld, &none, &rcond, &rank, &wanted,
                      &query, &ints, &info);
        b->liwork = ints > b->liwork ? ints : b->liwork;
    } else {
        int pivot = 0;
        LOAD()->gelsy(&b->m, &b->n, &b->k, &none, &b->m, &none, &ld, &pivot, &rcond, &rank, &wanted,
                      &query, &info);
    }
    return linalg_work(c, (double)wanted, &b->lwork);
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
    b.cost = 10.0 * (double)(m + k) * (double)n * (double)n;
    return NAME(lstsq_work)(c, &b) &&
           batch_run_in(&b, NAME(words)(m * n) + NAME(words)((m > n ? m : n) * b.k) +
                                NAME(words)(n) + NAME(words)(b.lwork) + NAME(int_words)(b.liwork));
}
