#include "cpu/stage.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "cpu/dense.h"
#include "tensor/tensor.h"

size_t stage_size(const View *v) { return dtype_size(ew_compute_dtype(v->dtype)); }

static bool stands_ready(const View *v) {
    return ew_compute_dtype(v->dtype) == v->dtype && dense_is_line(v, v->numel);
}

void *stage_room(Stage *s, size_t bytes) {
    void *memory = s->failed ? NULL : mem_alloc(bytes);
    if (!memory) {
        s->failed = true;
        return NULL;
    }
    s->copy[s->n].memory = memory;
    s->copy[s->n].bytes = bytes;
    s->copy[s->n++].result = NULL;
    return memory;
}

/* v's elements, in row-major order in the compute type, at memory. */
static View line_at(const View *v, void *memory, int64_t *stride) {
    shape_contiguous_strides((Ints){v->shape, v->dim}, stride);
    return (View){memory, v->shape, stride, v->numel, v->dim, ew_compute_dtype(v->dtype)};
}

const void *stage_in(Stage *s, const View *v) {
    if (v->dtype == DT_NONE || stands_ready(v)) {
        return v->data;
    }
    void *memory = stage_room(s, (size_t)v->numel * stage_size(v));
    if (memory) {
        int64_t stride[MAX_DIMS];
        View line = line_at(v, memory, stride);
        dense_copy(&line, v);
    }
    return memory;
}

void *stage_out(Stage *s, const View *v) {
    if (stands_ready(v)) {
        return v->data;
    }
    void *memory = stage_room(s, (size_t)v->numel * stage_size(v));
    if (memory) {
        s->copy[s->n - 1].result = v;
    }
    return memory;
}

bool stage_end(Stage *s, bool ok) {
    ok = ok && !s->failed && !interrupted();
    for (int i = 0; i < s->n; i++) {
        const View *result = s->copy[i].result;
        if (ok && result) {
            int64_t stride[MAX_DIMS];
            View line = line_at(result, s->copy[i].memory, stride);
            dense_copy(result, &line);
        }
        mem_free(s->copy[i].memory, s->copy[i].bytes);
    }
    return ok;
}
