/* rnn_sequence and its gradients: the rows of the batch are shared out, and each task takes its
 * rows through all steps. */
#include "cpu/kernels/rnn.h"

#include <string.h>

#include "base/interrupt.h"
#include "cpu/cpu.h"
#include "cpu/gemm.h"
#include "cpu/kernels/isa_name.h"
#include "cpu/stage.h"
#include "cpu/workspace.h"
#include "tensor/rnn.h"

ISA_DECLARE(const RnnTable, rnn_table);

/* Rows of a task at least: a row alone reads the whole weight. */
enum { TASK_ROWS = 8 };

typedef struct Sequence {
    RnnMode mode;
    const RnnTable *table;
    const GemmKernels *gemm;
    int64_t t, n, h, k, kept_size, size, tasks; /* k: gates * h; size: of an element */
    bool wide, reverse;
    char *weight; /* packed */
    const char *gates, *bias, *h0, *c0, *grad, *cells_grad, *kept_grad;
    char *output, *cells, *kept;
    char *gates_grad, *hidden_grad, *h0_grad, *c0_grad;
    Workspace work;
} Sequence;

static Sequence sequence(RnnMode mode, const View *output, bool reverse) {
    Sequence q = {.mode = mode, .table = ISA_PICK(rnn_table), .reverse = reverse};
    q.wide = output->dtype == DT_FLOAT64;
    q.size = (int64_t)dtype_size(output->dtype);
    q.gemm = gemm_kernels((size_t)q.size);
    q.t = output->shape[0];
    q.n = output->shape[1];
    q.h = output->shape[2];
    q.k = rnn_gates(mode) * q.h;
    q.kept_size = rnn_kept(mode) * q.h;
    int64_t threads = threads_get(), most = q.n / TASK_ROWS;
    q.tasks = most < 1 ? 1 : most < threads ? most : threads;
    return q;
}

/* Row row of step t in a tensor of (T, N, width); NULL if x is. */
static char *row_at(const Sequence *q, const char *x, int64_t t, int64_t row, int64_t width) {
    return x ? (char *)x + (t * q->n + row) * width * q->size : NULL;
}

/* The step that is taken at place i, and the rows of the state before it. */
static int64_t step_at(const Sequence *q, int64_t i) { return q->reverse ? q->t - 1 - i : i; }

static const char *before(const Sequence *q, const char *states, const char *first, int64_t i,
                          int64_t row) {
    return i == 0 ? row_at(q, first, 0, row, q->h)
                  : row_at(q, states, step_at(q, i - 1), row, q->h);
}

static int64_t most_rows(const Sequence *q) { return (q->n + q->tasks - 1) / q->tasks; }

static void step_task(void *ctx, int64_t task) {
    Sequence *q = ctx;
    int64_t first = task * q->n / q->tasks, rows = (task + 1) * q->n / q->tasks - first;
    char *slot = workspace_take(&q->work), *packed = slot;
    char *hidden = slot + gemm_bytes_a(q->gemm, most_rows(q), q->h);
    for (int64_t i = 0; i < q->t && !interrupt_pending(); i++) {
        int64_t t = step_at(q, i);
        const char *state = before(q, q->output, q->h0, i, first);
        const char *gates = row_at(q, q->gates, t, first, q->k);
        GemmOut out = {.c = hidden, .rs = q->k, .cs = 1, .alpha = 1};
        if (q->mode != RNN_GRU) {
            out.add = (Matrix){gates, q->k, 1};
            out.beta = 1;
        }
        q->gemm->pack_a(rows, q->h, (Matrix){state, q->h, 1}, packed);
        q->gemm->block(rows, q->k, q->h, packed, q->weight, &out);
        RnnStep s = {.rows = rows,
                     .h = q->h,
                     .gates = gates,
                     .hidden = hidden,
                     .bias = q->bias,
                     .h_before = state,
                     .c_before = q->c0 ? before(q, q->cells, q->c0, i, first) : NULL,
                     .h_now = row_at(q, q->output, t, first, q->h),
                     .c_now = row_at(q, q->cells, t, first, q->h),
                     .kept = row_at(q, q->kept, t, first, q->kept_size)};
        q->table->step[q->mode][q->wide](&s);
    }
    workspace_give(&q->work, slot);
}

/* Zeros where there is no bias. */
static const char *bias_or_zeros(Stage *s, const View *bias, const Sequence *q) {
    if (bias->dtype != DT_NONE) {
        return stage_in(s, bias);
    }
    size_t bytes = (size_t)(q->k * q->size);
    char *zeros = stage_room(s, bytes);
    if (zeros) {
        memset(zeros, 0, bytes);
    }
    return zeros;
}

