/* Kernels by singular values and eigenvalues. */
#include <float.h>

#include "gpu/blas.h"
#include "gpu/linalg.h"
#include "gpu/solver.h"

/* A, or where that has more columns than rows its transpose, is U diag(S) Vh. */
typedef struct Svd {
    bool turned;
    Stack u, values, vh;
    int *info;
} Svd;

/* The library's iterations may not end on nan. */
static bool want_finite(Scratch *s, const Stack *a, Triangle part, BatchDims b) {
    int *state = scratch_zeros(s, a->count);
    return state && matrices_find_infinite(s->c, a, part, state) &&
           matrices_check(s, state, b, MATRIX_GOOD);
}

/* Decomposes the matrices of the first argument, which have elements. */
static bool decompose(Scratch *s, BatchDims b, bool full, Svd *d) {
    const KernelCall *c = s->c;
    const View *in = &c->in[0];
    int64_t rows = in->shape[in->dim - 2], columns = in->shape[in->dim - 1];
    d->turned = rows < columns;
    int64_t m = d->turned ? columns : rows, n = d->turned ? rows : columns;
    Stack a;
    d->info = scratch_zeros(s, b.count);
    return d->info && stack_take(s, &a, in->dtype, m, n, b.count) &&
           stack_load(c, &a, in, b, d->turned) && want_finite(s, &a, WHOLE, b) &&
           stack_take(s, &d->u, in->dtype, m, full ? m : n, b.count) &&
           stack_take(s, &d->values, dtype_real_of(in->dtype), n, 1, b.count) &&
           stack_take(s, &d->vh, in->dtype, n, n, b.count) &&
           solver_svd(s, &a, &d->values, &d->u, &d->vh, d->info) &&
           matrices_check(s, d->info, b, MATRIX_NOT_CONVERGED);
}

/* The transpose of U diag(S) Vh has the rows of Vh as its left vectors. */
static bool store_svd(Scratch *s, BatchDims b, const Svd *d) {
    const KernelCall *c = s->c;
    Vectors columns = vectors_columns(&d->u), rows = vectors_rows(&d->vh);
    const View *u = &c->out[d->turned ? 2 : 0], *vh = &c->out[d->turned ? 0 : 2];
    return matrices_fix_phases(c, d->turned ? rows : columns, d->turned ? columns : rows) &&
           stack_store(c, u, &d->u, b, d->turned) &&
           stack_store_vectors(c, &c->out[1], &d->values) &&
           stack_store(c, vh, &d->vh, b, d->turned);
}

/* The vectors of a matrix without rows, or columns, are those of the identity. */
static bool svd_of_nothing(Scratch *s, BatchDims b) {
    const KernelCall *c = s->c;
    for (int k = 0; k < 3; k += 2) {
        const View *v = &c->out[k];
        int64_t n = v->shape[v->dim - 1];
        Stack a;
        if (v->numel > 0 &&
            !(stack_take(s, &a, v->dtype, v->shape[v->dim - 2], n, b.count) &&
              matrices_permute(c, &a, NULL, NULL) && stack_store(c, v, &a, b, false))) {
            return false;
        }
    }
    return true;
}

static bool sizes_fit(const KernelCall *c, const View *v) {
    return matrix_sizes_fit(c, v->shape[v->dim - 2], v->shape[v->dim - 1], 0);
}

static bool linalg_svd(const KernelCall *c) {
    Scratch s = {.c = c};
    BatchDims b = batch_dims(&c->in[0], 2);
    Svd d;
    bool ok = sizes_fit(c, &c->in[0]) &&
              (b.count == 0 ||
               (c->in[0].numel == 0 ? svd_of_nothing(&s, b)
                                    : decompose(&s, b, c->arg[1].b, &d) && store_svd(&s, b, &d)));
    scratch_release(&s);
    return ok;
}

/* V diag(S) times the adjoint of U, with S as it is now; for a turned A the transpose of its
 * pseudoinverse. The product row by row of conj(U) and conj(Vh) is that column by column. */
static bool join_adjoint(const KernelCall *c, const Svd *d, const Stack *to) {
    int64_t m = d->u.rows, n = d->vh.rows;
    GpuProduct p = {.dtype = to->dtype, .m = m, .n = n, .k = n, .count = to->count, .alpha = 1};
    p.a = (GpuMatrix){d->u.data, .conjugated = true, .row = d->u.lead, .batch = d->u.step};
    p.b = (GpuMatrix){d->vh.data, .conjugated = true, .row = d->vh.lead, .batch = d->vh.step};
    p.c = (GpuMatrix){to->data, .row = to->lead, .batch = to->step};
    return matrices_scale_columns(c, &d->u, &d->values) && gpu_blas_product(c->device, &p);
}

