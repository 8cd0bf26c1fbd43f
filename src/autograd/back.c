#include "autograd/back.h"

#include "autograd/replay.h"

static Tensor *fail_freed(const Node *n) {
    return fail_null("backward through %s: the values it saved were freed by an earlier backward; "
                     "pass {retain_graph = true} to that one, or compute the output again",
                     node_text(n));
}

/* A value that a node has saved, and the place in the graph that it had. */
typedef struct Saved {
    Storage *storage;
    uint32_t version;
    int dtype, flags;
    Ints shape;
    const int64_t *stride;
    int64_t offset;
    Node *node; /* NULL: none */
    int out;
} Saved;

static bool unchanged(const Node *n, const Saved *s, const char *what) {
    if (atomic_load_explicit(&s->storage->version, memory_order_relaxed) == s->version) {
        return true;
    }
    const char *where = where_text(s->storage->last_write);
    return fail("backward through %s: its %s (%s %s) was changed in place%s%s after it was used; "
                "clone it before changing it, or use the form without \"_\"",
                node_text(n), what, dtype_name(s->dtype), shape_text(s->shape),
                *where ? " at " : "", where);
}

/* The saved value as a tensor of the innermost scope, at its place in the graph while recording. */
static Tensor *at_place(const Saved *s) {
    Tensor *t = tensor_of_storage(s->storage, s->dtype, s->shape, s->stride, s->offset);
    if (!t) {
        return NULL;
    }
    t->flags = (uint8_t)s->flags;
    if (s->node && modes.recording) {
        node_retain(s->node);
        t->node = s->node;
        t->out = s->out;
        t->node_version = s->version;
    }
    return t;
}

Tensor *back_input(Back *b, int k) {
    Node *n = b->node;
    NodeInput *in = &n->in[k];
    if (!in->given) {
        return NULL;
    }
    if (!in->saved && !replay_fetch(n)) {
        return NULL;
    }
    if (!in->saved) {
        return n->freed ? fail_freed(n)
                        : fail_null("%s: its gradient reads %s, which its row does not name",
                                    n->op->name, node_input_name(n, k));
    }
    Saved s = {.storage = in->saved,
               .version = in->version,
               .dtype = in->dtype,
               .flags = in->flags,
               .shape = {in->shape, in->dim},
               .stride = in->stride,
               .offset = in->offset,
               .node = in->node,
               .out = in->out};
    return unchanged(n, &s, node_input_name(n, k)) ? at_place(&s) : NULL;
}

Tensor *back_output(Back *b, int k) {
    Node *n = b->node;
    NodeOutput *out = &n->out[k];
    if (!out->saved && !replay_fetch(n)) {
        return NULL;
    }
    if (!out->saved) {
        return n->freed ? fail_freed(n)
                        : fail_null("%s: its gradient reads output %d, which its row does not name",
                                    n->op->name, k + 1);
    }
    Saved s = {.storage = out->saved,
               .version = out->version,
               .dtype = out->dtype,
               .shape = {out->shape, out->dim},
               .stride = out->stride,
               .offset = out->offset,
               .node = n,
               .out = k};
    return unchanged(n, &s, "result") ? at_place(&s) : NULL;
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
