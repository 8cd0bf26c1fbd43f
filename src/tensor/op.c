/* op_call: check, convert, infer, allocate, run, record. */
#include "tensor/op.h"

#include <stdio.h>
#include <string.h>

#include "autograd/tape.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "tensor/anomaly.h"
#include "tensor/autocast.h"
#include "tensor/batch.h"
#include "tensor/capture.h"
#include "tensor/op_check.h"
#include "tensor/parts.h"
#include "tensor/transfer.h"

THREAD_LOCAL Modes modes = {.recording = true};

/* The name of the outermost composed op that is being computed: what a device finds wrong later,
 * when nobody can add it any more, is told under the name that the user called. */
static THREAD_LOCAL const char *composing;

static bool compose(Prepared *p, Tensor **out) {
    const Op *op = p->call.op;
    Tensor *result[MAX_OUTS] = {NULL};
    const char *outer = composing;
    int mark = scope_open();
    composing = outer ? outer : op->public_name;
    result[0] = op->compose(p->arg, result);
    composing = outer;
    if (!result[0] || error_message()) { /* also where the error is that of a part not used */
        scope_close(mark, NULL);
        return false;
    }
    /* An argument handed through is the caller's already; the rest moves to the caller's scope. */
    scope_close_many(mark, result, op->n_outs);
    for (int i = 0; i < op->n_outs; i++) {
        if (!result[i]) {
            return false;
        }
        out[i] = result[i];
    }
    return true;
}

static Tensor *make_view(const Call *c) {
    const OutSpec *s = &c->spec[0];
    Tensor *input = c->in[0];
    Ints shape = {s->shape, s->dim};
    Tensor *v = tensor_of_storage(input->storage, s->dtype, shape, s->stride, s->offset);
    if (v && modes.recording) {
        Tensor *base = input->base ? input->base : input;
        v->base = tensor_retain(base);
        v->node_version = atomic_load_explicit(&v->storage->version, memory_order_relaxed);
    }
    if (v &&
        ((input->flags & TENSOR_UNTRACKED) || (!modes.recording && tensor_requires_grad(input)))) {
        v->flags |= TENSOR_UNTRACKED;
    }
    return v;
}

static bool make_outputs(const Call *c, Tensor **out) {
    for (int k = 0; k < c->op->n_outs; k++) {
        const OutSpec *s = &c->spec[k];
        out[k] = tensor_new(s->dtype, c->device, (Ints){s->shape, s->dim},
                            s->strided ? s->stride : NULL);
        if (!out[k]) {
            return false;
        }
    }
    return true;
}

static bool on_cpu(Device d) { return d.kind == DEVICE_CPU; }

static bool run_kernel(KernelFn *kernel, const KernelCall *call) {
    if (on_cpu(call->device)) {
        return kernel(call);
    }
    const Backend *backend = backend_of(call->device);
    return backend && (backend->run ? backend->run(kernel, call) : kernel(call));
}

/* The generator that a random op was given, or NULL for the default one. */
static Generator *generator_of(const Call *c) {
    for (int i = 0; i < c->op->n_params; i++) {
        if (c->arg[i].kind == ARG_GENERATOR) {
            return c->arg[i].generator;
        }
    }
    return NULL;
}

/* The counters of a random op. */
static bool take_counters(const Call *c, const Tensor *out, KernelCall *call) {
    uint64_t n = (uint64_t)(out->numel * (dtype_is_complex(out->dtype) ? 2 : 1));
    call->random = true;
    if (modes.capture && !on_cpu(c->device)) {
        return capture_take(generator_of(c), n, &call->offset);
    }
    generator_take(generator_of(c), n, &call->seed, &call->offset);
    return true;
}

/* A bit for each input that stands in the host's memory though the call runs on another device. */
static uint32_t inputs_on_host(const Call *c) {
    uint32_t on_host = 0;
    for (int i = 0; i < c->n_in; i++) {
        on_host |= c->in[i] && on_cpu(c->in[i]->device) ? 1u << i : 0;
    }
    return on_host;
}

static bool run_on_views(const Call *c, KernelFn *kernel, Tensor *const *out, View *in) {
    View outs[MAX_OUTS];
    for (int i = 0; i < c->n_in; i++) {
        in[i] = c->in[i] ? tensor_view(c->in[i]) : (View){.dtype = DT_NONE};
    }
    for (int k = 0; k < c->op->n_outs; k++) {
        outs[k] = tensor_view(out[k]);
    }
    KernelCall call = {.op = c->op,
                       .name = composing ? composing : c->op->public_name,
                       .id = c->op->id,
                       .n_in = c->n_in,
                       .n_out = c->op->n_outs,
                       .in = in,
                       .out = outs,
                       .arg = c->arg,
                       .on_host = on_cpu(c->device) ? 0 : inputs_on_host(c),
                       .device = c->device};
    if ((c->op->flags & OPF_RANDOM) && !take_counters(c, out[0], &call)) {
        return false;
    }
    return run_kernel(kernel, &call) && !interrupted();
}

