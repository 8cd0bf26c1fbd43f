/* Resampling: the map of each axis, made of what the mode says, and the planes shared out. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "cpu/conv_plan.h"
#include "cpu/cpu.h"
#include "cpu/kernels/isa_name.h"
#include "cpu/resample_kernels.h"
#include "tensor/resample_shape.h"

ISA_DECLARE(const ResampleKernels, resample_float);
ISA_DECLARE(const ResampleKernels, resample_double);

/* An axis and the memory that it stands in. */
typedef struct Axis {
    ResampleAxis map;
    int64_t room; /* entries of index and weight */
    size_t bytes;
    void *memory;
    bool doubles;
} Axis;

static void put(const Axis *x, int64_t at, int64_t index, double weight) {
    x->map.index[at] = (int32_t)index;
    if (x->doubles) {
        ((double *)x->map.weight)[at] = weight;
    } else {
        ((float *)x->map.weight)[at] = (float)weight;
    }
}

/* Elements of the input from one of the result to the next. */
static double step_of(const ResampleShape *r, int axis) {
    int64_t in = r->s.in[axis], out = r->s.out[axis];
    bool cornered = r->align_corners && (r->mode == RESAMPLE_LINEAR || r->mode == RESAMPLE_CUBIC);
    if (cornered) {
        return out > 1 ? (double)(in - 1) / (double)(out - 1) : 0;
    }
    return r->scale[axis] > 0 ? 1 / r->scale[axis] : (double)in / (double)out;
}

/* Positions are found in float, as PyTorch does: where they fall between two elements in double,
 * the two would differ. */
static void fill_nearest(const ResampleShape *r, int axis, Axis *x) {
    int64_t in = x->map.in, out = x->map.out;
    float step = r->scale[axis] > 0 ? (float)(1 / r->scale[axis]) : (float)in / (float)out;
    float offset = r->mode == RESAMPLE_NEAREST ? 0 : 0.5F;
    for (int64_t o = 0; o < out; o++) {
        int64_t at = (int64_t)floorf(((float)o + offset) * step);
        put(x, o, at < in ? at : in - 1, 1);
    }
}

static void fill_linear(const ResampleShape *r, int axis, Axis *x) {
    int64_t in = x->map.in, out = x->map.out;
    double step = step_of(r, axis);
    for (int64_t o = 0; o < out; o++) {
        double at = r->align_corners ? step * (double)o : step * ((double)o + 0.5) - 0.5;
        at = at > 0 ? at : 0;
        int64_t left = (int64_t)at < in ? (int64_t)at : in - 1;
        double share = at - (double)left < 1 ? at - (double)left : 1;
        put(x, o, left, 1 - share);
        put(x, out + o, left + 1 < in ? left + 1 : left, share);
    }
}

/* Cubic convolution (Keys: Cubic Convolution Interpolation for Digital Image Processing, 1981) at
 * distance d. */
