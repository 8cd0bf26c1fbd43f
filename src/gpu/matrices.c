#include "gpu/matrices.h"

#include <string.h>

#include "base/memory.h"
#include "tensor/tensor.h"

static void *keep(Scratch *s, void *p, size_t bytes, bool on_host) {
    if (p) {
        s->block[s->n].p = p;
        s->block[s->n].bytes = bytes;
        s->block[s->n].on_host = on_host;
        s->n++;
    }
    return p;
}

static bool has_room(const Scratch *s) {
    return s->n < SCRATCH_BLOCKS || fail("%s: too many blocks of scratch memory", s->c->name);
}

void *scratch_take(Scratch *s, size_t bytes) {
    bytes = bytes ? bytes : 1;
    return has_room(s) ? keep(s, gpu_alloc(s->c->device, bytes), bytes, false) : NULL;
}

void *scratch_take_host(Scratch *s, size_t bytes) {
    bytes = bytes ? bytes : 1;
    return has_room(s) ? keep(s, mem_alloc(bytes), bytes, true) : NULL;
}

int *scratch_zeros(Scratch *s, int64_t count) {
    int *p = scratch_take(s, (size_t)count * sizeof *p);
    bool ok =
        p && gpu_ok(cudaMemsetAsync(p, 0, (size_t)count * sizeof *p, gpu_stream(s->c->device)),
                    s->c->name);
    return ok ? p : NULL;
}

void scratch_release(Scratch *s) {
    while (s->n > 0) {
        s->n--;
        if (s->block[s->n].on_host) {
            mem_free(s->block[s->n].p, s->block[s->n].bytes);
        } else {
            gpu_release(s->c->device, s->block[s->n].p, s->block[s->n].bytes);
        }
    }
}

BatchDims batch_dims(const View *v, int drop) {
    BatchDims b = {.shape = v->shape, .dims = v->dim - drop, .count = 1};
    for (int d = 0; d < b.dims; d++) {
        b.count *= b.shape[d];
    }
    return b;
}

bool stack_take(Scratch *s, Stack *a, int dtype, int64_t rows, int64_t columns, int64_t count) {
    int64_t lead = rows > 0 ? rows : 1, step = lead * (columns > 0 ? columns : 1), all;
    if (__builtin_mul_overflow(step, count, &all) ||
        __builtin_mul_overflow(all, (int64_t)dtype_size(dtype), &all)) {
        return fail_kind(ERR_MEMORY, "out of memory: a batch of %lld matrices", (long long)count);
    }
    *a = (Stack){.data = scratch_take(s, (size_t)all),
                 .dtype = dtype,
                 .rows = rows,
                 .columns = columns,
                 .count = count,
                 .lead = lead,
                 .step = step};
    return a->data != NULL;
}

Stack stack_part(const Stack *a, int64_t rows, int64_t columns) {
    Stack part = *a;
    part.rows = rows;
    part.columns = columns;
    return part;
}

bool stack_copy(Scratch *s, Stack *copy, const Stack *a) {
    return stack_take(s, copy, a->dtype, a->lead, a->step / a->lead, a->count) &&
           gpu_copy(s->c->device, copy->data, s->c->device, a->data,
                    (size_t)(a->step * a->count) * dtype_size(a->dtype)) &&
           ((*copy = stack_part(copy, a->rows, a->columns)), true);
}

/* A stack as a view with batch dims and rows before columns. */
typedef struct StackView {
    View view;
    int64_t shape[MAX_DIMS], stride[MAX_DIMS];
} StackView;

static const View *as_view(StackView *v, const Stack *a, BatchDims b, bool transposed) {
    int64_t step = a->step;
    int row = b.dims + transposed, column = b.dims + !transposed;
    for (int d = b.dims - 1; d >= 0; d--) {
        v->shape[d] = b.shape[d];
        v->stride[d] = step;
        step *= b.shape[d];
    }
    v->shape[row] = a->rows;
    v->stride[row] = 1;
    v->shape[column] = a->columns;
    v->stride[column] = a->lead;
    v->view = (View){.data = a->data,
                     .shape = v->shape,
                     .stride = v->stride,
                     .numel = a->rows * a->columns * a->count,
                     .dim = b.dims + 2,
                     .dtype = a->dtype};
    return &v->view;
}

bool stack_load(const KernelCall *c, const Stack *a, const View *from, BatchDims b,
                bool transposed) {
    StackView v;
    return gpu_copy_view(c, as_view(&v, a, b, transposed), from);
}

bool stack_store(const KernelCall *c, const View *to, const Stack *a, BatchDims b,
                 bool transposed) {
    StackView v;
    return gpu_copy_view(c, to, as_view(&v, a, b, transposed));
}

bool stack_store_vectors(const KernelCall *c, const View *to, const Stack *a) {
    int64_t stride[MAX_DIMS];
    View v = *to;
    shape_contiguous_strides((Ints){to->shape, to->dim}, stride);
    v.stride = stride;
    v.data = a->data;
    v.dtype = a->dtype;
    return gpu_copy_view(c, to, &v);
}

bool matrices_check(Scratch *s, const int *states, BatchDims b, MatrixState state) {
    const KernelCall *c = s->c;
    size_t bytes = (size_t)b.count * sizeof *states;
    int *host = scratch_take_host(s, bytes);
    if (!host || !gpu_copy((Device){DEVICE_CPU, 0}, host, c->device, states, bytes)) {
        return false;
    }
    for (int64_t i = 0; i < b.count; i++) {
        if (host[i]) {
            return matrix_fail(c, b.dims > 0, i, state ? state : (MatrixState)host[i]);
        }
    }
    return true;
}

Vectors vectors_columns(const Stack *a) {
    return (Vectors){
        .stack = a, .count = a->columns, .length = a->rows, .step = 1, .next = a->lead};
}

Vectors vectors_rows(const Stack *a) {
    return (Vectors){
        .stack = a, .count = a->rows, .length = a->columns, .step = a->lead, .next = 1};
}