/* copy from a tensor on another device. */
static bool copy_across(const Call *c, Tensor *out) {
    transfer_may_return_early = c->arg[2].b;
    bool ok = tensor_transfer(out, c->in[1]);
    transfer_may_return_early = false;
    return ok;
}

static bool run(const Call *c, Tensor *const *out) {
    if (modes.capture && !on_cpu(c->device) && !capture_note(c)) {
        return false;
    }
    if (c->op->id == OP_move && !(on_cpu(c->device) && on_cpu(c->in[0]->device))) {
        return tensor_transfer(out[0], c->in[0]);
    }
    if (c->op->id == OP_copy && !device_equal(c->in[1]->device, c->device)) {
        return copy_across(c, out[0]);
    }
    KernelFn *kernel = op_kernel(c->op, c->device.kind);
    if (!kernel) {
        return fail("%s: there is no %s kernel for %s", c->op->public_name, device_text(c->device),
                    c->dtype == DT_NONE ? "it" : dtype_name(c->dtype));
    }
    View few[PREPARED_TENSORS];
    if (c->n_in <= PREPARED_TENSORS) {
        return run_on_views(c, kernel, out, few);
    }
    size_t bytes = (size_t)c->n_in * sizeof(View);
    View *in = mem_alloc(bytes);
    bool ok = in && run_on_views(c, kernel, out, in);
    mem_free(in, bytes);
    return ok;
}

/* Rows with a parameter requires_grad make leaves. */
static bool make_leaves(const Call *c, Tensor *const *out) {
    int last = c->op->n_params - 1;
    if (c->op->tensor_params || last < 0 ||
        strcmp(c->op->params[last].name, "requires_grad") != 0) {
        return true;
    }
    return !c->arg[last].b || tensor_set_requires_grad(out[0], true);
}

static void mark_written(Tensor *t) {
    atomic_fetch_add_explicit(&t->storage->version, 1, memory_order_relaxed);
    t->storage->last_write = where_now();
}

static bool may_be_written(const Op *op, Tensor *t) { return tape_check_inplace(op, t, false); }

static bool note_written(const Op *op, Tensor *t) {
    (void)op;
    mark_written(t);
    return true;
}

/* Calls f for the tensors given to Tensor! and Tensors! parameters, until it is false. */
static bool each_written(const Call *c, bool (*f)(const Op *, Tensor *)) {
    for (int i = 0, n = 0; n < c->n_in; i++) {
        const Param *param = &c->op->params[i];
        bool list = param->type == PARAM_TENSORS || param->type == PARAM_INDICES;
        int count = param->type > PARAM_INDICES ? 0 : list ? c->arg[i].count : 1;
        for (int k = 0; k < count; k++, n++) {
            if (param->written && c->in[n] && !f(c->op, c->in[n])) {
                return false;
            }
        }
    }
    return true;
}

/* An op with Tensor! parameters: writes them and gives the first back. Such ops update parameters
 * between steps and stand outside the graph, so leaves may be written. */
static bool call_writing(Prepared *p, Tensor **out) {
    Call *c = &p->call;
    if (!each_written(c, may_be_written)) {
        return false;
    }
    out[0] = c->in[0];
    return run(c, out) && each_written(c, note_written);
}

static bool call_plain(Prepared *p, Tensor **out) {
    Call *c = &p->call;
    if (!op_convert(p) || !c->op->infer(c)) {
        return false;
    }
    if ((c->op->flags & OPF_PARTS) && dtype_is_complex(c->dtype)) {
        return parts_call(c, out);
    }
    if (p->converts && batch_involved(c)) {
        return batch_call(c, out);
    }
    if (c->op->flags & OPF_WRITES) {
        return call_writing(p, out);
    }
    Tensor *made[MAX_OUTS];
    if (c->op->op_class == CLASS_VIEW) {
        made[0] = make_view(c);
        if (!made[0]) {
            return false;
        }
    } else if (!make_outputs(c, made) || !run(c, made)) {
        return false;
    }
    if (modes.recording) {
        if (tape_wanted(c) && !tape_record(c->op, c, made)) {
            return false;
        }
    } else if (modes.inference) {
        for (int k = 0; k < c->op->n_outs; k++) {
            made[k]->flags |= TENSOR_INFERENCE;
        }
    }
    if (!make_leaves(c, made) || (modes.anomaly && !anomaly_check_call(c, made))) {
        return false;
    }
    memcpy(out, made, c->op->n_outs * sizeof *out);
    return true;
}

