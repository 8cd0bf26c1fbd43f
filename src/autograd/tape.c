#include "autograd/tape.h"

#include "autograd/node.h"
#include "base/memory.h"
#include "tensor/batch.h"

/* Lets go of t's place (node, out), and of the gradient there that only t could show. */
static void leave(const Tensor *t, Node *node, int out) {
    NodeOutput *o = &node->out[out];
    if (o->owner == t) {
        Tensor *grad = o->grad;
        o->owner = NULL;
        o->grad = NULL;
        tensor_release(grad);
    }
    node_release(node);
}

void tape_leave(const Tensor *t) { leave(t, t->node, t->out); }

/* Takes over the caller's reference to node. */
static void set_place(Tensor *t, Node *node, int out) {
    Node *old = t->node;
    int old_out = t->out;
    t->node = node;
    t->out = out;
    t->node_version = atomic_load_explicit(&t->storage->version, memory_order_relaxed);
    if (old) {
        leave(t, old, old_out);
    }
}

Tensor *tape_keep(Tensor *t) {
    bool ok = true;
    if (t->batching) {
        Tensor *all = tape_keep(t->batching->all);
        Tensor *kept = batch_wrap(all, t->batching->dim, t->batching->level);
        tensor_release(all);
        return scope_take(kept);
    }
    Node *node = tape_node(t, &ok);
    Tensor *kept = ok ? tensor_alias(t, tensor_shape(t), t->stride, t->offset) : NULL;
    if (kept && node) {
        node_retain(node);
        set_place(kept, node, t->out);
    }
    return scope_take(kept);
}

/* An error that says that who is not for what a vmap maps, with what there is instead. */
static bool fail_batched(const char *who) {
    return fail(
        "%s: inside vmap there is no leaf for each sample; differentiate with tocha.func.grad, "
        "vjp or jvp, or outside the vmap",
        who);
}

bool tensor_requires_grad(const Tensor *t) {
    while (t->batching) {
        t = t->batching->all;
    }
    if (t->node) {
        return true;
    }
    return t->base && t->base->node && dtype_is_inexact(t->dtype) &&
           t->node_version != atomic_load_explicit(&t->storage->version, memory_order_relaxed);
}

bool tensor_is_leaf(const Tensor *t) {
    while (t->batching) {
        t = t->batching->all;
    }
    return !tensor_requires_grad(t) || (t->node && !t->node->op);
}

bool tape_wanted(const Call *c) {
    for (int i = 0; i < c->n_in; i++) {
        if (c->in[i] && (c->in[i]->node || c->in[i]->base) && tensor_requires_grad(c->in[i])) {
            return true;
        }
    }
    return false;
}

/* A view's place in the graph, as a window on its base's present value. */
static Node *window_node(Tensor *view) {
    Tensor *in[1] = {view->base};
    const Arg arg[] = {arg_tensor(view->base), arg_ints(tensor_shape(view)),
                       arg_ints((Ints){view->stride, view->dim}), arg_int(view->offset)};
    Call c = {.op = &op_table[OP_as_strided], .arg = arg, .in = in, .n_in = 1};
    return node_new(&c, &view, 1);
}

Node *tape_node(Tensor *t, bool *ok) {
    if (t->batching) {
        return tape_node(t->batching->all, ok);
    }
    if (!t->base) {
        return t->node;
    }
    uint32_t version = atomic_load_explicit(&t->storage->version, memory_order_relaxed);
    if (version == t->node_version) {
        return t->node;
    }
    Node *node = NULL;
    if (t->base->node && t->base->dtype != t->dtype) {
        fail("a %s view of a %s tensor cannot be used after that tensor was changed in place while "
             "recording; take the view again",
             dtype_name(t->dtype), dtype_name(t->base->dtype));
        *ok = false;
        return NULL;
    }
    if (t->base->node) {
        node = window_node(t);
        if (!node) {
            *ok = false;
            return NULL;
        }
    }
    set_place(t, node, 0);
    return node;
}

Node *tape_node_for(Tensor *t, const char *who, bool *ok) {
    Node *node = tape_node(t, ok);
    if (!*ok && mem_reclaimed()) {
        *ok = true;
        node = tape_node(t, ok);
    }
    if (!*ok) {
        op_name_error(who); /* a view whose place is made anew fails in an operator's name */
    }
    return node;
}

/* The outputs that can carry a gradient point at the node; it dies if there is none. */
static void attach(Node *n, Tensor *const *out, uint64_t apart) {
    for (int k = 0; k < n->n_out; k++) {
        node_save_output(n, k, out[k]);
        if (dtype_is_inexact(out[k]->dtype) && !(apart & 1ull << k)) {
            node_retain(n);
            set_place(out[k], n, k);
        }
    }
}

