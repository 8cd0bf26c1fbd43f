#ifndef TOCHA_NODE_H
#define TOCHA_NODE_H
/* Making and freeing nodes; for the autograd folder alone. */
#include "autograd/tape.h"

/* A node for a call whose outputs have these tensors' shapes, saving what op's gradients read; out
 * entries may be NULL. first, where not NULL, is saved in place of argument 0. Owned by the caller;
 * NULL: error recorded. */
Node *node_new(const Call *c, Tensor *const *out, int n_out, Tensor *first);
/* A node without op or inputs, for a leaf of that shape. */
Node *node_new_leaf(const Tensor *t);
/* Keeps output k's value for the gradient rule. */
void node_save_output(Node *n, int k, const Tensor *t);
/* Lets go of the values saved for the gradient rules; a later backward through n says so. */
void node_free_saved(Node *n);
#endif
