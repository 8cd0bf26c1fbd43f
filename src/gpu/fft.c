/* Discrete Fourier transforms along one dim: from tensors to the lines that cuFFT takes. */
#include <string.h>

#include "gpu/fft_plan.h"
#include "tensor/tensor.h"

/* A view with strides, and maybe memory, of its own. */
typedef struct Arranged {
    View view;
    int64_t shape[MAX_DIMS], stride[MAX_DIMS];
    size_t bytes; /* 0: none of its own */
} Arranged;

static bool is_wide(const View *v) { return dtype_real_of(v->dtype) == DT_FLOAT64; }

/* Numbers in single or double precision: twice as many as there are elements where these are
 * complex. */
static int64_t parts_of(const View *v) {
    return dtype_is_complex(v->dtype) ? 2 * v->numel : v->numel;
}

/* Whether the lines of v along dim stand one stride apart in row-major order; sets how. */
static bool lines_of(const View *v, int64_t dim, FftSide *side) {
    int64_t count = 1;
    *side = (FftSide){.step = v->shape[dim] > 1 ? v->stride[dim] : 1, .line = 1};
    for (int d = v->dim - 1; d >= 0; d--) {
        if (d == dim || v->shape[d] == 1) {
            continue;
        }
        if (count == 1) {
            side->line = v->stride[d];
        } else if (v->stride[d] != side->line * count) {
            return false;
        }
        count *= v->shape[d];
    }
    return side->step > 0 && side->line > 0;
}

/* The dims of v with dim as the last one. */
static void dim_last(Arranged *a, const View *v, int64_t dim) {
    int at = 0;
    a->view = *v;
    a->view.shape = a->shape;
    a->view.stride = a->stride;
    a->bytes = 0;
    for (int d = 0; d < v->dim; d++) {
        int to = d == dim ? v->dim - 1 : at++;
        a->shape[to] = v->shape[d];
        a->stride[to] = v->stride[d];
    }
}

/* Memory without gaps for what has v's shape. */
static bool arrange(const KernelCall *c, Arranged *a, const View *v) {
    a->view = *v;
    memcpy(a->shape, v->shape, (size_t)v->dim * sizeof *a->shape);
    shape_contiguous_strides((Ints){a->shape, v->dim}, a->stride);
    a->view.shape = a->shape;
    a->view.stride = a->stride;
    a->bytes = (size_t)v->numel * dtype_size(v->dtype);
    a->view.data = gpu_alloc(c->device, a->bytes);
    return a->view.data != NULL;
}

static void arranged_release(const KernelCall *c, Arranged *a) {
    if (a->view.data && a->bytes) {
        gpu_release(c->device, a->view.data, a->bytes);
    }
}

/* Lines that stand too irregularly are copied, transformed where the copies are, and copied back.
 */
static bool fourier_through_copy(const KernelCall *c, int64_t dim, FftShape *s) {
    Arranged in, out, copy;
    dim_last(&in, &c->in[0], dim);
    dim_last(&out, &c->out[0], dim);
    s->in = s->out = (FftSide){.step = 1, .line = s->n};
    bool ok = arrange(c, &copy, &in.view) && gpu_copy_view(c, &copy.view, &in.view) &&
              gpu_fft_run(c, s, copy.view.data, copy.view.data, c->arg[2].b) &&
              gpu_copy_view(c, &out.view, &copy.view);
    arranged_release(c, &copy);
    return ok;
}

static bool fourier(const KernelCall *c) {
    const View *in = &c->in[0], *out = &c->out[0];
    int64_t dim = c->arg[1].i, n = out->shape[dim];
    if (out->numel == 0) {
        return true;
    }
    FftShape s = {.kind = FFT_COMPLEX, .wide = is_wide(out), .n = n, .lines = out->numel / n};
    bool ok;
    if (!lines_of(out, dim, &s.out)) {
        ok = fourier_through_copy(c, dim, &s);
    } else if (lines_of(in, dim, &s.in)) {
        ok = gpu_fft_run(c, &s, in->data, out->data, c->arg[2].b);
    } else {
        s.in = s.out;
        ok = gpu_copy_view(c, out, in) && gpu_fft_run(c, &s, out->data, out->data, c->arg[2].b);
    }
    return ok && gpu_fft_scale(c, out->data, s.wide, parts_of(out), c->arg[3].f);
}

/* Where cuFFT may read or write the lines of v, whose last dim they are along: real ones must be
 * aligned as complex ones are. */
static bool takes_lines(const View *v, FftSide *side) {
    size_t align = 2 * dtype_size(dtype_real_of(v->dtype));
    return lines_of(v, v->dim - 1, side) && (uintptr_t)v->data % align == 0;
}

/* A copy of lines that stand too irregularly, or that may not be overwritten. */
static bool copy_lines(const KernelCall *c, Arranged *copy, const View *v, FftSide *side) {
    *side = (FftSide){.step = 1, .line = v->shape[v->dim - 1]};
    return arrange(c, copy, v) && gpu_copy_view(c, &copy->view, v);
}

static bool halves_to(const KernelCall *c, FftShape *s, const View *in, const View *out,
                      double scale) {
    Arranged copy = {.bytes = 0};
    if (takes_lines(out, &s->out)) {
        return gpu_fft_run(c, s, in->data, out->data, s->kind == FFT_TO_REAL) &&
               gpu_fft_scale(c, out->data, s->wide, parts_of(out), scale);
    }
    s->out = (FftSide){.step = 1, .line = out->shape[out->dim - 1]};
    bool ok = arrange(c, &copy, out) &&
              gpu_fft_run(c, s, in->data, copy.view.data, s->kind == FFT_TO_REAL) &&
              gpu_fft_scale(c, copy.view.data, s->wide, parts_of(out), scale) &&
              gpu_copy_view(c, out, &copy.view);
    arranged_release(c, &copy);
    return ok;
}

/* Lines along dim that are real on the one side. */
static bool halves(const KernelCall *c, FftKind kind, int64_t dim, double scale) {
    Arranged in, out, copy = {.bytes = 0};
    if (c->out[0].numel == 0) {
        return true;
    }
    dim_last(&in, &c->in[0], dim);
    dim_last(&out, &c->out[0], dim);
    const View *real = kind == FFT_TO_REAL ? &out.view : &in.view;
    int64_t n = real->shape[real->dim - 1];
    FftShape s = {.kind = kind, .wide = is_wide(&out.view), .n = n, .lines = real->numel / n};
    if (kind == FFT_FROM_REAL && takes_lines(&in.view, &s.in)) {
        return halves_to(c, &s, &in.view, &out.view, scale);
    }
    bool ok =
        copy_lines(c, &copy, &in.view, &s.in) && halves_to(c, &s, &copy.view, &out.view, scale);
    arranged_release(c, &copy);
    return ok;
}

static bool fourier_real(const KernelCall *c) {
    return halves(c, FFT_FROM_REAL, c->arg[1].i, c->arg[2].f);
}

/* cuFFT overwrites what the numbers come from, so that it is always a copy. */
static bool fourier_to_real(const KernelCall *c) {
    return halves(c, FFT_TO_REAL, c->arg[2].i, c->arg[3].f);
}

const KernelRow gpu_fft_rows[] = {{"fourier", fourier},
                                  {"fourier_real", fourier_real},
                                  {"fourier_to_real", fourier_to_real},
                                  {NULL, NULL}};
