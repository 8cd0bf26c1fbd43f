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

/* src in the order of dst, on its own device. */
static Tensor *ordered(const Tensor *dst, Tensor *src) {
    if (same_order(dst, src)) {
        return src;
    }
    Ints shape = {src->shape, src->dim};
    Tensor *fresh = tensor_new(src->dtype, src->device, shape, dst->stride);
    return fresh && t_copy_(fresh, src) ? fresh : NULL;
}

bool tensor_transfer(Tensor *dst, Tensor *src) {
    if (dst->numel == 0) {
        return true;
    }
    bool recording = modes.recording;
    modes.recording = false;
    int mark = scope_open();
    Tensor *from = ordered(dst, src);
    bool ok = from && copy_bytes(dst, from);
    scope_close(mark, NULL);
    modes.recording = recording;
    return ok;
}
