#include "autograd/node.h"

#include <string.h>

#include <stdio.h>

#include "autograd/replay.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/tls.h"

static atomic_ullong next_seq = 1;

/* The parts of a node's block, carved off one after another. */
typedef struct Block {
    char *at;
} Block;

static void *carve(Block *b, size_t bytes) {
    void *p = b->at;
    b->at += (bytes + 7) / 8 * 8;
    return p;
}

static size_t geometry_bytes(int dim) { return 2 * (size_t)dim * sizeof(int64_t); }

static bool arg_has_array(const Arg *a) {
    return a->kind == ARG_INTS || a->kind == ARG_FLOATS || a->kind == ARG_COMPLEX;
}

static size_t block_bytes(const Call *c, Tensor *const *out, int n_out) {
    size_t bytes = sizeof(Node) + (size_t)c->n_in * sizeof(NodeInput) +
                   (size_t)n_out * sizeof(NodeOutput) + c->op->n_params * sizeof(Arg);
    for (int i = 0; i < c->n_in; i++) {
        bytes += c->in[i] ? geometry_bytes(c->in[i]->dim) : 0;
    }
    for (int k = 0; k < n_out; k++) {
        bytes += geometry_bytes(out[k]->dim);
    }
    for (int i = 0; i < c->op->n_params; i++) {
        bytes += arg_has_array(&c->arg[i]) ? (size_t)c->arg[i].count * sizeof(int64_t) : 0;
    }
    return bytes;
}

static void copy_args(Node *n, const Call *c, Block *b) {
    n->arg = carve(b, c->op->n_params * sizeof(Arg));
    for (int i = 0; i < c->op->n_params; i++) {
        Arg *a = &n->arg[i];
        *a = c->arg[i];
        if (arg_has_array(a)) {
            int64_t *copy = carve(b, (size_t)a->count * sizeof *copy);
            if (a->count) {
                memcpy(copy, a->ints, (size_t)a->count * sizeof *copy);
            }
            a->ints = copy;
        } else if (a->kind == ARG_TENSOR || a->kind == ARG_TENSORS) {
            a->t = NULL;
        }
    }
}

/* The sizes and behind them the strides of t. */
static const int64_t *copy_geometry(const Tensor *t, Block *b) {
    int64_t *geometry = carve(b, geometry_bytes(t->dim));
    memcpy(geometry, t->shape, t->dim * sizeof *geometry);
    memcpy(geometry + t->dim, t->stride, t->dim * sizeof *geometry);
    return geometry;
}

static bool fill_input(NodeInput *in, Tensor *t, Block *b) {
    memset(in, 0, sizeof *in);
    if (!t) {
        return true;
    }
    bool ok = true;
    in->given = true;
    in->node = tape_node(t, &ok);
    if (in->node) {
        node_retain(in->node);
    }
    in->out = t->out;
    in->device = t->device;
    in->dtype = t->dtype;
    in->dim = t->dim;
    in->flags = t->flags;
    in->offset = t->offset;
    in->shape = copy_geometry(t, b);
    in->stride = in->shape + t->dim;
    return ok;
}

static void fill_output(NodeOutput *out, const Tensor *t, Block *b) {
    memset(out, 0, sizeof *out);
    out->dtype = t->dtype;
    out->dim = t->dim;
    out->device = t->device;
    out->offset = t->offset;
    out->shape = copy_geometry(t, b);
    out->stride = out->shape + t->dim;
}

/* The ordinal of the tensor parameter that flattened argument i belongs to. */
static int tensor_param_of(const Call *c, int i) {
    int ordinal = 0;
    for (int p = 0, n = 0; p < c->op->n_params; p++) {
        const Param *param = &c->op->params[p];
        if (param->type > PARAM_INDICES) {
            continue;
        }
        bool list = param->type == PARAM_TENSORS || param->type == PARAM_INDICES;
        n += list ? c->arg[p].count : 1;
        if (i < n) {
            return ordinal;
        }
        ordinal++;
    }
    return ordinal;
}

