#ifndef TOCHA_BATCH_RULES_H
#define TOCHA_BATCH_RULES_H
/* Inside the batch files: a call as the rules see it. */
#include "tensor/batch.h"

typedef struct BatchCall {
    const Call *c; /* arguments of one sample's shape; normalised */
    int level;
    int64_t samples;
    Tensor *all[MAX_OUTS]; /* the results, samples along dim 0; NULL: none yet */
    bool shared;           /* the results are the same for all samples, without their dim */
} BatchCall;

/* A rule fills b->all; false: error recorded, or with *fits false: not for such arguments. */
typedef bool BatchRule(BatchCall *b, bool *fits);

/* Whether argument k is batched at this level. */
bool batch_is(const BatchCall *b, int k);
/* Argument k with the samples in front, or as it is where it is not batched; NULL where it was not
 * given. */
Tensor *batch_front(const BatchCall *b, int k);
/* The same, repeated where it is not batched; numbers stay as they are. */
Tensor *batch_full(const BatchCall *b, int k);
/* batch_front with dims of size 1 behind the samples until one sample has dim dims. */
Tensor *batch_padded(const BatchCall *b, int k, int dim);
/* The rule for an op by its name, where it has one of its own. */
BatchRule *batch_rule_of(const Op *op);

BatchRule batch_by_class, batch_one_by_one;
#endif
