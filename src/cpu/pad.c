/* Padding: row by row, each with its beginning, a middle that is the input's own, and its end. */
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cpu/conv_plan.h"
#include "cpu/cpu.h"
#include "cpu/dense.h"
#include "tensor/op.h"
#include "tensor/pad_shape.h"

/* Of entries along a dim, the ones that are both in the input and in the result. */
typedef struct Shared {
    int64_t in, out, count;
} Shared;

static Shared shared_of(const PadShape *s, int d) {
    int64_t in = s->before[d] < 0 ? -s->before[d] : 0, out = s->before[d] > 0 ? s->before[d] : 0;
    int64_t count = s->in[d] - in < s->out[d] - out ? s->in[d] - in : s->out[d] - out;
    return (Shared){in, out, count > 0 ? count : 0};
}

/* What of the input stays, copied into a result full of the value. */
static void pad_constant(const KernelCall *c, const PadShape *s) {
    View in = c->in[0], out = c->out[0];
    int64_t shape[MAX_DIMS];
    dense_fill(&c->out[0], c->arg[3].kind == ARG_NONE ? arg_int(0) : c->arg[3]);
    in.numel = 1;
    for (int d = 0; d < s->dim; d++) {
        Shared x = shared_of(s, d);
        shape[d] = x.count;
        in.numel *= x.count;
        if (x.count > 0) {
            in.data = (char *)in.data + x.in * in.stride[d] * (int64_t)dtype_size(in.dtype);
            out.data = (char *)out.data + x.out * out.stride[d] * (int64_t)dtype_size(out.dtype);
        }
    }
    in.shape = out.shape = shape;
    out.numel = in.numel;
    if (in.numel > 0) {
        dense_copy(&out, &in);
    }
}

/* One call with another mode. in and out are without gaps. */
typedef struct Pad {
    const PadShape *s;
    const char *in;
    char *out;
    size_t size;  /* of an element */
    int first;    /* backward: the first of the dims that make a plane */
    Shared inner; /* of the last dim */
} Pad;

/* Where in the input the row begins that row r of the result, of the dims from first on, is taken
 * from; in elements. */
static int64_t source_row(const PadShape *s, int first, int64_t r) {
    int64_t at = 0, step = s->in[s->dim - 1];
    for (int d = s->dim - 2; d >= first; d--) {
        at += pad_source(s, d, r % s->out[d]) * step;
        r /= s->out[d];
        step *= s->in[d];
    }
    return at;
}

static inline __attribute__((always_inline)) void copy_row(const Pad *p, size_t size,
                                                           const char *from, char *to) {
    int d = p->s->dim - 1;
    int64_t width = p->s->out[d], middle = p->inner.out, rest = middle + p->inner.count;
    for (int64_t x = 0; x < middle; x++) {
        memcpy(to + (size_t)x * size, from + (size_t)pad_source(p->s, d, x) * size, size);
    }
    memcpy(to + (size_t)middle * size, from + (size_t)p->inner.in * size,
           (size_t)p->inner.count * size);
    for (int64_t x = rest; x < width; x++) {
        memcpy(to + (size_t)x * size, from + (size_t)pad_source(p->s, d, x) * size, size);
    }
}

static void copy_rows(void *ctx, int64_t begin, int64_t end) {
    const Pad *p = ctx;
    size_t width = (size_t)p->s->out[p->s->dim - 1] * p->size;
    for (int64_t r = begin; r < end; r++) {
        const char *from = p->in + (size_t)source_row(p->s, 0, r) * p->size;
        char *to = p->out + (size_t)r * width;
        switch (p->size) {
        case 1: copy_row(p, 1, from, to); break;
        case 2: copy_row(p, 2, from, to); break;
        case 4: copy_row(p, 4, from, to); break;
        case 8: copy_row(p, 8, from, to); break;
        default: copy_row(p, p->size, from, to);
        }
    }
}

