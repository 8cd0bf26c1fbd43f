/* Kernels by factorisation: inverses, determinants, systems, Cholesky and QR. */
#include "gpu/blas.h"
#include "gpu/linalg.h"
#include "gpu/solver.h"
#include "tensor/op.h"

bool linalg_factor(Scratch *s, const Stack *a, int *info, Factors *f) {
    int64_t k = a->rows < a->columns ? a->rows : a->columns;
    f->lu = *a;
    f->pivots = scratch_take(s, (size_t)(k * a->count) * sizeof *f->pivots);
    return f->pivots && solver_lu(s, a, f->pivots, info);
}

/* L U x = P y */
bool linalg_solve_factored(Scratch *s, const Factors *f, const Stack *y, const Stack *x) {
    int64_t n = f->lu.rows, count = f->lu.count;
    int64_t *order = scratch_take(s, (size_t)(n * count) * sizeof *order);
    return order && matrices_order(s->c, f->pivots, n, n, count, order) &&
           matrices_permute(s->c, x, y, order) && gpu_blas_triangular(s, &f->lu, x, false, true) &&
           gpu_blas_triangular(s, &f->lu, x, true, false);
}

bool linalg_store_states(const KernelCall *c, const View *to, const int *states) {
    Stack s = {.data = (void *)states, .dtype = DT_INT32};
    return stack_store_vectors(c, to, &s);
}

static bool invert(Scratch *s, BatchDims b, int *info) {
    const KernelCall *c = s->c;
    const View *in = &c->in[0];
    int64_t n = in->shape[in->dim - 1];
    Stack a, x;
    Factors f;
    return stack_take(s, &a, in->dtype, n, n, b.count) && stack_load(c, &a, in, b, false) &&
           stack_take(s, &x, in->dtype, n, n, b.count) && linalg_factor(s, &a, info, &f) &&
           linalg_solve_factored(s, &f, NULL, &x) && matrices_spoil(c, &x, info) &&
           stack_store(c, &c->out[0], &x, b, false);
}

static bool inv(const KernelCall *c) {
    Scratch s = {.c = c};
    const View *in = &c->in[0];
    BatchDims b = batch_dims(in, 2);
    int64_t n = in->shape[in->dim - 1];
    bool reports = c->n_out == 2, raises = !reports || c->arg[1].b;
    if (!matrix_sizes_fit(c, n, n, 0)) {
        return false;
    }
    if (b.count == 0) {
        return true;
    }
    int *info = scratch_zeros(&s, b.count);
    bool ok = info && (n == 0 || invert(&s, b, info)) &&
              (!reports || linalg_store_states(c, &c->out[1], info)) &&
              (!raises || matrices_check(&s, info, b, MATRIX_SINGULAR));
    scratch_release(&s);
    return ok;
}

static bool det(const KernelCall *c) {
    Scratch s = {.c = c};
    const View *in = &c->in[0];
    BatchDims b = batch_dims(in, 2);
    int64_t n = in->shape[in->dim - 1];
    Stack a;
    Factors f;
    if (!matrix_sizes_fit(c, n, n, 0)) {
        return false;
    }
    if (b.count == 0) {
        return true;
    }
    int *info = scratch_zeros(&s, b.count);
    bool ok = info && stack_take(&s, &a, in->dtype, n, n, b.count) &&
              stack_load(c, &a, in, b, true) &&
              (n == 0 ? ((f = (Factors){.lu = a}), true) : linalg_factor(&s, &a, info, &f)) &&
              matrices_determinant(c, &f.lu, f.pivots, c->out[0].data,
                                   c->n_out == 2 ? c->out[1].data : NULL);
    scratch_release(&s);
    return ok;
}

static bool solve_general(Scratch *s, BatchDims b, const Stack *a, const Stack *y, int *info) {
    Stack x;
    Factors f;
    return stack_take(s, &x, y->dtype, y->rows, y->columns, y->count) &&
           linalg_factor(s, a, info, &f) && linalg_solve_factored(s, &f, y, &x) &&
           stack_store(s->c, &s->c->out[0], &x, b, false);
}

static bool solve_triangle(Scratch *s, BatchDims b, const Stack *a, const Stack *x, int *info) {
    bool upper = s->c->arg[2].b, unit = s->c->arg[3].b;
    return (unit || matrices_find_zeros(s->c, a, info)) &&
           gpu_blas_triangular(s, a, x, upper, unit) &&
           stack_store(s->c, &s->c->out[0], x, b, false);
}

