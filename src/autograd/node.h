#ifndef TOCHA_NODE_H
#define TOCHA_NODE_H
/* Making and freeing nodes; for the autograd folder alone. */
#include "autograd/tape.h"

/* A node for a call whose outputs have these tensors' shapes, saving what op's gradients read.
 * Owned by the caller; NULL: error recorded. */
Node *node_new(const Call *c, Tensor *const *out, int n_out);
/* A node without op or inputs, for a leaf of that shape. */
Node *node_new_leaf(const Tensor *t);
/* Saves copy, which has its sizes, in place of input k. */
void node_save_copy(Node *n, int k, const Tensor *copy);
/* The node's extras, made when it has none; NULL: error recorded. */
Extras *node_extras(Node *n);
/* Counts a backward pass that frees its graph: graphs that grow over many are warned about. */
void node_count_step(void);
/* Keeps output k's value, if a gradient rule reads it and the node is not to be run again. */
void node_save_output(Node *n, int k, const Tensor *t);
/* Lets go of the values saved for the gradient rules; a later backward through n says so. */
void node_free_saved(Node *n);
#endif
