/* The gradient of a convolution's input with input channels in the lanes of vectors: each output
 * position adds to the pixels that its window had read, and pixels hold their channels together, so
 * that no addition straddles another. */
#include <string.h>

#include "base/memory.h"
#include "cpu/conv_plan.h"

typedef struct Spread {
    const ConvPlan *p;
    ConvSpread map;
    int64_t *tap; /* map.tap (owned) */
    const void *grad, *weight;
    char *weights;      /* group, panel of input channels, tap, output channel, nr */
    size_t panel_bytes; /* of a panel's weights */
    void *out;
    int64_t panels; /* of a group's input channels */
    size_t target_bytes;
} Spread;

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

static int64_t lanes_of(const ConvPlan *p, int64_t panel) {
    int64_t left = p->in_c - panel * p->k->nr;
    return left < p->k->nr ? left : p->k->nr;
}

static bool plan_map(Spread *f) {
    const ConvPlan *p = f->p;
    const ConvShape *s = &p->s;
    int64_t width = s->in[2] + 2 * s->padding[2], slice = (s->in[1] + 2 * s->padding[1]) * width;
    int64_t pixels = (s->in[0] + 2 * s->padding[0]) * slice;
    f->tap = mem_alloc((size_t)p->window * sizeof *f->tap);
    if (!f->tap) {
        return false;
    }
    for (int64_t i = 0; i < p->window; i++) {
        int64_t x = i % s->kernel[2], row = i / s->kernel[2];
        int64_t y = row % s->kernel[1], z = row / s->kernel[1];
        f->tap[i] = z * s->dilation[0] * slice + y * s->dilation[1] * width + x * s->dilation[2];
    }
    f->map = (ConvSpread){.outputs = p->out_c,
                          .plane = p->out_plane,
                          .taps = p->window,
                          .tap = f->tap,
                          .slices = s->out[0],
                          .rows = s->out[1],
                          .columns = s->out[2],
                          .step = s->stride[2],
                          .row_step = s->stride[1] * width,
                          .slice_step = s->stride[0] * slice};
    f->panels = ceil_div(p->in_c, p->k->nr);
    f->target_bytes = (size_t)((pixels + p->k->nr) * p->k->nr * p->size);
    f->panel_bytes = (size_t)(p->window * p->out_c * p->k->nr * p->size);
    return true;
}

/* weight (groups, out_c, in_c, window) by panels of input channels. */
static void pack_unit(void *ctx, int64_t unit, void *work) {
    (void)work;
    const Spread *f = ctx;
    const ConvPlan *p = f->p;
    int64_t tap = unit % p->window, panel = unit / p->window % f->panels;
    int64_t group = unit / p->window / f->panels;
    int64_t at = (group * p->out_c * p->in_c + panel * p->k->nr) * p->window + tap;
    Matrix w = {conv_at(p, f->weight, at), p->in_c * p->window, p->window};
    char *to = f->weights + (size_t)(group * f->panels + panel) * f->panel_bytes;
    p->g->pack_b(p->out_c, lanes_of(p, panel), w,
                 to + (size_t)tap * f->panel_bytes / (size_t)p->window);
}

static void spread_unit(void *ctx, int64_t unit, void *work) {
    const Spread *f = ctx;
    const ConvPlan *p = f->p;
    int64_t panel = unit % f->panels, group = unit / f->panels % p->s.groups;
    int64_t image = unit / f->panels / p->s.groups, lanes = lanes_of(p, panel);
    int64_t channel = image * p->s.c + group * p->in_c + panel * p->k->nr;
    memset(work, 0, f->target_bytes);
    p->k->spread(&f->map, conv_at(p, f->grad, (image * p->s.o + group * p->out_c) * p->out_plane),
                 f->weights + (size_t)(group * f->panels + panel) * f->panel_bytes, lanes, work);
    p->k->spread_store(&p->frame, work, lanes, conv_to(p, f->out, channel * p->in_plane));
}

static bool run(Spread *f) {
    const ConvPlan *p = f->p;
    int64_t panels = p->s.groups * f->panels, taps = p->window;
    bool ok = conv_units(panels * taps, (double)(p->out_c * p->k->nr), MEM_ALIGN, pack_unit, f);
    double work = (double)p->out_c * (double)p->out_plane * (double)(taps * p->k->nr);
    return ok && conv_units(p->s.n * panels, work, f->target_bytes, spread_unit, f);
}

bool conv_spread(const ConvPlan *p, const void *grad, const void *weight, void *input_grad) {
    Spread f = {.p = p, .grad = grad, .weight = weight, .out = input_grad};
    if (!plan_map(&f)) {
        return false;
    }
    size_t bytes = (size_t)(p->s.groups * f.panels) * f.panel_bytes;
    f.weights = mem_alloc(bytes);
    bool ok = f.weights && run(&f);
    mem_free(f.weights, bytes);
    mem_free(f.tap, (size_t)p->window * sizeof *f.tap);
    return ok;
}
