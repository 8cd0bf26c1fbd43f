/* The backward pass. */
#include <stdio.h>
#include <string.h>

#include "autograd/back.h"
#include "autograd/batch_grad.h"
#include "autograd/node.h"
#include "autograd/pass.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/text.h"
#include "tensor/anomaly.h"

/* An input whose gradient autograd_grad was asked for. */
typedef struct Wanted {
    Node *node; /* NULL: the tensor needs no gradient */
    int out;
} Wanted;

typedef struct Run {
    Pass pass;
    bool create_graph, retain_graph;
    bool anomaly;
    bool restricted; /* only nodes that lead to a wanted one are visited */
    const Wanted *wanted;
    int n_wanted;
    Tensor **results; /* per wanted input (owned); NULL: they accumulate what comes */
} Run;

/* Memory that is collected for if there is none. */
static void *alloc_zeroed(size_t bytes) {
    void *p = mem_zalloc(bytes);
    return p || !mem_reclaimed() ? p : mem_zalloc(bytes);
}

/* The gradient as its input had it: summed over broadcast dims, cast back. A real input moves along
 * the real axis only, so that of a complex gradient it takes the real part. */
static Tensor *fit(Tensor *g, const NodeInput *in) {
    Ints shape = {in->shape, in->dim};
    if (dtype_is_complex(g->dtype) && !dtype_is_complex(in->dtype)) {
        g = t_real(g);
        if (!g) {
            return NULL;
        }
    }
    if (g->dim != in->dim || memcmp(g->shape, in->shape, in->dim * sizeof *in->shape) != 0) {
        g = t_sum_to_size(g, shape);
    }
    if (g && g->dtype != in->dtype) {
        g = t_cast(g, in->dtype);
    }
    if (g && !device_equal(g->device, in->device)) {
        g = t_move(g, in->device);
    }
    return g;
}

static bool is_wanted_input(const Run *r, const NodeInput *in) {
    if (!in->node) {
        return false;
    }
    return !r->restricted || r->pass.slot[pass_find(&r->pass, in->node)].needed;
}

/* The output gradients of a node, moved out of its slot; owned. */
typedef struct Grads {
    Tensor *few[MAX_OUTS], **v;
    int n;
} Grads;

static bool take_grads(Slot *s, Grads *grads) {
    grads->n = s->node->n_out;
    grads->v = grads->few;
    if (grads->n > MAX_OUTS) {
        grads->v = mem_alloc((size_t)grads->n * sizeof *grads->v);
        if (!grads->v) {
            return false;
        }
    }
    for (int k = 0; k < grads->n; k++) {
        Tensor **g = slot_grad(s, k);
        grads->v[k] = *g;
        *g = NULL;
    }
    return true;
}

static void release_grads(Grads *grads) {
    for (int k = 0; k < grads->n; k++) {
        tensor_release(grads->v[k]);
    }
    if (grads->v != grads->few) {
        mem_free(grads->v, (size_t)grads->n * sizeof *grads->v);
    }
}

/* In anomaly mode, false where a finite gradient became one that is not. */
static bool check_anomaly(const Run *r, const Node *node, int i, Tensor *g, Tensor *d) {
    const char *bad, *came;
    if (!r->anomaly || !anomaly_find(d, &bad)) {
        return !r->anomaly;
    }
    if (!bad || (g && !anomaly_find(g, &came))) {
        return !bad;
    }
    return g && came
               ? true
               : fail("anomaly: the backward of %s gave %s in the gradient of %s (%s), though "
                      "the gradient that came in is finite",
                      node_text(node), bad, node_input_name(node, i), shape_text(tensor_shape(d)));
}

/* Sends d on, the gradient of input i, which is not NULL. */
static bool deliver(Run *r, Node *node, int i, Tensor *g, Tensor *d) {
    const NodeInput *in = &node->in[i];
    Tensor *whole = d;
    d = fit(whole, in);
    d = d || !mem_reclaimed() ? d : fit(whole, in);
    return d && check_anomaly(r, node, i, g, d) &&
           (pass_add(&r->pass, in->node, in->out, d, r->create_graph) ||
            (mem_reclaimed() && pass_add(&r->pass, in->node, in->out, d, r->create_graph)));
}

