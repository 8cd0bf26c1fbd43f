#include "tensor/transfer.h"

#include "tensor/op.h"

THREAD_LOCAL bool transfer_may_return_early;

/* Whether the elements of both stand in the same order without gaps, so that bytes can be copied.
 */
static bool same_order(const Tensor *a, const Tensor *b) {
    for (int i = 0; i < a->dim; i++) {
        if (a->shape[i] > 1 && a->stride[i] != b->stride[i]) {
            return false;
        }
    }
    return tensor_is_dense(a);
}

static bool copy_bytes(const Tensor *dst, const Tensor *src) {
    bool to_device = dst->device.kind != DEVICE_CPU;
    const Backend *backend = backend_of(to_device ? dst->device : src->device);
    size_t bytes = (size_t)dst->numel * dtype_size(dst->dtype);
    if (!backend) {
        return false;
    }
    bool early = transfer_may_return_early && backend->copy_early;
    return (early ? backend->copy_early : backend->copy)(dst->device, tensor_data(dst), src->device,
                                                         tensor_data(src), bytes);
}

/* src with the dtype, shape and order of dst, on its own device. */
static Tensor *matching(const Tensor *dst, Tensor *src) {
    if (src->dtype == dst->dtype && tensor_same_shape(src, dst) && same_order(dst, src)) {
        return src;
    }
    Tensor *fresh = tensor_new(dst->dtype, src->device, tensor_shape(dst), dst->stride);
    return fresh ? t_copy_(fresh, src, false) : NULL;
}

/* What is broadcast crosses before that. Bytes need a destination without gaps. */
static bool transfer(Tensor *dst, Tensor *src) {
    if (src->numel < dst->numel) {
        Tensor *there = t_move(src, dst->device);
        return there && t_copy_(dst, there, false);
    }
    Tensor *into =
        tensor_is_dense(dst) ? dst : tensor_new(dst->dtype, dst->device, tensor_shape(dst), NULL);
    Tensor *from = into ? matching(into, src) : NULL;
    return from && copy_bytes(into, from) && (into == dst || t_copy_(dst, into, false));
}

bool tensor_transfer(Tensor *dst, Tensor *src) {
    if (dst->numel == 0) {
        return true;
    }
    bool recording = modes.recording;
    modes.recording = false;
    int mark = scope_open();
    bool ok = transfer(dst, src);
    scope_close(mark, NULL);
    modes.recording = recording;
    return ok;
}