static bool cpu_rnn_sequence(const KernelCall *c) {
    const View *in = c->in;
    Sequence q = sequence(rnn_mode(c->name, c->arg[5].s), &c->out[0], c->arg[6].b);
    Stage s = {0};
    q.gates = stage_in(&s, &in[0]);
    const void *weight = stage_in(&s, &in[1]);
    q.bias = bias_or_zeros(&s, &in[2], &q);
    q.h0 = stage_in(&s, &in[3]);
    q.c0 = stage_in(&s, &in[4]);
    q.output = c->out[0].data;
    q.cells = c->out[1].data;
    q.kept = c->out[2].data;
    q.weight = stage_room(&s, gemm_bytes_b(q.gemm, q.h, q.k));
    if (s.failed || c->out[0].numel == 0) {
        return stage_end(&s, true);
    }
    q.gemm->pack_b(q.h, q.k, (Matrix){weight, 1, q.h}, q.weight);
    size_t hidden = (size_t)(most_rows(&q) * q.k * q.size);
    if (!workspace_open(&q.work, q.tasks, gemm_bytes_a(q.gemm, most_rows(&q), q.h) + hidden)) {
        return stage_end(&s, false);
    }
    parallel_tasks(q.tasks, step_task, &q);
    workspace_close(&q.work);
    return stage_end(&s, true);
}

static void back_task(void *ctx, int64_t task) {
    Sequence *q = ctx;
    int64_t first = task * q->n / q->tasks, rows = (task + 1) * q->n / q->tasks - first;
    char *packed = workspace_take(&q->work);
    char *carry = row_at(q, q->h0_grad, 0, first, q->h);
    char *c_carry = q->c0 ? row_at(q, q->c0_grad, 0, first, q->h) : NULL;
    memset(carry, 0, (size_t)(rows * q->h * q->size));
    if (c_carry) {
        memset(c_carry, 0, (size_t)(rows * q->h * q->size));
    }
    for (int64_t i = q->t - 1; i >= 0 && !interrupt_pending(); i--) {
        int64_t t = step_at(q, i);
        RnnBack s = {.rows = rows,
                     .h = q->h,
                     .h_before = before(q, q->output, q->h0, i, first),
                     .c_before = q->c0 ? before(q, q->cells, q->c0, i, first) : NULL,
                     .h_now = row_at(q, q->output, t, first, q->h),
                     .c_now = row_at(q, q->cells, t, first, q->h),
                     .kept = row_at(q, q->kept, t, first, q->kept_size),
                     .grad = row_at(q, q->grad, t, first, q->h),
                     .c_grad = q->c0 ? row_at(q, q->cells_grad, t, first, q->h) : NULL,
                     .kept_grad = row_at(q, q->kept_grad, t, first, q->kept_size),
                     .h_carry = carry,
                     .c_carry = c_carry,
                     .gates = row_at(q, q->gates_grad, t, first, q->k),
                     .hidden = row_at(q, q->hidden_grad, t, first, q->k)};
        q->table->back[q->mode][q->wide](&s);
        const void *hidden = q->mode == RNN_GRU ? s.hidden : s.gates;
        GemmOut out = {
            .c = carry, .rs = q->h, .cs = 1, .add = {carry, q->h, 1}, .alpha = 1, .beta = 1};
        q->gemm->pack_a(rows, q->k, (Matrix){hidden, q->k, 1}, packed);
        q->gemm->block(rows, q->h, q->k, packed, q->weight, &out);
    }
    workspace_give(&q->work, packed);
}

static bool cpu_rnn_sequence_backward(const KernelCall *c) {
    const View *in = c->in;
    Sequence q = sequence(rnn_mode(c->name, c->arg[9].s), &in[0], c->arg[10].b);
    Stage s = {0};
    q.grad = stage_in(&s, &in[0]);
    q.cells_grad = stage_in(&s, &in[1]);
    q.kept_grad = stage_in(&s, &in[2]);
    const void *weight = stage_in(&s, &in[3]);
    q.h0 = stage_in(&s, &in[4]);
    q.c0 = stage_in(&s, &in[5]);
    q.output = (char *)stage_in(&s, &in[6]);
    q.cells = (char *)stage_in(&s, &in[7]);
    q.kept = (char *)stage_in(&s, &in[8]);
    q.gates_grad = c->out[0].data;
    q.hidden_grad = c->out[1].data;
    q.h0_grad = c->out[2].data;
    q.c0_grad = c->out[3].data;
    q.weight = stage_room(&s, gemm_bytes_b(q.gemm, q.k, q.h));
    if (s.failed || c->out[2].numel == 0) {
        return stage_end(&s, true);
    }
    q.gemm->pack_b(q.k, q.h, (Matrix){weight, q.h, 1}, q.weight);
    if (!workspace_open(&q.work, q.tasks, gemm_bytes_a(q.gemm, most_rows(&q), q.k))) {
        return stage_end(&s, false);
    }
    parallel_tasks(q.tasks, back_task, &q);
    workspace_close(&q.work);
    return stage_end(&s, true);
}

const KernelRow cpu_rnn_rows[] = {{"rnn_sequence", cpu_rnn_sequence},
                                  {"rnn_sequence_backward", cpu_rnn_sequence_backward},
                                  {NULL, NULL}};
