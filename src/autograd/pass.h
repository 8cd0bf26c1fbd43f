#ifndef TOCHA_PASS_H
#define TOCHA_PASS_H
/* The bookkeeping of one backward pass: which nodes have gradients waiting, and which is next.
 * Everything is the pass's own, so that passes may nest and run on several threads at once. */
#include "autograd/tape.h"

typedef struct Slot {
    Node *node;    /* owned: its tensors may go while the pass runs */
    Tensor *first; /* gradient of output 0 (owned) */
    Tensor **more; /* of outputs 1, ...; NULL for nodes with one */
    bool needed, captured, queued;
} Slot;

typedef struct Pass {
    Slot *slot;
    int64_t n, capacity;
    int64_t *table; /* open addressing by node: slot index + 1 */
    int64_t table_size;
    int64_t *heap; /* slot indices, the largest seq first */
    int64_t heap_n, heap_capacity;
} Pass;

void pass_free(Pass *p);
/* The slot of a node, made when there is none; -1: out of memory. */
int64_t pass_slot(Pass *p, Node *node);
/* The slot of a node, or -1. */
int64_t pass_find(const Pass *p, const Node *node);
Tensor **slot_grad(Slot *s, int out);
/* Puts the slot in line once. */
bool pass_queue(Pass *p, int64_t slot);
/* The waiting slot whose node has the largest seq, hence all of whose consumers are done; -1: none.
 */
int64_t pass_next(Pass *p);
/* Adds g to the gradient of output out of a node (g stays the caller's). */
bool pass_add(Pass *p, Node *node, int out, Tensor *g, bool create_graph);
/* Marks the slots of all nodes reachable from those present, and sets needed on those that lead
 * to a captured one. */
bool pass_find_needed(Pass *p);
#endif
