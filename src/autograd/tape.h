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

struct Node {
    atomic_int refs;
    int32_t n_in, n_out;
    const Op *op; /* NULL: a leaf */
    uint64_t seq; /* larger than that of every node it depends on */
    Where where;
    uint32_t reads; /* what its wanted gradients read, as bits of reads_mask */
    bool freed;     /* saved values were released by a backward */
    size_t bytes;   /* of this block */
    Arg *arg;       /* the call's arguments; of tensors only kind and count are kept */
    NodeInput *in;
    NodeOutput *out;
    Node *next_dead; /* used while a graph is freed without recursion */
};

/* Appends a node for a call and points the outputs at it; false: out of memory. */
bool tape_record(const Op *op, const Call *c, Tensor *const *out);
/* Recording an in-place form: prepare allocates everything before the kernel writes, commit cannot
 * fail (invariant 3). self gets the new place in the graph, and so does the tensor that self is a
 * view of (invariant 5). before holds self's elements from before the write, if a gradient reads
 * them. */
typedef struct TapeInplace {
    Node *node, *base_node;
} TapeInplace;
bool tape_prepare_inplace(const Call *c, Tensor *self, Tensor *before, TapeInplace *plan);
void tape_commit_inplace(TapeInplace *plan, Tensor *self);
void tape_cancel_inplace(TapeInplace *plan);
/* False, with an error recorded, if self must not be written in place now. */
bool tape_check_inplace(const Op *op, const Tensor *self, bool needs_grad);
/* True when a recorded call on these inputs would need a gradient. */
bool tape_wanted(const Call *c);
/* The tensor's current place in the graph; views of a tensor written in place are brought up to
 * date. NULL: none. false through ok: an error was recorded. */
Node *tape_node(Tensor *t, bool *ok);
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
/* The same storage, outside the graph. */
Tensor *tensor_detach(const Tensor *t);

void node_retain(Node *n);
void node_release(Node *n);

/* Accumulates gradients of the sum of outputs (each with its grad_outputs entry, NULL: ones, for
 * one-element outputs only) into the leaves' grad. */
bool autograd_backward(Tensor *const *outputs, Tensor *const *grad_outputs, int n,
                       bool retain_graph, bool create_graph);
/* Gradients with respect to inputs into grads (in the innermost scope); an input that the outputs
 * do not depend on: an error, or NULL with allow_unused. */
bool autograd_grad(Tensor *const *outputs, Tensor *const *grad_outputs, int n,
                   Tensor *const *inputs, int n_inputs, bool retain_graph, bool create_graph,
                   bool allow_unused, Tensor **grads);
#endif
