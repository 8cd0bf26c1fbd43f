--- Neural networks: modules, layers, losses, initial values.

require "tocha"

local module = require "nn.module"
local parameter = require "nn.parameter"

local nn = {
    class = module.class,
    is_module = module.is_module,
    Module = module.Module,
    Parameter = parameter.make,
    init = require "nn.initializers",
    functional = require "nn.functional",
    utils = {rnn = require "nn.packing"},
}

for _, part in ipairs {
    "nn.activations", "nn.attention", "nn.containers", "nn.conv", "nn.layers", "nn.losses", "nn.norms", "nn.pooling",
    "nn.recurrent", "nn.reshaping", "nn.transformer",
} do
    for name, class in pairs(require(part)) do
        nn[name] = class
    end
end

return nn
