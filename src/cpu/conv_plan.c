#include "cpu/conv_plan.h"

#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cpu/dense.h"
#include "cpu/kernels/isa_name.h"
#include "cpu/workspace.h"
#include "tensor/op.h"

ISA_DECLARE(const ConvKernels, conv_float);
ISA_DECLARE(const ConvKernels, conv_double);

const ConvKernels *conv_kernels(size_t size) {
    return size == sizeof(float) ? ISA_PICK(conv_float) : ISA_PICK(conv_double);
}

const ConvKernels *conv_kernels_narrow(size_t size) {
    const ConvKernels *narrow =
        size == sizeof(float) ? ISA_ADDRESS_AVX2(conv_float) : ISA_ADDRESS_AVX2(conv_double);
    return narrow && isa_current() == ISA_AVX512 ? narrow : conv_kernels(size);
}

/* In bytes; no memory holds it, and buffers some times as large still have a size. */
static const int64_t largest_frame = INT64_C(1) << 50;

/* Only what windows of one element meet. */
static void thin_frame(ConvFrame *f, const ConvShape *s) {
    f->slices = s->out[0];
    f->rows = s->out[1];
    f->phase = s->out[2];
    f->stride = 1;
    memcpy(f->step, s->stride, sizeof f->step);
}

/* The prepared image's sizes; false where they would overflow. */
static bool plan_frame(ConvPlan *p) {
    const ConvShape *s = &p->s;
    int64_t width = s->in[2] + 2 * s->padding[2], slice, bytes;
    bool padded = s->padding[0] || s->padding[1] || s->padding[2];
    p->framed = padded || s->stride[2] > 1;
    p->frame = (ConvFrame){.channels = p->in_c,
                           .in = {s->in[0], s->in[1], s->in[2]},
                           .padding = {s->padding[0], s->padding[1], s->padding[2]},
                           .slices = s->in[0] + 2 * s->padding[0],
                           .rows = s->in[1] + 2 * s->padding[1],
                           .stride = s->stride[2],
                           .phase = (width + s->stride[2] - 1) / s->stride[2],
                           .step = {1, 1, 1}};
    if (p->window == 1 && !padded && p->framed) {
        thin_frame(&p->frame, s);
    }
    return !__builtin_mul_overflow(p->frame.stride * p->frame.phase, p->frame.rows, &slice) &&
           !__builtin_mul_overflow(slice, p->frame.slices, &p->frame_plane) &&
           !__builtin_mul_overflow(p->frame_plane, (p->in_c + 1) * p->size, &bytes) &&
           bytes < largest_frame;
}

static void plan_taps(ConvPlan *p) {
    const ConvShape *s = &p->s;
    int64_t pitch = p->frame.stride * p->frame.phase, rows = s->kernel[0] * s->kernel[1];
    int64_t *tap = p->tap;
    for (int64_t i = 0; i < p->in_c * rows; i++) {
        int64_t z = i % rows / s->kernel[1] * s->dilation[0];
        int64_t y = i % s->kernel[1] * s->dilation[1];
        int64_t row = i / rows * p->frame_plane + (z * p->frame.rows + y) * pitch;
        for (int64_t x = 0; x < s->kernel[2]; x++) {
            int64_t at = x * s->dilation[2];
            *tap++ = row + at % s->stride[2] * p->frame.phase + at / s->stride[2];
        }
    }
}

/* Rows of positions that follow each other without gaps are one row, unless it would be too long
 * to be worked on in one go. */
enum { LONGEST_ROW = 4096 };

static void plan_map(ConvPlan *p) {
    const ConvShape *s = &p->s;
    const ConvFrame *f = &p->frame;
    int64_t pitch = f->stride * f->phase;
    p->map = (ConvMap){.taps = p->in_c * p->window,
                       .window = p->window,
                       .tap = p->tap,
                       .rows = s->out[0] * s->out[1],
                       .columns = s->out[2],
                       .row_step = s->stride[1] / f->step[1] * pitch,
                       .slice_rows = s->out[1],
                       .slice_step = s->stride[0] / f->step[0] * f->rows * pitch};
    if (p->map.row_step == p->map.columns && s->out[1] * s->out[2] <= LONGEST_ROW) {
        p->map.rows = p->map.slice_rows = s->out[0];
        p->map.columns = s->out[1] * s->out[2];
        p->map.row_step = p->map.slice_step;
    }
    if (p->map.rows == s->out[0] && p->map.row_step == p->map.columns &&
        p->out_plane <= LONGEST_ROW) {
        p->map.rows = p->map.slice_rows = 1;
        p->map.columns = p->out_plane;
    }
}