/* The gradient by node's rule for input i; NULL without an error: none flows. */
static Tensor *by_rule(Back *back, int i, Tensor *g) {
    Tensor *d = back->node->op->grad(back, i, g);
    return d || !mem_reclaimed() ? d : back->node->op->grad(back, i, g);
}

static bool propagate(Run *r, Node *node, Grads *grads) {
    Back back = {.node = node, .grads = grads->v};
    Tensor *g = back_grad(&back, 0);
    g = g || !mem_reclaimed() ? g : back_grad(&back, 0);
    bool ok = g != NULL;
    for (int i = 0; ok && i < node->n_in; i++) {
        if (!is_wanted_input(r, &node->in[i])) {
            continue;
        }
        int mark = scope_open();
        Tensor *d = by_rule(&back, i, g);
        ok = d ? deliver(r, node, i, g, d) : error_message() == NULL;
        /* What a rule keeps in memo serves the node's other inputs. */
        scope_close_many(mark, back.memo, (int)(sizeof back.memo / sizeof *back.memo));
    }
    return ok;
}

/* The same for a node that somebody else differentiates. */
static bool propagate_custom(Run *r, Node *node, Grads *grads) {
    size_t bytes = (size_t)node->n_in * sizeof(Tensor *);
    Tensor **found = alloc_zeroed(bytes);
    Custom *custom = node->extras->custom;
    bool ok = found && custom->backward(custom, node, grads->v, found);
    for (int i = 0; ok && i < node->n_in; i++) {
        if (found[i] && is_wanted_input(r, &node->in[i])) {
            ok = deliver(r, node, i, grads->v[0], found[i]);
        }
    }
    mem_free(found, bytes);
    return ok;
}

/* Whether two tensors of one shape, of which these are the strides, lie in memory in the same way.
 */
static bool same_layout(const int64_t *shape, const int64_t *a, const int64_t *b, int dim) {
    for (int k = 0; k < dim; k++) {
        if (shape[k] > 1 && a[k] != b[k]) {
            return false;
        }
    }
    return true;
}

/* g laid out in memory as the leaf is, if that is dense, else contiguous. */
static Tensor *as_leaf_lies(const NodeOutput *leaf, Tensor *g, bool copy) {
    Tensor like = {.dim = leaf->dim, .numel = g->numel};
    memcpy(like.shape, leaf->shape, leaf->dim * sizeof *leaf->shape);
    memcpy(like.stride, leaf->stride, leaf->dim * sizeof *leaf->stride);
    bool dense = tensor_is_dense(&like);
    if (dense ? same_layout(g->shape, g->stride, like.stride, g->dim) : tensor_is_contiguous(g)) {
        return copy ? t_clone(g) : g;
    }
    return dense && !tensor_is_contiguous(&like)
               ? t_as_strided_like(g, tensor_shape(&like), (Ints){like.stride, like.dim})
               : t_contiguous(g);
}

/* What a leaf is to hold as its first gradient, given g; owned by the caller. */
static Tensor *first_grad(const NodeOutput *leaf, Tensor *g, bool create_graph) {
    bool exclusive = atomic_load(&g->refs) == 1;
    if (create_graph) {
        return exclusive ? tensor_retain(g) : tape_keep(g);
    }
    bool ours = exclusive && atomic_load(&g->storage->refs) == 1;
    return tensor_retain(as_leaf_lies(leaf, g, !ours));
}

/* Adds g to the gradient that a leaf (or a retained output) holds. */
static bool accumulate(NodeOutput *out, Tensor *g, bool create_graph) {
    if (out->grad && !create_graph) {
        return t_add_(out->grad, g) != NULL;
    }
    Tensor *sum = out->grad ? tensor_retain(t_add(out->grad, g)) : first_grad(out, g, create_graph);
    if (!sum) {
        return false;
    }
    tensor_release(out->grad);
    out->grad = sum;
    return true;
}