static bool pad_otherwise(const KernelCall *c, const PadShape *s) {
    int last = s->dim - 1;
    ConvOperand in;
    if (!conv_read(&in, &c->in[0], c->in[0].dtype)) {
        return false;
    }
    Pad p = {.s = s, .in = in.data, .out = c->out[0].data, .size = dtype_size(in.dtype)};
    p.inner = shared_of(s, last);
    int64_t width = s->out[last], grain = 16384 / (width + 16) + 1;
    parallel_for(c->out[0].numel / width, grain, copy_rows, &p);
    conv_release(&in);
    return !interrupted();
}

static bool cpu_pad(const KernelCall *c) {
    PadShape s;
    if (!pad_shape(c->op, c->arg[1], c->arg[2].s, (Ints){c->in[0].shape, c->in[0].dim}, &s)) {
        return false;
    }
    if (c->out[0].numel == 0) {
        return true;
    }
    if (s.mode == PAD_CONSTANT || s.dim == 0 || c->in[0].numel == 0) {
        pad_constant(c, &s);
        return true;
    }
    return pad_otherwise(c, &s);
}

#define ADD_ROW(name, T)                                                    \
    static void name(const Pad *p, const T *from, T *to) {                  \
        int d = p->s->dim - 1;                                              \
        int64_t width = p->s->out[d], rest = p->inner.out + p->inner.count; \
        for (int64_t x = 0; x < p->inner.out; x++) {                        \
            to[pad_source(p->s, d, x)] += from[x];                          \
        }                                                                   \
        for (int64_t i = 0; i < p->inner.count; i++) {                      \
            to[p->inner.in + i] += from[p->inner.out + i];                  \
        }                                                                   \
        for (int64_t x = rest; x < width; x++) {                            \
            to[pad_source(p->s, d, x)] += from[x];                          \
        }                                                                   \
    }
ADD_ROW(add_row_float, float)
ADD_ROW(add_row_double, double)

static int64_t volume(const int64_t *size, int first, int end) {
    int64_t product = 1;
    for (int d = first; d < end; d++) {
        product *= size[d];
    }
    return product;
}

/* One plane of the gradient. */
static void backward_unit(void *ctx, int64_t unit, void *work) {
    (void)work;
    const Pad *p = ctx;
    const PadShape *s = p->s;
    int64_t width = s->out[s->dim - 1], rows = volume(s->out, p->first, s->dim - 1);
    size_t plane = (size_t)volume(s->in, p->first, s->dim) * p->size;
    char *to = p->out + (size_t)unit * plane;
    memset(to, 0, plane);
    for (int64_t r = 0; r < rows; r++) {
        const char *from = p->in + (size_t)((unit * rows + r) * width) * p->size;
        char *row = to + (size_t)source_row(s, p->first, r) * p->size;
        if (p->size == sizeof(float)) {
            add_row_float(p, (const void *)from, (void *)row);
        } else {
            add_row_double(p, (const void *)from, (void *)row);
        }
    }
}

static bool cpu_pad_backward(const KernelCall *c) {
    PadShape s;
    ConvOperand grad, out = {0};
    if (!pad_shape(c->op, c->arg[2], c->arg[3].s, (Ints){c->out[0].shape, c->out[0].dim}, &s)) {
        return false;
    }
    if (s.dim == 0 || c->out[0].numel == 0) {
        dense_copy(&c->out[0], &c->in[0]);
        return true;
    }
    int dtype = conv_dtype(c->in[0].dtype), dims = c->arg[2].count / 2;
    bool ok = conv_read(&grad, &c->in[0], dtype) && conv_write(&out, &c->out[0], dtype);
    if (ok) {
        Pad p = {.s = &s, .in = grad.data, .out = out.data, .size = dtype_size(dtype)};
        p.first = dims > 0 ? s.dim - dims : s.dim - 1;
        p.inner = shared_of(&s, s.dim - 1);
        int64_t planes = volume(s.in, 0, p.first);
        ok = conv_units(planes, (double)(c->in[0].numel / planes), MEM_ALIGN, backward_unit, &p);
    }
    if (ok) {
        conv_written(&out, &c->out[0]);
    }
    conv_release(&grad);
    conv_release(&out);
    return ok;
}

const KernelRow cpu_pad_rows[] = {
    {"pad", cpu_pad}, {"pad_backward", cpu_pad_backward}, {NULL, NULL}};
