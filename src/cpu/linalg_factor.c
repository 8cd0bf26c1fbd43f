/* Kernels by factorisation: inverses, determinants, systems, Cholesky, QR; the exponential. */
#include <complex.h>
#include <math.h>
#include <string.h>

#include "base/blas.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cpu/cpu.h"
#include "cpu/lapack.h"
#include "cpu/linalg.h"
#include "tensor/formulas/pade.h"
#include "tensor/op.h"

static double sign_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
static double _Complex phase_of(double _Complex z) { return z == 0 ? 0 : z / cabs(z); }

/* A system whose right sides are solved in equal parts by several threads: a batch of its own. */
typedef struct ColumnParts {
    KernelCall call;
    Batch batch;
    View in[2], out;
    int64_t columns, shape[3], stride[2][3];
} ColumnParts;

static void window(const ColumnParts *p, const View *whole, int64_t *stride, View *part) {
    stride[0] = p->columns * whole->stride[1];
    memcpy(stride + 1, whole->stride, 2 * sizeof *stride);
    *part = *whole;
    part->dim = 3;
    part->shape = p->shape;
    part->stride = stride;
}

/* False: the columns are too few, or cannot be cut evenly into as many parts as there are threads
 * or a few more. p must stay where it is. */
static bool split_columns(ColumnParts *p, const KernelCall *c) {
    enum { FEWEST = 64, PARTS_PER_THREAD = 4 };
    int64_t k = c->out[0].shape[1], threads = threads_get(), parts = threads;
    while (k % parts && parts < PARTS_PER_THREAD * threads) {
        parts++;
    }
    if (threads == 1 || k % parts || k / parts < FEWEST) {
        return false;
    }
    p->columns = k / parts;
    memcpy(p->shape, (int64_t[]){parts, c->out[0].shape[0], p->columns}, sizeof p->shape);
    p->call = *c;
    p->in[0] = c->in[0];
    window(p, &c->in[1], p->stride[0], &p->in[1]);
    window(p, &c->out[0], p->stride[1], &p->out);
    p->call.in = p->in;
    p->call.out = &p->out;
    p->batch = batch_of(&p->call, &p->out, 2, NULL);
    p->batch.parts = true;
    return true;
}

#define NUMBER    double
#define RE(x)     (x)
#define LENGTH(x) fabs(x)
#define UNIT(x)   sign_of(x)

#define REAL    float
#define PART    float
#define NAME(x) x##_s
#define LAPACK  LapackS
#define LOAD    lapack_s
#include "cpu/linalg_factor.inc.c"
#undef REAL
#undef PART
#undef NAME
#undef LAPACK
#undef LOAD

#define REAL    double
#define PART    double
#define NAME(x) x##_d
#define LAPACK  LapackD
#define LOAD    lapack_d
#include "cpu/linalg_factor.inc.c"
#undef REAL
#undef PART
#undef NAME
#undef LAPACK
#undef LOAD

#undef NUMBER
#undef RE
#undef LENGTH
#undef UNIT
#define NUMBER    double _Complex
#define RE(x)     creal(x)
#define LENGTH(x) cabs(x)
#define UNIT(x)   phase_of(x)

#define REAL    float _Complex
#define PART    float
#define NAME(x) x##_c
#define LAPACK  LapackC
#define LOAD    lapack_c
#include "cpu/linalg_factor.inc.c"
#undef REAL
#undef PART
#undef NAME
#undef LAPACK
#undef LOAD

#define REAL    double _Complex
#define PART    double
#define NAME(x) x##_z
#define LAPACK  LapackZ
#define LOAD    lapack_z
#include "cpu/linalg_factor.inc.c"
#undef REAL
#undef PART
#undef NAME
#undef LAPACK
#undef LOAD

/* Columns of a matrix shared out among threads, where it is large and the only one. */
typedef struct Columns {
    int n, parts;
    const double *a, *b;
    double *c;
    const int *pivots;
} Columns;

static int parts_of(int n) {
    enum { LARGE = 96 };
    return n < LARGE || threads_inside() ? 1 : threads_get();
}

static int first_column(const Columns *m, int64_t part) { return (int)(m->n * part / m->parts); }

static void multiply_part(void *ctx, int64_t part) {
    const Columns *m = ctx;
    int n = m->n, first = first_column(m, part), count = first_column(m, part + 1) - first;
    int64_t at = (int64_t)first * n;
    blas()->dgemm(BLAS_COL_MAJOR, BLAS_NO_TRANS, BLAS_NO_TRANS, n, count, n, 1, m->a, n, m->b + at,
                  n, 0, m->c + at, n);
}

/* c = a b, all n by n. */
static void multiply(int n, const double *a, const double *b, double *c) {
    Columns m = {.n = n, .parts = parts_of(n), .a = a, .b = b, .c = c};
    parallel_tasks(m.parts, multiply_part, &m);
}

