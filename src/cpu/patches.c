/* Images as the patches that windows see, and back: plane by plane. */
#include <string.h>

#include "base/memory.h"
#include "cpu/conv_plan.h"
#include "cpu/cpu.h"
#include "cpu/kernels/isa_name.h"
#include "cpu/patches_kernels.h"
#include "tensor/patches_shape.h"

ISA_DECLARE(const PatchesKernels, patches_float);
ISA_DECLARE(const PatchesKernels, patches_double);

typedef struct Patches {
    const PatchesKernels *k;
    PatchesMap map;
    ConvOperand in, out;
    size_t plane, columns; /* bytes of a channel's */
} Patches;

static void take_unit(void *ctx, int64_t unit, void *work) {
    (void)work;
    const Patches *p = ctx;
    p->k->take(&p->map, (const char *)p->in.data + (size_t)unit * p->plane,
               (char *)p->out.data + (size_t)unit * p->columns);
}

static void add_unit(void *ctx, int64_t unit, void *work) {
    (void)work;
    const Patches *p = ctx;
    char *plane = (char *)p->out.data + (size_t)unit * p->plane;
    memset(plane, 0, p->plane);
    p->k->add(&p->map, (const char *)p->in.data + (size_t)unit * p->columns, plane);
}

static bool run(const KernelCall *c, const ConvShape *s, ConvUnit *unit) {
    int dtype = conv_dtype(c->in[0].dtype);
    Patches p = {.k = dtype == DT_FLOAT64 ? ISA_PICK(patches_double) : ISA_PICK(patches_float)};
    for (int i = 0; i < 2; i++) {
        p.map.in[i] = s->in[i + 1];
        p.map.out[i] = s->out[i + 1];
        p.map.kernel[i] = s->kernel[i + 1];
        p.map.stride[i] = s->stride[i + 1];
        p.map.padding[i] = s->padding[i + 1];
        p.map.dilation[i] = s->dilation[i + 1];
    }
    int64_t columns = s->kernel[1] * s->kernel[2] * s->out[1] * s->out[2];
    p.plane = (size_t)(s->in[1] * s->in[2]) * dtype_size(dtype);
    p.columns = (size_t)columns * dtype_size(dtype);
    bool ok = conv_read(&p.in, &c->in[0], dtype) && conv_write(&p.out, &c->out[0], dtype) &&
              conv_units(s->n * s->c, (double)columns, MEM_ALIGN, unit, &p);
    if (ok) {
        conv_written(&p.out, &c->out[0]);
    }
    conv_release(&p.in);
    conv_release(&p.out);
    return ok;
}

static bool cpu_im2col(const KernelCall *c) {
    ConvShape s;
    Ints input = {c->in[0].shape, c->in[0].dim};
    return patches_shape(c->op, c->arg, 1, input, &s) && run(c, &s, take_unit);
}

static bool cpu_col2im(const KernelCall *c) {
    ConvShape s;
    Ints columns = {c->in[0].shape, c->in[0].dim};
    return col2im_shape(c->op, c->arg, columns, &s) && run(c, &s, add_unit);
}

const KernelRow cpu_patches_rows[] = {{"im2col", cpu_im2col}, {"col2im", cpu_col2im}, {NULL, NULL}};
