#ifndef TOCHA_BATCH_H
#define TOCHA_BATCH_H
/* vmap: a batched tensor has the shape of one sample and holds all of them, in a tensor with one
 * more dim. op_call sends calls with such arguments here; a rule computes them for all samples at
 * once with calls on the tensors behind, which the tape records as it records any. Levels nest: the
 * tensor behind may itself be batched, at a level further out. */
#include "tensor/op.h"

typedef enum {
    RANDOM_ERROR,     /* random ops are an error */
    RANDOM_DIFFERENT, /* each sample draws numbers of its own */
    RANDOM_SAME       /* all samples share them */
} Randomness;

struct Batching {
    Tensor *all; /* owned */
    int32_t dim; /* the samples' */
    int32_t level;
    uint64_t id; /* of the vmap that the tensor belongs to */
};

/* Opens a level for that many samples, and gives its number, from 1; 0: error recorded. */
int batch_enter(int64_t samples, Randomness randomness);
/* Closes the innermost level: tensors batched at it are of no use any more. */
void batch_leave(void);
/* How many levels are open. */
int batch_depth(void);
/* Hides all levels, for what runs as outside of them; gives what batch_show() takes. */
int batch_hide(void);
void batch_show(int before);
int64_t batch_samples(int level);
/* The tensor whose samples stand along dim of all. */
Tensor *batch_wrap(Tensor *all, int dim, int level);
/* The level t is batched at, 0 for an ordinary tensor; -1, with an error recorded, if its vmap is
 * over. */
int batch_level(const Tensor *t);
/* All samples, along dim (a new one) of the result, repeated for a tensor that is not batched at
 * that level. */
Tensor *batch_lower(Tensor *t, int level, int dim);
/* The reverse: dim of t becomes level's samples, under the levels further in that t has. */
Tensor *batch_raise(Tensor *t, int level, int dim);
/* t batched at every open level: what is to be differentiated inside a vmap must be, for one
 * gradient a sample to come out. */
Tensor *batch_everywhere(Tensor *t);
/* The ordinary tensor behind all levels of t. */
Tensor *batch_root(Tensor *t);

/* For op_call. True if an argument is batched, or the op draws numbers inside a vmap. */
bool batch_involved(const Call *c);
/* Computes a checked and converted call for all samples. */
bool batch_call(const Call *c, Tensor **out);
/* The same for a call of a composed op, one sample after another. */
bool batch_call_samplewise(const Call *c, Tensor **out);
/* Writes result into self, both of one shape, where one of them is batched. An error where only
 * result is; a composed op that made self itself is then run one sample after another:
 * batch_shared_write() says once that this was the error. */
bool batch_copy(Tensor *self, Tensor *result, const char *name);
bool batch_shared_write(void);
#endif
