/* The gradient of a convolution's weight: sums over the batch, in parts that depend on the sizes
 * alone and are added in order, so that the result does not depend on the number of threads. */
#include <string.h>

#include "base/memory.h"
#include "cpu/conv_plan.h"

/* A block of packed gradients stays within the second-level cache. */
enum { GRAD_BYTES = 128 << 10 };

/* How many independent parts are enough for any pool, and the taps that make one worth it. */
enum { PARTS = 16, TAPS_OF_PART = 128 };

typedef struct WeightGrad {
    const ConvPlan *p;
    const ConvKernels *k;
    const GemmKernels *g;
    const void *grad, *input;
    void *out;
    char *sums; /* batch part, group, panel of output channels, tap, nr */
    int64_t batch_parts, channel_parts;
    int64_t panels;      /* of a group's output channels */
    int64_t panel, part; /* elements of a panel and of a batch part */
    int64_t rows;        /* of positions packed at a time */
} WeightGrad;

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

static int64_t clamp(int64_t x, int64_t least, int64_t most) {
    return x < least ? least : x > most ? most : x;
}

static void plan_parts(WeightGrad *f) {
    const ConvPlan *p = f->p;
    int64_t taps = p->map.taps > 0 ? p->map.taps : 1;
    bool narrow = p->out_c <= p->k->nr / 4 && !p->depthwise;
    f->k = narrow ? conv_kernels_narrow((size_t)p->size) : p->k;
    f->g = narrow ? gemm_kernels_narrow((size_t)p->size) : p->g;
    if (p->depthwise) {
        f->channel_parts = f->panels = 1;
        f->panel = p->window;
    } else {
        f->channel_parts = clamp(taps / TAPS_OF_PART, 1, clamp(p->in_c, 1, PARTS));
        f->panels = ceil_div(p->out_c, f->k->nr);
        f->panel = taps * f->k->nr;
    }
    f->batch_parts = clamp(PARTS / (f->channel_parts * p->s.groups), 1, p->s.n);
    f->part = p->s.groups * f->panels * f->panel;
    f->rows = clamp(GRAD_BYTES / (p->map.columns * f->k->nr * p->size), 1, p->map.rows);
}

static const void *grad_at(const WeightGrad *f, int64_t image, int64_t group) {
    const ConvPlan *p = f->p;
    return conv_at(p, f->grad, (image * p->s.o + group * p->out_c) * p->out_plane);
}

/* Channels [first, end) of the group, at their places in a prepared image. */
static const void *prepared(const WeightGrad *f, int64_t image, int64_t group, int64_t first,
                            int64_t end, void *work) {
    const ConvPlan *p = f->p;
    const void *from = conv_at(p, f->input, (image * p->s.c + group * p->in_c) * p->in_plane);
    if (!p->framed) {
        return from;
    }
    ConvFrame frame = p->frame;
    frame.channels = end - first;
    f->k->prepare(&frame, conv_at(p, from, first * p->in_plane),
                  conv_to(p, work, first * p->frame_plane));
    return work;
}

static void add_image(const WeightGrad *f, const void *image, const void *grad, int64_t first,
                      int64_t end, char *sums, void *packed) {
    const ConvPlan *p = f->p;
    for (int64_t y = 0; y < p->map.rows; y += f->rows) {
        int64_t y1 = clamp(y + f->rows, y, p->map.rows), n = (y1 - y) * p->map.columns;
        for (int64_t panel = 0; panel < f->panels; panel++) {
            int64_t o = panel * f->k->nr, lanes = clamp(p->out_c - o, 0, f->k->nr);
            const void *from = conv_at(p, grad, o * p->out_plane + y * p->map.columns);
            f->g->pack_b(n, lanes, (Matrix){from, 1, p->out_plane}, packed);
            f->k->weights(&p->map, image, first * p->window, (end - first) * p->window, y, y1,
                          packed, lanes, conv_to(p, sums, panel * f->panel));
        }
    }
}