static double epsilon_of(int dtype) {
    return dtype_real_of(dtype) == DT_FLOAT64 ? DBL_EPSILON : (double)FLT_EPSILON;
}

/* Pseudoinverses (n, m), or for a turned A (m, n), of a matrix A (m, n) that has elements. */
static bool invert(Scratch *s, BatchDims b, double absolute, double relative, int64_t *rank, Svd *d,
                   Stack *inverse) {
    return decompose(s, b, false, d) &&
           matrices_invert_values(s->c, &d->values, absolute, relative, rank) &&
           stack_take(s, inverse, d->u.dtype, d->vh.rows, d->u.rows, b.count) &&
           join_adjoint(s->c, d, inverse);
}

static bool pinv_batched(const KernelCall *c) {
    Scratch s = {.c = c};
    const View *in = &c->in[0];
    BatchDims b = batch_dims(in, 2);
    const Arg *atol = &c->arg[1], *rtol = &c->arg[2];
    if (!sizes_fit(c, in)) {
        return false;
    }
    if (in->numel == 0) {
        return true;
    }
    int64_t m = in->shape[in->dim - 2], n = in->shape[in->dim - 1];
    double absolute = atol->kind == ARG_NONE ? 0 : atol->f;
    double usual = absolute > 0 ? 0 : (double)(m > n ? m : n) * epsilon_of(in->dtype);
    Svd d;
    Stack inverse;
    bool ok =
        invert(&s, b, absolute, rtol->kind == ARG_NONE ? usual : rtol->f, NULL, &d, &inverse) &&
        stack_store(c, &c->out[0], &inverse, b, d.turned);
    scratch_release(&s);
    return ok;
}

/* x (n, k) row by row = pseudoinverse (n, m) times y (m, k). */
static bool apply(Scratch *s, const Svd *d, const Stack *inverse, const Stack *y, const Stack *x) {
    int64_t m = y->rows, n = x->rows, k = x->columns;
    GpuProduct p = {.dtype = x->dtype, .m = n, .n = k, .k = m, .count = x->count, .alpha = 1};
    p.a = (GpuMatrix){.data = inverse->data,
                      .transposed = !d->turned,
                      .row = inverse->lead,
                      .batch = inverse->step};
    p.b = (GpuMatrix){.data = y->data, .transposed = true, .row = y->lead, .batch = y->step};
    p.c = (GpuMatrix){.data = x->data, .row = k, .batch = n * k};
    return gpu_blas_product(s->c->device, &p);
}

/* The least squares solutions of least norm, by singular values; a pivoted QR, which the CPU has
 * for other drivers, gives the same. */
static bool least_squares(Scratch *s, BatchDims b) {
    const KernelCall *c = s->c;
    const View *in = &c->in[0], *right = &c->in[1], *out = &c->out[0];
    double rcond = c->arg[2].f < 0 ? epsilon_of(in->dtype) : c->arg[2].f;
    int64_t k = right->shape[right->dim - 1], n = out->shape[out->dim - 2];
    Svd d;
    Stack inverse, y, x, rank;
    if (!stack_take(s, &y, in->dtype, right->shape[right->dim - 2], k, b.count) ||
        !stack_load(c, &y, right, b, false) || !want_finite(s, &y, WHOLE, b) ||
        !stack_take(s, &rank, DT_INT64, 1, 1, b.count) ||
        !invert(s, b, 0, rcond, rank.data, &d, &inverse) ||
        !stack_store_vectors(c, &c->out[1], &rank)) {
        return false;
    }
    return k == 0 || (stack_take(s, &x, in->dtype, n, k, b.count) &&
                      apply(s, &d, &inverse, &y, &x) && stack_store_vectors(c, out, &x));
}

static bool lstsq_batched(const KernelCall *c) {
    Scratch s = {.c = c};
    BatchDims b = batch_dims(&c->in[0], 2);
    const Arg zero = {.kind = ARG_INT};
    bool ok = sizes_fit(c, &c->in[0]) && sizes_fit(c, &c->in[1]);
    if (ok && c->in[0].numel == 0) {
        ok = gpu_fill_view(c, &c->out[0], zero) && gpu_fill_view(c, &c->out[1], zero);
    } else if (ok && b.count > 0) {
        ok = least_squares(&s, b);
    }
    scratch_release(&s);
    return ok;
}

