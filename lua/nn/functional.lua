--- nn.functional: the operators that networks are made of, under PyTorch's name for them.

local core = require "tocha.core"

local functional = {}

for _, name in ipairs {
    "avg_pool2d", "conv2d", "cross_entropy", "dropout", "embedding", "l1_loss", "linear", "log_softmax", "max_pool2d",
    "mse_loss", "nll_loss", "relu", "sigmoid", "softmax", "tanh",
} do
    functional[name] = assert(core[name], name)
end

return functional
