#include "autograd/back.h"

#include <stdio.h>

#include "base/text.h"

/* "mul (train.lua:12)" */
static const char *node_text(const Node *n) {
    char *text = text_buffer();
    const char *where = where_text(n->where);
    if (*where) {
        snprintf(text, TEXT_MAX, "%s (%s)", n->op->public_name, where);
    } else {
        snprintf(text, TEXT_MAX, "%s", n->op->public_name);
    }
    return text;
}

static Tensor *fail_freed(const Node *n) {
    return fail_null("backward through %s: the values it saved were freed by an earlier backward; "
                     "pass {retain_graph = true} to that one, or compute the output again",
                     node_text(n));
}

static bool unchanged(const Node *n, const Tensor *saved, uint32_t version, const char *what) {
    if (atomic_load_explicit(&saved->storage->version, memory_order_relaxed) == version) {
        return true;
    }
    const char *where = where_text(saved->storage->last_write);
    return fail("backward through %s: its %s (%s %s) was changed in place%s%s after it was used; "
                "clone it before changing it, or use the form without \"_\"",
                node_text(n), what, dtype_name(saved->dtype), shape_text(tensor_shape(saved)),
                *where ? " at " : "", where);
}

/* The saved tensor at its place in the graph; the alias belongs to the innermost scope. */
static Tensor *at_place(Tensor *saved, Node *node, int out) {
    if (saved->node == node && (!node || saved->out == out)) {
        return saved;
    }
    if (!modes.recording) {
        return saved;
    }
    Tensor *alias = tensor_alias(saved, tensor_shape(saved), saved->stride, saved->offset);
    if (alias && node) {
        node_retain(node);
        alias->node = node;
        alias->out = out;
        alias->node_version = atomic_load_explicit(&alias->storage->version, memory_order_relaxed);
    }
    return alias;
}

static const char *param_name(const Node *n, int k) {
    for (int p = 0, at = 0; p < n->op->n_params; p++) {
        const Param *param = &n->op->params[p];
        if (param->type > PARAM_INDICES) {
            continue;
        }
        bool list = param->type == PARAM_TENSORS || param->type == PARAM_INDICES;
        at += list ? n->arg[p].count : 1;
        if (k < at) {
            return param->name;
        }
    }
    return "argument";
}

Tensor *back_input(Back *b, int k) {
    Node *n = b->node;
    NodeInput *in = &n->in[k];
    if (!in->given) {
        return NULL;
    }
    if (!in->saved) {
        return n->freed ? fail_freed(n)
                        : fail_null("%s: its gradient reads %s, which its row does not name",
                                    n->op->name, param_name(n, k));
    }
    if (!unchanged(n, in->saved, in->version, param_name(n, k))) {
        return NULL;
    }
    return at_place(in->saved, in->node, in->out);
}

Tensor *back_output(Back *b, int k) {
    Node *n = b->node;
    NodeOutput *out = &n->out[k];
    if (!out->saved) {
        return n->freed ? fail_freed(n)
                        : fail_null("%s: its gradient reads output %d, which its row does not name",
                                    n->op->name, k + 1);
    }
    return unchanged(n, out->saved, out->version, "result") ? at_place(out->saved, n, k) : NULL;
}

Tensor *back_grad(Back *b, int k) {
    if (!b->grads[k]) {
        const NodeOutput *out = &b->node->out[k];
        return t_zeros((Ints){out->shape, out->dim}, out->dtype, out->device, false);
    }
    return b->grads[k];
}

Ints back_shape(const Back *b, int k) {
    const NodeInput *in = &b->node->in[k];
    return in->given ? (Ints){in->shape, in->dim} : NO_INTS;
}

int back_dtype(const Back *b, int k) { return b->node->in[k].dtype; }

bool back_needs(const Back *b, int k) { return b->node->in[k].node != NULL; }
