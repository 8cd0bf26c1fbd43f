#include "cpu/gemm.h"

#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cpu/kernels/isa_name.h"
#include "cpu/workspace.h"

ISA_DECLARE(const GemmKernels, gemm_float);
ISA_DECLARE(const GemmKernels, gemm_double);

typedef const GemmKernels *GemmKernelsFn(void);
ISA_DECLARE(GemmKernelsFn, gemm_bfloat16);

/* A panel of b or a of this many bytes a row stays in the first-level cache, blocks of these sizes
 * in the second-level one. */
enum { K_BYTES = 2048, BLOCK_A_BYTES = 256 << 10, BLOCK_B_BYTES = 512 << 10 };

/* Below this many multiplications a second thread does not pay, and a task is not cut further. */
enum { PARALLEL_WORK = 1 << 20, TASK_WORK = 1 << 19, TASKS_PER_THREAD = 2 };
/* What a product costs besides, in multiplications. */
enum { PRODUCT_WORK = 2048 };
/* That of a multiplication whose matrix element is used once: memory sets the pace. */
enum { GEMV_WORK = 4 };

const GemmKernels *gemm_kernels(size_t size) {
    return size == sizeof(float) ? ISA_PICK(gemm_float) : ISA_PICK(gemm_double);
}

const GemmKernels *gemm_kernels_bfloat16(void) { return ISA_PICK(gemm_bfloat16)(); }

const GemmKernels *gemm_kernels_narrow(size_t size) {
    const GemmKernels *narrow =
        size == sizeof(float) ? ISA_ADDRESS_AVX2(gemm_float) : ISA_ADDRESS_AVX2(gemm_double);
    return narrow && isa_current() == ISA_AVX512 ? narrow : gemm_kernels(size);
}

