/* Pooling whose windows are found one by one: as many as are wanted, or at random. */
#include "base/memory.h"
#include "cpu/conv_plan.h"
#include "cpu/cpu.h"
#include "cpu/pool_kernels.h"
#include "tensor/conv_shape.h"

typedef struct Windows {
    const PoolKernels *k;
    ConvShape s;
    ConvOperand in, out, samples;
    int64_t *places, *start,
        *end; /* start and end: the three axes' windows, one behind the other */
    int64_t in_plane, out_plane, size;
} Windows;

static int64_t volume(const int64_t *size) { return size[0] * size[1] * size[2]; }

static int64_t windows_of(const ConvShape *s) { return s->out[0] + s->out[1] + s->out[2]; }

static PoolWindows map_of(const ConvShape *s, const int64_t *start, const int64_t *end) {
    PoolWindows w = {0};
    for (int i = 0; i < IMAGE_DIMS; i++) {
        w.in[i] = s->in[i];
        w.out[i] = s->out[i];
        w.start[i] = start;
        w.end[i] = end;
        start += s->out[i];
        end += s->out[i];
    }
    return w;
}

static void run_plane(const Windows *p, const PoolWindows *w, int64_t plane) {
    p->k->max_windows(w, (const char *)p->in.data + plane * p->in_plane * p->size,
                      (char *)p->out.data + plane * p->out_plane * p->size,
                      p->places + plane * p->out_plane);
}

static void adaptive_unit(void *ctx, int64_t unit, void *work) {
    (void)work;
    const Windows *p = ctx;
    PoolWindows w = map_of(&p->s, p->start, p->end);
    run_plane(p, &w, unit);
}

static double sample_of(const Windows *p, int64_t at) {
    return p->samples.dtype == DT_FLOAT64 ? ((const double *)p->samples.data)[at]
                                          : (double)((const float *)p->samples.data)[at];
}

/* The last window ends where the input does; the others are about evenly apart, the sample saying
 * how their distances are rounded. */
static void random_windows(const ConvShape *s, int axis, double sample, int64_t *start,
                           int64_t *end) {
    int64_t room = s->in[axis] - s->kernel[axis], out = s->out[axis];
    double step = out > 1 ? (double)room / (double)(out - 1) : 0;
    sample = sample >= 0 && sample < 1 ? sample : 0;
    for (int64_t o = 0; o < out; o++) {
        int64_t at = (int64_t)(((double)o + sample) * step) - (int64_t)(sample * step);
        start[o] = o == out - 1 || at > room ? room : at;
        end[o] = start[o] + s->kernel[axis];
    }
}

static void fractional_unit(void *ctx, int64_t unit, void *work) {
    const Windows *p = ctx;
    const ConvShape *s = &p->s;
    int64_t *start = work, *end = start + windows_of(s), used = 0;
    for (int i = 0; i < IMAGE_DIMS; i++) {
        /* Of two dims, the sample of the width comes first; of three, that of the depth. */
        int own = i - IMAGE_DIMS + s->dims, at = s->dims == 2 ? 1 - own : own;
        double sample = own < 0 ? 0 : sample_of(p, unit * s->dims + at);
        random_windows(s, i, sample, start + used, end + used);
        used += s->out[i];
    }
    PoolWindows w = map_of(s, start, end);
    run_plane(p, &w, unit);
}

static bool windows_open(Windows *p, const KernelCall *c, int size_at) {
    int dtype = pool_dtype(c->in[0].dtype);
    ConvShape *s = &p->s;
    p->k = pool_kernels(dtype);
    p->size = (int64_t)dtype_size(dtype);
    p->places = c->out[1].data;
    if (!image_shape(c->op, (Ints){c->in[0].shape, c->in[0].dim}, c->arg[size_at].count, s) ||
        !image_ints(c->op, c->arg, size_at, s->dims, 1, s->out)) {
        return false;
    }
    p->in_plane = volume(s->in);
    p->out_plane = volume(s->out);
    return conv_read(&p->in, &c->in[0], dtype) && conv_write(&p->out, &c->out[0], dtype);
}

static bool windows_close(Windows *p, const KernelCall *c, bool ok) {
    if (ok) {
        conv_written(&p->out, &c->out[0]);
    }
    conv_release(&p->in);
    conv_release(&p->out);
    conv_release(&p->samples);
    return ok;
}

static size_t windows_bytes(const Windows *p) {
    return 2 * (size_t)windows_of(&p->s) * sizeof(int64_t);
}

static void adaptive_windows(Windows *p) {
    int64_t used = 0;
    for (int i = 0; i < IMAGE_DIMS; i++) {
        int64_t in = p->s.in[i], out = p->s.out[i];
        for (int64_t o = 0; o < out; o++, used++) {
            p->start[used] = o * in / out;
            p->end[used] = ((o + 1) * in + out - 1) / out;
        }
    }
}

static bool cpu_adaptive_max_pool(const KernelCall *c) {
    Windows p = {0};
    bool ok = windows_open(&p, c, 1);
    if (ok) {
        size_t bytes = windows_bytes(&p);
        p.start = mem_alloc(bytes);
        ok = p.start != NULL;
        if (ok) {
            p.end = p.start + windows_of(&p.s);
            adaptive_windows(&p);
            ok = conv_units(p.s.n * p.s.c, (double)(p.in_plane + 4 * p.out_plane), MEM_ALIGN,
                            adaptive_unit, &p);
            mem_free(p.start, bytes);
        }
    }
    return windows_close(&p, c, ok);
}

static bool cpu_fractional_max_pool(const KernelCall *c) {
    Windows p = {0};
    bool ok = windows_open(&p, c, 2) && image_ints(c->op, c->arg, 1, p.s.dims, 1, p.s.kernel) &&
              conv_read(&p.samples, &c->in[1], conv_dtype(c->in[1].dtype)) &&
              conv_units(p.s.n * p.s.c, (double)(p.out_plane * volume(p.s.kernel)),
                         windows_bytes(&p) + MEM_ALIGN, fractional_unit, &p);
    return windows_close(&p, c, ok);
}

const KernelRow cpu_pool_windows_rows[] = {{"adaptive_max_pool", cpu_adaptive_max_pool},
                                           {"fractional_max_pool", cpu_fractional_max_pool},
                                           {NULL, NULL}};
