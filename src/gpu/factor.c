/* Kernels of packed factorisations: LU, LDL and Householder vectors. */
#include "gpu/linalg.h"
#include "gpu/solver.h"

static bool factor_lu(Scratch *s, BatchDims b, int *info) {
    const KernelCall *c = s->c;
    const View *in = &c->in[0];
    int64_t m = in->shape[in->dim - 2], n = in->shape[in->dim - 1], k = m < n ? m : n;
    bool swaps = c->arg[1].b;
    Stack a, pivots;
    return stack_take(s, &a, in->dtype, m, n, b.count) && stack_load(c, &a, in, b, false) &&
           stack_take(s, &pivots, DT_INT32, k, 1, b.count) &&
           solver_lu(s, &a, swaps ? pivots.data : NULL, info) &&
           (swaps || matrices_count_up(c, pivots.data, k, b.count)) &&
           stack_store(c, &c->out[0], &a, b, false) && stack_store_vectors(c, &c->out[1], &pivots);
}

/* Whether a matrix is to be taken for one that is Hermitian and not symmetric, which cuSOLVER does
 * not have. */
static bool is_hermitian(Arg hermitian, const Stack *a) {
    return hermitian.b && dtype_is_complex(a->dtype);
}

static bool factor_ldl(Scratch *s, BatchDims b, int *info) {
    const KernelCall *c = s->c;
    const View *in = &c->in[0];
    int64_t n = in->shape[in->dim - 1];
    Stack a, pivots;
    if (!stack_take(s, &a, in->dtype, n, n, b.count) || !stack_load(c, &a, in, b, false) ||
        !matrices_triangle(c, &a, &a, LOWER) || !stack_take(s, &pivots, DT_INT32, n, 1, b.count)) {
        return false;
    }
    bool ok = is_hermitian(c->arg[1], &a) ? matrices_ldl_hermitian(s, &a, pivots.data, info)
                                          : solver_ldl(s, &a, pivots.data, info);
    return ok && stack_store(c, &c->out[0], &a, b, false) &&
           stack_store_vectors(c, &c->out[1], &pivots);
}

/* A factorisation that tells, or raises, which matrices are singular. */
static bool factor(const KernelCall *c, bool (*run)(Scratch *s, BatchDims b, int *info)) {
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
    bool ok = info && (in->numel == 0 || run(&s, b, info)) &&
              linalg_store_states(c, &c->out[2], info) &&
              (!c->arg[2].b || matrices_check(&s, info, b, MATRIX_SINGULAR));
    scratch_release(&s);
    return ok;
}

static bool linalg_lu_factor_ex(const KernelCall *c) { return factor(c, factor_lu); }
static bool linalg_ldl_factor_ex(const KernelCall *c) { return factor(c, factor_ldl); }

/* Pivots of matrices whose batch dims broadcast to b, as int64 without gaps. */
static int64_t *load_pivots(Scratch *s, const View *v, int64_t n, BatchDims b) {
    Stack pivots;
    int64_t shape[MAX_DIMS], stride[MAX_DIMS];
    View rows = *v;
    for (int d = 0; d < v->dim; d++) {
        shape[d] = v->shape[d];
        stride[d] = v->stride[d];
    }
    shape[v->dim] = 1;
    stride[v->dim] = 0;
    rows.dim++;
    rows.shape = shape;
    rows.stride = stride;
    return stack_take(s, &pivots, DT_INT64, n, 1, b.count) &&
                   stack_load(s->c, &pivots, &rows, b, false)
               ? pivots.data
               : NULL;
}

/* Raises an error for the first pivot of `given` that is no row. */
static bool check_pivots(Scratch *s, const int64_t *given, int64_t k, BatchDims b,
                         const int *state) {
    const KernelCall *c = s->c;
    Device host = {DEVICE_CPU, 0};
    size_t bytes = (size_t)b.count * sizeof *state;
    int *place = scratch_take_host(s, bytes);
    int64_t pivot, rows = c->out[0].shape[c->out[0].dim - 1];
    if (!place || !gpu_copy(host, place, c->device, state, bytes)) {
        return false;
    }
    for (int64_t i = 0; i < b.count; i++) {
        if (place[i]) {
            return gpu_copy(host, &pivot, c->device, &given[i * k + place[i] - 1], sizeof pivot) &&
                   fail("%s: pivot %d of a matrix is %lld, and there are %lld rows", c->name,
                        place[i], (long long)pivot, (long long)rows);
        }
    }
    return true;
}

