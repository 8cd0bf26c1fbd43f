--- Datasets and the batches made of them.

require "tocha"

local mnist = require "data.mnist"

return {
    TensorDataset = require "data.dataset",
    DataLoader = require "data.loader",
    digits = require("data.digits").load,
    mnist = mnist.load,
    mnist_download = mnist.download,
}
