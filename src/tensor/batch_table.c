/* Which ops have a batching rule of their own. The others go by their class, by the flags
 * OPF_LEADING and OPF_BROADCASTS of their row, or one sample after another. */
#include "tensor/batch_ops.h"

static const struct {
    int op;
    BatchRule *rule;
} rules[] = {
    {OP_mm, batch_matmul},
    {OP_bmm, batch_matmul},
    {OP_matmul_batched, batch_matmul},
    {OP_mv, batch_mv},
    {OP_dot, batch_dot},
    {OP_addmm, batch_addmm},
    {OP_linear, batch_linear},
    {OP_conv2d, batch_conv},
    {OP_conv1d, batch_conv},
    {OP_conv3d, batch_conv},
    {OP_conv_relu, batch_conv},
    {OP_max_pool, batch_pool},
    {OP_adaptive_max_pool, batch_pool},
    {OP_avg_pool, batch_pool},
    {OP_solve_batched, batch_solve},
    {OP_solve_triangular_batched, batch_solve},
    {OP_attend, batch_attend},
    {OP_standardize, batch_standardize},
    {OP_view, batch_view},
    {OP_t, batch_t},
    {OP_permute, batch_permute},
    {OP_expand, batch_expand},
    {OP_squeeze, batch_squeeze},
    {OP_as_strided, batch_as_strided},
    {OP_copy, batch_copy_rule},
    {OP_max, batch_extreme},
    {OP_min, batch_extreme},
    {OP_argmax, batch_arg_extreme},
    {OP_argmin, batch_arg_extreme},
    {OP_index_select, batch_along_index},
    {OP_index_add, batch_along_index},
    {OP_index_copy, batch_along_index},
    {OP_index_take, batch_index_take},
    {OP_index_put, batch_index_put},
    {OP_embedding, batch_embedding},
    {OP_nll_loss, batch_nll_loss},
};

BatchRule *batch_rule_of(const Op *op) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i].op == op->id) {
            return rules[i].rule;
        }
    }
    return NULL;
}
