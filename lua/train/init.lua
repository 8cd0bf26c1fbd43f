--- What training scripts need besides networks and data: progress, metrics, options.

local core = require "tocha.core"
local arguments = require "train.arguments"
local describe = require("tocha.options").describe
local raise = require "tocha.raise"

require "tocha"

local train = {
    progress = require "train.progress",
    parse_arguments = arguments.parse,
    describe_arguments = arguments.describe,
}

--- How many rows of logits (n, classes) are largest at their label: labels (n), counted from 1. Returns the number of
--- right ones; divide by n for the accuracy.
function train.count_correct(logits, labels)
    if not core.is_tensor(logits) or not core.is_tensor(labels) then
        raise("count_correct: expected two tensors, logits and labels, got %s and %s", describe(logits),
            describe(labels))
    elseif logits:dim() ~= 2 or labels:dim() ~= 1 or logits:size(1) ~= labels:size(1) then
        raise("count_correct: expected logits (n, classes) and labels (n), got %s and %s", tostring(logits.shape),
            tostring(labels.shape))
    end
    return logits:argmax(2):eq(labels):sum():item()
end

--- The share of rows of logits (n, classes) that are largest at their label: labels (n), counted from 1.
function train.accuracy(logits, labels)
    local correct = train.count_correct(logits, labels)
    return correct / logits:size(1)
end

local function is_callable(value)
    local meta = getmetatable(value)
    return type(value) == "function" or type(meta) == "table" and meta.__call ~= nil
end

--- The accuracy of a classifier over all batches (x, y) of a loader, in evaluation mode and without gradients. The
--- module's mode is as before afterwards.
function train.evaluate(net, loader)
    if type(net) ~= "table" or not net.eval or not is_callable(loader) then
        raise("evaluate: expected a module and a loader of batches, got %s and %s", describe(net), describe(loader))
    end
    local was_training = net.training
    net:eval()
    local correct, count = 0, 0
    local ok, why = pcall(core.no_grad, function()
        for x, y in loader do
            correct = correct + train.count_correct(net(x), y)
            count = count + y:size(1)
        end
    end)
    net:train(was_training)
    if not ok then
        error(why, 0)
    elseif count == 0 then
        raise("evaluate: the loader gave no batches")
    end
    return correct / count
end

return train
