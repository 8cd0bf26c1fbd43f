/* Reductions: the plan of a call. What is reduced is cut into units by sizes alone, so that a
 * result has the same bits with any number of threads; the loops stand in kernels/reduce.c. */
#include "cpu/kernels/reduce.h"

#include <math.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cpu/cpu.h"
#include "cpu/kernels/isa_name.h"
#include "tensor/axes.h"
#include "tensor/formulas/complex.h"
#include "tensor/formulas/half.h"
#include "tensor/op.h"

ISA_DECLARE(const ReduceTable, reduce_table);

/* Elements that one chunk of a long reduction holds, the most chunks of one, and the number of
 * units from which on a reduction is not cut into chunks. */
enum { CHUNK = 65536, MAX_CHUNKS = 256, ENOUGH_UNITS = 32, GRAIN = 32768 };

/* Operands of an axis. */
enum { IN, OUT };

typedef struct Plan {
    ReduceKind kind;
    Compute compute;
    bool mean;
    ReduceLoop *loop;
    View in;
    const View *value, *position; /* results, NULL where not wanted */
    View values;  /* what value points to where results are seen as pairs of parts */
    int64_t pair; /* 2 where complex elements are seen as pairs of their parts, else 1 */
    Axis kept[MAX_DIMS + 1], reduced[MAX_DIMS]; /* innermost first */
    int n_kept, n_reduced;
    int64_t n_out, count; /* results; elements of each */
    int64_t tile, tiles, chunk, chunks;
    Number *parts; /* of all units, tile numbers of a and tile of b each; NULL with one chunk */
} Plan;

/* Leaves the axes as they are: starting a small sum costs no more than the sum. */
static void plan_init(Plan *p, ReduceKind kind, const View *value, const View *position) {
    p->kind = kind;
    p->mean = false;
    p->pair = 1;
    p->value = value;
    p->position = position;
    p->n_kept = p->n_reduced = 0;
    p->parts = NULL;
}

static Compute compute_of(ReduceKind kind, int dtype) {
    if (dtype_is_complex(dtype) && kind == REDUCE_PROD) {
        return COMPUTE_COMPLEX;
    }
    if (dtype == DT_FLOAT64) {
        return COMPUTE_F64;
    }
    return dtype_is_float(dtype) ? COMPUTE_F32 : COMPUTE_I64;
}

static bool is_arg(ReduceKind kind) { return kind == REDUCE_ARGMAX || kind == REDUCE_ARGMIN; }

static Number identity(ReduceKind kind, Compute compute) {
    bool f = compute != COMPUTE_I64;
    switch (kind) {
    case REDUCE_PROD: return f ? (Number){.f = 1} : (Number){.i = 1};
    case REDUCE_MAX: return f ? (Number){.f = -INFINITY} : (Number){.i = INT64_MIN};
    case REDUCE_MIN: return f ? (Number){.f = INFINITY} : (Number){.i = INT64_MAX};
    case REDUCE_ALL: return (Number){.i = 1};
    default: return (Number){.i = 0};
    }
}

static void start(const Plan *p, Number *a, Number *b, int64_t n) {
    Number one = identity(p->kind, p->compute);
    Number other = {.i = is_arg(p->kind) ? -1 : 0};
    for (int64_t i = 0; i < n; i++) {
        a[i] = one;
        b[i] = other;
    }
}

/* Whether v takes the place of best; the first of equals stays, and NaN wins. */
static bool better(const Plan *p, Number v, Number best) {
    bool largest = p->kind == REDUCE_MAX || p->kind == REDUCE_ARGMAX;
    if (p->compute == COMPUTE_I64) {
        return largest ? v.i > best.i : v.i < best.i;
    }
    return largest ? v.f > best.f || (isnan(v.f) && !isnan(best.f))
                   : v.f < best.f || (isnan(v.f) && !isnan(best.f));
}

static void join_sum(const Plan *p, Number *a, Number *b, Number pa, Number pb) {
    if (p->compute == COMPUTE_I64) {
        a->i = (int64_t)((uint64_t)a->i + (uint64_t)pa.i);
        return;
    }
    double sum = a->f + pa.f, of_part = sum - a->f;
    b->f += pb.f + ((a->f - (sum - of_part)) + (pa.f - of_part));
    a->f = sum;
}

