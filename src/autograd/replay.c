#include "autograd/replay.h"

#include <string.h>

#include "autograd/node.h"
#include "base/memory.h"
#include "tensor/batch.h"

static bool collect(Replay *r, Node *n) {
    if (r->n == r->capacity) {
        int64_t wanted = r->capacity ? 2 * r->capacity : 32;
        Node **fresh = mem_alloc((size_t)wanted * sizeof(Node *));
        if (!fresh) {
            return false;
        }
        if (r->n) {
            memcpy(fresh, r->fresh, (size_t)r->n * sizeof *fresh);
        }
        mem_free(r->fresh, (size_t)r->capacity * sizeof(Node *));
        r->fresh = fresh;
        r->capacity = wanted;
    }
    node_retain(n);
    r->fresh[r->n++] = n;
    return true;
}

bool replay_enter(Replay *r, Node *n) {
    if (r->collecting) {
        return collect(r, n);
    }
    Extras *extras = node_extras(n);
    if (!extras) {
        return false;
    }
    node_free_saved(n);
    n->freed = false;
    atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    extras->replay = r;
    extras->place = r->count++;
    return true;
}

static void drop_fresh(Replay *r) {
    for (int64_t i = 0; i < r->n; i++) {
        node_release(r->fresh[i]);
    }
    mem_free(r->fresh, (size_t)r->capacity * sizeof(Node *));
    r->fresh = NULL;
    r->n = r->capacity = 0;
}

/* Runs the call again, recorded whatever the backward pass around records. */
static bool run_again(Replay *r) {
    Modes before = modes;
    modes.recording = true;
    modes.inference = false;
    modes.autocast = r->autocast;
    modes.replay = r;
    r->collecting = true;
    int levels = batch_hide();
    bool ok = r->again(r);
    batch_show(levels);
    r->collecting = false;
    modes = before;
    if (ok && r->n != r->count) {
        ok = fail("checkpoint: the function recorded %lld ops when it was run again, %lld the "
                  "first time; it must do the same for the same arguments",
                  (long long)r->n, (long long)r->count);
    }
    if (!ok) {
        drop_fresh(r);
    }
    r->done = ok;
    return ok;
}

static void hand_over(Node *to, Node *from) {
    for (int i = 0; i < to->n_in; i++) {
        NodeInput *in = &to->in[i], *other = &from->in[i];
        in->saved = other->saved;
        in->version = other->version;
        in->offset = other->offset;
        if (in->dim) {
            memcpy((int64_t *)in->stride, other->stride, in->dim * sizeof *in->stride);
        }
        other->saved = NULL;
    }
    for (int k = 0; k < to->n_out; k++) {
        NodeOutput *out = &to->out[k], *other = &from->out[k];
        out->saved = other->saved;
        out->version = other->version;
        out->offset = other->offset;
        if (out->dim) {
            memcpy((int64_t *)out->stride, other->stride, out->dim * sizeof *out->stride);
        }
        other->saved = NULL;
    }
}

static bool same_sizes(const int64_t *a, int a_dim, const int64_t *b, int b_dim) {
    return a_dim == b_dim && (a_dim == 0 || memcmp(a, b, (size_t)a_dim * sizeof *a) == 0);
}

/* Whether two nodes are of one call on tensors of the same sizes. */
static bool agree(const Node *a, const Node *b) {
    bool same = a->op == b->op && a->n_in == b->n_in && a->n_out == b->n_out;
    for (int i = 0; same && i < a->n_in; i++) {
        same = a->in[i].dtype == b->in[i].dtype && a->in[i].given == b->in[i].given &&
               same_sizes(a->in[i].shape, a->in[i].dim, b->in[i].shape, b->in[i].dim);
    }
    for (int k = 0; same && k < a->n_out; k++) {
        same = same_sizes(a->out[k].shape, a->out[k].dim, b->out[k].shape, b->out[k].dim);
    }
    return same;
}

bool replay_fetch(Node *n) {
    if (!n->extras || !n->extras->replay || n->freed) {
        return true;
    }
    Replay *r = n->extras->replay;
    if (!r->done && !run_again(r)) {
        return false;
    }
    Node *fresh = r->fresh[n->extras->place];
    if (!fresh) {
        return true;
    }
    if (!agree(n, fresh)) {
        return fail("checkpoint: the function called %s when it was run again, where it had called "
                    "%s the first time, or on other sizes; it must do the same for the same "
                    "arguments",
                    node_text(fresh), node_text(n));
    }
    hand_over(n, fresh);
    r->fresh[n->extras->place] = NULL;
    node_release(fresh);
    return true;
}

void replay_forget(Replay *r, int64_t place) {
    if (r->done && place < r->n) {
        Node *fresh = r->fresh[place];
        r->fresh[place] = NULL;
        node_release(fresh);
    }
}

void replay_release(Replay *r) {
    if (r && atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) == 1) {
        drop_fresh(r);
        r->release(r);
    }
}