static bool lu_order(const KernelCall *c) {
    Scratch s = {.c = c};
    const View *in = &c->in[0], *out = &c->out[0];
    BatchDims b = batch_dims(out, 1);
    int64_t k = in->shape[in->dim - 1], rows = out->shape[out->dim - 1];
    Stack order;
    if (!matrix_sizes_fit(c, rows, k, 0)) {
        return false;
    }
    if (out->numel == 0) {
        return true;
    }
    int *state = scratch_zeros(&s, b.count);
    int64_t *given = state ? load_pivots(&s, in, k, b) : NULL;
    int *pivots = given ? scratch_take(&s, (size_t)(k * b.count) * sizeof *pivots) : NULL;
    bool ok = pivots && stack_take(&s, &order, DT_INT64, rows, 1, b.count) &&
              matrices_take_pivots(c, given, k, rows, b.count, pivots, state) &&
              check_pivots(&s, given, k, b, state) &&
              matrices_order(c, pivots, k, rows, b.count, order.data) &&
              stack_store_vectors(c, out, &order);
    scratch_release(&s);
    return ok;
}

static bool linalg_ldl_solve(const KernelCall *c) {
    Scratch s = {.c = c};
    const View *out = &c->out[0];
    BatchDims b = batch_dims(out, 2);
    int64_t n = out->shape[out->dim - 2], k = out->shape[out->dim - 1];
    Stack a, x;
    if (!matrix_sizes_fit(c, n, k, 0)) {
        return false;
    }
    if (out->numel == 0) {
        return true;
    }
    int *info = scratch_zeros(&s, b.count), *state = scratch_zeros(&s, b.count);
    int64_t *pivots = info && state ? load_pivots(&s, &c->in[1], n, b) : NULL;
    bool ok = pivots && stack_take(&s, &a, out->dtype, n, n, b.count) &&
              stack_load(c, &a, &c->in[0], b, false) &&
              stack_take(&s, &x, out->dtype, n, k, b.count) &&
              stack_load(c, &x, &c->in[2], b, false) && matrices_check_ldl(c, &a, pivots, state) &&
              matrices_check(&s, state, b, MATRIX_GOOD) &&
              (is_hermitian(c->arg[3], &a) ? matrices_ldl_hermitian_solve(c, &a, pivots, &x)
                                           : solver_ldl_solve(&s, &a, pivots, &x, info)) &&
              stack_store(c, out, &x, b, false);
    scratch_release(&s);
    return ok;
}

static bool geqrf(const KernelCall *c) {
    Scratch s = {.c = c};
    const View *in = &c->in[0];
    BatchDims b = batch_dims(in, 2);
    int64_t m = in->shape[in->dim - 2], n = in->shape[in->dim - 1];
    Stack a, tau;
    if (!matrix_sizes_fit(c, m, n, 0)) {
        return false;
    }
    if (in->numel == 0) {
        return true;
    }
    int *info = scratch_zeros(&s, b.count);
    bool ok = info && stack_take(&s, &a, in->dtype, m, n, b.count) &&
              stack_load(c, &a, in, b, false) &&
              stack_take(&s, &tau, in->dtype, m < n ? m : n, 1, b.count) &&
              solver_qr(&s, &a, &tau, info) && stack_store(c, &c->out[0], &a, b, false) &&
              stack_store_vectors(c, &c->out[1], &tau);
    scratch_release(&s);
    return ok;
}

const KernelRow gpu_factor_rows[] = {{"linalg_lu_factor_ex", linalg_lu_factor_ex},
                                     {"linalg_ldl_factor_ex", linalg_ldl_factor_ex},
                                     {"linalg_ldl_solve", linalg_ldl_solve},
                                     {"geqrf", geqrf},
                                     {"lu_order", lu_order},
                                     {NULL, NULL}};
