--- nn.functional: the operators that networks are made of, under PyTorch's name for them.

local core = require "tocha.core"

local functional = {}

for _, name in ipairs {
    "avg_pool2d", "batch_norm", "conv2d", "cosine_similarity", "cross_entropy", "dropout", "embedding", "group_norm",
    "instance_norm", "l1_loss", "layer_norm", "linear", "local_response_norm", "log_softmax", "max_pool2d",
    "mse_loss", "nll_loss", "normalize", "pairwise_distance", "pdist", "relu", "rms_norm",
    "scaled_dot_product_attention", "sigmoid", "softmax", "tanh",
} do
    functional[name] = assert(core[name], name)
end

return functional
