/* Pooling over the planes of images. */
#include <string.h>

#include "base/memory.h"
#include "cpu/conv_plan.h"
#include "cpu/cpu.h"
#include "cpu/kernels/isa_name.h"
#include "cpu/pool_kernels.h"
#include "tensor/op.h"

ISA_DECLARE(const PoolKernels, pool_float);
ISA_DECLARE(const PoolKernels, pool_double);
ISA_DECLARE(const PoolKernels, pool_int);

int pool_dtype(int dtype) { return dtype_is_float(dtype) ? conv_dtype(dtype) : DT_INT64; }

const PoolKernels *pool_kernels(int dtype) {
    switch (dtype) {
    case DT_FLOAT32: return ISA_PICK(pool_float);
    case DT_FLOAT64: return ISA_PICK(pool_double);
    default: return ISA_PICK(pool_int);
    }
}

static PoolMap map_of(const ConvShape *s) {
    PoolMap m = {.count_padding = true};
    for (int i = 0; i < IMAGE_DIMS; i++) {
        m.in[i] = s->in[i];
        m.out[i] = s->out[i];
        m.kernel[i] = s->kernel[i];
        m.stride[i] = s->stride[i];
        m.padding[i] = s->padding[i];
        m.dilation[i] = s->dilation[i];
    }
    return m;
}

/* One call: planes of in_plane elements and of out_plane elements, both in dtype. */
typedef struct Pool {
    const PoolKernels *k;
    PoolMap map;
    ConvOperand in, out, places;
    int64_t in_plane, out_plane, size;
    int64_t *bad; /* max_backward: for each plane, the first place that is not in it, or -1 */
} Pool;

static char *plane_at(const Pool *p, const ConvOperand *x, int64_t plane, int64_t elements) {
    return (char *)x->data + plane * elements * p->size;
}

static int64_t *places_at(const Pool *p, int64_t plane) {
    return (int64_t *)p->places.data + plane * p->out_plane;
}

static void max_unit(void *ctx, int64_t unit, void *work) {
    (void)work;
    const Pool *p = ctx;
    p->k->max(&p->map, plane_at(p, &p->in, unit, p->in_plane),
              plane_at(p, &p->out, unit, p->out_plane), places_at(p, unit));
}

static void average_unit(void *ctx, int64_t unit, void *work) {
    (void)work;
    const Pool *p = ctx;
    p->k->average(&p->map, plane_at(p, &p->in, unit, p->in_plane),
                  plane_at(p, &p->out, unit, p->out_plane));
}

/* For the gradients, in is the result's and out the input's. */
static void max_backward_unit(void *ctx, int64_t unit, void *work) {
    (void)work;
    const Pool *p = ctx;
    char *plane = plane_at(p, &p->out, unit, p->in_plane);
    memset(plane, 0, (size_t)(p->in_plane * p->size));
    p->bad[unit] = p->k->max_backward(plane_at(p, &p->in, unit, p->out_plane), places_at(p, unit),
                                      p->out_plane, plane, p->in_plane);
}

static void average_backward_unit(void *ctx, int64_t unit, void *work) {
    (void)work;
    const Pool *p = ctx;
    char *plane = plane_at(p, &p->out, unit, p->in_plane);
    memset(plane, 0, (size_t)(p->in_plane * p->size));
    p->k->average_backward(&p->map, plane_at(p, &p->in, unit, p->out_plane), plane);
}

static bool pool_open(Pool *p, const KernelCall *c, int64_t in_plane, int64_t out_plane) {
    int dtype = pool_dtype(c->in[0].dtype);
    p->k = pool_kernels(dtype);
    p->size = (int64_t)dtype_size(dtype);
    p->in_plane = in_plane;
    p->out_plane = out_plane;
    return conv_read(&p->in, &c->in[0], dtype) && conv_write(&p->out, &c->out[0], dtype);
}

static bool pool_close(Pool *p, const KernelCall *c, bool ok) {
    if (ok) {
        conv_written(&p->out, &c->out[0]);
    }
    conv_release(&p->in);
    conv_release(&p->out);
    conv_release(&p->places);
    return ok;
}

