/* The matrix exponential by scaling, the Pade approximation and squaring, in double precision. */
#include "gpu/linalg_exp.h"

#include <math.h>

#include "gpu/blas.h"
#include "gpu/linalg.h"
#include "tensor/formulas/pade.h"

/* Matrices stand row by row: the transposes that cuSOLVER sees have the transposed exponentials. */
typedef struct Exponential {
    Scratch *s;
    Stack a, power[3], u, v, t;
    int *squarings; /* on the device; below 0: the matrix is not finite */
    int most;
} Exponential;

/* c = a b */
static bool multiply(const Exponential *e, const Stack *a, const Stack *b, const Stack *c) {
    int64_t n = a->rows;
    GpuProduct p = {
        .dtype = a->dtype, .m = n, .n = n, .k = n, .count = a->count, .alpha = 1, .beta = 0};
    p.a = (GpuMatrix){.data = a->data, .row = n, .batch = a->step};
    p.b = (GpuMatrix){.data = b->data, .row = n, .batch = b->step};
    p.c = (GpuMatrix){.data = c->data, .row = n, .batch = c->step};
    return gpu_blas_product(e->s->c->device, &p);
}

/* How often each matrix is halved, so that the approximation is exact to rounding. */
static bool choose_squarings(Exponential *e, int *not_finite) {
    Device device = e->s->c->device, host = {DEVICE_CPU, 0};
    int64_t count = e->a.count;
    size_t bytes = (size_t)count * sizeof(double), size = (size_t)count * sizeof(int);
    double *norm = scratch_take(e->s, bytes), *read = scratch_take_host(e->s, bytes);
    int *times = scratch_take_host(e->s, size), *wrong = scratch_take_host(e->s, size);
    e->squarings = scratch_take(e->s, size);
    if (!norm || !read || !times || !wrong || !e->squarings || !exp_norms(e->s->c, &e->a, norm) ||
        !gpu_copy(host, read, device, norm, bytes)) {
        return false;
    }
    for (int64_t i = 0; i < count; i++) {
        times[i] = 0;
        wrong[i] = !isfinite(read[i]);
        if (wrong[i]) {
            times[i] = -1;
        } else if (read[i] > PADE_REACH) {
            frexp(read[i] / PADE_REACH, &times[i]);
        }
        e->most = times[i] > e->most ? times[i] : e->most;
    }
    return gpu_copy(device, e->squarings, host, times, size) &&
           gpu_copy(device, not_finite, host, wrong, size);
}

/* The odd part u and the even part v of the approximation's numerator. */
static bool pade_parts(const Exponential *e) {
    const KernelCall *c = e->s->c;
    const double *p = pade_numerator;
    const double high_u[] = {0, p[9], p[11], p[13]}, high_v[] = {0, p[8], p[10], p[12]};
    const double low_u[] = {p[1], p[3], p[5], p[7]}, low_v[] = {p[0], p[2], p[4], p[6]};
    return exp_combine(c, &e->t, e->power, high_u, false) &&
           multiply(e, &e->power[2], &e->t, &e->v) &&
           exp_combine(c, &e->v, e->power, low_u, true) && multiply(e, &e->a, &e->v, &e->u) &&
           exp_combine(c, &e->t, e->power, high_v, false) &&
           multiply(e, &e->power[2], &e->t, &e->v) && exp_combine(c, &e->v, e->power, low_v, true);
}

/* e->t becomes the exponentials of the halved matrices. */
static bool approximate(const Exponential *e) {
    Factors f;
    int *info = scratch_zeros(e->s, e->a.count);
    return info && multiply(e, &e->a, &e->a, &e->power[0]) &&
           multiply(e, &e->power[0], &e->power[0], &e->power[1]) &&
           multiply(e, &e->power[0], &e->power[1], &e->power[2]) && pade_parts(e) &&
           exp_ends(e->s->c, &e->u, &e->v) && linalg_factor(e->s, &e->u, info, &f) &&
           linalg_solve_factored(e->s, &f, &e->v, &e->t);
}

static bool square(const Exponential *e) {
    for (int done = 0; done < e->most; done++) {
        if (!multiply(e, &e->t, &e->t, &e->v) ||
            !exp_take_squares(e->s->c, &e->t, &e->v, e->squarings, done)) {
            return false;
        }
    }
    return true;
}

static bool exponentials(Scratch *s, BatchDims b) {
    const KernelCall *c = s->c;
    const View *in = &c->in[0];
    int64_t n = in->shape[in->dim - 1];
    int wide = dtype_is_complex(in->dtype) ? DT_COMPLEX128 : DT_FLOAT64;
    Exponential e = {.s = s};
    Stack *all[] = {&e.a, &e.power[0], &e.power[1], &e.power[2], &e.u, &e.v, &e.t}, narrow;
    bool ok =
        stack_take(s, &narrow, in->dtype, n, n, b.count) && stack_load(c, &narrow, in, b, true);
    for (size_t i = 0; ok && i < sizeof all / sizeof *all; i++) {
        ok = stack_take(s, all[i], wide, n, n, b.count);
    }
    int *not_finite = ok ? scratch_zeros(s, b.count) : NULL;
    return not_finite && matrices_permute(c, &e.a, &narrow, NULL) &&
           choose_squarings(&e, not_finite) && exp_scale(c, &e.a, e.squarings) && approximate(&e) &&
           square(&e) && matrices_permute(c, &narrow, &e.t, NULL) &&
           matrices_spoil(c, &narrow, not_finite) && stack_store(c, &c->out[0], &narrow, b, true);
}

static bool linalg_matrix_exp(const KernelCall *c) {
    Scratch s = {.c = c};
    const View *in = &c->in[0];
    int64_t n = in->shape[in->dim - 1];
    bool ok =
        matrix_sizes_fit(c, n, n, 0) && (in->numel == 0 || exponentials(&s, batch_dims(in, 2)));
    scratch_release(&s);
    return ok;
}

const KernelRow gpu_linalg_exp_rows[] = {{"linalg_matrix_exp", linalg_matrix_exp}, {NULL, NULL}};
