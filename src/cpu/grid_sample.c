/* Looking images up at places: points and channels shared out. */
#include <string.h>

#include "base/memory.h"
#include "cpu/conv_plan.h"
#include "cpu/cpu.h"
#include "cpu/grid_kernels.h"
#include "cpu/kernels/isa_name.h"

ISA_DECLARE(const GridKernels, grid_float);
ISA_DECLARE(const GridKernels, grid_double);

/* Points that one unit of work takes, and channels where images are written to. */
enum { UNIT_POINTS = 16 * GRID_CHUNK, UNIT_CHANNELS = 16 };

typedef struct Sampler {
    const GridKernels *k;
    GridShape g;
    ConvOperand image, grid, result, grid_grad; /* result: or its gradient */
    int64_t size, plane, units;                 /* units: of an image */
} Sampler;

static char *at(const Sampler *p, const ConvOperand *x, int64_t element) {
    return (char *)x->data + element * p->size;
}

/* Points [first, end) of an image, chunk by chunk. */
typedef void ChunkFn(const Sampler *p, const GridRun *r, int64_t image, int64_t channel,
                     int64_t first, void *work);

static void each_chunk(const Sampler *p, int64_t image, int64_t channel, int64_t channels,
                       int64_t first, int64_t end, ChunkFn *fn, void *work) {
    const GridShape *g = &p->g;
    for (int64_t i = first; i < end; i += GRID_CHUNK) {
        GridRun r = {.shape = g,
                     .grid = at(p, &p->grid, (image * g->points + i) * g->dims),
                     .n = end - i < GRID_CHUNK ? end - i : GRID_CHUNK,
                     .channels = channels,
                     .plane = p->plane,
                     .out = g->points};
        fn(p, &r, image, channel, i, work);
    }
}

static void sample_chunk(const Sampler *p, const GridRun *r, int64_t image, int64_t channel,
                         int64_t first, void *work) {
    int64_t plane = image * p->g.c + channel;
    p->k->sample(r, at(p, &p->image, plane * p->plane),
                 at(p, &p->result, plane * p->g.points + first), work);
}

static void scatter_chunk(const Sampler *p, const GridRun *r, int64_t image, int64_t channel,
                          int64_t first, void *work) {
    int64_t plane = image * p->g.c + channel;
    p->k->scatter(r, at(p, &p->result, plane * p->g.points + first),
                  at(p, &p->image, plane * p->plane), work);
}

static void by_place_chunk(const Sampler *p, const GridRun *r, int64_t image, int64_t channel,
                           int64_t first, void *work) {
    int64_t plane = image * p->g.c + channel;
    p->k->by_place(r, at(p, &p->result, plane * p->g.points + first),
                   at(p, &p->image, plane * p->plane),
                   at(p, &p->grid_grad, (image * p->g.points + first) * p->g.dims), work);
}

static void run_points(const Sampler *p, int64_t unit, ChunkFn *fn, void *work) {
    int64_t first = unit % p->units * UNIT_POINTS, end = first + UNIT_POINTS;
    end = end < p->g.points ? end : p->g.points;
    each_chunk(p, unit / p->units, 0, p->g.c, first, end, fn, work);
}

static void sample_unit(void *ctx, int64_t unit, void *work) {
    run_points(ctx, unit, sample_chunk, work);
}

static void by_place_unit(void *ctx, int64_t unit, void *work) {
    run_points(ctx, unit, by_place_chunk, work);
}

static void scatter_unit(void *ctx, int64_t unit, void *work) {
    const Sampler *p = ctx;
    int64_t image = unit / p->units, channel = unit % p->units * UNIT_CHANNELS;
    int64_t channels = p->g.c - channel < UNIT_CHANNELS ? p->g.c - channel : UNIT_CHANNELS;
    memset(at(p, &p->image, (image * p->g.c + channel) * p->plane), 0,
           (size_t)(channels * p->plane * p->size));
    each_chunk(p, image, channel, channels, 0, p->g.points, scatter_chunk, work);
}

