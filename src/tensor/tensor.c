#include "tensor/tensor.h"

#include <string.h>

#include "autograd/tape.h"
#include "base/error.h"
#include "base/memory.h"
#include "tensor/batch.h"
#include "tensor/op.h"

/* Data up to this size stands in the storage's own block: one allocation for a small tensor. */
enum { INLINE_BYTES = 4096, STORAGE_HEADER = (sizeof(Storage) + 63) / 64 * 64 };

static atomic_llong live;

int64_t tensor_live_count(void) { return atomic_load(&live); }

static Storage *storage_inline(size_t bytes) {
    Storage *s = mem_alloc(STORAGE_HEADER + bytes);
    if (!s) {
        return NULL;
    }
    *s = (Storage){.bytes = bytes, .data = (char *)s + STORAGE_HEADER, .inline_data = true};
    atomic_init(&s->refs, 1);
    return s;
}

static Storage *storage_new(Device device, size_t bytes) {
    if (device.kind == DEVICE_CPU && bytes <= INLINE_BYTES) {
        return storage_inline(bytes);
    }
    const Backend *backend = backend_of(device);
    if (!backend) {
        return NULL;
    }
    Storage *s = mem_alloc(sizeof *s);
    if (!s) {
        return NULL;
    }
    *s = (Storage){.bytes = bytes, .device = device};
    atomic_init(&s->refs, 1);
    s->data = backend->alloc(device, bytes);
    if (!s->data) {
        mem_free(s, sizeof *s);
        return NULL;
    }
    return s;
}

void storage_release(Storage *s) {
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (s->inline_data) {
        mem_free(s, STORAGE_HEADER + s->bytes);
        return;
    }
    if (s->release) {
        s->release(s);
    } else {
        backend_of(s->device)->release(s->device, s->data, s->bytes);
    }
    mem_free(s, sizeof *s);
}

/* A tensor struct without storage, owned by the caller. */
static Tensor *tensor_struct(int dtype, Device device, Ints shape, const int64_t *stride) {
    Tensor *t = mem_alloc(sizeof *t);
    if (!t) {
        return NULL;
    }
    memset(t, 0, offsetof(Tensor, shape));
    atomic_init(&t->refs, 1);
    t->dtype = (uint8_t)dtype;
    t->device = device;
    t->dim = (uint8_t)shape.n;
    t->numel = 1;
    for (int i = 0; i < shape.n; i++) {
        t->shape[i] = shape.v[i];
        t->numel *= shape.v[i];
    }
    if (stride) {
        memcpy(t->stride, stride, (size_t)shape.n * sizeof *stride);
    } else {
        shape_contiguous_strides(shape, t->stride);
    }
    atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return t;
}

static void struct_free(Tensor *t) {
    atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    mem_free(t, sizeof *t);
}

Tensor *tensor_new(int dtype, Device device, Ints shape, const int64_t *stride) {
    int64_t numel = shape_numel(shape);
    int64_t bytes;
    if (numel < 0 || __builtin_mul_overflow(numel, (int64_t)dtype_size(dtype), &bytes)) {
        fail_kind(ERR_MEMORY, "a tensor of shape %s has more elements than memory can address",
                  shape_text(shape));
        return NULL;
    }
    Tensor *t = tensor_struct(dtype, device, shape, stride);
    if (!t) {
        return NULL;
    }
    t->storage = storage_new(device, (size_t)bytes);
    if (!t->storage) {
        struct_free(t);
        return NULL;
    }
    return scope_add(t) ? t : NULL;
}

Tensor *tensor_of_storage(Storage *s, int dtype, Ints shape, const int64_t *stride,
                          int64_t offset) {
    Tensor *v = tensor_struct(dtype, s->device, shape, stride);
    if (!v) {
        return NULL;
    }
    v->offset = offset;
    v->storage = s;
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return scope_add(v) ? v : NULL;
}

Tensor *tensor_alias(const Tensor *t, Ints shape, const int64_t *stride, int64_t offset) {
    return tensor_of_storage(t->storage, t->dtype, shape, stride, offset);
}

static Tensor *number_new(int dtype) {
    Tensor *t = tensor_new(dtype, (Device){DEVICE_CPU, 0}, (Ints){NULL, 0}, NULL);
    if (t) {
        t->flags = TENSOR_NUMBER;
    }
    return t;
}

Tensor *tensor_number_int(int64_t i) {
    Tensor *t = number_new(DT_INT64);
    if (t) {
        *(int64_t *)tensor_data(t) = i;
    }
    return t;
}

Tensor *tensor_number(double f) {
    Tensor *t = number_new(DT_FLOAT64);
    if (t) {
        *(double *)tensor_data(t) = f;
    }
    return t;
}

Tensor *tensor_number_complex(Complex128 z) {
    Tensor *t = number_new(DT_COMPLEX128);
    if (t) {
        *(Complex128 *)tensor_data(t) = z;
    }
    return t;
}

Tensor *tensor_foreign(int dtype, Ints shape, void *data, size_t bytes, void (*release)(Storage *),
                       void *owner) {
    Tensor *t = tensor_struct(dtype, (Device){DEVICE_CPU, 0}, shape, NULL);
    if (!t) {
        return NULL;
    }
    t->storage = mem_alloc(sizeof *t->storage);
    if (!t->storage) {
        struct_free(t);
        return NULL;
    }
    *t->storage = (Storage){.data = data, .bytes = bytes, .release = release, .owner = owner};
    atomic_init(&t->storage->refs, 1);
    return scope_add(t) ? t : NULL;
}

void tensor_release(Tensor *t) {
    if (!t || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (t->node) {
        tape_leave(t);
    }
    if (t->batching) {
        tensor_release(t->batching->all);
        mem_free(t->batching, sizeof *t->batching);
    }
    tensor_release(t->base);
    storage_release(t->storage);
    struct_free(t);
}