bool tape_record(const Op *op, const Call *c, Tensor *const *out) {
    bool differentiable = false;
    for (int k = 0; k < op->n_outs; k++) {
        differentiable |= dtype_is_inexact(out[k]->dtype);
    }
    if (!differentiable) {
        return true;
    }
    Node *n = node_new(c, out, op->n_outs);
    if (!n) {
        return false;
    }
    attach(n, out, 0);
    node_release(n);
    return true;
}

/* What a node of a custom function has for a row. */
static const uint32_t reads_nothing[1];
static const Op custom_op = {
    .name = "Function", .public_name = "Function", .sig = "", .reads_mask = reads_nothing};

bool tape_record_custom(Custom *custom, Tensor **in, int n_in, Tensor *const *out, int n_out,
                        uint64_t apart) {
    Call c = {.op = &custom_op, .in = in, .n_in = n_in};
    Node *n = node_new(&c, out, n_out);
    Extras *extras = n ? node_extras(n) : NULL;
    if (!extras) {
        node_release(n);
        return false;
    }
    extras->custom = custom;
    attach(n, out, apart);
    node_release(n);
    return true;
}

bool tape_check_inplace(const Op *op, const Tensor *self, bool needs_grad) {
    const char *mark = op->flags & OPF_WRITES ? "" : "_";
    if (!tensor_is_nonoverlapping(self)) {
        return fail("%s%s: elements of the tensor written share memory (it was expanded); call "
                    "clone() first",
                    op->public_name, mark);
    }
    if ((self->flags & TENSOR_INFERENCE) && !modes.inference) {
        return fail("%s%s: a tensor made in inference_mode must not be changed in place outside; "
                    "clone() it first, or make it in no_grad",
                    op->public_name, mark);
    }
    bool reinterprets = self->base && self->base->dtype != self->dtype;
    if (modes.recording && reinterprets && (needs_grad || tensor_requires_grad(self->base))) {
        return fail(
            "%s%s: a view as another dtype must not be changed in place where a gradient is "
            "needed: the tensor it views would not know",
            op->public_name, mark);
    }
    if (!modes.recording || !needs_grad) {
        return true;
    }
    if (self->flags & TENSOR_UNTRACKED) {
        return fail("%s%s: a view that was made inside tocha.no_grad must not be changed in place "
                    "while recording: its base would not know; make the view outside",
                    op->public_name, mark);
    }
    bool leaf = self->node && !self->node->op;
    bool window = self->base && self->base->node && !self->base->node->op;
    if (leaf || window) {
        return fail("%s%s: %s that requires grad must not be changed in place while recording; do "
                    "it inside tocha.no_grad",
                    op->public_name, mark, leaf ? "a leaf" : "a view of a leaf");
    }
    return true;
}

/* The base's new place: its old value with the view's region replaced by output 0 of node. */
static Node *scatter_node(Tensor *self, Node *node) {
    Tensor *base = self->base;
    Tensor *region = tensor_alias(self, tensor_shape(self), self->stride, self->offset);
    if (!region) {
        return NULL;
    }
    node_retain(node);
    region->node = node;
    Tensor *in[2] = {base, region};
    const Arg arg[] = {arg_tensor(base), arg_tensor(region), arg_ints(tensor_shape(self)),
                       arg_ints((Ints){self->stride, self->dim}),
                       arg_int(self->offset - base->offset)};
    Call c = {.op = &op_table[OP_as_strided_scatter], .arg = arg, .in = in, .n_in = 2};
    return node_new(&c, &base, 1);
}

/* Saves copies of the inputs that the node has saved in the memory that is about to change. */
static bool save_before_write(const Call *c, Node *node, const Tensor *self) {
    Modes before = modes;
    modes.recording = false;
    modes.replay = NULL;
    bool ok = true;
    for (int i = 0; ok && i < node->n_in; i++) {
        if (node->in[i].saved == self->storage) {
            Tensor *copy = t_clone(c->in[i]);
            ok = copy != NULL;
            if (ok) {
                node_save_copy(node, i, copy);
            }
        }
    }
    modes = before;
    return ok;
}

bool tape_prepare_inplace(const Call *c, Tensor *self, TapeInplace *plan) {
    plan->base_node = NULL;
    plan->node = node_new(c, &self, 1);
    if (!plan->node) {
        return false;
    }
    if (!save_before_write(c, plan->node, self)) {
        tape_cancel_inplace(plan);
        return false;
    }
    node_save_output(plan->node, 0, self);
    if (self->base) {
        plan->base_node = scatter_node(self, plan->node);
        if (!plan->base_node) {
            tape_cancel_inplace(plan);
            return false;
        }
    }
    return true;
}

void tape_cancel_inplace(TapeInplace *plan) {
    node_release(plan->base_node);
    node_release(plan->node);
}