static int64_t at_most(int64_t x, int64_t limit) { return x < limit ? x : limit; }
static int64_t at_least(int64_t x, int64_t limit) { return x > limit ? x : limit; }
static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static size_t aligned(int64_t bytes) {
    return ((size_t)bytes + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN;
}

/* k filled up to what is multiplied together. */
static int64_t whole_units(const GemmKernels *g, int64_t k) {
    return ceil_div(k, g->unit) * g->unit;
}

size_t gemm_bytes_a(const GemmKernels *g, int64_t m, int64_t k) {
    /* Packing stores whole vectors: one more than the last column holds. */
    return aligned(ceil_div(m, g->mr) * g->mr * whole_units(g, k) * g->size + MEM_ALIGN);
}

size_t gemm_bytes_b(const GemmKernels *g, int64_t k, int64_t n) {
    return aligned(ceil_div(n, g->nr) * g->nr * whole_units(g, k) * g->size);
}

typedef struct Blocks {
    int64_t m, n, k;
} Blocks;

/* Equal blocks of k, and as much of m and n as the cache takes. */
static Blocks blocks_of(const GemmKernels *g, int64_t m, int64_t n, int64_t k) {
    int64_t parts = at_least(ceil_div(k, K_BYTES / g->size), 1);
    int64_t kb = whole_units(g, ceil_div(k, parts)), row = at_least(kb, 1) * g->size;
    int64_t mb = at_least(BLOCK_A_BYTES / row / g->mr, 1) * g->mr;
    int64_t nb = at_least(BLOCK_B_BYTES / row / g->nr, 1) * g->nr;
    return (Blocks){at_most(m, mb), at_most(n, nb), kb};
}

size_t gemm_work_bytes(const GemmKernels *g, int64_t m, int64_t n, int64_t k) {
    Blocks b = blocks_of(g, m, n, k);
    return gemm_bytes_a(g, b.m, b.k) + gemm_bytes_b(g, b.k, b.n);
}

static Matrix matrix_at(Matrix x, int64_t i, int64_t j, int64_t size) {
    if (x.data) {
        x.data = (const char *)x.data + (i * x.rs + j * x.cs) * size;
    }
    return x;
}

static GemmOut out_at(const GemmKernels *g, GemmOut o, int64_t i, int64_t j) {
    o.c = (char *)o.c + (i * o.rs + j * o.cs) * g->sum_size;
    o.add = matrix_at(o.add, i, j, g->sum_size);
    return o;
}

void gemm_serial(const GemmKernels *g, int64_t m, int64_t n, int64_t k, Matrix a, Matrix b,
                 const GemmOut *out, void *work) {
    Blocks size = blocks_of(g, m, n, k);
    void *packed_a = work, *packed_b = (char *)work + gemm_bytes_a(g, size.m, size.k);
    GemmOut o = *out;
    int64_t p = 0;
    do {
        int64_t kb = at_most(size.k, k - p);
        for (int64_t j = 0; j < n; j += size.n) {
            int64_t nb = at_most(size.n, n - j);
            g->pack_b(kb, nb, matrix_at(b, p, j, g->size), packed_b);
            for (int64_t i = 0; i < m; i += size.m) {
                int64_t mb = at_most(size.m, m - i);
                GemmOut part = out_at(g, o, i, j);
                g->pack_a(mb, kb, matrix_at(a, i, p, g->size), packed_a);
                g->block(mb, nb, kb, packed_a, packed_b, &part);
            }
        }
        o.add = (Matrix){o.c, o.rs, o.cs};
        o.beta = 1;
        p += size.k;
    } while (p < k);
}

static Matrix turned(Matrix x) { return (Matrix){x.data, x.cs, x.rs}; }

/* The same products as those of the transposes. */
static GemmBatch batch_turned(const GemmBatch *p) {
    GemmBatch t = *p;
    t.m = p->n;
    t.n = p->m;
    t.a = turned(p->b);
    t.b = turned(p->a);
    t.a_at = p->b_at;
    t.b_at = p->a_at;
    t.out.rs = p->out.cs;
    t.out.cs = p->out.rs;
    t.out.add = turned(p->out.add);
    return t;
}

typedef enum { BY_SMALL, BY_GEMV, BY_TILES } Way;

/* One parallel call: each product is cut into rows x columns parts, or parts is 1 and a task takes
 * several products. */
typedef struct Job {
    const GemmKernels *g;
    GemmBatch p;
    Way way;
    int64_t rows, columns, tasks;
    Workspace work;
} Job;

static int64_t offset_of(const int64_t *at, int64_t i) { return at ? at[i] : 0; }

/* Product i with its own data pointers. */
static GemmBatch product(const Job *job, int64_t i) {
    GemmBatch p = job->p;
    int64_t size = job->g->size, sum_size = job->g->sum_size;
    p.a.data = (const char *)p.a.data + offset_of(p.a_at, i) * size;
    p.b.data = (const char *)p.b.data + offset_of(p.b_at, i) * size;
    p.out.c = (char *)p.out.c + offset_of(p.c_at, i) * sum_size;
    if (p.out.add.data) {
        p.out.add.data = (const char *)p.out.add.data + offset_of(p.add_at, i) * sum_size;
    }
    return p;
}

/* Part part of parts of size, cut at multiples of unit. */
static int64_t cut(int64_t size, int64_t part, int64_t parts, int64_t unit) {
    return part == parts ? size : size / unit * part / parts * unit;
}

static const void *contiguous_vector(size_t size, int64_t k, Matrix x, char *work) {
    for (int64_t p = 0; p < k; p++) {
        memcpy(work + (size_t)p * size, (const char *)x.data + p * x.rs * (int64_t)size, size);
    }
    return work;
}

static void run_gemv(const GemmKernels *g, const GemmBatch *p, char *work) {
    if (p->b.rs == 1) {
        g->gemv(p->m, p->k, p->a, p->b.data, 1, &p->out);
    } else {
        g->gemv(p->m, p->k, p->a, contiguous_vector((size_t)g->size, p->k, p->b, work), 1, &p->out);
    }
}

static void run_part(const Job *job, int64_t i, int64_t part, void *work) {
    const GemmKernels *g = job->g;
    GemmBatch p = product(job, i);
    if (job->way == BY_SMALL) {
        g->small(p.m, p.n, p.k, p.a, p.b, &p.out);
        return;
    }
    int64_t row = part / job->columns, column = part % job->columns;
    int64_t i0 = cut(p.m, row, job->rows, g->mr), i1 = cut(p.m, row + 1, job->rows, g->mr);
    int64_t j0 = cut(p.n, column, job->columns, g->nr);
    int64_t j1 = cut(p.n, column + 1, job->columns, g->nr);
    p.m = i1 - i0;
    p.n = j1 - j0;
    p.a = matrix_at(p.a, i0, 0, g->size);
    p.b = matrix_at(p.b, 0, j0, g->size);
    p.out = out_at(g, p.out, i0, j0);
    if (job->way == BY_GEMV) {
        run_gemv(g, &p, work);
    } else {
        gemm_serial(g, p.m, p.n, p.k, p.a, p.b, &p.out, work);
    }
}

static void job_task(void *ctx, int64_t task) {
    Job *job = ctx;
    void *work = job->way == BY_SMALL ? NULL : workspace_take(&job->work);
    int64_t parts = job->rows * job->columns, all = job->p.count * parts;
    int64_t end = (task + 1) * all / job->tasks;
    for (int64_t i = task * all / job->tasks; i < end; i++) {
        run_part(job, i / parts, i % parts, work);
    }
    if (work) {
        workspace_give(&job->work, work);
    }
}

/* Cuts a product into about parts parts such that little is packed twice. */
static void choose_cuts(Job *job, int64_t parts) {
    const GemmBatch *p = &job->p;
    int64_t most_rows = at_least(p->m / job->g->mr, 1), best = INT64_MAX;
    int64_t most_columns = at_least(p->n / job->g->nr, 1);
    for (int64_t rows = 1; rows <= parts; rows++) {
        int64_t r = at_most(rows, most_rows), c = at_most(ceil_div(parts, r), most_columns);
        int64_t lost = at_least(parts - r * c, 0), packed = r * p->n + c * p->m;
        if (lost * (p->m + p->n) + packed < best) {
            best = lost * (p->m + p->n) + packed;
            job->rows = r;
            job->columns = c;
        }
    }
}

static double work_of(const GemmBatch *p) {
    return (double)p->m * (double)p->n * (double)at_least(p->k, 1) + PRODUCT_WORK;
}

static void plan_tasks(Job *job) {
    const GemmBatch *p = &job->p;
    int64_t threads = threads_inside() ? 1 : threads_get(), wanted = threads * TASKS_PER_THREAD;
    double all = work_of(p) * (double)p->count * (job->way == BY_GEMV ? GEMV_WORK : 1);
    job->rows = job->columns = job->tasks = 1;
    if (threads == 1 || all < PARALLEL_WORK) {
        return;
    }
    if ((double)wanted > all / TASK_WORK) {
        wanted = at_least((int64_t)(all / TASK_WORK), threads);
    }
    if (p->count < wanted && job->way != BY_SMALL) {
        choose_cuts(job, ceil_div(wanted, p->count));
    }
    job->tasks = at_most(p->count * job->rows * job->columns, wanted);
}

/* Register tiles have a fixed width: whether the transposes fill them so much better that it makes
 * up for storing the result against its grain. */
static bool better_turned(const GemmKernels *g, const GemmBatch *p) {
    int64_t lanes = g->nr / 2;
    int64_t now = p->m * ceil_div(p->n, lanes) * p->k, then = p->n * ceil_div(p->m, lanes) * p->k;
    return then + 2 * p->m * p->n < now;
}

static size_t plan(Job *job, const GemmBatch *p) {
    const GemmKernels *g = job->g;
    job->p = *p;
    if (g->small && p->m <= GEMM_SMALL && p->n <= GEMM_SMALL && p->k <= GEMM_SMALL) {
        job->way = BY_SMALL;
        return 0;
    }
    job->way = g->gemv && (p->m == 1 || p->n == 1) ? BY_GEMV : BY_TILES;
    if (job->way == BY_GEMV ? p->n != 1 : better_turned(g, p)) {
        job->p = batch_turned(p);
    }
    return job->way == BY_GEMV ? aligned(p->k * g->size)
                               : gemm_work_bytes(g, job->p.m, job->p.n, p->k);
}

bool gemm_run(const GemmKernels *g, const GemmBatch *batch) {
    if (batch->m == 0 || batch->n == 0 || batch->count == 0) {
        return true;
    }
    Job job;
    job.g = g;
    size_t bytes = plan(&job, batch);
    plan_tasks(&job);
    if (job.way != BY_SMALL && !workspace_open(&job.work, job.tasks, bytes)) {
        return false;
    }
    parallel_tasks(job.tasks, job_task, &job);
    if (job.way != BY_SMALL) {
        workspace_close(&job.work);
    }
    return !interrupted();
}
