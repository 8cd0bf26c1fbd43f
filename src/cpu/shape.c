/* Kernels of the shape family: copies into another layout or into a part. */
#include "cpu/cpu.h"
#include "tensor/op.h"

static bool copy_view(const View *src, const View *dst) {
    const KernelCall c = {.op = &op_table[OP_clone],
                          .name = "clone",
                          .id = OP_clone,
                          .n_in = 1,
                          .n_out = 1,
                          .in = src,
                          .out = dst};
    return cpu_clone(&c);
}

static bool cpu_as_strided_like(const KernelCall *c) { return copy_view(&c->in[0], &c->out[0]); }

static bool cpu_slice_scatter(const KernelCall *c) {
    const View *out = &c->out[0], *src = &c->in[1];
    int64_t dim = c->arg[2].i, first = c->arg[3].i, step = c->arg[5].i;
    int64_t stride[MAX_DIMS];
    if (!copy_view(&c->in[0], out)) {
        return false;
    }
    if (src->numel == 0) {
        return true;
    }
    for (int i = 0; i < out->dim; i++) {
        stride[i] = i == dim && src->shape[i] > 1 ? out->stride[i] * step : out->stride[i];
    }
    int64_t start = first < 0 ? first + out->shape[dim] : first;
    View window = *src;
    window.stride = stride;
    window.data = (char *)out->data + start * out->stride[dim] * (int64_t)dtype_size(out->dtype);
    return copy_view(src, &window);
}

static bool cpu_as_strided_scatter(const KernelCall *c) {
    const View *out = &c->out[0], *src = &c->in[1];
    if (!copy_view(&c->in[0], out)) {
        return false;
    }
    if (src->numel == 0) {
        return true;
    }
    View window = *src;
    int64_t stride[MAX_DIMS];
    for (int i = 0; i < src->dim; i++) {
        stride[i] = src->shape[i] > 1 ? c->arg[3].ints[i] : 0;
    }
    window.stride = stride;
    window.data = (char *)out->data + c->arg[4].i * (int64_t)dtype_size(out->dtype);
    return copy_view(src, &window);
}

const KernelRow cpu_shape_rows[] = {{"as_strided_like", cpu_as_strided_like},
                                    {"slice_scatter", cpu_slice_scatter},
                                    {"as_strided_scatter", cpu_as_strided_scatter},
                                    {NULL, NULL}};