/* Lets the hooks of a node see, and replace, the gradients of its outputs. */
static bool run_hooks(const Node *node, Grads *grads, bool after) {
    for (Hook *h = node->extras ? node->extras->hooks : NULL; h; h = h->next) {
        Tensor *g = grads->v[h->out];
        if (h->removed || h->after != after || !g) {
            continue;
        }
        Tensor *changed = h->run(h, g);
        if (!changed) {
            return false;
        }
        if (!after && changed != g) {
            grads->v[h->out] = tensor_retain(changed);
            tensor_release(g);
        }
    }
    return true;
}

static void capture(Run *r, const Node *node, const Grads *grads) {
    for (int i = 0; r->results && i < r->n_wanted; i++) {
        if (r->wanted[i].node == node) {
            r->results[i] = tensor_retain(grads->v[r->wanted[i].out]);
        }
    }
}

/* Whether the gradient of output k is shown by a tensor, and added to. */
static bool accumulates(const Run *r, const Node *node, int k, bool captured) {
    const NodeOutput *out = &node->out[k];
    if (r->restricted) {
        return captured && !r->results && out->owner;
    }
    return (!node->op || out->retain) && out->owner;
}

/* Adds what came to the gradients that the node's tensors show. */
static bool accumulate_all(Run *r, Node *node, Grads *grads, bool captured) {
    bool any = false;
    for (int k = 0; k < node->n_out; k++) {
        NodeOutput *out = &node->out[k];
        if (!grads->v[k] || !accumulates(r, node, k, captured)) {
            continue;
        }
        any = true;
        if (!accumulate(out, grads->v[k], r->create_graph) &&
            !(mem_reclaimed() && accumulate(out, grads->v[k], r->create_graph))) {
            return false;
        }
    }
    return !any || run_hooks(node, grads, true);
}

static bool go_on(Run *r, Node *node, Grads *grads) {
    bool custom = node->extras && node->extras->custom;
    bool ok = custom ? propagate_custom(r, node, grads) : propagate(r, node, grads);
    if (ok && !r->retain_graph) {
        node_free_saved(node);
    }
    return ok;
}

/* An operator that a gradient rule uses fails in its own name, which the user never wrote. */
static void name_failure(const Node *node) {
    char name[TEXT_MAX + 32];
    if (error_kind() != ERR_MEMORY ||
        strncmp(error_message(), "backward", strlen("backward")) == 0) {
        return;
    }
    snprintf(name, sizeof name, node->op ? "backward through %s" : "backward", node_text(node));
    error_put_name(name, 0);
}

static bool visit(Run *r, int64_t index) {
    Slot *slot = &r->pass.slot[index];
    Node *node = slot->node;
    bool captured = slot->captured;
    Grads grads;
    if (!take_grads(slot, &grads)) {
        return false;
    }
    bool ok = run_hooks(node, &grads, false);
    if (ok && captured) {
        capture(r, node, &grads);
    }
    ok = ok && accumulate_all(r, node, &grads, captured) && (!node->op || go_on(r, node, &grads));
    if (!ok) {
        name_failure(node);
    }
    release_grads(&grads);
    return ok;
}

static Tensor *seed_of(Tensor *output, Tensor *grad_output, const char *who) {
    if (!grad_output) {
        if (output->numel != 1) {
            return fail_null("%s: the output has %lld elements (%s); reduce it first, as in "
                             "sum(), or pass a gradient of that shape",
                             who, (long long)output->numel, shape_text(tensor_shape(output)));
        }
        if (dtype_is_complex(output->dtype)) {
            return fail_null("%s: the output is complex and has no least slope; take its abs() or "
                             "real() first, or pass a gradient",
                             who);
        }
        return t_ones(tensor_shape(output), output->dtype, output->device, false);
    }
    if (!tensor_same_shape(output, grad_output)) {
        return fail_null("%s: the gradient passed has shape %s, the output has %s", who,
                         shape_text(tensor_shape(grad_output)), shape_text(tensor_shape(output)));
    }
    if (dtype_is_complex(grad_output->dtype) && !dtype_is_complex(output->dtype)) {
        return fail_null("%s: the gradient passed is %s, the output is %s; pass its real()", who,
                         dtype_name(grad_output->dtype), dtype_name(output->dtype));
    }
    return t_to(grad_output, output->dtype, output->device, false, false);
}