static void solve_part(void *ctx, int64_t part) {
    const Columns *m = ctx;
    int n = m->n, first = first_column(m, part), count = first_column(m, part + 1) - first, info;
    lapack_d()->getrs("N", &n, &count, m->a, &n, m->pivots, m->c + (int64_t)first * n, &n, &info,
                      1);
}

/* c becomes the solution for its columns, by the factors of getrf. */
static void solve_columns(int n, const double *factors, const int *pivots, double *c) {
    Columns m = {.n = n, .parts = parts_of(n), .a = factors, .pivots = pivots, .c = c};
    parallel_tasks(m.parts, solve_part, &m);
}

/* The largest sum of a column; nan where the matrix holds one. */
static double norm_1(const double *a, int64_t n) {
    double most = 0;
    for (int64_t j = 0; j < n; j++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) {
            sum += fabs(a[j * n + i]);
        }
        most = isnan(sum) || sum > most ? sum : most;
        if (isnan(most)) {
            return most;
        }
    }
    return most;
}

/* The number at that place as its parts. */
static void load_number(double part[2], const char *from, int dtype, int64_t at) {
    part[1] = 0;
    switch (dtype) {
    case DT_FLOAT64: part[0] = ((const double *)from)[at]; break;
    case DT_COMPLEX64:
        part[0] = (double)((const float *)from)[2 * at];
        part[1] = (double)((const float *)from)[2 * at + 1];
        break;
    case DT_COMPLEX128:
        part[0] = ((const double *)from)[2 * at];
        part[1] = ((const double *)from)[2 * at + 1];
        break;
    default: part[0] = (double)((const float *)from)[at];
    }
}

/* A complex matrix X + iY becomes [X -Y; Y X], whose products are those of the complex ones. */
static void load_double(double *to, const Batch *b, int64_t i) {
    const View *v = &b->c->in[0];
    const char *from = batch_at(b, v, 2, i);
    int64_t n = v->shape[v->dim - 1], rs = v->stride[v->dim - 2], cs = v->stride[v->dim - 1];
    for (int64_t j = 0; j < n; j++) {
        for (int64_t r = 0; r < n; r++) {
            double part[2];
            load_number(part, from, v->dtype, r * rs + j * cs);
            to[j * b->n + r] = part[0];
            if (b->n > n) {
                to[j * b->n + r + n] = part[1];
                to[(j + n) * b->n + r] = -part[1];
                to[(j + n) * b->n + r + n] = part[0];
            }
        }
    }
}

static void store_double(const Batch *b, int64_t i, const double *from) {
    const View *v = &b->c->out[0];
    char *to = batch_at(b, v, 2, i);
    int64_t n = v->shape[v->dim - 1];
    int parts = b->n > n ? 2 : 1;
    bool wide = dtype_real_of(v->dtype) == DT_FLOAT64;
    for (int64_t at = 0; at < n * n * parts; at++) {
        int64_t r = at / parts / n, j = at / parts % n, part = at % parts;
        double x = from[j * b->n + r + part * n];
        if (wide) {
            ((double *)to)[at] = x;
        } else {
            ((float *)to)[at] = (float)x;
        }
    }
}

/* sum = h a6 + k a4 + l a2 + o I for powers of one matrix; p names the coefficients. */
static void combine(int64_t n, double *sum, double *const power[], const double p[4]) {
    for (int64_t i = 0; i < n * n; i++) {
        double unit = i % (n + 1) == 0 ? p[0] : 0;
        sum[i] = p[3] * power[2][i] + p[2] * power[1][i] + p[1] * power[0][i] + unit;
    }
}

/* Even and odd parts of the approximation's numerator: u is odd, v even. */
static void pade_parts(int n, const double *a, double *const power[], double *u, double *v,
                       double *t) {
    const double *p = pade_numerator;
    const double high_u[] = {0, p[9], p[11], p[13]};
    const double high_v[] = {0, p[8], p[10], p[12]};
    const double low_u[] = {p[1], p[3], p[5], p[7]};
    const double low_v[] = {p[0], p[2], p[4], p[6]};
    int64_t size = (int64_t)n * n;
    combine(n, t, power, high_u);
    multiply(n, power[2], t, v);
    combine(n, t, power, low_u);
    for (int64_t i = 0; i < size; i++) {
        t[i] += v[i];
    }
    multiply(n, a, t, u);
    combine(n, t, power, high_v);
    multiply(n, power[2], t, v);
    combine(n, t, power, low_v);
    for (int64_t i = 0; i < size; i++) {
        v[i] += t[i];
    }
}

/* Up to this norm the approximation of degree 7 errs by less than a sixteenth of a float's
 * rounding: the bound of a whole one is 3.93 (Higham 2005), and the error grows with the norm's
 * 14th power. */