static Ints sizes(const View *v) { return (Ints){v->shape, v->dim}; }

static void sampler_plan(Sampler *p, int dtype) {
    p->size = (int64_t)dtype_size(dtype);
    p->k = dtype == DT_FLOAT64 ? ISA_PICK(grid_double) : ISA_PICK(grid_float);
    p->plane = p->g.size[0] * p->g.size[1] * p->g.size[2];
    p->units = (p->g.points + UNIT_POINTS - 1) / UNIT_POINTS;
}

static bool sampler_close(Sampler *p, const ConvOperand *written, const KernelCall *c, bool ok) {
    if (ok) {
        conv_written(written, &c->out[0]);
    }
    conv_release(&p->image);
    conv_release(&p->grid);
    conv_release(&p->result);
    conv_release(&p->grid_grad);
    return ok;
}

/* About what a point costs in multiplications. */
static double point_work(const GridShape *g) {
    static const double corners[] = {[GRID_LINEAR] = 4, [GRID_NEAREST] = 1, [GRID_CUBIC] = 16};
    return 30 + (double)g->c * corners[g->mode] * (g->dims == 3 ? 2 : 1);
}

static bool cpu_grid_sampler(const KernelCall *c) {
    Sampler p = {0};
    int dtype = conv_dtype(c->in[0].dtype);
    if (!grid_shape(c->op, c->arg, 2, sizes(&c->in[0]), sizes(&c->in[1]), &p.g)) {
        return false;
    }
    sampler_plan(&p, dtype);
    bool ok =
        conv_read(&p.image, &c->in[0], dtype) && conv_read(&p.grid, &c->in[1], dtype) &&
        conv_write(&p.result, &c->out[0], dtype) &&
        conv_units(p.g.n * p.units, point_work(&p.g) * UNIT_POINTS, GRID_WORK, sample_unit, &p);
    return sampler_close(&p, &p.result, c, ok);
}

static bool cpu_grid_sampler_input_grad(const KernelCall *c) {
    Sampler p = {0};
    int dtype = conv_dtype(c->in[0].dtype);
    if (!grid_shape(c->op, c->arg, 3, sizes(&c->out[0]), sizes(&c->in[1]), &p.g)) {
        return false;
    }
    sampler_plan(&p, dtype);
    p.units = (p.g.c + UNIT_CHANNELS - 1) / UNIT_CHANNELS;
    double work = point_work(&p.g) * (double)(p.g.points + 1) * UNIT_CHANNELS / 8;
    bool ok = conv_read(&p.result, &c->in[0], dtype) && conv_read(&p.grid, &c->in[1], dtype) &&
              conv_write(&p.image, &c->out[0], dtype) &&
              conv_units(p.g.n * p.units, work, GRID_WORK, scatter_unit, &p);
    return sampler_close(&p, &p.image, c, ok);
}

static bool cpu_grid_sampler_grid_grad(const KernelCall *c) {
    Sampler p = {0};
    int dtype = conv_dtype(c->in[0].dtype);
    if (!grid_shape(c->op, c->arg, 3, sizes(&c->in[1]), sizes(&c->in[2]), &p.g)) {
        return false;
    }
    sampler_plan(&p, dtype);
    bool ok = conv_read(&p.result, &c->in[0], dtype) && conv_read(&p.image, &c->in[1], dtype) &&
              conv_read(&p.grid, &c->in[2], dtype) && conv_write(&p.grid_grad, &c->out[0], dtype) &&
              conv_units(p.g.n * p.units, point_work(&p.g) * UNIT_POINTS * 2, GRID_WORK,
                         by_place_unit, &p);
    return sampler_close(&p, &p.grid_grad, c, ok);
}

const KernelRow cpu_grid_sample_rows[] = {{"grid_sampler", cpu_grid_sampler},
                                          {"grid_sampler_input_grad", cpu_grid_sampler_input_grad},
                                          {"grid_sampler_grid_grad", cpu_grid_sampler_grid_grad},
                                          {NULL, NULL}};