static bool seed(Run *r, Tensor *const *outputs, Tensor *const *grad_outputs, int n,
                 const char *who) {
    for (int i = 0; i < n; i++) {
        bool ok = true;
        Node *node = tape_node_for(outputs[i], who, &ok);
        if (!node) {
            return ok ? fail("%s: the output does not require grad: it was computed without "
                             "recording, or from nothing that requires grad",
                             who)
                      : false;
        }
        Tensor *given = grad_outputs ? grad_outputs[i] : NULL;
        Tensor *g = seed_of(outputs[i], given, who);
        g = g || !mem_reclaimed() ? g : seed_of(outputs[i], given, who);
        if (!g ||
            (!pass_add(&r->pass, node, outputs[i]->out, g, r->create_graph) &&
             !(mem_reclaimed() && pass_add(&r->pass, node, outputs[i]->out, g, r->create_graph)))) {
            return false;
        }
    }
    return true;
}

static bool restrict_to_wanted(Run *r) {
    for (int i = 0; i < r->n_wanted; i++) {
        if (!r->wanted[i].node) {
            continue;
        }
        int64_t slot = pass_slot(&r->pass, r->wanted[i].node);
        if (slot < 0) {
            return false;
        }
        r->pass.slot[slot].captured = true;
    }
    return pass_find_needed(&r->pass);
}

static bool run_pass(Run *r, Tensor *const *outputs, Tensor *const *grad_outputs, int n,
                     const char *who) {
    Modes before = modes;
    modes.recording = r->create_graph;
    modes.anomaly = false;
    modes.autocast.on = false; /* gradients are computed in the types of the forward pass */
    r->anomaly = before.anomaly;
    int mark = scope_open();
    bool ok =
        seed(r, outputs, grad_outputs, n, who) &&
        (!r->restricted || restrict_to_wanted(r) || (mem_reclaimed() && restrict_to_wanted(r)));
    int64_t next;
    while (ok && (next = pass_next(&r->pass)) >= 0) {
        int step = scope_open();
        bool skip = r->restricted && !r->pass.slot[next].needed;
        ok = (skip || visit(r, next)) && !interrupted();
        scope_close(step, NULL);
    }
    scope_close(mark, NULL);
    modes = before;
    pass_free(&r->pass);
    return ok;
}

static bool find_wanted(Tensor *const *inputs, int n, Wanted *wanted, const char *who) {
    for (int i = 0; i < n; i++) {
        bool ok = true;
        if (!dtype_is_inexact(inputs[i]->dtype)) {
            return fail(
                "%s: input %d is %s: only floating-point and complex tensors have gradients", who,
                i + 1, dtype_name(inputs[i]->dtype));
        }
        wanted[i] = (Wanted){tape_node_for(inputs[i], who, &ok), inputs[i]->out};
        if (!ok) {
            return false;
        }
        if (!wanted[i].node) {
            return fail("%s: input %d does not require grad; call requires_grad_() on it before "
                        "it is used",
                        who, i + 1);
        }
    }
    return true;
}

static bool any_batched(Tensor *const *tensors, int n) {
    for (int i = 0; tensors && i < n; i++) {
        if (tensors[i] && tensors[i]->batching) {
            return true;
        }
    }
    return false;
}

/* Hands the results to the innermost scope; all of them or none. */
static bool give_results(Tensor **results, int n, bool allow_unused, Tensor **grads) {
    for (int i = 0; i < n; i++) {
        if (!results[i] && !allow_unused) {
            return fail("grad: the outputs do not depend on input %d; pass {allow_unused = true} "
                        "to get nil for it",
                        i + 1);
        }
    }
    for (int i = 0; i < n; i++) {
        grads[i] = results[i];
        results[i] = NULL;
        if (grads[i] && !scope_add(grads[i])) {
            return false;
        }
    }
    return true;
}