/* a, b joined with another part's. */
static void join(const Plan *p, Number *a, Number *b, Number pa, Number pb) {
    switch (p->kind) {
    case REDUCE_SUM:
    case REDUCE_NANSUM:
    case REDUCE_SQUARES: join_sum(p, a, b, pa, pb); return;
    case REDUCE_PROD:
        if (p->compute == COMPUTE_COMPLEX) {
            Complex128 z = f_mul_c128(f_make_c128(a->f, b->f), f_make_c128(pa.f, pb.f));
            a->f = z.re;
            b->f = z.im;
        } else if (p->compute == COMPUTE_I64) {
            a->i = (int64_t)((uint64_t)a->i * (uint64_t)pa.i);
        } else {
            a->f *= pa.f;
        }
        return;
    case REDUCE_ALL: a->i &= pa.i; return;
    case REDUCE_ANY: a->i |= pa.i; return;
    default:
        if (better(p, pa, *a) || (is_arg(p->kind) && b->i < 0)) {
            *a = pa;
            *b = pb;
        }
    }
}

static double float_result(const Plan *p, Number a, Number b) {
    double v = a.f;
    if (p->kind == REDUCE_SUM) {
        v = isfinite(v) ? v + b.f : v;
        v = p->mean ? v / (double)p->count : v;
    }
    return v;
}

static void store_floats(const Plan *p, int64_t at, int64_t step, const Number *a, const Number *b,
                         int64_t n) {
    void *data = p->value->data;
    for (int64_t i = 0; i < n; i++, at += step) {
        double v = float_result(p, a[i], b[i]);
        switch (p->value->dtype) {
        case DT_FLOAT16: ((uint16_t *)data)[at] = f_to_f16((float)v); break;
        case DT_BFLOAT16: ((uint16_t *)data)[at] = f_to_bf16((float)v); break;
        case DT_FLOAT32: ((float *)data)[at] = (float)v; break;
        default: ((double *)data)[at] = v;
        }
    }
}

static void store_integers(const View *out, int64_t at, int64_t step, const Number *v, int64_t base,
                           int64_t n) {
    void *data = out->data;
    for (int64_t i = 0; i < n; i++, at += step) {
        int64_t x = v[i].i + base;
        switch (dtype_size(out->dtype)) {
        case 1: ((uint8_t *)data)[at] = (uint8_t)x; break;
        case 2: ((uint16_t *)data)[at] = (uint16_t)x; break;
        case 4: ((uint32_t *)data)[at] = (uint32_t)x; break;
        default: ((int64_t *)data)[at] = x;
        }
    }
}

static void store(const Plan *p, int64_t at, int64_t step, const Number *a, const Number *b,
                  int64_t n) {
    if (p->compute == COMPUTE_COMPLEX) {
        int64_t size = (int64_t)dtype_size(p->value->dtype);
        for (int64_t i = 0; i < n; i++) {
            element_set_complex((char *)p->value->data + (at + i * step) * size, p->value->dtype,
                                f_make_c128(a[i].f, b[i].f));
        }
    } else if (p->value && dtype_is_float(p->value->dtype)) {
        store_floats(p, at, step, a, b, n);
    } else if (p->value) {
        store_integers(p->value, at, step, a, 0, n);
    }
    if (p->position) {
        store_integers(p->position, at, step, b, INDEX_BASE, n);
    }
}

/* Where the columns of a unit start, and how many they are. */
typedef struct Unit {
    int64_t at[AXIS_OPERANDS], cols;
} Unit;

static Unit find_unit(const Plan *p, int64_t u) {
    Unit unit = {{0}, 1};
    if (p->n_kept) {
        const Axis *inner = &p->kept[0];
        int64_t first = u % p->tiles * p->tile;
        unit.at[IN] = first * inner->step[IN];
        unit.at[OUT] = first * inner->step[OUT];
        unit.cols = inner->size - first < p->tile ? inner->size - first : p->tile;
        axes_offset(p->kept, 1, p->n_kept, u / p->tiles, unit.at);
    }
    return unit;
}

