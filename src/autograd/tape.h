#ifndef TOCHA_TAPE_H
#define TOCHA_TAPE_H
/* The tape: one node a recorded call, and one (without op) a leaf. A tensor that needs a gradient
 * points at (node, output); a node points at the (node, output) of each of its inputs. A node owns
 * no tensor that a user can have in hand, only storages of the values that its gradients read:
 * whatever place in the graph such a tensor takes later, no cycle comes about (invariant 6). */
#include "tensor/op.h"

typedef struct NodeInput {
    Node *node; /* owned; NULL: this input needs no gradient */
    int32_t out;
    uint32_t version; /* of saved when it was saved */
    Storage *saved;   /* owned; NULL when the rule does not read it */
    Device device;
    uint8_t dtype, dim, flags;
    bool given;
    const int64_t *shape, *stride; /* in the node's own block */
    int64_t offset;
} NodeInput;

typedef struct NodeOutput {
    Tensor *grad;        /* leaves, and outputs with retain: the accumulated gradient (owned) */
    const Tensor *owner; /* whose .grad that is; grad goes with it. NULL: nobody could read it */
    Storage *saved;      /* owned; NULL when the rule does not read it */
    uint32_t version;
    bool retain;
    uint8_t dtype, dim;
    Device device;
    const int64_t *shape, *stride; /* in the node's own block */
    int64_t offset;
} NodeOutput;

/* Somebody's function that a backward pass calls with the gradient of an output. */
typedef struct Hook {
    struct Hook *next;
    atomic_int refs; /* the node's and the handle's */
    int32_t out;
    bool after;   /* runs once a leaf has accumulated its gradient */
    bool removed; /* stays in the list, but runs no more */
    /* The gradient to go on with, g or another one of its kind, of the innermost scope; NULL: error
     * recorded. With after the result is only looked at for NULL. */
    Tensor *(*run)(struct Hook *h, Tensor *g);
    void (*release)(struct Hook *h); /* frees the hook when nobody has it any more */
} Hook;

/* A node whose gradients somebody else computes. */
typedef struct Custom {
    const char *name; /* lives as long as the process */
    /* Fills out with a gradient (of the innermost scope), or NULL where none flows, for each input
     * of node; grads are those of its outputs, NULL where none came. False: error recorded. */
    bool (*backward)(struct Custom *c, const Node *node, Tensor *const *grads, Tensor **out);
    /* A backward has freed the graph: lets saved values go; true: there were some. */
    bool (*forget)(struct Custom *c);
    void (*release)(struct Custom *c);
} Custom;

typedef struct Replay Replay;

/* What few nodes have. */
typedef struct Extras {
    Hook *hooks;    /* in the order of their registration */
    Custom *custom; /* owned */
    Replay *replay; /* owned: runs the call again to which the node belongs, see replay.h */
    int64_t place;  /* the node's number in it */
} Extras;

struct Node {
    atomic_int refs;
    int32_t n_in, n_out;
    const Op *op; /* NULL: a leaf */
    uint64_t seq; /* larger than that of every node it depends on */
    Where where;
    uint32_t reads; /* what its wanted gradients read, as bits of reads_mask */
    bool freed;     /* saved values were released by a backward */
    /* Which backward pass came next when the node was made, and over how many of them the longest
     * path that leads to it was made. */
    uint32_t step, steps;
    size_t bytes; /* of this block */
    Arg *arg;     /* the call's arguments; of tensors only kind and count are kept */
    NodeInput *in;
    NodeOutput *out;
    Extras *extras;  /* owned; mostly NULL */
    Node *next_dead; /* used while a graph is freed without recursion */
};

/* Appends a node for a call and points the outputs at it; false: out of memory. */
bool tape_record(const Op *op, const Call *c, Tensor *const *out);
/* The same for a call that custom, which the node owns if all goes well, differentiates; apart are
 * the outputs, as bits, that stay outside the graph. */