/* What the gradients that will be wanted read, as bits of reads_mask. */
static uint32_t wanted_reads(const Call *c, const Node *n) {
    uint32_t mask = 0;
    bool plain = c->n_in == c->op->tensor_params;
    for (int i = 0; i < c->n_in; i++) {
        if (n->in[i].node) {
            mask |= c->op->reads_mask[plain ? i : tensor_param_of(c, i)];
        }
    }
    return mask;
}

/* How many backward passes a graph may reach back over before it counts as kept by mistake. */
enum { MOST_STEPS = 100 };

static THREAD_LOCAL uint32_t step_now;

void node_count_step(void) { step_now++; }

static void warn_of_growth(const Node *n) {
    static atomic_int warned;
    if (!atomic_exchange(&warned, 1)) {
        const char *where = where_text(n->where);
        warn("%s%s%s extends a graph that has grown over %u backward passes and keeps all their "
             "memory; if it is a running total, add loss:item() or loss:detach()",
             where, *where ? ": " : "", node_name(n), n->steps);
    }
}

/* Follows how far back in time the graph behind n reaches. */
static void count_steps(Node *n) {
    n->step = step_now;
    for (int i = 0; i < n->n_in; i++) {
        const Node *before = n->in[i].node;
        if (before && before->op) {
            uint32_t steps = before->steps + (before->step != step_now);
            n->steps = steps > n->steps ? steps : n->steps;
        }
    }
    if (n->steps >= MOST_STEPS) {
        warn_of_growth(n);
    }
}

static Storage *save_storage(const Tensor *t, uint32_t *version) {
    *version = atomic_load_explicit(&t->storage->version, memory_order_relaxed);
    atomic_fetch_add_explicit(&t->storage->refs, 1, memory_order_relaxed);
    return t->storage;
}

static void save_inputs(Node *n, const Call *c, uint32_t mask) {
    bool plain = c->n_in == c->op->tensor_params;
    for (int i = 0; i < c->n_in; i++) {
        if (c->in[i] && (mask & 1u << (plain ? i : tensor_param_of(c, i)))) {
            n->in[i].saved = save_storage(c->in[i], &n->in[i].version);
        }
    }
}

void node_save_copy(Node *n, int k, const Tensor *copy) {
    NodeInput *in = &n->in[k];
    storage_release(in->saved);
    in->saved = save_storage(copy, &in->version);
    in->offset = copy->offset;
    memcpy((int64_t *)in->stride, copy->stride, copy->dim * sizeof *copy->stride);
}

void node_save_output(Node *n, int k, const Tensor *t) {
    bool again = n->extras && n->extras->replay;
    if (k < MAX_OUTS && (n->reads & 1u << (16 + k)) && !again) {
        n->out[k].saved = save_storage(t, &n->out[k].version);
    }
}

/* False, with an error recorded, if a value to be saved was made in inference mode. */
static bool check_saved(const Node *n) {
    for (int i = 0; i < n->n_in; i++) {
        if (n->in[i].saved && (n->in[i].flags & TENSOR_INFERENCE)) {
            return fail("%s: %s was made in inference_mode and cannot be saved for backward; "
                        "clone() it outside, or make it in no_grad",
                        node_name(n), node_input_name(n, i));
        }
    }
    return true;
}

Node *node_new(const Call *c, Tensor *const *out, int n_out) {
    size_t bytes = block_bytes(c, out, n_out);
    Node *n = mem_alloc(bytes);
    if (!n) {
        return NULL;
    }
    Block b = {(char *)n};
    carve(&b, sizeof *n);
    *n = (Node){.n_in = c->n_in, .n_out = n_out, .op = c->op, .bytes = bytes};
    atomic_init(&n->refs, 1);
    n->in = carve(&b, (size_t)c->n_in * sizeof *n->in);
    n->out = carve(&b, (size_t)n_out * sizeof *n->out);
    copy_args(n, c, &b);
    bool ok = true;
    for (int i = 0; i < c->n_in; i++) {
        ok &= fill_input(&n->in[i], c->in[i], &b);
    }
    for (int k = 0; k < n_out; k++) {
        fill_output(&n->out[k], out[k], &b);
    }
    n->reads = wanted_reads(c, n);
    save_inputs(n, c, n->reads);
    /* After the inputs' places are known: a view's place may have been made just now. */
    n->seq = atomic_fetch_add_explicit(&next_seq, 1, memory_order_relaxed);
    n->where = where_now();
    count_steps(n);
    if (!ok || !check_saved(n) || (modes.replay && !replay_enter(modes.replay, n))) {
        node_release(n);
        return NULL;
    }
    return n;
}

