#ifndef TOCHA_BACK_H
#define TOCHA_BACK_H
/* What gradient rules see. A rule is an expression of t_ ops over these accessors:
 *     Tensor *grad_mul(Back *n, int i, Tensor *g) { return t_mul(g, IN(1 - i)); }
 * Rules need not undo broadcasting or casts: the engine sums and casts each result to its input's
 * shape and dtype. */
#include "autograd/tape.h"
#include "tensor/number.h"

struct Back {
    Node *node;
    Tensor **grads;  /* of each output, NULL where none came */
    Tensor *memo[4]; /* for rules that compute several inputs' gradients at once; scope-owned */
};

#define IN(k)    back_input(n, k)
#define OUT(k)   back_output(n, k)
#define SHAPE(k) back_shape(n, k)
#define ARG(k)   (n->node->arg[k])
#define NEEDS(k) back_needs(n, k)

/* Saved tensor argument k (flattened); NULL with an error when it was changed in place since, or
 * without one when the optional argument was not given. */
Tensor *back_input(Back *n, int k);
/* Saved output k. */
Tensor *back_output(Back *n, int k);
/* The gradient of output k, zeros where none came. */
Tensor *back_grad(Back *n, int k);
/* The shape argument k had; NO_INTS when it was not given. */
Ints back_shape(const Back *n, int k);
int back_dtype(const Back *n, int k);
bool back_needs(const Back *n, int k);

/* What a rule multiplies g by: the conjugate of the derivative. The tensor itself where it is real,
 * so that one rule serves real and complex numbers. */
static inline Tensor *conjugate(Tensor *t) {
    return t && dtype_is_complex(t->dtype) ? t_conj_physical(t) : t;
}

/* g times the conjugate of a number that the op multiplies by. */
static inline Tensor *back_times(Arg factor, Tensor *g) {
    return number_is(factor, 1) ? g : t_mul(g, conjugate(number_tensor(factor)));
}
#endif
