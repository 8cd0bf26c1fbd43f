--- Optimisers: they change parameters by their gradients.

require "tocha"

local adam = require "optim.adam"

return {
    SGD = require "optim.sgd",
    Adam = adam.Adam,
    AdamW = adam.AdamW,
}