static void store_unit(const Plan *p, const Unit *unit, const Number *a, const Number *b) {
    store(p, unit->at[OUT], p->n_kept ? p->kept[0].step[OUT] : 0, a, b, unit->cols);
}

/* Joins elements [begin, end) of each of the unit's columns into a and b. */
static void run_range(const Plan *p, const Unit *unit, int64_t begin, int64_t end, Number *a,
                      Number *b) {
    const Axis *inner = &p->reduced[0];
    int64_t rows = p->n_reduced ? inner->size : 1;
    ReduceRun r = {.row_step = p->n_reduced ? inner->step[IN] : 0,
                   .cols = unit->cols,
                   .col_step = p->n_kept ? p->kept[0].step[IN] : 0,
                   .dtype = p->in.dtype,
                   .a = a,
                   .b = b};
    int64_t size = (int64_t)dtype_size(p->in.dtype);
    for (int64_t at = begin; at < end; at += r.rows) {
        int64_t first = at % rows, offset[AXIS_OPERANDS] = {unit->at[IN] + first * r.row_step};
        axes_offset(p->reduced, 1, p->n_reduced, at / rows, offset);
        r.rows = rows - first < end - at ? rows - first : end - at;
        r.position = at;
        r.x = (const char *)p->in.data + offset[IN] * size;
        p->loop(&r);
    }
}

static void run_units(void *ctx, int64_t begin, int64_t end) {
    const Plan *p = ctx;
    Number local[2 * REDUCE_TILE];
    for (int64_t u = begin; u < end; u++) {
        int64_t chunk = u % p->chunks * p->chunk;
        int64_t stop = p->count - chunk < p->chunk ? p->count : chunk + p->chunk;
        Unit unit = find_unit(p, u / p->chunks);
        Number *a = p->parts ? p->parts + u * 2 * p->tile : local;
        Number *b = a + p->tile;
        start(p, a, b, unit.cols);
        run_range(p, &unit, chunk, stop, a, b);
        if (!p->parts) {
            store_unit(p, &unit, a, b);
        }
    }
}

static void join_parts(const Plan *p, int64_t units) {
    for (int64_t u = 0; u < units; u++) {
        Unit unit = find_unit(p, u);
        Number *a = p->parts + u * p->chunks * 2 * p->tile, *b = a + p->tile;
        for (int64_t k = 1; k < p->chunks; k++) {
            const Number *pa = a + k * 2 * p->tile, *pb = pa + p->tile;
            for (int64_t c = 0; c < unit.cols; c++) {
                join(p, &a[c], &b[c], pa[c], pb[c]);
            }
        }
        store_unit(p, &unit, a, b);
    }
}

/* Positions count in row-major order, so then the reduced dims keep their order. */
static void make_axes(Plan *p, const View *out, uint32_t dims) {
    const View *in = &p->in;
    bool keepdim = out->dim == in->dim;
    for (int d = in->dim - 1, o = out->dim - 1; d >= 0; d--) {
        Axis a = {in->shape[d], {in->stride[d] * p->pair, 0}};
        bool reduced = dims >> d & 1;
        if (!reduced || keepdim) {
            a.step[OUT] = reduced ? 0 : out->stride[o] * p->pair;
            o--;
        }
        if (a.size != 1) {
            Axis *list = reduced ? p->reduced : p->kept;
            list[reduced ? p->n_reduced++ : p->n_kept++] = a;
        }
    }
    if (p->pair > 1) {
        p->kept[p->n_kept++] = (Axis){p->pair, {1, 1}};
    }
    if (!is_arg(p->kind)) {
        axes_sort(p->reduced, p->n_reduced, IN);
    }
    axes_sort(p->kept, p->n_kept, IN);
    p->n_kept = axes_merge(p->kept, p->n_kept);
    p->n_reduced = axes_merge(p->reduced, p->n_reduced);
}

static int64_t clamp(int64_t v, int64_t low, int64_t high) {
    return v < low ? low : v > high ? high : v;
}

/* Whether the loops go through the columns first: where these lie closer together, or the rows
 * are few. */