/* Reductions and scans may be asked to compute in another dtype: the argument is cast first. */
static bool cast_reduced(Prepared *p) {
    const Op *op = p->call.op;
    int last = op->n_params - 1;
    bool casts = op->op_class == CLASS_REDUCE || (op->flags & OPF_CAST);
    if (!casts || op->params[last].type != PARAM_DTYPE || p->arg[last].kind == ARG_NONE) {
        return true;
    }
    int dtype = (int)p->arg[last].i;
    if (!(op->dtypes & 1u << dtype)) {
        return fail("%s: dtype must be %s, got %s", op->public_name,
                    dtype_set_text(op->dtypes & DTSET_ALL), dtype_name(dtype));
    }
    p->converts |= dtype != p->call.dtype;
    p->call.dtype = dtype;
    return true;
}

void op_name_error(const char *name) {
    const char *message = error_message();
    char word[64];
    size_t n = message ? strcspn(message, ": ") : 0;
    if (!n || error_kind() == ERR_INTERRUPT || error_kind() == ERR_DEVICE) {
        return;
    }
    snprintf(word, sizeof word, "%.*s", (int)n, message);
    if (strcmp(word, name) == 0) {
        return;
    }
    if (n < sizeof word && word[n - 1] == '_') {
        word[n - 1] = '\0';
    }
    bool names_op = message[n] == ':' && message[n + 1] == ' ' && op_find(word);
    error_put_name(name, names_op ? n + 2 : 0);
}

/* True when an argument is missing because of an error that was recorded before. */
static bool is_poisoned(const Op *op, const Arg *arg) {
    for (int i = 0; i < op->n_params; i++) {
        if (arg[i].kind == ARG_TENSOR && !arg[i].t) {
            return true;
        }
        for (int k = 0; arg[i].kind == ARG_TENSORS && k < arg[i].count; k++) {
            if (!arg[i].ts[k] && op->params[i].type != PARAM_INDICES) {
                return true;
            }
        }
    }
    return false;
}

/* Whether a composed op of a vmap looks at values; indexing does so only for masks. */
static bool reads_values(const Call *c) {
    bool masks = c->op->id != OP_index;
    for (int i = 1; !masks && i < c->n_in; i++) {
        masks = c->in[i] && c->in[i]->dtype == DT_BOOL;
    }
    return masks && batch_involved(c);
}

/* Inside a vmap, another try of a composed op that has written what differs from sample to sample
 * into a tensor of its own making. */
static bool compose_samplewise(const Call *c, Tensor **out) {
    if (!batch_shared_write() || !batch_involved(c)) {
        return false;
    }
    error_clear();
    return batch_call_samplewise(c, out);
}

bool op_call(const Op *op, const Arg *arg, Tensor **out) {
    if (modes.autocast.on && autocast_applies(op)) {
        return autocast_call(op, arg, out);
    }
    Prepared p;
    bool ok = op_prepare(op, arg, &p);
    if (ok) {
        if (op->op_class != CLASS_COMPOSE) {
            ok = cast_reduced(&p) && call_plain(&p, out);
        } else if ((op->flags & OPF_VALUES) && reads_values(&p.call)) {
            ok = batch_call_samplewise(&p.call, out);
        } else {
            batch_shared_write(); /* that of a call before concerns nobody any more */
            ok = compose(&p, out) || compose_samplewise(&p.call, out);
        }
    }
    op_prepared_free(&p);
    if (!ok && !is_poisoned(op, arg)) {
        op_name_error(op->public_name);
    }
    return ok;
}

/* What stands in memory shared with self but is not self itself is read from a copy. */
static bool separate(Call *c, const Tensor *self) {
    for (int i = 1; i < c->n_in; i++) {
        Tensor *t = c->in[i];
        if (!t || t->storage != self->storage) {
            continue;
        }
        bool same = !(c->op->flags & OPF_POSITIONS) && t->offset == self->offset &&
                    tensor_same_shape(t, self) &&
                    memcmp(t->stride, self->stride, self->dim * sizeof *self->stride) == 0;
        if (!same) {
            c->in[i] = t_clone(t);
            if (!c->in[i]) {
                return false;
            }
        }
    }
    return true;
}

static bool check_dtype_fits(const Op *op, int dtype, const Tensor *self) {
    if (dtype_kinds[dtype] > dtype_kinds[self->dtype]) {
        return fail("%s_: the result is %s and does not fit into a %s tensor; use %s and assign",
                    op->public_name, dtype_name(dtype), dtype_name(self->dtype), op->public_name);
    }
    return true;
}