static double cubic(double d, double a) {
    d = fabs(d);
    if (d <= 1) {
        return ((a + 2) * d - (a + 3)) * d * d + 1;
    }
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

static void fill_cubic(const ResampleShape *r, int axis, Axis *x) {
    int64_t in = x->map.in, out = x->map.out;
    double step = step_of(r, axis);
    for (int64_t o = 0; o < out; o++) {
        double at = r->align_corners ? step * (double)o : step * ((double)o + 0.5) - 0.5;
        double left = floor(at);
        for (int64_t t = 0; t < 4; t++) {
            int64_t index = (int64_t)left - 1 + t;
            index = index < 0 ? 0 : index < in ? index : in - 1;
            put(x, t * out + o, index, cubic(at - (left - 1 + (double)t), -0.75));
        }
    }
}

static void fill_area(Axis *x) {
    int64_t in = x->map.in, out = x->map.out, used = 0;
    for (int64_t o = 0; o < out; o++) {
        int64_t start = o * in / out, end = ((o + 1) * in + out - 1) / out;
        x->map.first[o] = used;
        x->map.count[o] = (int32_t)(end - start);
        for (int64_t i = start; i < end; i++) {
            put(x, used++, i, 1 / (double)(end - start));
        }
    }
}

static double filter(ResampleMode mode, double d) {
    return mode == RESAMPLE_CUBIC ? cubic(d, -0.5) : fabs(d) < 1 ? 1 - fabs(d) : 0;
}

/* Inputs on either side of an output's place that its filter reaches. */
static double reach_of(const ResampleShape *r, int axis) {
    double step = step_of(r, axis);
    return (r->mode == RESAMPLE_CUBIC ? 2 : 1) * (step > 1 ? step : 1);
}

/* The filter is as wide as what an output stands for, so that nothing is left out. */
static void fill_smooth(const ResampleShape *r, int axis, Axis *x) {
    int64_t in = x->map.in, out = x->map.out, used = 0;
    double step = step_of(r, axis), reach = reach_of(r, axis), narrow = step > 1 ? 1 / step : 1;
    for (int64_t o = 0; o < out; o++) {
        double at = step * ((double)o + 0.5), total = 0;
        int64_t start = (int64_t)fmax(at - reach + 0.5, 0);
        int64_t end = (int64_t)fmin(at + reach + 0.5, (double)in);
        start = start < in ? start : in - 1;
        end = end > start ? end : start + 1;
        for (int64_t i = start; i < end; i++) {
            total += filter(r->mode, ((double)i - at + 0.5) * narrow);
        }
        x->map.first[o] = used;
        x->map.count[o] = (int32_t)(end - start);
        for (int64_t i = start; i < end; i++) {
            double w = filter(r->mode, ((double)i - at + 0.5) * narrow);
            put(x, used++, i, total != 0 ? w / total : 1 / (double)(end - start));
        }
    }
}

static int64_t taps_of(const ResampleShape *r) {
    switch (r->mode) {
    case RESAMPLE_NEAREST:
    case RESAMPLE_NEAREST_EXACT: return 1;
    case RESAMPLE_LINEAR: return r->antialias ? 0 : 2;
    case RESAMPLE_CUBIC: return r->antialias ? 0 : 4;
    default: return 0;
    }
}

/* The most entries that an axis without a fixed number of taps has. */
static int64_t room_of(const ResampleShape *r, int axis) {
    int64_t in = r->s.in[axis], out = r->s.out[axis];
    double each =
        r->mode == RESAMPLE_AREA ? (double)in / (double)out + 2 : 2 * reach_of(r, axis) + 2;
    int64_t most = each < (double)in ? (int64_t)each + 1 : in;
    return (most < in ? most : in) * out;
}

/* Memory for everything of an axis; room has been set. */
static bool axis_alloc(Axis *x) {
    size_t out = (size_t)x->map.out, room = (size_t)x->room;
    size_t weight = x->doubles ? sizeof(double) : sizeof(float);
    x->bytes = out * (sizeof(int64_t) + sizeof(int32_t)) + room * (weight + sizeof(int32_t)) + 16;
    char *at = x->memory = mem_alloc(x->bytes);
    if (!at) {
        return false;
    }
    x->map.first = (int64_t *)at;
    at += out * sizeof(int64_t);
    x->map.weight = at;
    at += room * weight;
    x->map.count = (int32_t *)at;
    at += out * sizeof(int32_t);
    x->map.index = (int32_t *)at;
    return true;
}

static void fill(const ResampleShape *r, int axis, Axis *x) {
    if (x->map.same) {
        for (int64_t o = 0; o < x->map.out; o++) {
            put(x, o, o, 1);
        }
        return;
    }
    switch (r->mode) {
    case RESAMPLE_NEAREST:
    case RESAMPLE_NEAREST_EXACT: fill_nearest(r, axis, x); return;
    case RESAMPLE_AREA: fill_area(x); return;
    case RESAMPLE_LINEAR:
        if (!r->antialias) {
            fill_linear(r, axis, x);
            return;
        }
        break;
    case RESAMPLE_CUBIC:
        if (!r->antialias) {
            fill_cubic(r, axis, x);
            return;
        }
        break;
    }
    fill_smooth(r, axis, x);
}

static bool axis_open(const ResampleShape *r, int axis, bool doubles, Axis *x) {
    int64_t in = r->s.in[axis], out = r->s.out[axis];
    bool same = in == out && !(r->scale[axis] > 0 && r->scale[axis] != 1);
    int64_t taps = same ? 1 : taps_of(r);
    *x = (Axis){.map = {.in = in, .out = out, .taps = taps, .step = taps ? out : 1, .same = same},
                .room = taps ? taps * out : room_of(r, axis),
                .doubles = doubles};
    if (!axis_alloc(x)) {
        return false;
    }
    for (int64_t o = 0; taps && o < out; o++) {
        x->map.first[o] = o;
        x->map.count[o] = (int32_t)taps;
    }
    fill(r, axis, x);
    return true;
}

typedef struct Resample {
    const ResampleKernels *k;
    Axis axis[IMAGE_DIMS];
    ResampleAxis map[IMAGE_DIMS];
    ConvOperand from, to;
    int64_t in_plane, out_plane, size, parts;
} Resample;

static void forward_unit(void *ctx, int64_t unit, void *work) {
    const Resample *p = ctx;
    int64_t plane = unit / p->parts, part = unit % p->parts;
    int64_t rows = p->map[0].out * p->map[1].out;
    p->k->forward(p->map, (const char *)p->from.data + plane * p->in_plane * p->size,
                  part * rows / p->parts, (part + 1) * rows / p->parts,
                  (char *)p->to.data + plane * p->out_plane * p->size, work);
}

static void backward_unit(void *ctx, int64_t unit, void *work) {
    const Resample *p = ctx;
    char *plane = (char *)p->to.data + unit * p->in_plane * p->size;
    memset(plane, 0, (size_t)(p->in_plane * p->size));
    p->k->backward(p->map, (const char *)p->from.data + unit * p->out_plane * p->size, plane, work);
}

static bool resample_open(Resample *p, const KernelCall *c, const ResampleShape *r) {
    const ConvShape *s = &r->s;
    int dtype = conv_dtype(c->in[0].dtype);
    p->size = (int64_t)dtype_size(dtype);
    p->k = dtype == DT_FLOAT64 ? ISA_PICK(resample_double) : ISA_PICK(resample_float);
    p->in_plane = s->in[0] * s->in[1] * s->in[2];
    p->out_plane = s->out[0] * s->out[1] * s->out[2];
    for (int i = 0; i < IMAGE_DIMS; i++) {
        if (!axis_open(r, i, dtype == DT_FLOAT64, &p->axis[i])) {
            return false;
        }
        p->map[i] = p->axis[i].map;
    }
    return conv_read(&p->from, &c->in[0], dtype) && conv_write(&p->to, &c->out[0], dtype);
}

static bool resample_close(Resample *p, const KernelCall *c, bool ok) {
    if (ok) {
        conv_written(&p->to, &c->out[0]);
    }
    for (int i = 0; i < IMAGE_DIMS; i++) {
        if (p->axis[i].memory) {
            mem_free(p->axis[i].memory, p->axis[i].bytes);
        }
    }
    conv_release(&p->from);
    conv_release(&p->to);
    return ok;
}

static double work_of(const Resample *p, int64_t from) {
    double rows = (double)(p->axis[0].room + 1) / (double)p->map[0].out *
                  (double)(p->axis[1].room + 1) / (double)p->map[1].out;
    return (double)p->out_plane * 4 + (double)from * rows;
}

static bool cpu_resample(const KernelCall *c) {
    ResampleShape r;
    Resample p = {0};
    Ints input = {c->in[0].shape, c->in[0].dim};
    if (!resample_shape(c->op, c->arg, 2, input, (Ints){c->out[0].shape + 2, c->out[0].dim - 2},
                        &r)) {
        return false;
    }
    int64_t planes = r.s.n * r.s.c, rows = r.s.out[0] * r.s.out[1];
    bool ok = resample_open(&p, c, &r);
    if (ok) {
        double work = work_of(&p, rows * r.s.in[2]);
        p.parts = conv_parts(planes, work, rows);
        ok = conv_units(planes * p.parts, work / (double)p.parts,
                        (size_t)(r.s.in[2] * p.size) + MEM_ALIGN, forward_unit, &p);
    }
    return resample_close(&p, c, ok);
}

static bool cpu_resample_backward(const KernelCall *c) {
    ResampleShape r;
    Resample p = {0};
    Ints grad = {c->in[0].shape, c->in[0].dim};
    if (!resample_shape(c->op, c->arg, 2, (Ints){c->out[0].shape, c->out[0].dim},
                        (Ints){grad.v + 2, grad.n - 2}, &r)) {
        return false;
    }
    bool ok = resample_open(&p, c, &r) &&
              conv_units(r.s.n * r.s.c, work_of(&p, r.s.out[0] * r.s.out[1] * r.s.in[2]),
                         (size_t)(r.s.in[2] * p.size) + MEM_ALIGN, backward_unit, &p);
    return resample_close(&p, c, ok);
}

const KernelRow cpu_resample_rows[] = {
    {"resample", cpu_resample}, {"resample_backward", cpu_resample_backward}, {NULL, NULL}};