static double work_of(const PoolMap *m) {
    double taps = (double)m->kernel[0] * (double)m->kernel[1] * (double)m->kernel[2];
    return (double)m->out[0] * (double)m->out[1] * (double)m->out[2] * (taps + 4) / 2;
}

static int64_t volume(const int64_t *size) { return size[0] * size[1] * size[2]; }

static bool run(Pool *p, const ConvShape *s, ConvUnit *unit) {
    return conv_units(s->n * s->c, work_of(&p->map), MEM_ALIGN, unit, p);
}

static bool cpu_max_pool(const KernelCall *c) {
    ConvShape s;
    Ints input = {c->in[0].shape, c->in[0].dim};
    if (!pool_shape(c->op, c->arg, max_pool_args(), input, &s)) {
        return false;
    }
    Pool p = {.map = map_of(&s), .places = {.data = c->out[1].data}};
    bool ok = pool_open(&p, c, volume(s.in), volume(s.out)) && run(&p, &s, max_unit);
    return pool_close(&p, c, ok);
}

static bool cpu_avg_pool(const KernelCall *c) {
    ConvShape s;
    Ints input = {c->in[0].shape, c->in[0].dim};
    if (!pool_shape(c->op, c->arg, avg_pool_args(false), input, &s)) {
        return false;
    }
    Pool p = {.map = map_of(&s)};
    p.map.count_padding = c->arg[5].b;
    p.map.divisor = c->arg[6].kind == ARG_NONE ? 0 : (double)c->arg[6].i;
    bool ok = pool_open(&p, c, volume(s.in), volume(s.out)) && run(&p, &s, average_unit);
    return pool_close(&p, c, ok);
}

static bool cpu_avg_pool_backward(const KernelCall *c) {
    ConvShape s;
    Ints input = {c->out[0].shape, c->out[0].dim};
    if (!pool_shape(c->op, c->arg, avg_pool_args(true), input, &s)) {
        return false;
    }
    Pool p = {.map = map_of(&s)};
    p.map.count_padding = c->arg[6].b;
    p.map.divisor = c->arg[7].kind == ARG_NONE ? 0 : (double)c->arg[7].i;
    bool ok = pool_open(&p, c, volume(s.in), volume(s.out)) && run(&p, &s, average_backward_unit);
    return pool_close(&p, c, ok);
}

static bool places_good(const Pool *p, const KernelCall *c, int64_t planes) {
    for (int64_t i = 0; i < planes; i++) {
        if (p->bad[i] >= 0) {
            return fail("%s: indices must be between 1 and %lld, got %lld at element %lld", c->name,
                        (long long)p->in_plane, (long long)places_at(p, i)[p->bad[i]],
                        (long long)(i * p->out_plane + p->bad[i] + 1));
        }
    }
    return true;
}

static int64_t product_of(const int64_t *size, int first, int end) {
    int64_t product = 1;
    for (int d = first; d < end; d++) {
        product *= size[d];
    }
    return product;
}

static bool cpu_max_pool_backward(const KernelCall *c) {
    const View *grad = &c->in[0], *out = &c->out[0];
    int lead = grad->dim - (int)c->arg[3].i;
    if (out->numel == 0 && grad->numel == 0) {
        return true;
    }
    int64_t planes = product_of(grad->shape, 0, lead);
    int64_t in_plane = product_of(out->shape, lead, out->dim);
    int64_t out_plane = product_of(grad->shape, lead, grad->dim);
    size_t bytes = (size_t)planes * sizeof(int64_t);
    Pool p = {.bad = mem_alloc(bytes)};
    bool ok =
        p.bad && pool_open(&p, c, in_plane, out_plane) &&
        conv_read(&p.places, &c->in[1], DT_INT64) &&
        conv_units(planes, (double)(in_plane + 4 * out_plane), MEM_ALIGN, max_backward_unit, &p) &&
        places_good(&p, c, planes);
    mem_free(p.bad, bytes);
    return pool_close(&p, c, ok);
}

const KernelRow cpu_pool_rows[] = {{"max_pool", cpu_max_pool},
                                   {"max_pool_backward", cpu_max_pool_backward},
                                   {"avg_pool", cpu_avg_pool},
                                   {"avg_pool_backward", cpu_avg_pool_backward},
                                   {NULL, NULL}};
