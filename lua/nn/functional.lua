--- nn.functional: the operators that networks are made of, under PyTorch's name for them.

local core = require "tocha.core"

local functional = {}

for _, name in ipairs {
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "batch_norm", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d",
    "conv_transpose2d", "conv_transpose3d", "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "dropout",
    "embedding", "gaussian_nll_loss", "group_norm", "hinge_embedding_loss", "huber_loss", "instance_norm", "kl_div",
    "l1_loss", "layer_norm", "linear", "local_response_norm", "log_softmax", "margin_ranking_loss", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices",
    "mse_loss", "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss", "nll_loss", "normalize",
    "pad", "pairwise_distance", "pdist", "poisson_nll_loss", "relu", "rms_norm", "scaled_dot_product_attention",
    "sigmoid", "smooth_l1_loss", "soft_margin_loss", "softmax", "tanh", "triplet_margin_loss",
} do
    functional[name] = assert(core[name], name)
end

return functional