static bool solve(const KernelCall *c) {
    Scratch s = {.c = c};
    const View *out = &c->out[0];
    BatchDims b = batch_dims(out, 2);
    int64_t n = out->shape[out->dim - 2], k = out->shape[out->dim - 1];
    Stack a, y;
    if (!matrix_sizes_fit(c, n, k, 0)) {
        return false;
    }
    if (out->numel == 0) {
        return true;
    }
    int *info = scratch_zeros(&s, b.count);
    bool ok = info && stack_take(&s, &a, out->dtype, n, n, b.count) &&
              stack_load(c, &a, &c->in[0], b, false) &&
              stack_take(&s, &y, out->dtype, n, k, b.count) &&
              stack_load(c, &y, &c->in[1], b, false) &&
              (c->id == OP_solve_batched ? solve_general(&s, b, &a, &y, info)
                                         : solve_triangle(&s, b, &a, &y, info)) &&
              matrices_check(&s, info, b, MATRIX_SINGULAR);
    scratch_release(&s);
    return ok;
}

/* Row by row, a lower triangle is the upper one of the transpose column by column, and L is the
 * transpose of the factor of that. */
static bool factor_definite(Scratch *s, BatchDims b, int *info) {
    const KernelCall *c = s->c;
    const View *in = &c->in[0];
    int64_t n = in->shape[in->dim - 1];
    bool upper = !c->arg[1].b, reports = c->n_out == 2;
    Stack a;
    return stack_take(s, &a, in->dtype, n, n, b.count) && stack_load(c, &a, in, b, true) &&
           solver_cholesky(s, &a, upper, info) && matrices_find_nan_pivots(c, &a, info) &&
           matrices_triangle(c, &a, &a, upper ? UPPER : LOWER) &&
           (!reports || matrices_spoil(c, &a, info)) && stack_store(c, &c->out[0], &a, b, true);
}

static bool cholesky(const KernelCall *c) {
    Scratch s = {.c = c};
    const View *in = &c->in[0];
    BatchDims b = batch_dims(in, 2);
    int64_t n = in->shape[in->dim - 1];
    bool reports = c->n_out == 2, raises = !reports || c->arg[2].b;
    if (!matrix_sizes_fit(c, n, n, 0)) {
        return false;
    }
    if (b.count == 0) {
        return true;
    }
    int *info = scratch_zeros(&s, b.count);
    bool ok = info && (n == 0 || factor_definite(&s, b, info)) &&
              (!reports || linalg_store_states(c, &c->out[1], info)) &&
              (!raises || matrices_check(&s, info, b, MATRIX_NOT_POSITIVE));
    scratch_release(&s);
    return ok;
}

/* Of a matrix without columns, or rows, Q is the identity. */
static bool qr_of_nothing(Scratch *s, BatchDims b) {
    const KernelCall *c = s->c;
    const View *q = &c->out[0];
    Stack a;
    return q->numel == 0 ||
           (stack_take(s, &a, q->dtype, q->shape[q->dim - 2], q->shape[q->dim - 1], b.count) &&
            matrices_permute(c, &a, NULL, NULL) && stack_store(c, q, &a, b, false));
}

/* Q has as many columns as R has rows, which mode "complete" makes more than the matrix has. */
static bool factor_orthogonal(Scratch *s, BatchDims b, int *info) {
    const KernelCall *c = s->c;
    const View *in = &c->in[0], *q = &c->out[0], *r = &c->out[1];
    int64_t m = in->shape[in->dim - 2], n = in->shape[in->dim - 1], k = m < n ? m : n;
    int64_t rows = r->shape[r->dim - 2], columns = rows > n ? rows : n;
    Stack whole, tau, upper;
    if (!stack_take(s, &whole, in->dtype, m, columns, b.count) ||
        !stack_take(s, &tau, in->dtype, k, 1, b.count) ||
        !stack_take(s, &upper, in->dtype, rows, n, b.count)) {
        return false;
    }
    Stack a = stack_part(&whole, m, n), vectors = stack_part(&whole, m, rows);
    return stack_load(c, &a, in, b, false) && solver_qr(s, &a, &tau, info) &&
           matrices_triangle(c, &upper, &a, UPPER) && stack_store(c, r, &upper, b, false) &&
           (q->numel == 0 ||
            (solver_q(s, &vectors, &tau, info) && stack_store(c, q, &vectors, b, false)));
}

static bool qr(const KernelCall *c) {
    Scratch s = {.c = c};
    const View *in = &c->in[0];
    BatchDims b = batch_dims(in, 2);
    int64_t m = in->shape[in->dim - 2], n = in->shape[in->dim - 1];
    if (!matrix_sizes_fit(c, m, n, 0)) {
        return false;
    }
    if (b.count == 0) {
        return true;
    }
    int *info = scratch_zeros(&s, b.count);
    bool ok = info && (m == 0 || n == 0 ? qr_of_nothing(&s, b) : factor_orthogonal(&s, b, info));
    scratch_release(&s);
    return ok;
}

const KernelRow gpu_linalg_factor_rows[] = {{"linalg_inv", inv},
                                            {"linalg_inv_ex", inv},
                                            {"linalg_det", det},
                                            {"linalg_slogdet", det},
                                            {"solve_batched", solve},
                                            {"solve_triangular_batched", solve},
                                            {"linalg_cholesky", cholesky},
                                            {"linalg_cholesky_ex", cholesky},
                                            {"linalg_qr", qr},
                                            {NULL, NULL}};