void tape_commit_inplace(TapeInplace *plan, Tensor *self) {
    uint32_t version = atomic_load_explicit(&self->storage->version, memory_order_relaxed);
    plan->node->out[0].version = version;
    if (plan->base_node) {
        set_place(self->base, plan->base_node, 0);
    }
    set_place(self, plan->node, 0);
    if (self->base) {
        self->node_version = version - 1; /* its next use looks at the base's new value */
    }
}

bool tensor_set_requires_grad(Tensor *t, bool on) {
    if (t->batching) {
        return fail_batched("requires_grad_");
    }
    if (on == tensor_requires_grad(t)) {
        return true;
    }
    if (!tensor_is_leaf(t)) {
        return fail("requires_grad_: the tensor was computed by %s and always requires grad; use "
                    "detach()",
                    t->node ? node_name(t->node) : "an operator");
    }
    if (!on) {
        set_place(t, NULL, 0);
        return true;
    }
    if ((t->flags & TENSOR_INFERENCE) && !modes.inference) {
        return fail("requires_grad_: a tensor made in inference_mode cannot require grad; clone() "
                    "it outside");
    }
    if (!dtype_is_inexact(t->dtype)) {
        return fail(
            "requires_grad_: only floating-point and complex tensors can require grad, got %s",
            dtype_name(t->dtype));
    }
    Node *leaf = node_new_leaf(t);
    if (!leaf) {
        return false;
    }
    leaf->out[0].owner = t;
    set_place(t, leaf, 0);
    /* A leaf is no window on another tensor, whose later values it would have to follow. */
    tensor_release(t->base);
    t->base = NULL;
    return true;
}

Tensor *tensor_grad(const Tensor *t) { return t->node ? t->node->out[t->out].grad : NULL; }

bool tensor_set_grad(Tensor *t, Tensor *grad) {
    if (t->batching || (grad && grad->batching)) {
        return fail_batched("grad");
    }
    if (!t->node) {
        return grad ? fail("grad: the tensor does not require grad; call requires_grad_() first")
                    : true;
    }
    if (grad && (!tensor_same_shape(t, grad) || t->dtype != grad->dtype ||
                 !device_equal(t->device, grad->device))) {
        return fail("grad: expected %s %s on %s like the tensor, got %s %s on %s",
                    dtype_name(t->dtype), shape_text(tensor_shape(t)), device_text(t->device),
                    dtype_name(grad->dtype), shape_text(tensor_shape(grad)),
                    device_text(grad->device));
    }
    Tensor *kept = grad ? tape_keep(grad) : NULL;
    if (grad && !kept) {
        op_name_error("grad"); /* a view whose place is made anew fails in an op's name */
        return false;
    }
    NodeOutput *out = &t->node->out[t->out];
    Tensor *old = out->grad;
    out->grad = kept;
    out->owner = t;
    tensor_release(old);
    return true;
}

bool tensor_retains_grad(const Tensor *t) {
    return t->node && t->node->op && t->node->out[t->out].retain && t->node->out[t->out].owner == t;
}

bool tensor_retain_grad(Tensor *t) {
    if (t->batching) {
        return fail_batched("retain_grad");
    }
    bool ok = true;
    Node *n = tape_node_for(t, "retain_grad", &ok);
    if (!n) {
        return ok ? fail("retain_grad: the tensor does not require grad") : false;
    }
    n->out[t->out].retain = true;
    n->out[t->out].owner = t;
    return true;
}

Tensor *tensor_detach(const Tensor *t) {
    if (t->batching) {
        return batch_wrap(tensor_detach(t->batching->all), t->batching->dim, t->batching->level);
    }
    return tensor_alias(t, tensor_shape(t), t->stride, t->offset);
}

bool tensor_detach_(Tensor *t) {
    if (t->batching) {
        return fail_batched("detach_");
    }
    if (t->base && tensor_requires_grad(t->base)) {
        return fail("detach_: a view of a tensor in the graph cannot leave it alone; use detach()");
    }
    set_place(t, NULL, 0);
    return true;
}

bool tensor_add_hook(Tensor *t, Hook *hook) {
    bool ok = true;
    if (t->batching) {
        return fail_batched("register_hook");
    }
    Node *n = tape_node_for(t, "register_hook", &ok);
    if (!n) {
        return ok ? fail("register_hook: the tensor does not require grad") : false;
    }
    if (hook->after && n->op) {
        return fail("register_post_accumulate_grad_hook: only leaves accumulate gradients, this "
                    "tensor was computed by %s",
                    node_name(n));
    }
    Extras *extras = node_extras(n);
    if (!extras) {
        return false;
    }
    hook->out = t->out;
    Hook **last = &extras->hooks;
    while (*last) {
        last = &(*last)->next;
    }
    *last = hook;
    return true;
}