static bool prefers_across(const Plan *p) {
    if (p->n_kept == 0 || p->n_reduced == 0) {
        return false;
    }
    const Axis *kept = &p->kept[0], *reduced = &p->reduced[0];
    return kept->size >= 4 &&
           (kept->step[IN] < reduced->step[IN] || (reduced->size < 16 && kept->size > 16));
}

static void make_units(Plan *p) {
    const ReduceTable *table = ISA_PICK(reduce_table);
    bool across = prefers_across(p);
    int64_t cols = p->n_kept ? p->kept[0].size : 1;
    p->loop = (across ? table->across : table->along)[p->kind][p->compute];
    p->tile = across ? REDUCE_TILE : clamp(GRAIN / p->count, 1, REDUCE_TILE);
    p->tile = p->tile < cols ? p->tile : cols;
    p->tiles = (cols + p->tile - 1) / p->tile;
    int64_t units = p->n_out / cols * p->tiles;
    p->chunk = p->count;
    if (units < ENOUGH_UNITS && p->count > 2 * CHUNK / p->tile) {
        int64_t least = (p->count + MAX_CHUNKS - 1) / MAX_CHUNKS;
        int64_t chunk = CHUNK / p->tile > least ? CHUNK / p->tile : least;
        p->chunk = across ? chunk : (chunk + REDUCE_BLOCK - 1) / REDUCE_BLOCK * REDUCE_BLOCK;
    }
    p->chunks = (p->count + p->chunk - 1) / p->chunk;
}

static bool run_plan(Plan *p) {
    make_units(p);
    int64_t cols = p->n_kept ? p->kept[0].size : 1;
    int64_t units = p->n_out / cols * p->tiles;
    size_t bytes = (size_t)(units * p->chunks * 2 * p->tile) * sizeof(Number);
    if (p->chunks > 1) {
        p->parts = mem_alloc(bytes);
        if (!p->parts) {
            return false;
        }
    }
    int64_t grain = GRAIN / (p->tile * (p->chunk < p->count ? p->chunk : p->count));
    parallel_for(units * p->chunks, grain < 2 ? 2 : grain, run_units, p);
    if (p->parts) {
        if (!interrupt_pending()) {
            join_parts(p, units);
        }
        mem_free(p->parts, bytes);
    }
    return true;
}

static bool is_contiguous(const View *v) {
    int64_t step = 1;
    for (int d = v->dim - 1; d >= 0; d--) {
        if (v->shape[d] != 1 && v->stride[d] != step) {
            return false;
        }
        step *= v->shape[d];
    }
    return true;
}

/* One result of few elements without gaps. */
static bool run_small(const Plan *p) {
    Number a, b;
    start(p, &a, &b, 1);
    ReduceRun r = {.x = p->in.data,
                   .rows = p->in.numel,
                   .row_step = 1,
                   .cols = 1,
                   .dtype = p->in.dtype,
                   .a = &a,
                   .b = &b};
    ISA_PICK(reduce_table)->along[p->kind][p->compute](&r);
    store(p, 0, 0, &a, &b, 1);
    return true;
}

/* The results of reducing nothing. */
static bool store_identities(const Plan *p) {
    Number a, b;
    start(p, &a, &b, 1);
    for (int64_t i = 0; i < p->n_out; i++) {
        store(p, i, 0, &a, &b, 1);
    }
    return true;
}

/* Parts of complex numbers are added up as so many more columns of floats. */
static void see_pairs(Plan *p) {
    p->in.dtype = dtype_real_of(p->in.dtype);
    p->values = *p->value;
    p->values.dtype = p->in.dtype;
    p->value = &p->values;
    p->n_out *= 2;
    p->pair = 2;
}

static bool run_reduction(Plan *p, const KernelCall *c, uint32_t dims) {
    const View *out = p->value ? p->value : p->position;
    p->in = c->in[0];
    p->n_out = out->numel;
    p->count = 1;
    if (p->n_out == 0) {
        return true;
    }
    p->count = p->in.numel / p->n_out;
    if (dtype_is_complex(p->in.dtype) && p->kind == REDUCE_SUM) {
        see_pairs(p);
    }
    p->compute = compute_of(p->kind, p->in.dtype);
    if (p->count == 0) {
        return store_identities(p);
    }
    if (p->n_out == 1 && p->in.numel <= REDUCE_BLOCK && is_contiguous(&p->in)) {
        return run_small(p);
    }
    make_axes(p, out, dims);
    return run_plan(p);
}