bool conv_plan_open(ConvPlan *p, const char *name, const ConvShape *s, int dtype) {
    *p = (ConvPlan){.s = *s, .size = (int64_t)dtype_size(dtype)};
    p->k = conv_kernels(dtype_size(dtype));
    p->g = gemm_kernels(dtype_size(dtype));
    p->in_c = s->c / s->groups;
    p->out_c = s->o / s->groups;
    p->in_plane = s->in[0] * s->in[1] * s->in[2];
    p->out_plane = s->out[0] * s->out[1] * s->out[2];
    p->window = s->kernel[0] * s->kernel[1] * s->kernel[2];
    p->depthwise = p->in_c == 1 && p->out_c == 1;
    if (!plan_frame(p)) {
        return fail("%s: the padded input is too large", name);
    }
    p->tap = mem_alloc((size_t)(p->in_c * p->window) * sizeof *p->tap);
    if (!p->tap) {
        return false;
    }
    plan_taps(p);
    plan_map(p);
    return true;
}

void conv_plan_close(ConvPlan *p) {
    mem_free(p->tap, (size_t)(p->in_c * p->window) * sizeof *p->tap);
}

size_t conv_frame_bytes(const ConvPlan *p) {
    size_t bytes = (size_t)(p->frame_plane * p->in_c * p->size) + CONV_SLACK;
    return p->framed ? (bytes + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN : 0;
}

int conv_dtype(int dtype) { return dtype == DT_FLOAT64 ? DT_FLOAT64 : DT_FLOAT32; }

static bool is_dense(const View *v) {
    int64_t stride = 1;
    for (int d = v->dim - 1; d >= 0; d--) {
        if (v->shape[d] != 1 && v->stride[d] != stride) {
            return false;
        }
        stride *= v->shape[d];
    }
    return true;
}

static bool own(ConvOperand *x, const View *v) {
    x->bytes = (size_t)v->numel * dtype_size(x->dtype);
    x->data = x->owned = mem_alloc(x->bytes);
    return x->owned != NULL;
}

/* The operand's memory seen with the tensor's shape. */
static View owned_view(const ConvOperand *x, const View *v, int64_t *stride) {
    shape_contiguous_strides((Ints){v->shape, v->dim}, stride);
    return (View){x->owned, v->shape, stride, v->numel, v->dim, x->dtype};
}

bool conv_read(ConvOperand *x, const View *v, int dtype) {
    *x = (ConvOperand){.data = v->data, .dtype = dtype};
    if (v->dtype == DT_NONE || (v->dtype == dtype && is_dense(v))) {
        return true;
    }
    if (!own(x, v)) {
        return false;
    }
    int64_t stride[MAX_DIMS];
    View to = owned_view(x, v, stride);
    dense_copy(&to, v);
    return true;
}

bool conv_write(ConvOperand *x, const View *v, int dtype) {
    *x = (ConvOperand){.data = v->data, .dtype = dtype};
    return v->dtype == dtype || own(x, v);
}

void conv_written(const ConvOperand *x, const View *v) {
    if (x->owned) {
        int64_t stride[MAX_DIMS];
        View from = owned_view(x, v, stride);
        dense_copy(v, &from);
    }
}

void conv_release(ConvOperand *x) {
    if (x->owned) {
        mem_free(x->owned, x->bytes);
    }
}

typedef struct Units {
    int64_t units, tasks;
    ConvUnit *run;
    void *ctx;
    Workspace work;
} Units;

static void units_task(void *ctx, int64_t task) {
    Units *u = ctx;
    void *work = workspace_take(&u->work);
    int64_t end = (task + 1) * u->units / u->tasks;
    for (int64_t i = task * u->units / u->tasks; i < end; i++) {
        u->run(u->ctx, i, work);
    }
    workspace_give(&u->work, work);
}

/* In multiplications: what a second thread is worth, and the least of a task. */
static const double parallel_work = 1 << 19, task_work = 1 << 18;
enum { TASKS_PER_THREAD = 4 };

static int64_t tasks_wanted(double all) {
    int64_t threads = threads_inside() ? 1 : threads_get();
    if (threads == 1 || all < parallel_work) {
        return 1;
    }
    double most = all / task_work;
    int64_t tasks = threads * TASKS_PER_THREAD;
    return most < (double)tasks ? (int64_t)most + 1 : tasks;
}

int64_t conv_parts(int64_t units, double work_each, int64_t limit) {
    int64_t parts = tasks_wanted(work_each * (double)units) / (units > 0 ? units : 1);
    return parts < 1 ? 1 : parts > limit ? limit : parts;
}

bool conv_units(int64_t units, double work_each, size_t bytes, ConvUnit *run, void *ctx) {
    if (units == 0) {
        return true;
    }
    int64_t tasks = tasks_wanted(work_each * (double)units);
    Units u = {.units = units, .tasks = tasks < units ? tasks : units, .run = run, .ctx = ctx};
    if (!workspace_open(&u.work, u.tasks, bytes)) {
        return false;
    }
    parallel_tasks(u.tasks, units_task, &u);
    workspace_close(&u.work);
    return !interrupted();
}