static void weight_grad_unit(void *ctx, int64_t unit, void *work) {
    const WeightGrad *f = ctx;
    const ConvPlan *p = f->p;
    int64_t channel_part = unit % f->channel_parts;
    int64_t group = unit / f->channel_parts % p->s.groups;
    int64_t batch_part = unit / f->channel_parts / p->s.groups;
    int64_t first = channel_part * p->in_c / f->channel_parts;
    int64_t end = (channel_part + 1) * p->in_c / f->channel_parts;
    char *sums = conv_to(p, f->sums, batch_part * f->part + group * f->panels * f->panel);
    for (int64_t panel = 0; panel < f->panels; panel++) {
        int64_t at = panel * f->panel + first * p->window * f->k->nr;
        memset(conv_to(p, sums, at), 0, (size_t)((end - first) * p->window * f->k->nr * p->size));
    }
    int64_t last = (batch_part + 1) * p->s.n / f->batch_parts;
    for (int64_t i = batch_part * p->s.n / f->batch_parts; i < last; i++) {
        const void *image = prepared(f, i, group, first, end, work);
        add_image(f, image, grad_at(f, i, group), first, end, sums,
                  (char *)work + conv_frame_bytes(p));
    }
}

static void plane_unit(void *ctx, int64_t unit, void *work) {
    const WeightGrad *f = ctx;
    const ConvPlan *p = f->p;
    int64_t channel = unit % p->s.groups, batch_part = unit / p->s.groups;
    void *sums = conv_to(p, f->sums, batch_part * f->part + channel * f->panel);
    const void *input_end = conv_at(p, f->input, p->s.n * p->s.c * p->in_plane);
    const void *grad_end = conv_at(p, f->grad, p->s.n * p->s.o * p->out_plane);
    memset(sums, 0, (size_t)(f->panel * p->size));
    int64_t last = (batch_part + 1) * p->s.n / f->batch_parts;
    for (int64_t i = batch_part * p->s.n / f->batch_parts; i < last; i++) {
        const void *image = prepared(f, i, channel, 0, 1, work);
        const void *end = p->framed ? conv_at(p, work, p->frame_plane) : input_end;
        f->k->plane_weights(&p->map, image, end, grad_at(f, i, channel), grad_end, sums);
    }
}

static void collect_planes(const WeightGrad *f) {
    const ConvPlan *p = f->p;
    for (int64_t i = 0; i < f->part; i++) {
        double sum = 0;
        for (int64_t b = 0; b < f->batch_parts; b++) {
            const void *at = conv_at(p, f->sums, b * f->part + i);
            sum += p->size == sizeof(float) ? *(const float *)at : *(const double *)at;
        }
        if (p->size == sizeof(float)) {
            ((float *)f->out)[i] = (float)sum;
        } else {
            ((double *)f->out)[i] = sum;
        }
    }
}

static void collect_unit(void *ctx, int64_t unit, void *work) {
    (void)work;
    const WeightGrad *f = ctx;
    const ConvPlan *p = f->p;
    int64_t group = unit / f->panels, panel = unit % f->panels, o = panel * f->k->nr;
    int64_t lanes = clamp(p->out_c - o, 0, f->k->nr);
    f->k->collect(conv_at(p, f->sums, unit * f->panel), f->batch_parts, f->part, 0, p->map.taps,
                  lanes, conv_to(p, f->out, (group * p->out_c + o) * p->map.taps), p->map.taps);
}

static double work_of(const ConvPlan *p) {
    return (double)p->s.n * (double)p->out_c * (double)p->out_plane * (double)(p->map.taps + 1);
}

static bool run_parts(WeightGrad *f) {
    const ConvPlan *p = f->p;
    int64_t units = f->batch_parts * p->s.groups * f->channel_parts;
    double work = work_of(p) / (double)(f->batch_parts * f->channel_parts);
    size_t packed = gemm_bytes_b(f->g, f->rows * p->map.columns, f->k->nr);
    if (p->depthwise) {
        if (!conv_units(units, work * 2, conv_frame_bytes(p) + MEM_ALIGN, plane_unit, f)) {
            return false;
        }
        collect_planes(f);
        return true;
    }
    return conv_units(units, work, conv_frame_bytes(p) + packed, weight_grad_unit, f) &&
           conv_units(p->s.groups * f->panels, (double)(f->panel * f->batch_parts), MEM_ALIGN,
                      collect_unit, f);
}

bool conv_weight_grad(const ConvPlan *p, const void *grad, const void *input, void *weight_grad) {
    if (p->s.o * p->map.taps == 0) {
        return true;
    }
    if (p->s.n == 0) {
        memset(weight_grad, 0, (size_t)(p->s.o * p->map.taps * p->size));
        return true;
    }
    WeightGrad f = {.p = p, .grad = grad, .input = input, .out = weight_grad};
    plan_parts(&f);
    size_t bytes = (size_t)(f.batch_parts * f.part * p->size);
    f.sums = mem_alloc(bytes);
    if (!f.sums) {
        return false;
    }
    bool ok = run_parts(&f);
    mem_free(f.sums, bytes);
    return ok;
}
