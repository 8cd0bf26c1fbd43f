#include "gpu/dense.h"

static bool is_dense(const View *v) {
    int64_t step = 1;
    for (int d = v->dim - 1; d >= 0; d--) {
        if (v->shape[d] != 1 && v->stride[d] != step) {
            return false;
        }
        step *= v->shape[d];
    }
    return true;
}

void *dense_room(Dense *d, size_t bytes) {
    if (d->failed) {
        return NULL;
    }
    if (d->n == DENSE_MOST) {
        d->failed = !fail("%s wants more scratch memory than it can keep", d->call->name);
        return NULL;
    }
    void *memory = gpu_alloc(d->call->device, bytes);
    d->failed = memory == NULL;
    if (memory) {
        d->room[d->n].memory = memory;
        d->room[d->n++].bytes = bytes;
    }
    return memory;
}

const void *dense_cast(Dense *d, const View *v, int dtype) {
    if (d->failed || v->dtype == DT_NONE || v->numel == 0 || (v->dtype == dtype && is_dense(v))) {
        return d->failed ? NULL : v->data;
    }
    int64_t stride[MAX_DIMS], step = 1;
    View copy = *v;
    copy.stride = stride;
    copy.dtype = dtype;
    for (int k = v->dim - 1; k >= 0; k--) {
        stride[k] = step;
        step *= v->shape[k];
    }
    copy.data = dense_room(d, (size_t)v->numel * dtype_size(dtype));
    d->failed = !copy.data || !gpu_copy_view(d->call, &copy, v);
    return copy.data;
}

const void *dense_in(Dense *d, const View *v) { return dense_cast(d, v, v->dtype); }

bool dense_end(Dense *d, bool ok) {
    for (int i = 0; i < d->n; i++) {
        gpu_release(d->call->device, d->room[i].memory, d->room[i].bytes);
    }
    d->n = 0;
    return ok && !d->failed;
}
