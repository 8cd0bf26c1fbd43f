/* Copies into another layout, into a part, or turned round: all are copies between views. */
#include "gpu/gpu.h"

static bool as_strided_like(const KernelCall *c) { return gpu_copy_view(c, &c->out[0], &c->in[0]); }

static char *element_at(const View *v, int64_t offset) {
    return (char *)v->data + offset * (int64_t)dtype_size(v->dtype);
}

/* Copies input to the result, and then src over the window of it that has these strides. */
static bool copy_over(const KernelCall *c, const int64_t *stride, int64_t offset) {
    const View *out = &c->out[0], *src = &c->in[1];
    View window = *src;
    window.stride = stride;
    window.data = element_at(out, offset);
    return gpu_copy_view(c, out, &c->in[0]) && (src->numel == 0 || gpu_copy_view(c, &window, src));
}

static bool slice_scatter(const KernelCall *c) {
    const View *out = &c->out[0], *src = &c->in[1];
    int64_t dim = c->arg[2].i, first = c->arg[3].i, step = c->arg[5].i;
    int64_t stride[MAX_DIMS];
    for (int i = 0; i < out->dim; i++) {
        stride[i] = i == dim && src->shape[i] > 1 ? out->stride[i] * step : out->stride[i];
    }
    int64_t start = first < 0 ? first + out->shape[dim] : first;
    return copy_over(c, stride, src->numel ? start * out->stride[dim] : 0);
}

static bool as_strided_scatter(const KernelCall *c) {
    const View *src = &c->in[1];
    int64_t stride[MAX_DIMS];
    for (int i = 0; i < src->dim; i++) {
        stride[i] = src->shape[i] > 1 ? c->arg[3].ints[i] : 0;
    }
    return copy_over(c, stride, src->numel ? c->arg[4].i : 0);
}

/* Each tensor is copied into its part of the result. */
static bool cat(const KernelCall *c) {
    const View *out = &c->out[0];
    int64_t dim = c->arg[1].i, at = 0;
    for (int k = 0; k < c->n_in; k++) {
        const View *src = &c->in[k];
        if (src->numel == 0) {
            continue;
        }
        View part = *src;
        part.stride = out->stride;
        part.dtype = out->dtype;
        part.data = element_at(out, at * out->stride[dim]);
        if (!gpu_copy_view(c, &part, src)) {
            return false;
        }
        at += src->shape[dim];
    }
    return true;
}

static bool flip(const KernelCall *c) {
    const View *in = &c->in[0];
    int64_t stride[MAX_DIMS];
    View turned = *in;
    turned.stride = stride;
    for (int i = 0; i < in->dim; i++) {
        stride[i] = in->stride[i];
    }
    for (int k = 0; k < c->arg[1].count && in->numel && in->dim; k++) {
        int64_t d = c->arg[1].ints[k];
        turned.data = element_at(&turned, (in->shape[d] - 1) * stride[d]);
        stride[d] = -stride[d];
    }
    return gpu_copy_view(c, &c->out[0], &turned);
}

const KernelRow gpu_shape_rows[] = {{"as_strided_like", as_strided_like},
                                    {"slice_scatter", slice_scatter},
                                    {"as_strided_scatter", as_strided_scatter},
                                    {"cat", cat},
                                    {"flip", flip},
                                    {NULL, NULL}};
