/* Geometry: sizes, strides, layouts, and their texts. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "tensor/tensor.h"

int64_t shape_numel(Ints shape) {
    int64_t n = 1;
    bool empty = false;
    for (int i = 0; i < shape.n; i++) {
        empty |= shape.v[i] == 0;
        if (shape.v[i] != 0 && __builtin_mul_overflow(n, shape.v[i], &n)) {
            return -1;
        }
    }
    return empty ? 0 : n;
}

int64_t stride_times(int64_t stride, int64_t by) {
    int64_t product;
    bool fits = !__builtin_mul_overflow(stride, by, &product) && product <= STRIDE_MOST;
    return fits ? product : STRIDE_MOST;
}

void shape_contiguous_strides(Ints shape, int64_t *stride) {
    int64_t step = 1;
    for (int i = shape.n - 1; i >= 0; i--) {
        stride[i] = step;
        step = stride_times(step, shape.v[i] > 0 ? shape.v[i] : 1);
    }
}

bool tensor_is_contiguous(const Tensor *t) {
    int64_t step = 1;
    for (int i = t->dim - 1; i >= 0; i--) {
        if (t->shape[i] != 1 && t->stride[i] != step) {
            return t->numel == 0;
        }
        step *= t->shape[i];
    }
    return true;
}

/* The dims longer than 1, by stride ascending; returns their count. */
static int dims_by_stride(const Tensor *t, int *order) {
    int n = 0;
    for (int i = 0; i < t->dim; i++) {
        if (t->shape[i] == 1) {
            continue;
        }
        int at = n++;
        for (; at > 0 && t->stride[order[at - 1]] > t->stride[i]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
    return n;
}

bool tensor_is_nonoverlapping(const Tensor *t) {
    int order[MAX_DIMS];
    int64_t reach = 1; /* elements that the dims so far span */
    int n = t->numel ? dims_by_stride(t, order) : 0;
    for (int i = 0; i < n; i++) {
        if (t->stride[order[i]] < reach) {
            return false;
        }
        reach += t->stride[order[i]] * (t->shape[order[i]] - 1);
    }
    return true;
}

bool tensor_is_dense(const Tensor *t) {
    int order[MAX_DIMS];
    int64_t step = 1;
    int n = t->numel ? dims_by_stride(t, order) : 0;
    for (int i = 0; i < n; i++) {
        if (t->stride[order[i]] != step) {
            return false;
        }
        step *= t->shape[order[i]];
    }
    return true;
}

bool tensor_same_shape(const Tensor *a, const Tensor *b) {
    return a->dim == b->dim && memcmp(a->shape, b->shape, a->dim * sizeof *a->shape) == 0;
}

const char *shape_text(Ints shape) {
    if (shape.n <= 0) {
        return "scalar";
    }
    char *text = text_buffer();
    size_t n = 0;
    for (int i = 0; i < shape.n && n < TEXT_MAX; i++) {
        n +=
            (size_t)snprintf(text + n, TEXT_MAX - n, "%s%lld", i ? "x" : "", (long long)shape.v[i]);
    }
    return text;
}

int shape_broadcast(Ints a, Ints b, int64_t *out) {
    int dim = a.n > b.n ? a.n : b.n;
    for (int i = 0; i < dim; i++) {
        int from_a = a.n - dim + i, from_b = b.n - dim + i;
        int64_t x = from_a >= 0 ? a.v[from_a] : 1, y = from_b >= 0 ? b.v[from_b] : 1;
        if (x != y && x != 1 && y != 1) {
            return -1;
        }
        out[i] = x == 1 ? y : x;
    }
    return dim;
}

static const char *const device_names[N_DEVICE_KINDS] = {"cpu", "cuda"};

const char *device_text(Device d) {
    char *text = text_buffer();
    if (d.kind == DEVICE_CPU) {
        return "cpu";
    }
    snprintf(text, TEXT_MAX, "%s:%d", device_names[d.kind], d.index);
    return text;
}

THREAD_LOCAL int8_t device_current_index;

static int current_index(int kind) { return kind == DEVICE_CPU ? 0 : device_current_index; }

bool device_parse(const char *text, Device *device) {
    for (int kind = 0; kind < N_DEVICE_KINDS; kind++) {
        size_t n = strlen(device_names[kind]);
        if (strncmp(text, device_names[kind], n) != 0) {
            continue;
        }
        char *end = NULL;
        long index = text[n] == ':' ? strtol(text + n + 1, &end, 10) : current_index(kind);
        bool whole = text[n] == '\0' || (end && end != text + n + 1 && *end == '\0');
        if (whole && index >= 0 && index <= (kind == DEVICE_CPU ? 0 : SCHAR_MAX)) {
            *device = (Device){(int8_t)kind, (int8_t)index};
            return true;
        }
    }
    return fail("device must be \"cpu\", \"cuda\" or \"cuda:N\", got \"%.40s\"", text);
}