bool tape_record_custom(Custom *custom, Tensor **in, int n_in, Tensor *const *out, int n_out,
                        uint64_t apart);
/* Recording an in-place form: prepare allocates everything before the kernel writes, commit cannot
 * fail (invariant 3). self gets the new place in the graph, and so does the tensor that self is a
 * view of (invariant 5). What gradients read of the memory that is about to change is copied. */
typedef struct TapeInplace {
    Node *node, *base_node;
} TapeInplace;
bool tape_prepare_inplace(const Call *c, Tensor *self, TapeInplace *plan);
void tape_commit_inplace(TapeInplace *plan, Tensor *self);
void tape_cancel_inplace(TapeInplace *plan);
/* False, with an error recorded, if self must not be written in place now. */
bool tape_check_inplace(const Op *op, const Tensor *self, bool needs_grad);
/* True when a recorded call on these inputs would need a gradient. */
bool tape_wanted(const Call *c);
/* The tensor's current place in the graph; views of a tensor written in place are brought up to
 * date. NULL: none. false through ok: an error was recorded. */
Node *tape_node(Tensor *t, bool *ok);
/* The same for a function that the user calls: an error begins with its name, and after a failed
 * allocation memory is reclaimed for a second attempt. */
Node *tape_node_for(Tensor *t, const char *who, bool *ok);
/* Takes t, which is going, off its node. */
void tape_leave(const Tensor *t);
/* An owned tensor with t's memory and place in the graph, for a gradient to be kept: a node that
 * kept t itself could end up owning itself. NULL: error recorded. */
Tensor *tape_keep(Tensor *t);

bool tensor_requires_grad(const Tensor *t);
bool tensor_is_leaf(const Tensor *t);
bool tensor_set_requires_grad(Tensor *t, bool on);
/* Leaves and retained outputs; NULL: none yet. Borrowed. */
Tensor *tensor_grad(const Tensor *t);
bool tensor_set_grad(Tensor *t, Tensor *grad);
bool tensor_retain_grad(Tensor *t);
bool tensor_retains_grad(const Tensor *t);
/* The same storage, outside the graph. */
Tensor *tensor_detach(const Tensor *t);
/* Takes t itself out of the graph; a view cannot be. */
bool tensor_detach_(Tensor *t);
/* Hangs hook on t's place in the graph, which takes over the caller's reference if all goes well.
 */
bool tensor_add_hook(Tensor *t, Hook *hook);
void hook_release(Hook *h);

void node_retain(Node *n);
void node_release(Node *n);
/* "mul", "leaf", or what a custom function calls itself. */
const char *node_name(const Node *n);
/* The same with the line that recorded it: "mul (train.lua:12)"; a text_buffer(). */
const char *node_text(const Node *n);
/* What op calls tensor argument k, flattened; "argument" where it has no name. */
const char *node_input_name(const Node *n, int k);

/* Accumulates gradients of the sum of outputs (each with its grad_outputs entry, NULL: ones, for
 * one-element outputs only) into the leaves' grad; of these inputs alone, leaves or not, where
 * there are some. */
bool autograd_backward(Tensor *const *outputs, Tensor *const *grad_outputs, int n,
                       Tensor *const *inputs, int n_inputs, bool retain_graph, bool create_graph);
/* Gradients with respect to inputs into grads (in the innermost scope); an input that the outputs
 * do not depend on: an error, or NULL with allow_unused. Neither function may be tried again when
 * it failed for want of memory: leaves may have their gradients, and saved values be gone. */
bool autograd_grad(Tensor *const *outputs, Tensor *const *grad_outputs, int n,
                   Tensor *const *inputs, int n_inputs, bool retain_graph, bool create_graph,
                   bool allow_unused, Tensor **grads);
/* Finds whether outputs depend on a leaf that is not behind one of the inputs. False: error
 * recorded. */
bool autograd_reaches_others(Tensor *const *outputs, int n, Tensor *const *inputs, int n_inputs,
                             bool *found);
#endif