/* The dims in argument k as bits; all where it was not given. */
static uint32_t dims_of(const KernelCall *c, int k) {
    const Arg *a = &c->arg[k];
    if (a->kind == ARG_INT) {
        return 1u << a->i;
    }
    uint32_t dims = 0;
    for (int i = 0; a->kind == ARG_INTS && i < a->count; i++) {
        dims |= 1u << a->ints[i];
    }
    return dims ? dims : ~0u;
}

static bool reduce_dims(const KernelCall *c, ReduceKind kind) {
    Plan p;
    plan_init(&p, kind, &c->out[0], NULL);
    return run_reduction(&p, c, dims_of(c, 1));
}

static bool reduce_arg(const KernelCall *c, ReduceKind kind) {
    Plan p;
    plan_init(&p, kind, NULL, &c->out[0]);
    return run_reduction(&p, c, dims_of(c, 1));
}

static bool reduce_pick(const KernelCall *c, ReduceKind kind) {
    Plan p;
    plan_init(&p, kind, &c->out[0], &c->out[1]);
    return run_reduction(&p, c, dims_of(c, 1));
}

static bool reduce_whole(const KernelCall *c, ReduceKind kind) {
    Plan p;
    plan_init(&p, kind, &c->out[0], NULL);
    return run_reduction(&p, c, ~0u);
}

static bool cpu_sum(const KernelCall *c) { return reduce_dims(c, REDUCE_SUM); }
static bool cpu_nansum(const KernelCall *c) { return reduce_dims(c, REDUCE_NANSUM); }
static bool cpu_sum_squares(const KernelCall *c) { return reduce_dims(c, REDUCE_SQUARES); }
static bool cpu_prod(const KernelCall *c) { return reduce_dims(c, REDUCE_PROD); }
static bool cpu_amax(const KernelCall *c) { return reduce_dims(c, REDUCE_MAX); }
static bool cpu_amin(const KernelCall *c) { return reduce_dims(c, REDUCE_MIN); }
static bool cpu_all(const KernelCall *c) { return reduce_dims(c, REDUCE_ALL); }
static bool cpu_any(const KernelCall *c) { return reduce_dims(c, REDUCE_ANY); }
static bool cpu_max(const KernelCall *c) { return reduce_whole(c, REDUCE_MAX); }
static bool cpu_min(const KernelCall *c) { return reduce_whole(c, REDUCE_MIN); }
static bool cpu_max__dim(const KernelCall *c) { return reduce_pick(c, REDUCE_ARGMAX); }
static bool cpu_min__dim(const KernelCall *c) { return reduce_pick(c, REDUCE_ARGMIN); }
static bool cpu_argmax(const KernelCall *c) { return reduce_arg(c, REDUCE_ARGMAX); }
static bool cpu_argmin(const KernelCall *c) { return reduce_arg(c, REDUCE_ARGMIN); }

static bool cpu_mean(const KernelCall *c) {
    Plan p;
    plan_init(&p, REDUCE_SUM, &c->out[0], NULL);
    p.mean = true;
    return run_reduction(&p, c, dims_of(c, 1));
}

const KernelRow cpu_reduce_rows[] = {{"sum", cpu_sum},
                                     {"mean", cpu_mean},
                                     {"prod", cpu_prod},
                                     {"amax", cpu_amax},
                                     {"amin", cpu_amin},
                                     {"all", cpu_all},
                                     {"any", cpu_any},
                                     {"max", cpu_max},
                                     {"min", cpu_min},
                                     {"max__dim", cpu_max__dim},
                                     {"min__dim", cpu_min__dim},
                                     {"argmax", cpu_argmax},
                                     {"argmin", cpu_argmin},
                                     {"nansum", cpu_nansum},
                                     {"sum_squares", cpu_sum_squares},
                                     {NULL, NULL}};
