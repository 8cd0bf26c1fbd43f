#include "cpu/product_blas.h"

#include <limits.h>

#include "base/blas.h"
#include "base/interrupt.h"
#include "base/threads.h"

/* A side below SIDE, or fewer multiplications than WORK, and the packing of our own product wins
 * or ties. Each panel makes OpenBLAS pack b anew: PANEL rows keep that to a few percent. */
enum { SIDE = 256, PANEL = 256 };
#define WORK (512.0 * 512 * 512)

typedef struct Layout {
    int trans, ld;
} Layout;

/* How OpenBLAS is told of a matrix; false where it cannot be. */
static bool layout_of(Matrix x, int64_t rows, int64_t columns, Layout *l) {
    bool plain = x.cs == 1 && x.rs >= columns;
    bool turned = x.rs == 1 && x.cs >= rows;
    int64_t ld = plain ? x.rs : x.cs;
    *l = (Layout){plain ? BLAS_NO_TRANS : BLAS_TRANS, (int)ld};
    return (plain || turned) && ld <= INT_MAX;
}

bool product_blas_takes(const GemmBatch *p) {
    Layout a, b;
    bool large = p->m >= SIDE && p->n >= SIDE && p->k >= SIDE &&
                 (double)p->m * (double)p->n * (double)p->k >= WORK;
    return large && p->m <= INT_MAX && p->n <= INT_MAX && p->k <= INT_MAX && p->out.alpha != 0 &&
           p->out.cs == 1 && p->out.rs >= p->n && p->out.rs <= INT_MAX &&
           layout_of(p->a, p->m, p->k, &a) && layout_of(p->b, p->k, p->n, &b);
}

typedef struct BlasJob {
    const Blas *blas;
    const GemmBatch *p;
    size_t size;
    int64_t panels;
} BlasJob;

static int64_t offset_of(const int64_t *at, int64_t i) { return at ? at[i] : 0; }

#define COPY_ADDED(T)                                                                  \
    static void copy_added_##T(const T *add, int64_t rs, int64_t cs, T *c, int64_t ld, \
                               int64_t rows, int64_t columns) {                        \
        for (int64_t i = 0; i < rows; i++) {                                           \
            for (int64_t j = 0; j < columns; j++) {                                    \
                c[i * ld + j] = add[i * rs + j * cs];                                  \
            }                                                                          \
        }                                                                              \
    }
COPY_ADDED(float)
COPY_ADDED(double)

/* Rows first, first + 1, ... of product i. */
static void run_panel(const BlasJob *job, int64_t i, int64_t first, int64_t rows) {
    const GemmBatch *p = job->p;
    Layout a, b;
    layout_of(p->a, p->m, p->k, &a);
    layout_of(p->b, p->k, p->n, &b);
    int64_t a_at = offset_of(p->a_at, i) + first * p->a.rs, b_at = offset_of(p->b_at, i);
    int64_t c_at = offset_of(p->c_at, i) + first * p->out.rs;
    int64_t add_at = offset_of(p->add_at, i) + first * p->out.add.rs;
    const Matrix *add = &p->out.add;
    double beta = add->data ? p->out.beta : 0;
    int m = (int)rows, n = (int)p->n, k = (int)p->k, ld = (int)p->out.rs;
    if (job->size == sizeof(float)) {
        float *c = (float *)p->out.c + c_at;
        if (add->data) {
            copy_added_float((const float *)add->data + add_at, add->rs, add->cs, c, ld, rows, n);
        }
        job->blas->sgemm(BLAS_ROW_MAJOR, a.trans, b.trans, m, n, k, (float)p->out.alpha,
                         (const float *)p->a.data + a_at, a.ld, (const float *)p->b.data + b_at,
                         b.ld, (float)beta, c, ld);
    } else {
        double *c = (double *)p->out.c + c_at;
        if (add->data) {
            copy_added_double((const double *)add->data + add_at, add->rs, add->cs, c, ld, rows, n);
        }
        job->blas->dgemm(BLAS_ROW_MAJOR, a.trans, b.trans, m, n, k, p->out.alpha,
                         (const double *)p->a.data + a_at, a.ld, (const double *)p->b.data + b_at,
                         b.ld, beta, c, ld);
    }
}

static void run_task(void *ctx, int64_t task) {
    const BlasJob *job = ctx;
    int64_t i = task / job->panels, panel = task % job->panels;
    int64_t first = job->p->m * panel / job->panels, end = job->p->m * (panel + 1) / job->panels;
    run_panel(job, i, first, end - first);
}

bool product_blas_run(const GemmBatch *batch, size_t element_size) {
    BlasJob job = {
        .blas = blas(), .p = batch, .size = element_size, .panels = (batch->m + PANEL - 1) / PANEL};
    if (!job.blas) {
        return false;
    }
    parallel_tasks(batch->count * job.panels, run_task, &job);
    return !interrupted();
}