bool autograd_grad(Tensor *const *outputs, Tensor *const *grad_outputs, int n,
                   Tensor *const *inputs, int n_inputs, bool retain_graph, bool create_graph,
                   bool allow_unused, Tensor **grads) {
    if (any_batched(outputs, n) || any_batched(inputs, n_inputs)) {
        return batch_grad(outputs, grad_outputs, n, inputs, n_inputs, retain_graph, create_graph,
                          allow_unused, grads);
    }
    size_t bytes = (size_t)n_inputs * sizeof(Wanted);
    size_t result_bytes = (size_t)n_inputs * sizeof(Tensor *);
    Wanted *wanted = alloc_zeroed(bytes);
    Tensor **results = alloc_zeroed(result_bytes);
    Run r = {.create_graph = create_graph,
             .retain_graph = retain_graph || create_graph,
             .restricted = true,
             .wanted = wanted,
             .n_wanted = n_inputs,
             .results = results};
    bool ok = wanted && results && find_wanted(inputs, n_inputs, wanted, "grad") &&
              run_pass(&r, outputs, grad_outputs, n, "grad") &&
              give_results(results, n_inputs, allow_unused, grads);
    for (int i = 0; results && i < n_inputs; i++) {
        tensor_release(results[i]);
    }
    mem_free(results, result_bytes);
    mem_free(wanted, bytes);
    return ok;
}

bool autograd_backward(Tensor *const *outputs, Tensor *const *grad_outputs, int n,
                       Tensor *const *inputs, int n_inputs, bool retain_graph, bool create_graph) {
    if (any_batched(outputs, n) || any_batched(grad_outputs, n) || any_batched(inputs, n_inputs)) {
        return fail("backward: inside vmap there is no leaf for each sample; differentiate with "
                    "tocha.func.grad, vjp or jvp, or outside the vmap");
    }
    size_t bytes = (size_t)n_inputs * sizeof(Wanted);
    Wanted *wanted = n_inputs ? alloc_zeroed(bytes) : NULL;
    Run r = {.create_graph = create_graph,
             .retain_graph = retain_graph || create_graph,
             .restricted = n_inputs > 0,
             .wanted = wanted,
             .n_wanted = n_inputs};
    if (!r.retain_graph) {
        node_count_step();
    }
    bool ok = !n_inputs || (wanted && find_wanted(inputs, n_inputs, wanted, "backward"));
    for (int i = 0; ok && i < n_inputs; i++) {
        ok = !wanted[i].node->op || tensor_retain_grad(inputs[i]);
        wanted[i].node->out[wanted[i].out].owner = inputs[i];
    }
    ok = ok && run_pass(&r, outputs, grad_outputs, n, "backward");
    mem_free(wanted, bytes);
    return ok;
}

static bool is_place_of(const Node *node, Tensor *const *tensors, int n) {
    bool ok = true;
    for (int i = 0; i < n; i++) {
        if (tape_node(tensors[i], &ok) == node) {
            return true;
        }
    }
    return false;
}

bool autograd_reaches_others(Tensor *const *outputs, int n, Tensor *const *inputs, int n_inputs,
                             bool *found) {
    Pass p = {0};
    bool ok = true;
    for (int i = 0; ok && i < n; i++) {
        Node *node = tape_node(outputs[i], &ok);
        ok = ok && (!node || pass_slot(&p, node) >= 0);
    }
    /* Slots are appended while the list is walked. */
    for (int64_t i = 0; ok && !*found && i < p.n; i++) {
        Node *node = p.slot[i].node;
        *found = !node->op && !is_place_of(node, inputs, n_inputs);
        for (int k = 0; ok && k < node->n_in; k++) {
            ok = !node->in[k].node || pass_slot(&p, node->in[k].node) >= 0;
        }
    }
    pass_free(&p);
    return ok;
}