static bool check_result_fits(const Call *c, const Tensor *self) {
    const OutSpec *s = &c->spec[0];
    const char *name = c->op->public_name;
    if (!check_dtype_fits(c->op, s->dtype, self)) {
        return false;
    }
    Ints shape = {s->shape, s->dim};
    if (s->dim != self->dim ||
        memcmp(s->shape, self->shape, self->dim * sizeof *self->shape) != 0) {
        return fail("%s_: the result has shape %s and does not fit into one of %s", name,
                    shape_text(shape), shape_text(tensor_shape(self)));
    }
    return true;
}

static bool writes_in_place(const Call *c, const Tensor *self) {
    return (c->op->flags & OPF_DIRECT) && c->spec[0].dtype == self->dtype && c->in[0] == self;
}

/* Runs the op into self: directly where the kernel may, else through a fresh tensor. */
static bool run_into(Call *c, Tensor *self) {
    if (writes_in_place(c, self)) {
        return separate(c, self) && run(c, &self);
    }
    Tensor *fresh;
    if (!make_outputs(c, &fresh) || !run(c, &fresh)) {
        return false;
    }
    Tensor *in[2] = {self, fresh};
    Call copy = {.op = &op_table[OP_copy],
                 .arg = c->arg,
                 .in = in,
                 .n_in = 2,
                 .dtype = self->dtype,
                 .device = self->device};
    return run(&copy, &self);
}

/* Inside a vmap: compute, then copy. Gradients may read the arguments, so those in self's memory
 * are copied before. */
static bool inplace_batched(Call *c, Tensor *self) {
    Tensor *result;
    if (c->op->id == OP_copy) {
        return batch_copy(self, c->in[1], c->op->public_name);
    }
    for (int i = 0; modes.recording && i < c->n_in; i++) {
        if (c->in[i] && c->in[i]->storage == self->storage && !(c->in[i] = t_clone(c->in[i]))) {
            return false;
        }
    }
    return batch_call(c, &result) && batch_copy(self, result, c->op->public_name);
}

static bool inplace_plain(Prepared *p, Tensor *self) {
    Call *c = &p->call;
    bool wanted = modes.recording && dtype_is_inexact(self->dtype) && tape_wanted(c);
    if (!device_equal(c->device, self->device) && self->dim == 0) {
        c->device = self->device;
    }
    if (!tape_check_inplace(c->op, self, wanted) || !op_convert(p) || !c->op->infer(c) ||
        !check_result_fits(c, self)) {
        return false;
    }
    if (p->converts && batch_involved(c)) {
        return inplace_batched(c, self);
    }
    bool watched = modes.anomaly && anomaly_inputs_finite(c);
    TapeInplace plan;
    if (wanted && !tape_prepare_inplace(c, self, &plan)) {
        return false;
    }
    if (!run_into(c, self)) {
        if (wanted) {
            tape_cancel_inplace(&plan);
        }
        return false;
    }
    mark_written(self);
    if (wanted) {
        tape_commit_inplace(&plan, self);
    }
    return !watched || anomaly_check(c->op->public_name, self);
}

static bool needs_gradient(const Op *op, const Arg *arg) {
    bool needs = false;
    for (int i = 0; i < op->n_params; i++) {
        needs |= arg[i].kind == ARG_TENSOR && arg[i].t && tensor_requires_grad(arg[i].t);
    }
    return modes.recording && needs;
}

/* A composed op's in-place form: compute, then copy. What it is made of may save its arguments, so
 * it reads a copy of self where that matters. */
static bool inplace_composed(const Op *op, const Arg *arg, Tensor *self) {
    Tensor *result;
    Arg given[MAX_ARGS];
    memcpy(given, arg, op->n_params * sizeof *given);
    if (needs_gradient(op, arg)) {
        given[0] = arg_tensor(t_clone(self));
    }
    if (!op_call(op, given, &result) || !check_dtype_fits(op, result->dtype, self)) {
        return false;
    }
    const Arg copy[] = {arg_tensor(self), arg_tensor(result), arg_bool(false)};
    if (result != self && !op_call_inplace(&op_table[OP_copy], copy)) {
        op_name_error(op->public_name);
        return false;
    }
    return true;
}

bool op_call_inplace(const Op *op, const Arg *arg) {
    Tensor *self = arg[0].t;
    if (!self) {
        return error_message() != NULL ? false : fail("%s_: input is NULL", op->name);
    }
    int mark = scope_open();
    bool ok;
    if (op->op_class == CLASS_COMPOSE) {
        ok = inplace_composed(op, arg, self);
    } else {
        Prepared p;
        ok = op_prepare(op, arg, &p) && cast_reduced(&p) && inplace_plain(&p, self);
        op_prepared_free(&p);
        if (!ok && error_message() && strncmp(error_message(), "cast: ", 6) == 0) {
            op_name_error(op->public_name); /* the arguments' casts are a part of the call */
        }
    }
    scope_close(mark, NULL);
    return ok;
}
