#ifndef TOCHA_BATCH_OPS_H
#define TOCHA_BATCH_OPS_H
/* The batching rules of single ops, which batch_table.c lists. */
#include "tensor/batch_rules.h"

BatchRule batch_matmul, batch_mv, batch_dot, batch_addmm, batch_linear, batch_conv, batch_pool,
    batch_solve, batch_attend, batch_standardize;
BatchRule batch_view, batch_t, batch_permute, batch_expand, batch_squeeze, batch_as_strided,
    batch_copy_rule, batch_extreme, batch_arg_extreme;
BatchRule batch_along_index, batch_index_take, batch_index_put, batch_embedding, batch_nll_loss;

/* t with the dims from first up to but without end made one; NULL for NULL. */
Tensor *batch_merged(Tensor *t, int first, int end);
/* The dim of t replaced by two of these sizes. */
Tensor *batch_split(Tensor *t, int dim, int64_t outer, int64_t inner);
#endif
