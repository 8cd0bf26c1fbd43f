/* The backward pass. */
#include <string.h>

#include "autograd/back.h"
#include "autograd/node.h"
#include "autograd/pass.h"
#include "base/interrupt.h"
#include "base/memory.h"

/* An input whose gradient autograd_grad was asked for. */
typedef struct Wanted {
    Node *node; /* NULL: the tensor needs no gradient */
    int out;
} Wanted;

typedef struct Run {
    Pass pass;
    bool create_graph, retain_graph;
    bool restricted; /* only nodes that lead to a wanted one are visited */
    const Wanted *wanted;
    int n_wanted;
    Tensor **results; /* per wanted input (owned) */
} Run;

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

/* The output gradients of a node, moved out of its slot; owned by the caller. */
typedef struct Grads {
    Tensor *few[MAX_OUTS];
} Grads;

static void take_grads(Slot *s, Grads *grads) {
    for (int k = 0; k < s->node->n_out; k++) {
        Tensor **g = slot_grad(s, k);
        grads->few[k] = *g;
        *g = NULL;
    }
}

static bool propagate(Run *r, Node *node, Grads *grads) {
    Back back = {.node = node, .grads = grads->few};
    Tensor *g = back_grad(&back, 0);
    bool ok = g != NULL;
    for (int i = 0; ok && i < node->n_in; i++) {
        const NodeInput *in = &node->in[i];
        if (!is_wanted_input(r, in)) {
            continue;
        }
        int mark = scope_open();
        Tensor *d = node->op->grad(&back, i, g);
        if (d) {
            d = fit(d, in);
            ok = d && pass_add(&r->pass, in->node, in->out, d, r->create_graph);
        } else {
            ok = error_message() == NULL;
        }
        /* What a rule keeps in memo serves the node's other inputs. */
        scope_close_many(mark, back.memo, (int)(sizeof back.memo / sizeof *back.memo));
    }
    return ok;
}

/* What a leaf is to hold as its first gradient, given g; owned by the caller. */
static Tensor *first_grad(Tensor *g, bool create_graph) {
    bool exclusive = atomic_load(&g->refs) == 1;
    if (create_graph) {
        return exclusive ? tensor_retain(g) : tape_keep(g);
    }
    if (exclusive && atomic_load(&g->storage->refs) == 1 && tensor_is_contiguous(g)) {
        return tensor_retain(g);
    }
    return tensor_retain(tensor_is_contiguous(g) ? t_clone(g) : t_contiguous(g));
}

/* Adds g to the gradient that a leaf (or a retained output) holds. */
static bool accumulate(NodeOutput *out, Tensor *g, bool create_graph) {
    if (out->grad && !create_graph) {
        return t_add_(out->grad, g) != NULL;
    }
    Tensor *sum = out->grad ? tensor_retain(t_add(out->grad, g)) : first_grad(g, create_graph);
    if (!sum) {
        return false;
    }
    tensor_release(out->grad);
    out->grad = sum;
    return true;
}

static void capture(Run *r, const Node *node, const Grads *grads) {
    for (int i = 0; i < r->n_wanted; i++) {
        if (r->wanted[i].node == node) {
            r->results[i] = tensor_retain(grads->few[r->wanted[i].out]);
        }
    }
}

static bool visit(Run *r, int64_t index) {
    Slot *slot = &r->pass.slot[index];
    Node *node = slot->node;
    Grads grads;
    take_grads(slot, &grads);
    bool ok = true;
    if (slot->captured) {
        capture(r, node, &grads);
    }
    for (int k = 0; ok && k < node->n_out; k++) {
        bool keeps = !r->restricted && (!node->op || node->out[k].retain) && node->out[k].owner;
        if (keeps && grads.few[k]) {
            ok = accumulate(&node->out[k], grads.few[k], r->create_graph);
        }
    }
    if (ok && node->op) {
        ok = propagate(r, node, &grads);
        if (ok && !r->retain_graph) {
            node_free_saved(node);
        }
    }
    for (int k = 0; k < node->n_out; k++) {
        tensor_release(grads.few[k]);
    }
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
    return t_to(grad_output, output->dtype, output->device, false);
}

static bool seed(Run *r, Tensor *const *outputs, Tensor *const *grad_outputs, int n,
                 const char *who) {
    for (int i = 0; i < n; i++) {
        bool ok = true;
        Node *node = tape_node(outputs[i], &ok);
        if (!node) {
            return ok ? fail("%s: the output does not require grad: it was computed without "
                             "recording, or from nothing that requires grad",
                             who)
                      : false;
        }
        Tensor *g = seed_of(outputs[i], grad_outputs ? grad_outputs[i] : NULL, who);
        if (!g || !pass_add(&r->pass, node, outputs[i]->out, g, r->create_graph)) {
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
    int mark = scope_open();
    bool ok = seed(r, outputs, grad_outputs, n, who) && (!r->restricted || restrict_to_wanted(r));
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

bool autograd_backward(Tensor *const *outputs, Tensor *const *grad_outputs, int n,
                       bool retain_graph, bool create_graph) {
    Run r = {.create_graph = create_graph, .retain_graph = retain_graph || create_graph};
    return run_pass(&r, outputs, grad_outputs, n, "backward");
}

static bool find_wanted(Tensor *const *inputs, int n, Wanted *wanted) {
    for (int i = 0; i < n; i++) {
        bool ok = true;
        wanted[i] = (Wanted){tape_node(inputs[i], &ok), inputs[i]->out};
        if (!ok) {
            return false;
        }
        if (!wanted[i].node) {
            return fail("grad: input %d does not require grad; call requires_grad_() on it before "
                        "it is used",
                        i + 1);
        }
    }
    return true;
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
    size_t bytes = (size_t)n_inputs * sizeof(Wanted);
    size_t result_bytes = (size_t)n_inputs * sizeof(Tensor *);
    Wanted *wanted = mem_alloc(bytes);
    Tensor **results = mem_zalloc(result_bytes);
    Run r = {.create_graph = create_graph,
             .retain_graph = retain_graph || create_graph,
             .restricted = true,
             .wanted = wanted,
             .n_wanted = n_inputs,
             .results = results};
    bool ok = wanted && results && find_wanted(inputs, n_inputs, wanted) &&
              run_pass(&r, outputs, grad_outputs, n, "grad") &&
              give_results(results, n_inputs, allow_unused, grads);
    for (int i = 0; results && i < n_inputs; i++) {
        tensor_release(results[i]);
    }
    mem_free(results, result_bytes);
    mem_free(wanted, bytes);
    return ok;
}