#define PADE_REACH_SINGLE 3.2

/* The same by degree 7, for elements of single precision. */
static void pade_parts_single(int n, const double *a, double *const power[], double *u, double *v,
                              double *t) {
    static const double odd[] = {8648640, 277200, 1512, 1};
    static const double even[] = {17297280, 1995840, 25200, 56};
    combine(n, t, power, odd);
    multiply(n, a, t, u);
    combine(n, v, power, even);
}

enum { EXP_BUFFERS = 7 };

static MatrixState exponential(const Batch *b, int64_t i, char *scratch) {
    int n = b->n, info = 0, squarings = 0;
    int64_t size = (int64_t)n * n;
    double *buffer[EXP_BUFFERS];
    for (int k = 0; k < EXP_BUFFERS; k++) {
        buffer[k] = take_d(&scratch, size);
    }
    int *pivots = take_ints_d(&scratch, n);
    double *a = buffer[0], *power[] = {buffer[1], buffer[2], buffer[3]};
    double *u = buffer[4], *v = buffer[5], *t = buffer[6];
    load_double(a, b, i);
    double norm = norm_1(a, n);
    if (!isfinite(norm)) {
        for (int64_t k = 0; k < size; k++) {
            a[k] = NAN;
        }
        store_double(b, i, a);
        return MATRIX_GOOD;
    }
    bool single = dtype_real_of(b->c->out[0].dtype) != DT_FLOAT64;
    double reach = single ? PADE_REACH_SINGLE : PADE_REACH;
    if (norm > reach) {
        frexp(norm / reach, &squarings);
    }
    for (int64_t k = 0; k < size; k++) {
        a[k] = ldexp(a[k], -squarings);
    }
    multiply(n, a, a, power[0]);
    multiply(n, power[0], power[0], power[1]);
    multiply(n, power[0], power[1], power[2]);
    (single ? pade_parts_single : pade_parts)(n, a, power, u, v, t);
    for (int64_t k = 0; k < size; k++) {
        t[k] = v[k] - u[k];
        v[k] += u[k];
    }
    lapack_d()->getrf(&n, &n, t, &n, pivots, &info);
    if (info) {
        return MATRIX_SINGULAR;
    }
    solve_columns(n, t, pivots, v);
    for (; squarings > 0; squarings--) {
        multiply(n, v, v, u);
        double *other = v;
        v = u;
        u = other;
    }
    store_double(b, i, v);
    return MATRIX_GOOD;
}

static bool cpu_linalg_matrix_exp(const KernelCall *c) {
    const View *a = &c->in[0];
    int64_t n = a->shape[a->dim - 1] * (dtype_is_complex(a->dtype) ? 2 : 1);
    Batch b = batch_of(c, a, 2, exponential);
    if (!lapack_d() || !matrix_sizes_fit(c, n, n, 0)) {
        return false;
    }
    b.n = (int)n;
    b.elements = EXP_BUFFERS * words_d(n * n) + int_words_d(n);
    b.cost = 20.0 * (double)n * (double)n * (double)n;
    return batch_run(&b);
}

#define BY_TYPE(op, run)                        \
    static bool cpu_##op(const KernelCall *c) { \
        switch (c->in[0].dtype) {               \
        case DT_COMPLEX64: return run##_c(c);   \
        case DT_COMPLEX128: return run##_z(c);  \
        case DT_FLOAT64: return run##_d(c);     \
        default: return run##_s(c);             \
        }                                       \
    }
BY_TYPE(linalg_inv, run_inv)
BY_TYPE(linalg_inv_ex, run_inv)
BY_TYPE(linalg_det, run_det)
BY_TYPE(linalg_slogdet, run_det)
BY_TYPE(solve_batched, run_solve)
BY_TYPE(solve_triangular_batched, run_solve)
BY_TYPE(linalg_cholesky, run_cholesky)
BY_TYPE(linalg_cholesky_ex, run_cholesky)
BY_TYPE(linalg_qr, run_qr)

const KernelRow cpu_linalg_factor_rows[] = {
    {"linalg_inv", cpu_linalg_inv},
    {"linalg_inv_ex", cpu_linalg_inv_ex},
    {"linalg_det", cpu_linalg_det},
    {"linalg_slogdet", cpu_linalg_slogdet},
    {"solve_batched", cpu_solve_batched},
    {"solve_triangular_batched", cpu_solve_triangular_batched},
    {"linalg_cholesky", cpu_linalg_cholesky},
    {"linalg_cholesky_ex", cpu_linalg_cholesky_ex},
    {"linalg_qr", cpu_linalg_qr},
    {"linalg_matrix_exp", cpu_linalg_matrix_exp},
    {NULL, NULL}};
