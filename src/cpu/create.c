/* Kernels of the operators that make tensors. Their outputs are new and contiguous. */
#include <math.h>
#include <string.h>

#include "base/threads.h"
#include "cpu/cpu.h"
#include "cpu/dense.h"
#include "cpu/make.h"
#include "tensor/number.h"

enum { GRAIN_BYTES = 1 << 17 };

static void zero_bytes(void *ctx, int64_t begin, int64_t end) {
    memset((char *)ctx + begin, 0, (size_t)(end - begin));
}

static bool cpu_zeros(const KernelCall *c) {
    const View *out = &c->out[0];
    parallel_for(out->numel * (int64_t)dtype_size(out->dtype), GRAIN_BYTES, zero_bytes, out->data);
    return true;
}

static bool cpu_empty(const KernelCall *c) {
    (void)c;
    return true;
}

static bool cpu_ones(const KernelCall *c) {
    dense_fill(&c->out[0], arg_int(1));
    return true;
}

static bool cpu_full(const KernelCall *c) {
    dense_fill(&c->out[0], c->arg[1]);
    return true;
}

static bool cpu_eye(const KernelCall *c) {
    const View *out = &c->out[0];
    int64_t n = out->shape[0], m = out->shape[1];
    if (out->numel == 0) {
        return true; /* the other size may be any number */
    }
    int64_t stride[] = {m + 1}, shape[] = {n < m ? n : m};
    View diagonal = {.data = out->data,
                     .shape = shape,
                     .stride = stride,
                     .numel = shape[0],
                     .dim = 1,
                     .dtype = out->dtype};
    cpu_zeros(c);
    dense_fill(&diagonal, arg_int(1));
    return true;
}

typedef struct Range {
    double first, last, step;
    int64_t whole_first, whole_step, n;
} Range;

/* Without a sign, as the way from one end to the other may not fit into an int64. */
static void make_whole_range(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Range *r = ctx;
    int64_t *out = block;
    for (int64_t i = 0; i < n; i++) {
        uint64_t way = (uint64_t)(begin + i) * (uint64_t)r->whole_step;
        out[i] = (int64_t)((uint64_t)r->whole_first + way);
    }
}

/* Rounding does not lead beyond the last number. */
static void make_range(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Range *r = ctx;
    double *out = block;
    for (int64_t i = 0; i < n; i++) {
        double x = r->first + (double)(begin + i) * r->step;
        out[i] = r->step > 0 ? fmin(x, r->last) : fmax(x, r->last);
    }
}

/* From both ends, so that both are met exactly. */
static void make_linspace(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Range *r = ctx;
    double *out = block;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = begin + i;
        out[i] = at < r->n / 2 || r->n == 1 ? r->first + (double)at * r->step
                                            : r->last - (double)(r->n - 1 - at) * r->step;
    }
}

static bool make_arange(const KernelCall *c, Arg first, Arg last, Arg step) {
    Range r = {.first = arg_number(first),
               .last = arg_number(last),
               .step = arg_number(step),
               .whole_first = first.i,
               .whole_step = step.i};
    if (first.kind == ARG_FLOAT || last.kind == ARG_FLOAT || step.kind == ARG_FLOAT) {
        make_wide(&c->out[0], DT_FLOAT64, make_range, &r);
    } else {
        make_wide(&c->out[0], DT_INT64, make_whole_range, &r);
    }
    return true;
}

static bool cpu_arange(const KernelCall *c) {
    return make_arange(c, arg_int(1), c->arg[0], arg_int(1));
}

static bool cpu_arange__range(const KernelCall *c) {
    return make_arange(c, c->arg[0], c->arg[1], c->arg[2]);
}

/* Both parts of complex numbers, one after the other. */
static void make_complex_linspace(const void *ctx, void *block, int64_t begin, int64_t n) {
    const Range *parts = ctx;
    double *out = block, part[MAKE_BLOCK / 2];
    for (int k = 0; k < 2; k++) {
        make_linspace(&parts[k], part, begin / 2, n / 2);
        for (int64_t i = 0; i < n / 2; i++) {
            out[2 * i + k] = part[i];
        }
    }
}

static Range evenly(double first, double last, int64_t n) {
    Range r = {.first = first, .last = last, .n = n};
    r.step = n > 1 ? (last - first) / (double)(n - 1) : 0;
    return r;
}

static bool cpu_linspace(const KernelCall *c) {
    const View *out = &c->out[0], numbers = make_numbers(out);
    Complex128 first = number_complex(c->arg[0]), last = number_complex(c->arg[1]);
    Range r[] = {evenly(first.re, last.re, out->numel), evenly(first.im, last.im, out->numel)};
    MakeBlock *make = dtype_is_complex(out->dtype) ? make_complex_linspace : make_linspace;
    make_wide(&numbers, DT_FLOAT64, make, r);
    return true;
}

const KernelRow cpu_create_rows[] = {
    {"zeros", cpu_zeros},       {"ones", cpu_ones},     {"empty", cpu_empty},
    {"full", cpu_full},         {"arange", cpu_arange}, {"arange__range", cpu_arange__range},
    {"linspace", cpu_linspace}, {"eye", cpu_eye},       {NULL, NULL}};