/* det(U) det(V) U diag(products of the other singular values) Vh. */
static bool cofactors(Scratch *s, BatchDims b, Svd *d, Stack *to) {
    const KernelCall *c = s->c;
    Factors f[2];
    Stack copy[2];
    if (!decompose(s, b, false, d) || !stack_copy(s, &copy[0], &d->u) ||
        !stack_copy(s, &copy[1], &d->vh) || !linalg_factor(s, &copy[0], d->info, &f[0]) ||
        !linalg_factor(s, &copy[1], d->info, &f[1]) ||
        !stack_take(s, to, d->u.dtype, d->u.rows, d->u.rows, b.count)) {
        return false;
    }
    const Stack *lu[] = {&f[0].lu, &f[1].lu};
    int *const pivots[] = {f[0].pivots, f[1].pivots};
    int64_t n = d->u.rows;
    GpuProduct p = {.dtype = to->dtype, .m = n, .n = n, .k = n, .count = to->count, .alpha = 1};
    p.a = (GpuMatrix){d->u.data, .transposed = true, .row = n, .batch = n * n};
    p.b = (GpuMatrix){d->vh.data, .transposed = true, .row = n, .batch = n * n};
    p.c = (GpuMatrix){to->data, .row = n, .batch = n * n};
    return matrices_other_values(c, &d->values, lu, pivots) &&
           matrices_scale_columns(c, &d->u, &d->values) && gpu_blas_product(c->device, &p);
}

static bool linalg_cofactor(const KernelCall *c) {
    Scratch s = {.c = c};
    const View *in = &c->in[0];
    BatchDims b = batch_dims(in, 2);
    Svd d;
    Stack result;
    bool ok = sizes_fit(c, in) && (in->numel == 0 || (cofactors(&s, b, &d, &result) &&
                                                      stack_store_vectors(c, &c->out[0], &result)));
    scratch_release(&s);
    return ok;
}

static bool decompose_hermitian(Scratch *s, BatchDims b) {
    const KernelCall *c = s->c;
    const View *in = &c->in[0];
    int64_t n = in->shape[in->dim - 1];
    bool upper = c->arg[1].s[0] == 'U' || c->arg[1].s[0] == 'u';
    Stack a, values;
    int *info = scratch_zeros(s, b.count);
    return info && stack_take(s, &a, in->dtype, n, n, b.count) && stack_load(c, &a, in, b, false) &&
           want_finite(s, &a, upper ? UPPER : LOWER, b) &&
           stack_take(s, &values, dtype_real_of(in->dtype), n, 1, b.count) &&
           solver_eigh(s, &a, upper, &values, info) &&
           matrices_check(s, info, b, MATRIX_NOT_CONVERGED) &&
           matrices_fix_phases(c, vectors_columns(&a), (Vectors){0}) &&
           stack_store_vectors(c, &c->out[0], &values) && stack_store(c, &c->out[1], &a, b, false);
}

static bool linalg_eigh(const KernelCall *c) {
    Scratch s = {.c = c};
    const View *in = &c->in[0];
    bool ok = sizes_fit(c, in) && (in->numel == 0 || decompose_hermitian(&s, batch_dims(in, 2)));
    scratch_release(&s);
    return ok;
}

static bool decompose_general(Scratch *s, BatchDims b) {
    const KernelCall *c = s->c;
    const View *in = &c->in[0];
    int64_t n = in->shape[in->dim - 1];
    bool real = !dtype_is_complex(in->dtype);
    int complex = c->out[0].dtype;
    Stack a, values, vectors, joined;
    int *info = scratch_zeros(s, b.count);
    if (!info || !stack_take(s, &a, in->dtype, n, n, b.count) || !stack_load(c, &a, in, b, false) ||
        !want_finite(s, &a, WHOLE, b) || !stack_take(s, &values, complex, n, 1, b.count) ||
        !stack_take(s, &vectors, in->dtype, n, n, b.count) ||
        !solver_eig(s, &a, &values, &vectors, info) ||
        !matrices_check(s, info, b, MATRIX_NOT_CONVERGED)) {
        return false;
    }
    if (real && !(stack_take(s, &joined, complex, n, n, b.count) &&
                  matrices_join_pairs(c, &joined, &vectors, &values))) {
        return false;
    }
    const Stack *result = real ? &joined : &vectors;
    return matrices_fix_phases(c, vectors_columns(result), (Vectors){0}) &&
           stack_store_vectors(c, &c->out[0], &values) &&
           stack_store(c, &c->out[1], result, b, false);
}

static bool linalg_eig(const KernelCall *c) {
    Scratch s = {.c = c};
    const View *in = &c->in[0];
    bool ok = sizes_fit(c, in) && (in->numel == 0 || decompose_general(&s, batch_dims(in, 2)));
    scratch_release(&s);
    return ok;
}

const KernelRow gpu_linalg_spectra_rows[] = {{"linalg_svd", linalg_svd},
                                             {"linalg_eigh", linalg_eigh},
                                             {"linalg_eig", linalg_eig},
                                             {"linalg_cofactor", linalg_cofactor},
                                             {"pinv_batched", pinv_batched},
                                             {"lstsq_batched", lstsq_batched},
                                             {NULL, NULL}};