Node *node_new_leaf(const Tensor *t) {
    size_t bytes = sizeof(Node) + sizeof(NodeOutput) + geometry_bytes(t->dim);
    Node *n = mem_alloc(bytes);
    if (!n) {
        return NULL;
    }
    Block b = {(char *)n};
    carve(&b, sizeof *n);
    *n = (Node){.n_out = 1, .bytes = bytes};
    atomic_init(&n->refs, 1);
    n->out = carve(&b, sizeof *n->out);
    fill_output(n->out, t, &b);
    n->seq = atomic_fetch_add_explicit(&next_seq, 1, memory_order_relaxed);
    return n;
}

void node_retain(Node *n) { atomic_fetch_add_explicit(&n->refs, 1, memory_order_relaxed); }

const char *node_name(const Node *n) {
    if (n->extras && n->extras->custom) {
        return n->extras->custom->name;
    }
    return n->op ? n->op->public_name : "leaf";
}

const char *node_text(const Node *n) {
    char *text = text_buffer();
    const char *where = where_text(n->where);
    if (*where) {
        snprintf(text, TEXT_MAX, "%s (%s)", node_name(n), where);
    } else {
        snprintf(text, TEXT_MAX, "%s", node_name(n));
    }
    return text;
}

const char *node_input_name(const Node *n, int k) {
    for (int p = 0, at = 0; n->op && p < n->op->n_params; p++) {
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

Extras *node_extras(Node *n) {
    if (!n->extras) {
        n->extras = mem_zalloc(sizeof *n->extras);
    }
    return n->extras;
}

void hook_release(Hook *h) {
    if (h && atomic_fetch_sub_explicit(&h->refs, 1, memory_order_acq_rel) == 1) {
        h->release(h);
    }
}

static void free_extras(Extras *e) {
    while (e->hooks) {
        Hook *h = e->hooks;
        e->hooks = h->next;
        hook_release(h);
    }
    if (e->custom) {
        e->custom->release(e->custom);
    }
    replay_release(e->replay);
    mem_free(e, sizeof *e);
}

void node_free_saved(Node *n) {
    Extras *e = n->extras;
    if (e && e->custom) {
        n->freed |= e->custom->forget(e->custom);
    }
    if (e && e->replay) {
        n->freed |= n->reads != 0;
        replay_forget(e->replay, e->place);
    }
    for (int i = 0; i < n->n_in; i++) {
        if (n->in[i].saved) {
            n->freed = true;
            storage_release(n->in[i].saved);
            n->in[i].saved = NULL;
        }
    }
    for (int k = 0; k < n->n_out; k++) {
        if (n->out[k].saved) {
            n->freed = true;
            storage_release(n->out[k].saved);
            n->out[k].saved = NULL;
        }
    }
}

static void destroy(Node *n) {
    node_free_saved(n);
    if (n->extras) {
        free_extras(n->extras);
    }
    for (int i = 0; i < n->n_in; i++) {
        node_release(n->in[i].node);
    }
    for (int k = 0; k < n->n_out; k++) {
        tensor_release(n->out[k].grad);
    }
    mem_free(n, n->bytes);
}

/* A graph of any depth is freed by a loop: nodes that die while one is being destroyed queue up. */
void node_release(Node *n) {
    static THREAD_LOCAL Node *dead;
    static THREAD_LOCAL bool draining;
    if (!n || atomic_fetch_sub_explicit(&n->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    n->next_dead = dead;
    dead = n;
    if (draining) {
        return;
    }
    draining = true;
    while (dead) {
        Node *next = dead;
        dead = next->next_dead;
        destroy(next);
    }
    draining = false;
}
